"""The debugger's page: what the rules found in a run, and the tensors behind it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dogbreed.debugging.finding import worst_first
from dogbreed.reporting.debugger_contents import DebuggerContents
from dogbreed.reporting.frame import framed
from dogbreed.reporting.loss_over_steps import loss_over_steps
from dogbreed.reporting.outline import Section, outline
from dogbreed.reporting.rule_status import status, summary
from dogbreed.reporting.tensors_over_steps import is_map, tensors_over_steps

if TYPE_CHECKING:
    import plotly.graph_objects as go

# "A rough heuristic is that this ratio should be somewhere around 1e-3": CS231n, "Neural Networks Part 3",
# Ratio of weights:updates.
USUAL_RATIO = 1e-3
SECTIONS: tuple[Section[DebuggerContents], ...] = (
    Section("rules", "Rules", lambda contents: bool(contents.rules), "No rule was asked."),
    Section(
        "loss_over_steps",
        "Loss",
        lambda contents: bool(contents.train_loss or contents.val_loss),
        "No loss was recorded.",
    ),
    Section(
        "gradient_norms",
        "Gradients",
        lambda contents: any(contents.gradient_norms.values()),
        "No gradients were recorded.",
    ),
    Section(
        "update_ratios",
        "Weight updates",
        lambda contents: any(contents.update_ratios.values()),
        "No weights were recorded at two steps.",
    ),
    Section(
        "collections", "What was recorded", lambda contents: bool(contents.collections or contents.tensors), "Nothing."
    ),
    Section("facts", "Facts", lambda contents: bool(contents.facts)),
)


def render_debugger_page(contents: DebuggerContents) -> str:
    """The page of a run's rules and tensors, the same text for the same contents; it needs no other file."""
    return framed(
        "debugger",
        kind="run",
        title=contents.title,
        summary=summary(contents.rules),
        parts=outline(contents, SECTIONS),
        figures=_plots(contents),
        contents=contents,
        rules=worst_first(contents.rules),
        status=status,
        maps={"gradient-norms": is_map(contents.gradient_norms), "update-ratios": is_map(contents.update_ratios)},
        broken=[int(step) for step, loss in contents.train_loss if not math.isfinite(loss)],
        usual_ratio=USUAL_RATIO,
        modes={"TRAIN": "training", "EVAL": "evaluation"},
    )


def _plots(contents: DebuggerContents) -> dict[str, go.Figure]:
    figures = {}
    if contents.train_loss or contents.val_loss:
        figures["loss-over-steps"] = loss_over_steps(contents.train_loss, contents.val_loss)
    if any(contents.gradient_norms.values()):
        figures["gradient-norms"] = tensors_over_steps(contents.gradient_norms)
    if any(contents.update_ratios.values()):
        figures["update-ratios"] = tensors_over_steps(contents.update_ratios, USUAL_RATIO)
    return figures
