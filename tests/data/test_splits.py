from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest

from dogbreed.data.splits import stratified_split


def photos(*counts: int) -> tuple[list[int], list[str]]:
    targets = [target for target, count in enumerate(counts) for _ in range(count)]
    return targets, [f"photo {number}" for number in range(len(targets))]


def test_every_class_is_shared_out_by_the_fractions() -> None:
    targets, groups = photos(100, 50)
    counts = Counter(zip(targets, stratified_split(targets, groups, seed=0), strict=True))
    assert [counts[0, split] for split in ("train", "val", "test")] == [80, 10, 10]
    assert [counts[1, split] for split in ("train", "val", "test")] == [40, 5, 5]


@pytest.mark.parametrize("count", range(3, 40))
def test_a_class_of_three_or_more_is_in_every_split_and_mostly_in_train(count: int) -> None:
    counts = Counter(stratified_split(*photos(count), seed=1))
    assert set(counts) == {"train", "val", "test"}
    assert counts["train"] == max(counts.values())


@pytest.mark.parametrize("count", [1, 2])
def test_a_class_too_small_to_share_is_trained_on(count: int) -> None:
    assert set(stratified_split(*photos(count), seed=0)) == {"train"}


def test_copies_come_into_one_split() -> None:
    draw = random.Random(0)
    targets, groups = photos(40, 40)
    groups = [draw.choice(groups[:10]) if target == 0 else group for target, group in zip(targets, groups, strict=True)]
    where = defaultdict(set)
    for group, split in zip(groups, stratified_split(targets, groups, seed=0), strict=True):
        where[group].add(split)
    assert all(len(splits) == 1 for splits in where.values())


def test_the_same_photo_in_two_classes_comes_into_one_split() -> None:
    for seed in range(20):
        first, *_, last = stratified_split([0, 0, 0, 1, 1, 1], ["x", "a", "b", "c", "d", "x"], seed=seed)
        assert first == last


def test_the_order_of_the_files_does_not_matter() -> None:
    targets, groups = photos(20, 30)
    expected = dict(zip(groups, stratified_split(targets, groups, seed=3), strict=True))
    shuffled = random.Random(0).sample(list(zip(targets, groups, strict=True)), len(groups))
    splits = stratified_split([t for t, _ in shuffled], [g for _, g in shuffled], seed=3)
    assert dict(zip((g for _, g in shuffled), splits, strict=True)) == expected


def test_another_seed_is_another_split() -> None:
    targets, groups = photos(30, 30)
    assert stratified_split(targets, groups, seed=0) == stratified_split(targets, groups, seed=0)
    assert stratified_split(targets, groups, seed=0) != stratified_split(targets, groups, seed=1)


def test_a_fraction_of_zero_gets_nothing() -> None:
    splits = stratified_split(*photos(3, 30), fractions=(0.9, 0.1, 0.0), seed=0)
    assert set(splits) == {"train", "val"}


def test_no_photos_are_no_splits() -> None:
    assert stratified_split([], [], seed=0) == []
