"""The line of an epoch: what writes it, and the regular expressions that read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

# What stands before each figure of the line, in the line's order.
METRICS = {
    "train/loss": "train loss",
    "train/acc": "acc",
    "val/loss": "val loss",
    "val/acc": "acc",
    "val/acc5": "top-5",
}
# What a search can go by, and where to.
OBJECTIVES = {"val/loss": "minimize", "val/acc": "maximize", "val/acc5": "maximize"}

# What stands before the figures of an earlier epoch.
KEPT = "kept"

NUMBER = r"([-+]?[0-9]+(?:\.[0-9]+)?)"
# The blank that ends it keeps the 1 of 1e-05 from being read as a number.
END = " "
EPOCH = "epoch +[0-9]+/[^ *]+"


def fixed_point(value: float, digits: int = 5) -> str:
    """A number to so many significant digits, never with an exponent.

    >>> fixed_point(2.629), fixed_point(0.00001), fixed_point(123456789.0), fixed_point(float("nan"))
    ('2.6290', '0.000010000', '123460000', 'nan')
    """
    if not math.isfinite(value):
        return str(float(value))
    return format(Decimal(f"{value:.{digits - 1}e}"), "f")


def epoch_line(
    epoch: int,
    max_epochs: int | None,
    metrics: Mapping[str, float],
    *,
    kept: Mapping[str, float] | None,
    seconds: float,
) -> str:
    """An epoch's figures, for a terminal and for a log alike.

    Args:
        epoch: from 1.
        max_epochs: as many as there will be at most.
        metrics: at least those of `METRICS`.
        kept: those of the epoch with the lowest validation loss so far, whose weights are kept: of this one, which
            then gets a star, or of an earlier one, which then stand beside it. None where there is none.
        seconds: that the epoch took.

    >>> figures = dict.fromkeys(METRICS, 0.25)
    >>> epoch_line(1, 12, figures, kept=figures, seconds=2.44)
    'epoch   1/12* train loss 0.25000 acc 0.25000   val loss 0.25000 acc 0.25000 top-5 0.25000   2.4 s'
    """
    star = "*" if kept is metrics else " "
    parts = [_figures(split, metrics) for split in ("train/", "val/")]
    if kept is not None and kept is not metrics:
        parts.append(" ".join([KEPT, *(fixed_point(kept[name]) for name in OBJECTIVES)]))
    return "   ".join([f"epoch {epoch:>3}/{max_epochs}{star} {parts[0]}", *parts[1:], f"{seconds:.1f} s"])


def metric_regex(name: str) -> str:
    r"""What reads a metric of `METRICS` off the line of any epoch: its first group. A figure that is no number is none.

    >>> metric_regex("train/loss")
    'epoch +[0-9]+/[^ *]+[ *] +train loss ([-+]?[0-9]+(?:\\.[0-9]+)?) '
    """
    return f"{EPOCH}[ *]{_until(name)}{NUMBER}{END}"


def objective_regex(name: str) -> str:
    """What reads a metric of `OBJECTIVES` off every line as that of the weights that are kept so far."""
    before = " +[^ ]+" * list(OBJECTIVES).index(name)
    return f"{EPOCH}(?:[*]{_until(name)}| .* {KEPT}{before} ){NUMBER}{END}"


def _figures(split: str, metrics: Mapping[str, float]) -> str:
    return " ".join(
        f"{words} {fixed_point(metrics[name])}" for name, words in METRICS.items() if name.startswith(split)
    )


def _until(name: str) -> str:
    """From the star to the metric's figure: the accuracy of training has no word that validation's has not."""
    names = list(METRICS)
    before = names[: names.index(name)]
    return "".join(f" +{METRICS[other]} [^ ]+" for other in before) + f" +{METRICS[name]} "
