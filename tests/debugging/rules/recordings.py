"""A rule's answer to tensors, through the same door as a run's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from dogbreed.debugging.finding import Finding
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rule import Mode
from dogbreed.debugging.rule_table import RULES

Recording = tuple[str, str, Mode, int, Any]  # name, collection, mode, step, tensor


def array(value: Any) -> np.ndarray[Any, Any]:
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


def recordings(
    name: str, collection: str, values: Iterable[Any], *, mode: Mode = "TRAIN", steps: Sequence[int] | None = None
) -> list[Recording]:
    values = list(values)
    return [
        (name, collection, mode, step, value) for step, value in zip(steps or range(len(values)), values, strict=True)
    ]


def ask(rule: str, recorded: Iterable[Recording], **settings: Any) -> Finding:
    """What a rule says of tensors that came in this order."""
    taken = Recorded({rule: settings})
    for at, (name, collection, mode, step, tensor) in enumerate(recorded):
        taken.record(name, {collection}, mode, step, array(tensor), at)
    [found] = taken.check()
    assert found.rule == rule
    assert bool(found.advice) == (found.status == "IssuesFound")
    assert found.advice in ("", RULES[rule].advice)
    return found


def told(finding: Finding) -> tuple[str, int | None, str | None]:
    return finding.status, finding.step, finding.tensor
