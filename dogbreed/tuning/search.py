"""A search: what may be chosen, what counts, and how the next settings are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from dogbreed.epoch_line import OBJECTIVES
from dogbreed.errors import ConfigError
from dogbreed.tuning.space import Choice, Integers, LogUniform, Space, Uniform

# Groups of settings that a trial reads, and what in them has to be the same for all.
TUNABLE = ("model", "data", "trainer", "callbacks")
SHARED = ("root", "source", "seed", "output_dir", "synthetic", "_target_")
STRATEGIES = ("bayesian", "random", "grid", "hyperband")


@dataclass(frozen=True)
class Search:
    """What a study searches, and how.

    Args:
        space: by the name of the setting.
        metric: of the validation photos, at the epoch with the lowest validation loss, whose weights are kept.
        strategy: bayesian (Optuna's TPE), random, grid (every combination of choices), or hyperband.
        early_stopping: whether a trial is given up that is worse than the median of the others at the same epoch.
        seeds: how many seeds the best is compared with the default over.

    Raises:
        ConfigError: a value out of range, or settings that contradict each other.
    """

    space: Space
    metric: str = "val/loss"
    strategy: str = "bayesian"
    early_stopping: bool = True
    seeds: int = 3

    def __post_init__(self) -> None:
        _check_one_of("search.metric", self.metric, tuple(OBJECTIVES))
        _check_one_of("search.strategy", self.strategy, STRATEGIES)
        if not self.space:
            raise ConfigError("Expected search.space to hold at least one setting, for instance search=frozen.")
        ranges = [name for name, parameter in self.space.items() if not isinstance(parameter, Choice)]
        if self.strategy == "grid" and ranges:
            raise ConfigError(f"Expected a choice for every setting of search.strategy=grid, {ranges[0]} is a range.")
        if self.seeds < 1:
            raise ConfigError(f"Expected search.seeds to be at least 1, got {self.seeds}.")

    @property
    def direction(self) -> str:
        """Whether less of the metric is better: "minimize", or "maximize"."""
        return OBJECTIVES[self.metric]


def build_search(
    space: Mapping[str, Any],
    *,
    metric: str = "val/loss",
    strategy: str = "bayesian",
    early_stopping: bool = True,
    seeds: int = 3,
) -> Search:
    """A search of a nested space, as a configuration holds it.

    Args:
        space: parameters of settings below the names of their groups.
        metric: see `Search`, as for all others.
        strategy: of the search.
        early_stopping: of hopeless trials.
        seeds: of the comparison.

    Raises:
        ConfigError: as `Search`, or what stands for a setting is no parameter of a search.

    >>> build_search({"model": {"dropout": Uniform(0.0, 0.5)}}).space
    {'model.dropout': Uniform(low=0.0, high=0.5)}
    """
    return Search(build_space(space), metric, strategy, early_stopping, seeds)


def build_space(nested: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a nested space by their full names."""
    return dict(_flat(nested, ""))


def check_settings(space: Space, settings: Mapping[str, Any], without_effect: Sequence[str] = ()) -> None:
    """Compare a space with the settings of a run.

    Args:
        space: of the search.
        settings: of a run, nested.
        without_effect: names of those that change no figure.

    Raises:
        ConfigError: a name that is no setting of the run, the nearest that is one is offered; or one that trials share.

    >>> check_settings({"model.dropout": Uniform(0.0, 0.5)}, {"model": {"dropout": 0.0}})
    """
    known = [name for name, _ in _leaves(settings, "")]
    for name in space:
        if name in without_effect:
            raise ConfigError(
                f"A search of {name} would find nothing, it changes no figure: leave it out of the space."
            )
        if name in known and (name.partition(".")[0] not in TUNABLE or name.rpartition(".")[2] in SHARED):
            raise ConfigError(
                f"A search cannot choose {name}: all of its trials share it. Leave it out of search.space."
            )
        if name not in known:
            ending = [other for other in known if other.rpartition(".")[2] == name.rpartition(".")[2]]
            near = ending or get_close_matches(name, known, n=2, cutoff=0.6)
            offered = f"did you mean {' or '.join(near)}?" if near else "see python -m dogbreed.train --help."
            raise ConfigError(f"Unknown setting {name!r} in search.space: {offered}")


def _check_one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigError(f"Expected {name} to be one of {', '.join(known)}, got {value!r}.")


def _flat(nested: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, node in nested.items():
        if isinstance(node, Mapping):
            yield from _flat(node, f"{prefix}{name}.")
        elif isinstance(node, (Uniform, LogUniform, Integers, Choice)):
            yield f"{prefix}{name}", node
        elif node is not None:
            raise ConfigError(
                f"Expected search.space.{prefix}{name} to be a range or a choice of dogbreed.tuning, got {node!r}."
            )


def _leaves(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
