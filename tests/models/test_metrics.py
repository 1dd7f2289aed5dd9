from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, recall_score, top_k_accuracy_score
from torch import Tensor

from dogbreed.models.metrics import correct, evaluation_metrics, train_metrics

CLASSES = 12


def answers(photos: int, seed: int, classes_present: int = CLASSES) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = torch.arange(photos) % classes_present
    logits = torch.randn(photos, CLASSES, generator=generator) + 1.5 * torch.nn.functional.one_hot(target, CLASSES)
    return logits.softmax(1), target


def computed(probabilities: Tensor, target: Tensor, batch_size: int = 7) -> dict[str, float]:
    metrics = evaluation_metrics(CLASSES, "")
    for start in range(0, len(target), batch_size):
        metrics.update(probabilities[start : start + batch_size], target[start : start + batch_size])
    return {name: value.item() for name, value in metrics.compute().items()}


def expected_calibration_error(probabilities: np.ndarray, target: np.ndarray, bins: int = 15) -> float:
    confidence, right = probabilities.max(1), probabilities.argmax(1) == target
    edges, error = np.linspace(0, 1, bins + 1), 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_are_those_of_scikit_learn(seed: int) -> None:
    probabilities, target = answers(101, seed)
    truth, answered = target.numpy(), probabilities.argmax(1).numpy()
    assert computed(probabilities, target) == pytest.approx(
        {
            "acc": accuracy_score(truth, answered),
            "acc5": top_k_accuracy_score(truth, probabilities.numpy(), k=5, labels=range(CLASSES)),
            "macro_acc": recall_score(truth, answered, average="macro"),
            "macro_f1": f1_score(truth, answered, average="macro"),
            "calibration_error": expected_calibration_error(probabilities.double().numpy(), truth),
        },
        abs=1e-6,
    )


def test_the_mean_over_classes_leaves_out_those_that_neither_occur_nor_are_answered() -> None:
    probabilities, target = answers(60, 0, classes_present=5)
    probabilities[:, 8:] = 0
    truth, answered = target.numpy(), probabilities.argmax(1).numpy()
    figures = computed(probabilities, target)
    assert figures["macro_acc"] == pytest.approx(recall_score(truth, answered, average="macro", zero_division=0))
    assert figures["macro_f1"] == pytest.approx(f1_score(truth, answered, average="macro", zero_division=0))


@pytest.mark.parametrize("batch_size", [1, 2, 50, 101])
def test_the_sizes_of_the_batches_change_nothing(batch_size: int) -> None:
    probabilities, target = answers(101, 0)
    assert computed(probabilities, target, batch_size) == pytest.approx(computed(probabilities, target), abs=1e-6)


def test_with_fewer_than_five_classes_all_answers_are_among_the_five() -> None:
    metrics = evaluation_metrics(3, "val/")
    metrics.update(torch.eye(3), torch.tensor([0, 0, 1]))
    assert metrics.compute()["val/acc5"] == 1.0


def test_a_blended_target_is_right_by_its_larger_part() -> None:
    logits, target = torch.eye(3), torch.tensor([[0.7, 0.3, 0.0], [0.6, 0.4, 0.0], [0.0, 0.3, 0.7]])
    assert correct(logits, target).tolist() == [1.0, 0.0, 1.0]
    assert correct(logits, torch.tensor([0, 1, 0])).tolist() == [1.0, 1.0, 0.0]


def test_the_sums_of_an_epoch_travel_in_the_state_dict() -> None:
    whole, first, second = train_metrics(), train_metrics(), train_metrics()
    for metrics in (whole, first):
        metrics["loss"].update(torch.tensor(3.0), weight=4)
        metrics["acc"].update(torch.tensor([1.0, 0.0, 0.0, 0.0]))
    second.load_state_dict(first.state_dict())
    for metrics in (whole, second):
        metrics["loss"].update(torch.tensor(1.0), weight=1)
        metrics["acc"].update(torch.tensor([1.0]))
    assert second.compute() == whole.compute() == {"train/loss": torch.tensor(2.6), "train/acc": torch.tensor(0.4)}
