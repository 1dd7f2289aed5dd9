"""A rule: what it has to see of a run, what it makes of that, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from dogbreed.debugging.finding import Finding
from dogbreed.debugging.parameters import chosen, keyword_defaults
from dogbreed.debugging.series import Tensors

Mode = Literal["TRAIN", "EVAL"]


@dataclass(frozen=True)
class Wanted:
    """Which recordings a rule is given, and what is kept of each.

    Attributes:
        keep: what is kept of a tensor; of a tensor and its recording before, where `pairwise`.
        collections: whose tensors; none for all.
        regexes: of the names of further tensors, at any place; a trial recorded elsewhere may have no such collection.
        mode: TRAIN, EVAL, or both.
        named: whether `keep` is also told the tensor's name.
        pairwise: whether `keep` compares a tensor with its recording before.
    """

    keep: Callable[..., Any]
    collections: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    mode: Mode | None = "TRAIN"
    pairwise: bool = False
    named: bool = False


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    Attributes:
        check: the pure function. Its keyword-only arguments are parameters of the rule.
        wants: from the parameters, the recordings that the rule is about, by a name for each kind.
        advice: what to change where there is an issue.
        arrange: from the series of each tensor, for each of `wants`, the positional arguments of `check`.
        reading: parameters of `wants`, with their defaults.
    """

    check: Callable[..., Finding]
    wants: Callable[[Mapping[str, Any]], dict[str, Wanted]]
    advice: str
    arrange: Callable[[Mapping[str, Tensors]], Sequence[Any]] = lambda given: tuple(given.values())
    reading: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters with their defaults."""
        return keyword_defaults(self.check) | dict(self.reading)

    def settings(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with those given.

        Args:
            name: of the rule.
            given: parameters.

        Raises:
            ConfigError: there is no such parameter, or its value cannot be used.
        """
        return chosen(name, self.parameters, given)

    def __call__(self, name: str, given: Mapping[str, Tensors], settings: Mapping[str, Any]) -> Finding:
        """The rule's answer; one that fails says so, and stops nothing.

        Args:
            name: of the rule.
            given: the series of each tensor, for each of `wants`.
            settings: all parameters.
        """
        of_check = {key: value for key, value in settings.items() if key not in self.reading}
        try:
            with np.errstate(all="ignore"):
                finding = self.check(*self.arrange(given), **of_check)
        except Exception as error:
            return Finding(name, "Error", f"{type(error).__name__}: {error}")
        return replace(finding, rule=name, advice=self.advice if finding.status == "IssuesFound" else "")
