from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dogbreed.evaluation import neighbours as module
from dogbreed.evaluation.neighbours import nearest

Rows = npt.NDArray[np.floating]


@pytest.fixture(params=[7, 16, 2048], ids="{} photos a block".format)
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Rows]:
    monkeypatch.setattr(module, "BLOCK", request.param)
    rng = np.random.default_rng(0)
    return [rng.normal(size=(size, 12)).astype(np.float32) for size in (30, 1, 16, 0, 22)]


def cosines(rows: Rows, columns: Rows) -> npt.NDArray[np.float64]:
    lengths = np.outer(np.linalg.norm(rows, axis=1), np.linalg.norm(columns, axis=1))
    expected: npt.NDArray[np.float64] = rows.astype(np.float64) @ columns.T.astype(np.float64) / lengths
    return expected


def check(found: module.Neighbours, expected: npt.NDArray[np.float64], count: int) -> None:
    """Compare with the whole matrix, sorted."""
    order = np.argsort(-expected, axis=1, kind="stable")[:, :count]
    np.testing.assert_allclose(found.cosines.numpy(), np.take_along_axis(expected, order, 1), atol=1e-6)
    there = np.isfinite(np.take_along_axis(expected, order, 1))
    np.testing.assert_array_equal(found.positions.numpy()[there], order[there])


@pytest.mark.parametrize("count", [1, 5])
def test_the_nearest_are_those_of_the_whole_product(parts: list[Rows], count: int) -> None:
    features = np.concatenate(parts)
    expected = cosines(features, features)
    np.fill_diagonal(expected, -np.inf)
    check(nearest(parts, count=count, left_out=np.zeros(len(features), dtype=np.bool_)), expected, count)


def test_photos_that_are_left_out_are_near_to_none(parts: list[Rows]) -> None:
    features = np.concatenate(parts)
    left_out = np.arange(len(features)) % 3 == 0
    expected = cosines(features, features)
    np.fill_diagonal(expected, -np.inf)
    expected[left_out] = expected[:, left_out] = -np.inf
    check(nearest(parts, count=4, left_out=left_out), expected, 4)


def test_mirror_images_are_compared_with_all_photos_but_their_own(parts: list[Rows]) -> None:
    rng = np.random.default_rng(1)
    mirrored = [rng.normal(size=part.shape) if number in (2, 4) else None for number, part in enumerate(parts)]
    features = np.concatenate(parts)
    given = np.concatenate([np.ones_like(p) if m is None else m for p, m in zip(parts, mirrored, strict=True)])
    expected = cosines(given, features)
    np.fill_diagonal(expected, -np.inf)
    expected[:31] = -np.inf
    found = nearest(parts, mirrored, count=5, left_out=np.zeros(len(features), dtype=np.bool_))
    check(found, expected, 5)


def test_where_there_are_fewer_the_rest_is_empty() -> None:
    found = nearest([np.eye(3)], count=5, left_out=np.zeros(3, dtype=np.bool_))
    assert found.cosines.isinf().sum(1).tolist() == [3, 3, 3]


def test_features_are_read_from_disk(tmp_path: Path, parts: list[Rows]) -> None:
    path = tmp_path / "features.npy"
    np.save(path, parts[0].astype(np.float16))
    on_disk = np.load(path, mmap_mode="r")
    left_out = np.zeros(30, dtype=np.bool_)
    found, expected = (nearest([part], count=3, left_out=left_out) for part in (on_disk, np.array(on_disk)))
    assert found.cosines.equal(expected.cosines)
