"""What makes figures weaker than they look: a sentence each, for the top of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dogbreed.data.findings import Finding
from dogbreed.evaluation.evaluation import Evaluation

FEW = 10  # photos of a class below which a share moves in steps of more than ten points
WIDE = 0.1
# Findings of the check that touch the figures, and are no mere advice.
TOUCHING = ("taken from train", "split here", "missing class", "few photos", "no class", "copies")
SHOWN = 3


def weaknesses(
    evaluation: Evaluation,
    *,
    limits: Iterable[str] = (),
    data: Mapping[str, Any] | None = None,
    weights: str | None = None,
    findings: Iterable[Finding] = (),
    notes: Iterable[str] = (),
) -> list[str]:
    """The sentences, the weightiest first.

    Args:
        evaluation: of the photos.
        limits: of the run, as its artifact keeps them.
        data: the run's data summary: `synthetic`, `skipped`.
        weights: what the backbone began with.
        findings: of the check of the folder.
        notes: about which photos are judged.
    """
    data = data or {}
    return [
        *(f"Limited run: {sentence}" for sentence in limits),
        *(
            ["The photos are drawn, not taken: the figures say nothing about photographs."]
            if data.get("synthetic")
            else []
        ),
        *notes,
        *_leaks(evaluation),
        *_few(evaluation),
        *_wide(evaluation),
        *_seen(weights),
        *_skipped(int(data.get("skipped", 0)) + len(evaluation.unreadable)),
        *_found(findings),
    ]


def _leaks(evaluation: Evaluation) -> Iterator[str]:
    leaking = [pair for pair in evaluation.copies if "train" in pair.splits and pair.splits[0] != pair.splits[1]]
    if leaking:
        yield (
            f"{len(leaking)} pairs of nearly the same photo lie in train and in another split: the model has seen "
            "those photos, and the figures are too high. They are shown under Duplicates."
        )


def _few(evaluation: Evaluation) -> Iterator[str]:
    support = evaluation.figures.confusion.sum(1).tolist()
    few = {name: count for name, count in zip(evaluation.class_names, support, strict=True) if 0 < count < FEW}
    if few:
        least = min(few, key=lambda name: few[name])
        yield (
            f"{len(few)} of {len(support)} classes have fewer than {FEW} photos in {evaluation.judged} (the fewest: "
            f"{least}, {few[least]}): read the figures of single classes by their intervals."
        )
    absent = [name for name, count in zip(evaluation.class_names, support, strict=True) if not count]
    if absent:
        names = ", ".join(absent[:SHOWN]) + (", …" if len(absent) > SHOWN else "")
        yield f"{len(absent)} classes have no photo in {evaluation.judged}, and no figures: {names}."


def _wide(evaluation: Evaluation) -> Iterator[str]:
    low, high = evaluation.figures.intervals["acc"]
    if high - low > WIDE:
        yield (
            f"{evaluation.figures.photos} photos are few: the accuracy on other photos of this kind may be anywhere "
            f"from {low:.1%} to {high:.1%}."
        )


def _seen(weights: str | None) -> Iterator[str]:
    if weights:
        yield (
            "The backbone began with pretrained weights. If the photos come from what those were trained on (Stanford "
            "Dogs is part of ImageNet), the weights have seen them, and new photos will do worse."
        )


def _skipped(count: int) -> Iterator[str]:
    if count:
        yield f"{count} photos could not be used and are in no figure: python -m dogbreed.data.check names them."


def _found(findings: Iterable[Finding]) -> Iterator[str]:
    by_kind: dict[str, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    for kind in TOUCHING:
        found = by_kind.get(kind, [])
        messages = " ".join(finding.message for finding in found[:SHOWN])
        if found:
            yield f"{messages}{f' And {len(found) - SHOWN} more of this kind.' if len(found) > SHOWN else ''}"
