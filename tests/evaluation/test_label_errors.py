from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from dogbreed.evaluation.label_errors import LabelError, likely_label_errors

Probabilities = npt.NDArray[np.float32]
Targets = npt.NDArray[np.int64]


def answers(targets: Targets, num_classes: int, *, seed: int = 0, certainty: float = 9.0) -> Probabilities:
    """What a good network says of photos of these classes: mostly right, more or less certain, sometimes wrong."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(targets), num_classes))
    logits[np.arange(len(targets)), targets] += rng.normal(certainty, 1.5, len(targets))
    exponents = np.exp(logits)
    return (exponents / exponents.sum(1, keepdims=True)).astype(np.float32)


def planted(num_classes: int, photos: int, errors: int, *, seed: int = 0) -> tuple[Probabilities, Targets, Targets]:
    """The answers for photos of known classes, and what their folders say, wrong for the first `errors` photos."""
    rng = np.random.default_rng(seed)
    known = rng.integers(0, num_classes, photos)
    said = known.copy()
    said[:errors] = (known[:errors] + rng.integers(1, num_classes, errors)) % num_classes
    return answers(known, num_classes, seed=seed), said, known


@pytest.mark.parametrize(("num_classes", "photos"), [(2, 60), (10, 300), (120, 1680)])
@pytest.mark.parametrize("seed", range(3))
def test_planted_errors_come_first_and_the_known_class_is_suggested(num_classes: int, photos: int, seed: int) -> None:
    probabilities, said, known = planted(num_classes, photos, 12, seed=seed)
    errors = likely_label_errors(probabilities, said)
    # Of some it is not as certain as it usually is of their class: those are not counted as errors.
    assert len({error.position for error in errors} & set(range(12))) >= 6
    for error in errors[:6]:
        assert error.position < 12
        assert error.suggested == known[error.position]


def test_the_score_is_the_probability_of_the_class_that_the_folder_says_and_grows() -> None:
    probabilities, said, _ = planted(10, 300, 20)
    errors = likely_label_errors(probabilities, said)
    scores = [error.score for error in errors]
    assert scores == sorted(scores)
    assert scores == [probabilities[error.position, said[error.position]] for error in errors]


def test_photos_that_are_right_by_the_network_are_never_named() -> None:
    probabilities, said, _ = planted(20, 400, 40)
    errors = likely_label_errors(probabilities, said)
    assert errors
    assert all(error.suggested != said[error.position] for error in errors)


def test_a_network_that_is_right_everywhere_finds_no_error() -> None:
    targets = np.arange(60) % 3
    assert likely_label_errors(np.eye(3, dtype=np.float32)[targets], targets) == []


def test_an_error_among_certain_answers_is_found() -> None:
    known = np.arange(60) % 3
    said = known.copy()
    said[7] = (known[7] + 1) % 3
    assert likely_label_errors(np.eye(3, dtype=np.float32)[known], said) == [LabelError(7, int(known[7]), 0.0)]


def test_classes_without_photos_do_no_harm() -> None:
    probabilities, said, known = planted(4, 80, 5)
    wide = np.zeros((80, 30), dtype=np.float32)
    wide[:, 3:27:6] = probabilities
    found = likely_label_errors(wide, 3 + 6 * said)
    assert {error.position for error in found[:5]} == set(range(5))
    assert [(error.position, (error.suggested - 3) // 6) for error in found] == [
        (error.position, error.suggested) for error in likely_label_errors(probabilities, said)
    ]
    assert [error.suggested for error in found[:5]] == [3 + 6 * known[error.position] for error in found[:5]]


def test_a_class_of_one_photo_does_no_harm() -> None:
    known = np.array([0] * 30 + [1] * 30 + [2])
    said = known.copy()
    said[4] = 1
    assert likely_label_errors(answers(known, 3), said)[0].position == 4


@pytest.mark.parametrize("targets", [[], [0], [1], [2, 2, 2, 2], [0, 0, 0]])
def test_photos_of_fewer_than_two_classes_show_no_error(targets: list[int]) -> None:
    probabilities = np.full((len(targets), 3), 1 / 3, dtype=np.float32)
    assert likely_label_errors(probabilities, np.array(targets, dtype=np.int64)) == []


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_answers_each_photo_is_named_once_at_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num_classes, photos = int(rng.integers(2, 30)), int(rng.integers(2, 50))
    targets = rng.choice(num_classes, rng.integers(1, num_classes + 1), replace=False)[:, None].repeat(photos, 1).T
    targets = np.array([rng.choice(row) for row in targets])
    kinds = [
        np.eye(num_classes)[rng.integers(0, num_classes, photos)],
        np.full((photos, num_classes), 1 / num_classes),
        rng.dirichlet(np.full(num_classes, 0.05), photos),
    ]
    positions = [error.position for error in likely_label_errors(kinds[seed % 3].astype(np.float32), targets)]
    assert len(positions) == len(set(positions))
    assert set(positions) <= set(range(photos))
