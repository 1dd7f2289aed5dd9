"""The figures of a model, for its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dogbreed.hub.markdown import escaped, table
from dogbreed.hub.metadata import figures, is_number, part

# Title, meaning, and whether it is a share.
FIGURES: dict[str, tuple[str, str, bool]] = {
    "acc": ("Accuracy", "photos whose most probable class is right", True),
    "acc5": ("Top-5 accuracy", "photos whose class is among the five most probable", True),
    "macro_acc": ("Macro accuracy", "mean over the classes of the share of a class's photos that is recognised", True),
    "macro_f1": ("Macro F1", "mean over the classes of F1", True),
    "calibration_error": ("Calibration error", "mean distance of probability and share of right answers", True),
    "loss": ("Cross-entropy", "0 is best", False),
}
WAYS = {"calibrated": "calibrated probabilities", "tta": "the mean over each photo and its mirror image"}


def evaluation_section(card: Mapping[str, Any]) -> Iterator[str]:
    """Paragraphs and a table: how the model was judged, and every figure that the artifact holds."""
    if not figures(card):
        yield "Not evaluated: the artifact holds no figures."
        return
    yield _judged(card)
    yield table(["Split", "Figure", "Value", "95 % interval", "Meaning"], _rows(card))
    calibration = part(card, "calibration")
    if is_number(temperature := calibration.get("temperature")):
        yield f"Calibration: logits are divided by a temperature of {temperature:.3f} before the softmax."
    if is_number(calibration.get("unsure_below")):
        share = _value(calibration["unsure_below"], share=True)
        yield f"Of validation photos answered with {share} or more at least nine in ten were answered rightly."


def _judged(card: Mapping[str, Any]) -> str:
    judged = part(card, "judged")
    photos = judged.get("photos", part(part(card, "data"), "photos").get("test"))
    number = f", {photos:,} photos," if is_number(photos) else ""
    how = " and ".join(text for name, text in WAYS.items() if judged.get(name))
    return (
        f"The test split{number} was judged after training{', with ' + how if how else ''}. "
        "The validation split chose the epoch that was kept: its figures are a little too good."
    )


def _rows(card: Mapping[str, Any]) -> Iterator[list[str]]:
    for name, value in figures(card).items():
        split, _, figure = name.rpartition("/")
        heading, meaning, share = FIGURES.get(figure, (escaped(figure), "", False))
        yield [
            escaped(split),
            heading,
            _value(value, share),
            _interval(part(card, "intervals").get(name), share),
            meaning,
        ]


def _interval(ends: Any, share: bool) -> str:
    if not isinstance(ends, list) or len(ends) != 2 or not all(map(is_number, ends)):
        return "not computed"
    return " to ".join(_value(end, share) for end in ends)


def _value(value: float, share: bool) -> str:
    return f"{100 * value:.1f} %" if share else f"{value:.4f}"
