"""What is kept of a run's tensors: for each rule just what it needs, whatever the tensors' size."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from dogbreed.debugging import reductions
from dogbreed.debugging.finding import Finding
from dogbreed.debugging.reductions import Array
from dogbreed.debugging.rule import Mode, Wanted
from dogbreed.debugging.rule_table import RULES
from dogbreed.debugging.series import Series
from dogbreed.errors import ConfigError

Rules = Mapping[str, Mapping[str, Any] | None]
# What a page draws, whichever rules are asked.
DRAWN = {
    ("", "train_loss"): Wanted(reductions.mean, ("losses",), mode="TRAIN"),
    ("", "val_loss"): Wanted(reductions.mean, ("losses",), mode="EVAL"),
    ("", "gradient_norms"): Wanted(reductions.norm, ("gradients",)),
    ("", "update_ratios"): Wanted(partial(reductions.update_ratio, epsilon=1e-9), ("weights",), pairwise=True),
}


@dataclass
class Seen:
    """A tensor that was given: its first collection, its shape, and the steps of each mode."""

    collection: str
    shape: tuple[int, ...]
    steps: dict[str, list[int]] = field(default_factory=dict)


class Recorded:
    """Takes tensors as they come, live or from a trial, and asks the rules.

    Args:
        rules: names, each with parameters that differ from the defaults; None for all rules of the table.

    Raises:
        ConfigError: an unknown rule or parameter.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.settings = {
            name: _rule(name).settings(name, given or {})
            for name, given in (dict.fromkeys(RULES) if rules is None else rules).items()
        }
        self.tensors: dict[str, Seen] = {}
        self._wanted = DRAWN | {
            (rule, kind): wanted
            for rule, settings in self.settings.items()
            for kind, wanted in RULES[rule].wants(settings).items()
        }
        self._series: dict[tuple[str, str], dict[str, Series]] = {key: {} for key in self._wanted}
        self._before: dict[tuple[str, Mode], Array] = {}
        self._failed: dict[str, str] = {}
        self._matches: dict[tuple[str, frozenset[str], Mode], list[tuple[str, str]]] = {}

    def record(self, name: str, collections: Collection[str], mode: Mode, step: int, tensor: Array, at: int) -> None:
        """Keep what the rules need of a tensor.

        Args:
            name: of the tensor.
            collections: that it belongs to.
            mode: TRAIN or EVAL.
            step: of the mode.
            tensor: its value.
            at: the step among those of all modes.
        """
        if not tensor.size:
            return
        wanting = self.wanting(name, collections, mode)
        if wanting:
            seen = self.tensors.setdefault(name, Seen(next(iter(collections), ""), tensor.shape))
            seen.steps.setdefault(mode, []).append(step)
        for key in wanting:
            value = self._kept(key, name, mode, tensor)
            if value is not None:
                shown = name if mode == "TRAIN" or self._wanted[key].mode else f"{name} (EVAL)"
                self._series[key].setdefault(shown, Series()).append(step, value, at)
        if any(self._wanted[key].pairwise for key in wanting):
            self._before[name, mode] = tensor.copy()

    def wanting(self, name: str, collections: Collection[str], mode: Mode) -> list[tuple[str, str]]:
        """Which rules want a tensor, and as what."""
        key = (name, frozenset(collections), mode)
        if key not in self._matches:
            self._matches[key] = [k for k, wanted in self._wanted.items() if _wants(wanted, name, key[1], mode)]
        return self._matches[key]

    @property
    def drawn(self) -> dict[str, dict[str, Series]]:
        """The series that a page draws."""
        return self.series("")

    def series(self, rule: str) -> dict[str, dict[str, Series]]:
        """What a rule is given: the series of each tensor, for each kind that it wants."""
        return {kind: found for (name, kind), found in self._series.items() if name == rule}

    def state(self) -> dict[str, Any]:
        """What has been kept, as plain values and tensors."""
        return {
            f"{rule}/{kind}": {
                name: [series.steps, [_stored(value) for value in series.values], series.at]
                for name, series in found.items()
            }
            for (rule, kind), found in self._series.items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        for key in self._series:
            self._series[key] = {
                name: Series(list(steps), [_read(value) for value in values], list(at))
                for name, (steps, values, at) in state.get("/".join(key), {}).items()
            }

    def check(self) -> list[Finding]:
        """What all rules say of what has been recorded."""
        return [
            Finding(name, "Error", self._failed[name])
            if name in self._failed
            else RULES[name](name, self.series(name), settings)
            for name, settings in self.settings.items()
        ]

    def _kept(self, key: tuple[str, str], name: str, mode: Mode, tensor: Array) -> Any:
        """What a rule keeps; one that fails within a step stops nothing."""
        try:
            return self._reduced(self._wanted[key], name, mode, tensor)
        except Exception as error:
            self._failed.setdefault(key[0], f"{type(error).__name__}: {error}, of {name}")
            return None

    def _reduced(self, wanted: Wanted, name: str, mode: Mode, tensor: Array) -> Any:
        if wanted.pairwise:
            before = self._before.get((name, mode))
            return None if before is None or before.shape != tensor.shape else wanted.keep(before, tensor)
        return wanted.keep(tensor, name=name) if wanted.named else wanted.keep(tensor)


def _stored(value: Any) -> Any:
    """As a checkpoint holds it: no array or number of NumPy's, whose loading would run code."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    return [_stored(part) for part in value] if isinstance(value, tuple) else value


def _read(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.numpy()
    return tuple(_read(part) for part in value) if isinstance(value, list) else value


def _rule(name: str) -> Any:
    if name not in RULES:
        raise ConfigError(f"Unknown rule {name!r}; known are {', '.join(RULES)}.")
    return RULES[name]


def _wants(wanted: Wanted, name: str, collections: frozenset[str], mode: Mode) -> bool:
    if wanted.mode not in (None, mode):
        return False
    if not wanted.collections and not wanted.regexes:
        return True
    return not collections.isdisjoint(wanted.collections) or any(re.search(regex, name) for regex in wanted.regexes)
