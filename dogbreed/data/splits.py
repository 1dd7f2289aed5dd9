"""A part of every class for training, validation and test, where the folder does not say which."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence

from dogbreed.data.folder import SPLITS

FRACTIONS = (0.8, 0.1, 0.1)


def stratified_split(
    targets: Sequence[int], groups: Sequence[str], *, fractions: Sequence[float] = FRACTIONS, seed: int
) -> list[str]:
    """The split of every photo: photos of one group (copies of one another) come into one split.

    Every class is shared out by `fractions` (train, val, test) on its own; one of three or more groups has a group in
    every split whose fraction is not zero. The answer depends on the seed and the groups, not on the photos' order.

    >>> stratified_split([0] * 4, ["a", "b", "c", "c"], seed=0)
    ['train', 'test', 'val', 'val']
    """
    split_of: dict[str, str] = {}
    for members in _groups_by_class(targets, groups).values():
        drawn = sorted(members, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
        split_of |= dict(zip(drawn, _shares(len(drawn), fractions), strict=True))
    return [split_of[group] for group in groups]


def _groups_by_class(targets: Sequence[int], groups: Sequence[str]) -> dict[int, set[str]]:
    """The groups of every class; one that spans classes counts for the first of them."""
    first: dict[str, int] = {}
    for target, group in zip(targets, groups, strict=True):
        first[group] = min(target, first.get(group, target))
    members: dict[int, set[str]] = defaultdict(set)
    for group, target in first.items():
        members[target].add(group)
    return members


def _shares(count: int, fractions: Sequence[float]) -> list[str]:
    """The splits' names, each as often as it gets one of `count` groups: the largest remainders are rounded up."""
    exact = [count * fraction / sum(fractions) for fraction in fractions]
    sizes = [max(math.floor(e), 1) if e and count >= len(SPLITS) else math.floor(e) for e in exact]
    while sum(sizes) < count:
        most = max(range(len(sizes)), key=lambda i: exact[i] - sizes[i])
        sizes[most] += 1
    while sum(sizes) > count:
        sizes[sizes.index(max(sizes))] -= 1
    return [split for split, size in zip(SPLITS, sizes, strict=True) for _ in range(size)]
