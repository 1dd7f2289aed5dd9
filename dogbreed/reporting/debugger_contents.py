"""What the debugger's page shows, as plain data: rules, curves and what was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dogbreed.debugging.finding import Finding

Points = Sequence[tuple[float, float]]  # (step, value), steps rising
Steps = Mapping[str, Sequence[int]]  # the steps of each mode, as "TRAIN" and "EVAL"


@dataclass(frozen=True)
class RecordedCollection:
    """Tensors that were recorded together: how many, at which steps of each mode, and their bytes on disk."""

    name: str
    tensors: int
    steps: Steps = field(default_factory=dict)
    size: int | None = None


@dataclass(frozen=True)
class RecordedTensor:
    """A tensor that was recorded: its collection, its shape where it is known, and the steps of each mode."""

    name: str
    collection: str
    shape: Sequence[int] | None = None
    steps: Steps = field(default_factory=dict)


@dataclass(frozen=True)
class DebuggerContents:
    """Everything on the page. A part that is empty is left out of it, with a word on why.

    `loss_name` is the name of the loss's tensor. `train_loss` and `val_loss` are points over the training step; those
    of `val_loss` are means of an evaluation, at the training step after which it was made. `gradient_norms` maps a
    parameter's or its gradient's name to the norms of its gradient, `update_ratios` a parameter's name to the norms of
    its changes by its own norm; both in the order of the network. Values that are not finite are shown as such.
    `absences` says why a part is missing where the page's own words would be wrong; its keys are those of
    `debugger_page.SECTIONS`, and an empty text says nothing.
    """

    title: str
    rules: Sequence[Finding] = ()
    loss_name: str = ""
    train_loss: Points = ()
    val_loss: Points = ()
    gradient_norms: Mapping[str, Points] = field(default_factory=dict)
    update_ratios: Mapping[str, Points] = field(default_factory=dict)
    collections: Sequence[RecordedCollection] = ()
    tensors: Sequence[RecordedTensor] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    absences: Mapping[str, str] = field(default_factory=dict)
