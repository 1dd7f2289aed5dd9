from __future__ import annotations

import numpy as np
import pytest

from dogbreed.debugging.finding import Finding
from dogbreed.debugging.rules.losses import learning_rate_too_high, loss_not_decreasing, overfit, overtraining
from dogbreed.debugging.series import Series
from tests.debugging.rules.recordings import Recording, ask, recordings, told

NAME = "CrossEntropyLoss_output_0"


def evenly(*values: float) -> Series:
    return Series(list(range(len(values))), list(values))


def epochs(*losses: tuple[list[float], list[float]]) -> list[Recording]:
    """Training losses, then those of the evaluation, epoch for epoch."""
    steps = {"TRAIN": 0, "EVAL": 0}
    found: list[Recording] = []
    for train, val in losses:
        for mode, values in (("TRAIN", train), ("EVAL", val)):
            for value in values:
                found.append((NAME, "losses", mode, steps[mode], np.float32(value)))  # type: ignore[arg-type]
                steps[mode] += 1
    return found


@pytest.mark.parametrize(("val", "status"), [(1.24, "NoIssuesFound"), (1.25, "NoIssuesFound"), (1.26, "IssuesFound")])
def test_overfit_begins_where_the_validation_loss_is_more_than_a_share_above(val: float, status: str) -> None:
    assert overfit(evenly(1.0), evenly(val), ratio_threshold=0.25).status == status


def test_overfit_compares_the_means_of_an_epoch_and_of_the_evaluation_after_it() -> None:
    found = ask("Overfit", epochs(([3.0, 1.0], [2.0, 2.0]), ([1.5, 0.5], [1.0, 2.0])))
    assert told(found) == ("IssuesFound", 3, None)
    assert (found.value, found.threshold) == (0.5, 0.1)
    assert found.reason == "The validation loss is 50% above the training loss, 1 evaluations in a row."


def test_overfit_is_patient_and_begins_at_its_step() -> None:
    train, val = evenly(1, 1, 1, 1), evenly(2, 1, 2, 2)
    assert overfit(train, val).step == 0
    assert overfit(train, val, patience=2).step == 3
    assert overfit(train, val, patience=3).status == "NoIssuesFound"
    assert overfit(train, val, start_step=1).step == 2
    assert overfit(train, val, start_step=3, patience=2).status == "NotApplicable"


def test_an_evaluation_before_all_training_overfits_nothing() -> None:
    assert ask("Overfit", epochs(([], [9.0]), ([1.0], [1.0]))).status == "NoIssuesFound"
    assert ask("Overfit", epochs(([], [9.0]))).status == "NotApplicable"


@pytest.mark.parametrize(
    ("train", "val", "status"),
    [
        (0.0, 0.0, "NoIssuesFound"),
        (0.0, 0.1, "IssuesFound"),
        (-1.0, -0.5, "IssuesFound"),
        (-1.0, -1.5, "NoIssuesFound"),
        (1.0, np.inf, "IssuesFound"),
        (np.nan, 1.0, "NotApplicable"),
        (1.0, np.nan, "NotApplicable"),
    ],
)
def test_overfit_knows_losses_of_zero_below_zero_and_none(train: float, val: float, status: str) -> None:
    assert overfit(evenly(train), evenly(val)).status == status


def stale(count: int) -> Series:
    return evenly(1.0, *[1.0] * count)


@pytest.mark.parametrize(
    ("of_train", "of_val", "step"), [(5, 11, None), (6, 10, None), (6, 11, 11), (11, 11, 11), (0, 11, None)]
)
def test_overtraining_needs_both_losses_to_stop_improving(of_train: int, of_val: int, step: int | None) -> None:
    falling = [1.0 - 0.2 * n for n in range(of_val - of_train)]
    train = evenly(1.2, *falling, *[falling[-1] if falling else 1.2] * of_train)
    found = overtraining(train, stale(of_val))
    assert (found.step, found.status == "IssuesFound") == (step, step is not None)


def test_a_gain_of_just_delta_is_none() -> None:
    given = {"patience_train": 0, "patience_validation": 0}
    for value, status in ((0.74, "NoIssuesFound"), (0.75, "IssuesFound"), (0.76, "IssuesFound")):
        assert overtraining(evenly(1.0, value), evenly(1.0, value), delta=0.25, **given).status == status


def test_overtraining_in_a_run_of_twelve_epochs_is_told_with_its_epoch() -> None:
    found = ask("Overtraining", epochs(*[([0.5, 0.5], [0.6])] * 12))
    assert told(found) == ("IssuesFound", 23, None)
    assert (found.value, found.threshold) == (11.0, 10.0)
    assert "For 11 evaluations the validation loss, and for 11 the training loss" in found.reason
    assert ask("Overtraining", epochs(*[([0.5, 0.5], [0.6])] * 10)).status == "NotApplicable"
    assert ask("Overtraining", epochs(*[([5.0 - 0.2 * n], [0.6]) for n in range(30)])).status == "NoIssuesFound"


PUBLISHED = Series([0, 4, 8, 12, 16], [0.3, 0.33, 0.31, 0.30, 0.28])


def test_the_published_losses_do_not_decrease_at_step_12() -> None:
    found = loss_not_decreasing(PUBLISHED)
    assert told(found) == ("IssuesFound", 12, None)
    assert (found.value, found.threshold, found.reason) == (0.3, 0.3, "0.3 at step 0, and 0.3 12 steps later.")
    through = ask("LossNotDecreasing", recordings(NAME, "losses", PUBLISHED.values, steps=PUBLISHED.steps))
    assert (through.step, through.value) == (12, 0.3)


def test_the_published_losses_are_not_looked_at_again_within_ten_steps_of_step_12() -> None:
    falling = Series(PUBLISHED.steps, [0.3, 0.33, 0.31, 0.29, 0.5])
    assert loss_not_decreasing(falling).status == "NoIssuesFound"


def test_the_published_example_of_a_loss_at_every_third_step_is_looked_at_at_21_and_33() -> None:
    steps = list(range(9, 36, 3))
    for risen, at in ((21, 21), (24, None), (30, None), (33, 33)):
        values = [2.0 if step == risen else 1 - step / 100 for step in steps]
        assert loss_not_decreasing(Series(steps, values)).step == at
    # Step 21 is compared with step 9, whatever was between them.
    assert loss_not_decreasing(Series(steps, [0.5, 0.1, 0.1, 0.1, 0.4, *[0.1] * 4])).step is None


@pytest.mark.parametrize(("loss", "status"), [(0.74, "NoIssuesFound"), (0.75, "IssuesFound"), (0.76, "IssuesFound")])
def test_the_loss_has_to_fall_by_more_than_the_percentage(loss: float, status: str) -> None:
    assert loss_not_decreasing(Series([0, 10], [1.0, loss]), diff_percent=25).status == status


@pytest.mark.parametrize(("later", "status"), [(9, "NotApplicable"), (10, "IssuesFound"), (11, "IssuesFound")])
def test_losses_are_compared_that_are_the_number_of_steps_apart(later: int, status: str) -> None:
    assert loss_not_decreasing(Series([5, 5 + later], [1.0, 1.0])).status == status


def test_the_evaluations_means_have_to_fall_where_there_are_evaluations() -> None:
    noisy = np.random.default_rng(0).normal(0, 0.3, (6, 12))
    healthy = [(list(3 - n + noisy[n]), list(3 - 0.4 * n + 0.1 * noisy[n])) for n in range(6)]
    assert ask("LossNotDecreasing", epochs(*healthy)).status == "NoIssuesFound"
    stuck = [(list(3 - n + noisy[n]), [2.0] * 12) for n in range(6)]
    assert told(ask("LossNotDecreasing", epochs(*stuck))) == ("IssuesFound", 23, None)


def test_epochs_have_to_fall_where_only_an_evaluations_end_is_known_and_a_loss_that_is_no_number_does_not() -> None:
    assert loss_not_decreasing(Series([0, 10], [1.0, np.nan])).status == "IssuesFound"
    assert loss_not_decreasing(Series([0, 10], [np.inf, 1.0])).status == "NoIssuesFound"


def rise(last: float) -> Finding:
    return learning_rate_too_high(evenly(*[1.0] * 5, *[last] * 5))


def test_a_learning_rate_is_too_high_from_more_than_twice_the_first_losses() -> None:
    assert [rise(last).status for last in (1.99, 2.0, 2.01)] == ["NoIssuesFound", "NoIssuesFound", "IssuesFound"]
    found = ask("LearningRateTooHigh", recordings(NAME, "losses", [*[1.0] * 5, *[6.0] * 5]))
    assert told(found) == ("IssuesFound", 6, None)
    assert (found.value, found.threshold) == (pytest.approx(3.0), 2.0)
    assert found.reason == "The training loss rose from 1 to 3."


def test_one_bad_batch_is_no_high_learning_rate_and_five_losses_are_too_few() -> None:
    assert learning_rate_too_high(evenly(*[1.0] * 8, 5.9, *[1.0] * 8)).status == "NoIssuesFound"
    assert learning_rate_too_high(evenly(*[1.0] * 5)).status == "NotApplicable"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_no_number_is_told_with_its_step_however_few_there_are(value: float) -> None:
    found = ask("LearningRateTooHigh", recordings(NAME, "losses", [4.0, 3.0, value]))
    assert told(found) == ("IssuesFound", 2, None)
    assert found.reason == "The training loss is no number any more."


def test_a_noisy_loss_with_a_warm_up_in_a_healthy_run_is_no_high_learning_rate() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        losses = 4.8 * np.exp(-np.maximum(0, np.arange(300) - 15) / 60) + 0.5 + random.normal(0, 0.3, 300)
        assert learning_rate_too_high(evenly(*losses)).status == "NoIssuesFound"


def test_overfit_may_be_told_to_wait_until_the_validation_loss_rises() -> None:
    train = Series([0, 1, 2, 3], [1.0, 0.1, 0.05, 0.01])
    falling, rising = Series([0, 1, 2, 3], [1.0, 0.5, 0.4, 0.4]), Series([0, 1, 2, 3], [1.0, 0.4, 0.5, 0.6])
    assert overfit(train, falling, ratio_threshold=1.0).status == "IssuesFound"
    assert overfit(train, falling, ratio_threshold=1.0, rising=0.2).status == "NoIssuesFound"
    found = overfit(train, rising, ratio_threshold=1.0, rising=0.2)
    assert (found.status, found.step) == ("IssuesFound", 2)
    assert overfit(train, rising, ratio_threshold=1.0, rising=0.2, patience=2).step == 3
    assert overfit(train, rising, ratio_threshold=1.0, rising=0.5).status == "NoIssuesFound"
