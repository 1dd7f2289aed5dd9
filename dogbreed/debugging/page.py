"""`debugger-report.html`: what the rules say, and the curves that they read, on one page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from dogbreed.atomic import write_text
from dogbreed.debugging.finding import Finding
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.series import Series, Tensors, by_evaluation
from dogbreed.reporting.debugger_contents import DebuggerContents, Points, RecordedCollection, RecordedTensor
from dogbreed.reporting.rule_status import summary

__all__ = ["PAGE", "contents", "summary", "write_page"]
PAGE = "debugger-report.html"


def write_page(
    path: Path, recorded: Recorded, findings: Sequence[Finding], *, title: str, nbytes: int | None = None
) -> None:
    """Draw the page.

    Args:
        path: of the page.
        recorded: what was seen of the run.
        findings: of the rules.
        title: of the page.
        nbytes: of the trial on disk; None where there is none.

    Raises:
        OSError: the page could not be written.
    """
    from dogbreed.reporting.debugger_page import render_debugger_page

    write_text(path, render_debugger_page(contents(recorded, findings, title=title, nbytes=nbytes)))


def contents(
    recorded: Recorded, findings: Sequence[Finding], *, title: str, nbytes: int | None = None
) -> DebuggerContents:
    """The page as plain data."""
    drawn = recorded.drawn
    name, train = _first(drawn["train_loss"])
    _, val = _first(drawn["val_loss"])
    return DebuggerContents(
        title=title,
        rules=findings,
        loss_name=name,
        train_loss=_points(train),
        val_loss=_points(by_evaluation(train, val)[1]),
        gradient_norms={name.removeprefix("gradient/"): points for name, points in _drawn(drawn["gradient_norms"])},
        update_ratios=dict(_drawn(drawn["update_ratios"])),
        collections=_collections(recorded),
        tensors=[
            RecordedTensor(name, seen.collection, seen.shape, seen.steps)
            for name, seen in sorted(recorded.tensors.items())
        ],
        facts={} if nbytes is None else {"On disk": f"{nbytes / 2**20:,.1f} MiB"},
    )


def _first(tensors: Tensors) -> tuple[str, Series]:
    return (min(tensors), tensors[min(tensors)]) if tensors else ("", Series())


def _points(series: Series) -> Points:
    return [(float(step), float(value)) for step, value in series]


def _drawn(tensors: Tensors) -> list[tuple[str, Points]]:
    """As good as in the order of the network, in which numbers count and the head comes last."""
    return [(name, _points(tensors[name])) for name in sorted(tensors, key=_natural)]


def _natural(name: str) -> list[tuple[int, str]]:
    """What sorts `layer2` before `layer10`."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _collections(recorded: Recorded) -> list[RecordedCollection]:
    found: dict[str, list[Mapping[str, list[int]]]] = {}
    for seen in recorded.tensors.values():
        found.setdefault(seen.collection, []).append(seen.steps)
    return [
        RecordedCollection(
            name,
            len(steps),
            {mode: sorted({s for one in steps for s in one.get(mode, ())}) for mode in ("TRAIN", "EVAL")},
        )
        for name, steps in sorted(found.items())
    ]
