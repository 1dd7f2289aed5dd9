from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from dogbreed.debugging.rule import Mode
from tests.debugging.rules.recordings import Recording, ask, told

Labels = NDArray[Any]


def answered(
    target: Labels | list[int], preds: Labels | list[int], *, mode: Mode = "EVAL", step: int = 0, batch: int = 50
) -> list[Recording]:
    """Labels and predictions in batches."""
    found: list[Recording] = []
    for number, start in enumerate(range(0, len(target), batch)):
        chosen = slice(start, start + batch)
        found.append(("labels", "labels", mode, step + number, np.asarray(target[chosen])))
        found.append(("predictions", "predictions", mode, step + number, np.asarray(preds[chosen])))
    return found


def logits_of(preds: Labels, classes: int) -> Labels:
    """Random logits of which the largest is that answer's."""
    found = torch.randn(len(preds), classes, generator=torch.Generator().manual_seed(0))
    found[torch.arange(len(preds)), torch.from_numpy(preds)] = 9
    return found.numpy()


def counted(*rows: list[int]) -> tuple[Labels, Labels]:
    """Labels and answers of a confusion matrix."""
    matrix = np.array(rows)
    target, preds = (np.repeat(indices.ravel(), matrix.ravel()) for indices in np.indices(matrix.shape))
    shuffled = np.random.default_rng(0).permutation(len(target))
    return target[shuffled], preds[shuffled]


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The interval of Wilson (1927), by hand."""
    z, share = 1.959963984540054, successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return (centre - spread) / (1 + z * z / trials), (centre + spread) / (1 + z * z / trials)


def by_chance(right: int, count: int, chance: float) -> float:
    """The upper tail of the binomial distribution, by hand."""
    return sum(math.comb(count, k) * chance**k * (1 - chance) ** (count - k) for k in range(right, count + 1))


@pytest.mark.parametrize(("largest", "status"), [(499, "NoIssuesFound"), (500, "NoIssuesFound"), (501, "IssuesFound")])
def test_classes_are_imbalanced_above_the_ratio(largest: int, status: str) -> None:
    target = np.repeat([0, 1, 2], [largest, 50, 70])
    found = ask("ClassImbalance", answered(target, target, mode="TRAIN"))
    assert found.status == status
    if status == "IssuesFound":
        assert (*told(found), found.value, found.threshold) == ("IssuesFound", 12, None, 501 / 50, 10)
        assert found.reason == "The largest class was seen 10.0 times as often as the smallest."


def test_imbalance_needs_enough_labels_and_twenty_of_a_class() -> None:
    few = np.repeat([0, 1], [480, 19])
    assert ask("ClassImbalance", answered(few, few, mode="TRAIN")).status == "NotApplicable"
    assert ask("ClassImbalance", answered(few, few, mode="TRAIN"), samples=499).status == "IssuesFound"
    assert ask("ClassImbalance", answered([0, -1], [0, 0], mode="TRAIN"), samples=0).status == "NotApplicable"
    assert ask("ClassImbalance", []).status == "NotApplicable"


def test_many_classes_that_are_drawn_alike_are_never_imbalanced() -> None:
    random = np.random.default_rng(0)
    for count in (500, 1000, 2400, 5000):
        for _ in range(10):
            target = random.integers(0, 120, count)
            assert ask("ClassImbalance", answered(target, target, mode="TRAIN")).status != "IssuesFound"


@pytest.mark.parametrize("wrong", [70, 78, 79, 80, 90])
def test_a_class_is_mispredicted_where_that_is_certain(wrong: int) -> None:
    target, preds = counted([100 - wrong, wrong, 0], [0, 200, 0], [0, 10, 190])
    found = ask("ClassImbalance", answered(target, preds))
    matrix = confusion_matrix(target, preds)
    assert matrix[0, 1] == wrong
    assert (found.status == "IssuesFound") == (wilson(wrong, 100)[0] > 0.7)
    if found.status == "IssuesFound":
        assert (found.value, found.threshold) == (1 - matrix[0, 0] / matrix[0].sum(), 0.7)
        assert found.reason == f"{wrong} of 100 photos of class 0 are answered wrongly."


def test_few_photos_of_a_class_are_no_proof() -> None:
    target, preds = counted([0, 3], [0, 600])
    assert ask("ClassImbalance", answered(target, preds)).status == "NoIssuesFound"


def test_an_early_evaluation_in_which_all_classes_are_wrong_is_no_imbalance() -> None:
    target, preds = counted([20, 80, 80], [80, 30, 70], [90, 80, 10])
    assert ask("ClassImbalance", answered(target, preds)).status == "NoIssuesFound"


def test_only_the_newest_evaluation_counts() -> None:
    target, wrong = np.arange(600) % 2, np.ones(600, int)
    bad, good = answered(target, wrong), answered(target, target, step=12)
    between = answered([0], [0], mode="TRAIN")
    for rule in ("ClassImbalance", "Confusion", "NotLearning"):
        settings = {"warmup": 0} if rule == "NotLearning" else {}
        assert ask(rule, [*bad, *between, *good], **settings).status == "NoIssuesFound"
        worse = answered(target, wrong, step=12)
        assert told(ask(rule, [*answered(target, target), *between, *worse], **settings)) == ("IssuesFound", 23, None)


def test_the_confusion_is_sklearns_whatever_the_batches() -> None:
    random = np.random.default_rng(0)
    target = random.integers(0, 4, 4000)
    preds = np.where(random.random(4000) < 0.6, target, random.integers(0, 4, 4000))
    recall = confusion_matrix(target, preds, normalize="true").diagonal()
    for batch in (7, 4000):
        found = ask("Confusion", answered(target, preds, batch=batch))
        assert (found.status, found.value, found.threshold) == ("IssuesFound", recall.min(), 0.9)
        assert f"photos of class {recall.argmin()} are answered right" in found.reason
    of_answers = confusion_matrix(target, preds, normalize="pred")
    np.fill_diagonal(of_answers, 0)
    found = ask("Confusion", answered(target, preds), min_diag=0.0, max_off_diag=0.05)
    assert (found.status, found.value) == ("IssuesFound", of_answers.max())
    label, answer = np.unravel_index(of_answers.argmax(), of_answers.shape)
    assert found.reason.endswith(f" answers of class {answer} are of class {label}.")
    as_logits = answered(target, logits_of(preds, 4))
    assert ask("Confusion", as_logits).value == recall.min()


@pytest.mark.parametrize("right", [82, 83, 84, 90, 95])
def test_a_class_is_confused_where_that_is_certain(right: int) -> None:
    target, preds = counted([right, 100 - right], [0, 5000])
    found = ask("Confusion", answered(target, preds))
    assert (found.status == "IssuesFound") == (wilson(right, 100)[1] < 0.9)


@pytest.mark.parametrize("wrong", [100, 110, 119, 120, 130])
def test_an_answer_stands_for_another_class_where_that_is_certain(wrong: int) -> None:
    target, preds = counted([1000 - wrong, 0], [wrong, 9000])
    found = ask("Confusion", answered(target, preds))
    assert (found.status == "IssuesFound") == (wilson(wrong, 1000)[0] > 0.1)
    if found.status == "IssuesFound":
        assert (found.value, found.threshold) == (wrong / 1000, 0.1)
        assert found.reason == f"{wrong} of 1000 answers of class 0 are of class 1."


def test_one_wrong_photo_of_five_is_no_confusion_and_classes_may_be_missing_or_unknown() -> None:
    target, preds = counted([4, 1, 0], [0, 5, 0], [0, 0, 5])
    assert ask("Confusion", answered(target, preds)).status == "NoIssuesFound"
    for classes in (None, 1, 2, 50):
        found = ask("Confusion", answered([7, -100, 9], [7, 3, 9]), category_no=classes)
        assert found.status == "NoIssuesFound"
    assert ask("Confusion", answered([0], [0], mode="TRAIN")).status == "NotApplicable"


@pytest.mark.parametrize("right", range(0, 61, 4))
def test_a_network_learns_that_is_better_than_chance(right: int) -> None:
    target = np.arange(200) % 10
    preds = np.where(np.arange(200) < right, target, (target + 1) % 10)
    found = ask("NotLearning", answered(target, preds), warmup=0)
    expected = by_chance(right, 200, 0.1) > 0.01
    assert (found.status == "IssuesFound") == expected
    assert (found.value, found.threshold) == (right / 200, pytest.approx(0.1))
    assert found.reason == f"{right} of 200 photos are answered right ({right / 200:.1%}); chance gives 10.0%."


def test_chance_is_the_most_frequent_class() -> None:
    target = np.repeat([0, 1], [160, 40])
    found = ask("NotLearning", answered(target, np.zeros(200, int)), warmup=0)
    assert (found.status, found.value, found.threshold) == ("IssuesFound", 0.8, 0.8)


def test_too_few_photos_tell_nothing_from_chance() -> None:
    for count, status in ((4, "NotApplicable"), (200, "IssuesFound")):
        target = np.arange(count) % 4
        assert ask("NotLearning", answered(target, (target + 1) % 4), warmup=0).status == status
    found = ask("NotLearning", answered([0, 1], [1, 0]), warmup=0)
    assert found.reason == "2 photos are too few to tell 100.0% right from a chance of 50.0%."
    assert ask("NotLearning", answered([0] * 60, [0] * 60), warmup=0).status == "NotApplicable"


def test_the_first_evaluation_is_a_warm_up() -> None:
    target = np.arange(100) % 10
    first, between = answered(target, target * 0), answered([0], [0], mode="TRAIN")
    assert ask("NotLearning", first).status == "NotApplicable"
    second = answered(target, target * 0, step=2)
    assert ask("NotLearning", [*first, *between, *second]).step == 3
    assert ask("NotLearning", [*first, *between, *second], warmup=2).status == "NotApplicable"


def run_of(learnt: float, right: float, photos: int = 200, classes: int = 10) -> list[Recording]:
    target = np.arange(photos) % classes

    def preds(share: float) -> Labels:
        return np.where(np.arange(photos) < share * photos, target, (target + 1) % classes)

    return [*answered(target, preds(learnt), mode="TRAIN"), *answered(target, preds(right))]


@pytest.mark.parametrize(
    ("learnt", "right", "status"),
    [
        (1.0, 0.1, "IssuesFound"),
        (0.5, 0.1, "IssuesFound"),
        (0.495, 0.1, "NoIssuesFound"),
        (1.0, 0.4, "NoIssuesFound"),
        (0.1, 0.1, "NoIssuesFound"),
    ],
)
def test_labels_are_shuffled_where_training_photos_are_learnt_and_others_answered_by_chance(
    learnt: float, right: float, status: str
) -> None:
    found = ask("LabelsShuffled", run_of(learnt, right))
    assert found.status == status
    if status == "IssuesFound":
        assert (*told(found), found.value, found.threshold) == ("IssuesFound", 3, None, 0.1, pytest.approx(0.1))


def test_labels_of_few_photos_or_one_split_or_an_even_chance_are_not_called_shuffled() -> None:
    assert ask("LabelsShuffled", run_of(1.0, 0.1, photos=10)).status == "NotApplicable"
    assert ask("LabelsShuffled", run_of(1.0, 0.1)[:8]).status == "NotApplicable"
    assert ask("LabelsShuffled", run_of(1.0, 0.5, classes=2)).status == "NoIssuesFound"


def test_labels_and_predictions_of_one_step_belong_together() -> None:
    target = np.arange(600) % 3
    given = answered(target, target, batch=100)
    assert ask("Confusion", given).status == "NoIssuesFound"
    assert ask("Confusion", [entry for entry in given if entry[0] == "labels"]).status == "NotApplicable"
    other = [(*entry[:3], entry[3] + (entry[0] == "labels"), entry[4]) for entry in given]
    assert ask("Confusion", other[:2]).status == "NotApplicable"
    named = [(f"own/{name}_0", "own", *rest) for name, _, *rest in given]
    assert ask("Confusion", named).status == "NoIssuesFound"  # type: ignore[arg-type]
    assert ask("Confusion", named, labels_regex="target").status == "NotApplicable"  # type: ignore[arg-type]
