"""An evaluation as the contents of a report: names for numbers, pictures for paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from dogbreed.data.folder import Split
from dogbreed.evaluation.copies import Copy
from dogbreed.evaluation.evaluation import HELD_OUT, Evaluation
from dogbreed.evaluation.figures import class_figures, log_rows
from dogbreed.evaluation.notable import confused_pairs
from dogbreed.evaluation.pictures import explained_pictures, pictures
from dogbreed.models.network import BreedNetwork
from dogbreed.models.probabilities import ranking
from dogbreed.reporting.contents import (
    ConfusedPair,
    DuplicatePair,
    Figure,
    NotedPhoto,
    Picture,
    ReportContents,
    Variant,
)

PAIRS, LABEL_ERRORS, COPIES = 12, 150, 24
MEANINGS: dict[str, tuple[str, str]] = {
    "acc": ("Top-1 accuracy", "Share of photos whose most probable class is right."),
    "acc5": ("Top-5 accuracy", "Share of photos whose class is among the five most probable."),
    "macro_acc": ("Macro accuracy", "Mean over the classes of a class's recall: every class counts the same."),
    "macro_f1": ("Macro F1", "Mean over the classes of the harmonic mean of precision and recall."),
    "calibration_error": ("Calibration error", "How far the probabilities are from how often they are right."),
    "loss": ("Cross-entropy", "Mean negative logarithm of the probability of the right class."),
}


def report_contents(
    evaluation: Evaluation, network: BreedNetwork, *, title: str, summary: str, **parts: Any
) -> ReportContents:
    """The contents of the page.

    Args:
        evaluation: of the network.
        network: draws the Grad-CAM overlays; in eval mode, on the device that computes.
        title: of the page.
        summary: a sentence below it.
        parts: the fields of `ReportContents` that do not come from the evaluation: `weaknesses`, `facts`, `history`, …
    """
    return ReportContents(
        title=title,
        summary=summary,
        class_names=evaluation.class_names,
        confusion=evaluation.figures.confusion,
        figures=_figures(evaluation),
        variants=[_variant(name, found.values) for name, found in evaluation.variants.items()],
        augmentation_gain=evaluation.gain,
        temperature=evaluation.temperature,
        classes=class_figures(evaluation.figures.confusion, evaluation.class_names),
        reliability=evaluation.variants["plain"].bins,
        calibrated_reliability=evaluation.variants["calibrated"].bins if evaluation.temperature != 1 else (),
        absences=_absences(evaluation),
        **_photos(evaluation, network),
        **parts,
    )


def _absences(evaluation: Evaluation) -> dict[str, str]:
    """Why parts are missing that were not looked for."""
    held_out = [name for name in evaluation.answers if name in HELD_OUT]
    reasons = {
        "duplicates": "" if evaluation.settings.duplicates else "Not looked for: duplicates=false.",
        "label_errors": "" if held_out else "Not looked for: the model has learnt the labels of training photos.",
    }
    return {part: reason for part, reason in reasons.items() if reason}


def _figures(evaluation: Evaluation) -> list[Figure]:
    found = evaluation.figures
    return [
        Figure(name, found.values[key], low, high, meaning, unit="" if key == "loss" else "%")
        for key, (name, meaning) in MEANINGS.items()
        for low, high in [found.intervals.get(key, (None, None))]
    ]


def _variant(name: str, values: Mapping[str, float]) -> Variant:
    return Variant(name, values["acc"], values["acc5"], values["loss"], values["calibration_error"])


def _photos(evaluation: Evaluation, network: BreedNetwork) -> dict[str, Any]:
    """Everything on the page that shows photos."""
    split, notable = evaluation.answers[evaluation.judged].split, evaluation.notable
    noted = [*notable.top_losses, *notable.least_certain]
    answered = {split.paths[row]: int(_logs(evaluation, evaluation.judged, row).argmax()) for row, _ in noted}
    explained = explained_pictures(network, answered, evaluation.root)
    pairs = confused_pairs(evaluation.figures.confusion, PAIRS)
    errors, copies = evaluation.label_errors[:LABEL_ERRORS], evaluation.copies[:COPIES]
    examples = {(target, answer): (_example(split, target), _example(split, answer)) for target, answer, _ in pairs}
    wanted = [
        *(path for paths in examples.values() for path in paths if path),
        *(evaluation.answers[name].split.paths[error.position] for name, error in errors),
        *(path for copy in copies for path in copy.paths),
    ]
    plain = pictures(wanted, evaluation.root, network.preprocessing)
    shown = _Shown(evaluation, plain | explained)
    return {
        "top_losses": shown.notes((evaluation.judged, row, f"loss {loss:.2f}") for row, loss in notable.top_losses),
        "least_certain": shown.notes((evaluation.judged, row, "") for row, _ in notable.least_certain),
        "label_errors": shown.notes(
            (name, error.position, f"may be {evaluation.class_names[error.suggested]}") for name, error in errors
        ),
        "confused_pairs": [
            shown.pair(target, answer, count, examples[target, answer]) for target, answer, count in pairs
        ],
        "duplicates": [shown.copy(copy) for copy in copies if all(path in plain for path in copy.paths)],
    }


def _example(split: Split, target: int) -> Path | None:
    return next((path for path, found in zip(split.paths, split.targets, strict=True) if found == target), None)


def _logs(evaluation: Evaluation, split: str, row: int) -> Tensor:
    """Logarithms of the probabilities of one photo, as it was asked about, shape (num_classes,)."""
    answers, settings = evaluation.answers[split], evaluation.settings
    tta = settings.tta and answers.mirrored_logits is not None
    return log_rows(answers, slice(row, row + 1), temperature=evaluation.temperature_used, tta=tta)[0]


class _Shown:
    """Rows of the evaluation as entries of the page, with the pictures that could be made."""

    def __init__(self, evaluation: Evaluation, found: Mapping[Path, Picture]) -> None:
        self.evaluation, self.found = evaluation, found

    def notes(self, rows: Any) -> list[NotedPhoto]:
        return [note for split, row, text in rows if (note := self._note(split, row, text)) is not None]

    def _note(self, split: str, row: int, text: str) -> NotedPhoto | None:
        photos, names = self.evaluation.answers[split].split, self.evaluation.class_names
        picture = self.found.get(photos.paths[row])
        if picture is None:
            return None
        logs = _logs(self.evaluation, split, row)
        answers = tuple((names[index], logs[index].exp().item()) for index in ranking(logs[None], 5)[0].tolist())
        return NotedPhoto(picture, split, names[photos.targets[row]], answers, text)

    def pair(self, target: int, answer: int, count: int, paths: Sequence[Path | None]) -> ConfusedPair:
        names, support = self.evaluation.class_names, int(self.evaluation.figures.confusion[target].sum())
        first, second = (self.found.get(path) if path else None for path in paths)
        return ConfusedPair(names[target], names[answer], count, support, (first, second))

    def copy(self, copy: Copy) -> DuplicatePair:
        names = self.evaluation.class_names
        first, second = (self.found[path] for path in copy.paths)
        classes = names[copy.targets[0]], names[copy.targets[1]]
        return DuplicatePair(first, second, copy.splits, classes, copy.kind, copy.similarity)
