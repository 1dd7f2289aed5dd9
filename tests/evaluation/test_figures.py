from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    recall_score,
    top_k_accuracy_score,
)
from torchmetrics.classification import MulticlassCalibrationError

from dogbreed.data.folder import Split
from dogbreed.evaluation.answers import Answers
from dogbreed.evaluation.figures import class_figures, figures
from dogbreed.models.calibration_error import CalibrationError

CLASSES = 9


def answers(photos: int, seed: int, *, ties: bool = False, present: int = CLASSES) -> Answers:
    """Random answers; with ties, every logit is one of three; the last class present has one photo."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (photos, CLASSES)).astype(np.float32)
    logits = np.round(logits / 3) if ties else logits
    targets = generator.integers(0, present - 1, photos)
    targets[0] = present - 1
    split = Split(tuple(Path(f"{i}.jpg") for i in range(photos)), tuple(targets.tolist()))
    features = generator.normal(0, 1, (photos, 4)).astype(np.float32)
    return Answers(split, logits, features, logits[:, ::-1].copy(), features)


def with_first_of_equals_last(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns in reverse, and their labels: scikit-learn prefers the last of equally probable classes, we the first."""
    return scores[:, ::-1], np.arange(CLASSES)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("present", [CLASSES, 5])
def test_every_figure_is_that_of_scikit_learn_with_ties_absent_classes_and_classes_of_one_photo(
    seed: int, ties: bool, present: int
) -> None:
    given = answers(173, seed, ties=ties, present=present)
    shares = softmax(given.logits.astype(np.float64), axis=1)
    truth, answered = given.targets, given.logits.argmax(1)
    either = sorted(set(truth.tolist()) | set(answered.tolist()))
    reversed_scores, labels = with_first_of_equals_last(given.logits.astype(np.float64))
    found = figures(given)
    assert {k: v for k, v in found.values.items() if k != "calibration_error"} == pytest.approx(
        {
            "loss": log_loss(truth, shares, labels=range(CLASSES)),
            "acc": accuracy_score(truth, answered),
            "acc5": top_k_accuracy_score(CLASSES - 1 - truth, reversed_scores, k=5, labels=labels),
            "macro_acc": recall_score(truth, answered, average="macro", labels=either, zero_division=0),
            "macro_f1": f1_score(truth, answered, average="macro", labels=either, zero_division=0),
        },
        abs=1e-6,
    )
    assert np.array_equal(found.confusion, confusion_matrix(truth, answered, labels=range(CLASSES)))


@pytest.mark.parametrize("seed", range(4))
def test_the_calibration_error_is_that_of_torchmetrics_whatever_the_batches(seed: int) -> None:
    given = answers(2500, seed)
    shares, targets = torch.from_numpy(given.logits).softmax(1), torch.from_numpy(given.targets)
    reference = MulticlassCalibrationError(CLASSES, n_bins=15, norm="l1")
    reference.update(shares, targets)
    metric = CalibrationError()
    for start in range(0, len(targets), 7):
        metric.update(shares[start : start + 7], targets[start : start + 7])
    assert metric.compute().item() == pytest.approx(reference.compute().item(), abs=1e-6)
    assert figures(given).values["calibration_error"] == pytest.approx(reference.compute().item(), abs=1e-6)


def test_precision_recall_and_f1_of_every_class_are_those_of_scikit_learn() -> None:
    given = answers(140, 3, present=6)
    truth, answered = given.targets, given.logits.argmax(1)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, answered, labels=range(CLASSES), zero_division=np.nan
    )
    names = [f"class {i}" for i in range(CLASSES)]
    for i, found in enumerate(class_figures(figures(given).confusion, names)):
        assert (found.name, found.support) == (names[i], support[i])
        expected = [None if np.isnan(v) else pytest.approx(v, abs=1e-9) for v in (precision[i], recall[i], f1[i])]
        assert [found.precision, found.recall, found.f1] == expected
        if found.recall is not None and found.recall_low is not None and found.recall_high is not None:
            assert found.recall_low <= found.recall <= found.recall_high


def test_the_bins_hold_every_photo_once() -> None:
    given = answers(400, 0)
    bins = figures(given).bins
    assert sum(b.count for b in bins) == 400
    assert all(b.low < b.confidence <= b.high for b in bins)
    right = sum(b.count * b.accuracy for b in bins)
    assert right == pytest.approx((given.logits.argmax(1) == given.targets).sum())


def test_the_temperature_changes_no_answer_and_the_mirror_images_change_them_all() -> None:
    given = answers(300, 5)
    plain, calibrated = figures(given), figures(given, temperature=2.5)
    assert (calibrated.values["acc"], calibrated.values["acc5"]) == (plain.values["acc"], plain.values["acc5"])
    assert calibrated.values["loss"] != plain.values["loss"]
    mean = (softmax(given.logits, axis=1) + softmax(given.logits[:, ::-1], axis=1)) / 2
    augmented = figures(given, tta=True)
    assert augmented.values["acc"] == pytest.approx(accuracy_score(given.targets, mean.argmax(1)), abs=0.01)
    assert augmented.values["loss"] == pytest.approx(log_loss(given.targets, mean, labels=range(CLASSES)), abs=1e-5)
