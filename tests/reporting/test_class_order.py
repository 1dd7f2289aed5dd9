from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from dogbreed.reporting.class_order import alphabetical_order, clustered_order


def planted(sizes: list[int], seed: int) -> tuple[npt.NDArray[np.int64], list[set[int]]]:
    """Blocks of classes that are taken for each other, scattered over the positions, and a little noise."""
    generator = np.random.default_rng(seed)
    places = generator.permutation(sum(sizes))
    blocks = np.split(places, np.cumsum(sizes)[:-1])
    confusion = generator.poisson(0.01, (len(places), len(places))) + 40 * np.eye(len(places), dtype=np.int64)
    for block in blocks:
        confusion[np.ix_(block, block)] += 6
    return confusion, [set(block.tolist()) for block in blocks]


@pytest.mark.parametrize("seed", range(5))
def test_classes_that_are_taken_for_each_other_stand_together(seed: int) -> None:
    confusion, blocks = planted([2, 3, 4, 7, 5], seed)
    order = clustered_order(confusion)
    for block in blocks:
        places = sorted(order.positions.index(position) for position in block)
        assert places == list(range(places[0], places[0] + len(block)))
    assert sorted(map(sorted, order.groups)) == sorted(map(sorted, blocks))


def test_every_class_has_one_place_and_the_order_is_always_the_same() -> None:
    confusion, _ = planted([40, 50, 43], 1)
    order = clustered_order(confusion)
    assert sorted(order.positions) == list(range(133))
    assert clustered_order(confusion.copy()) == order


def test_a_group_follows_the_order() -> None:
    order = clustered_order(planted([3, 3], 0)[0])
    places = [[order.positions.index(position) for position in group] for group in order.groups]
    assert sorted(places) == [[0, 1, 2], [3, 4, 5]]


def test_classes_without_photos_come_last() -> None:
    confusion, _ = planted([3, 3, 3], 2)
    confusion[[1, 4]] = 0
    assert clustered_order(confusion).positions[-2:] == [1, 4]


def test_classes_that_are_never_confused_form_no_group() -> None:
    order = clustered_order(5 * np.eye(6, dtype=np.int64))
    assert sorted(order.positions) == list(range(6))
    assert order.groups == []


@pytest.mark.parametrize("classes", [0, 1, 2])
def test_few_classes_have_an_order(classes: int) -> None:
    assert sorted(clustered_order(np.ones((classes, classes), np.int64)).positions) == list(range(classes))


def test_the_alphabet_does_not_mind_capitals() -> None:
    assert alphabetical_order(("beagle", "Akita", "Chow", "akita")) == [1, 3, 0, 2]
