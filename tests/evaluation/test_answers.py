from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dogbreed.data.check import check_folder
from dogbreed.data.folder import Split
from dogbreed.data.photos import open_photo
from dogbreed.data.transforms import evaluation_transform, normalise
from dogbreed.errors import DataError
from dogbreed.evaluation.asking import ask
from tests.drawn_photos import draw_folder
from tests.trained_models import cached_network


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    root = draw_folder(tmp_path_factory.mktemp("photos"), classes=3, counts={"train": 5, "valid": 3, "test": 5})
    return check_folder(root).folder.splits["test"]


def images(split: Split) -> torch.Tensor:
    network = cached_network()
    transform = evaluation_transform(network.preprocessing)
    return normalise(torch.stack([transform(open_photo(path)) for path in split.paths]), network.preprocessing)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_answers_are_those_of_the_network_for_every_photo_in_its_place(
    split: Split, tmp_path: Path, num_workers: int
) -> None:
    network = cached_network()
    found = ask(network, split, tmp_path, name="test", mirror=True, batch_size=4, num_workers=num_workers)
    with torch.inference_mode():
        expected = network(images(split)).numpy(), network(images(split).flip(-1)).numpy()
        features = network.backbone(images(split)).flatten(1).numpy()
    assert found.mirrored_logits is not None
    np.testing.assert_allclose(found.logits, expected[0], atol=1e-5)
    np.testing.assert_allclose(found.mirrored_logits, expected[1], atol=1e-5)
    np.testing.assert_allclose(found.features, features, atol=1e-4)
    assert found.targets.tolist() == list(split.targets)


def test_without_the_mirror_images_nothing_is_asked_about_them(split: Split, tmp_path: Path) -> None:
    found = ask(cached_network(), split, tmp_path, name="test")
    assert found.mirrored_logits is None
    assert found.mirrored_features is None


def test_the_network_is_asked_in_eval_mode_and_left_as_it_was(split: Split, tmp_path: Path) -> None:
    network = cached_network().train()
    found = ask(network, split, tmp_path, name="test")
    assert network.training
    np.testing.assert_array_equal(found.logits, ask(network.eval(), split, tmp_path / "again", name="test").logits)


def test_a_photo_that_can_no_longer_be_read_is_left_out_and_named(split: Split, tmp_path: Path) -> None:
    gone = tmp_path / "gone.jpg"
    with_gone = Split((split.paths[0], gone, *split.paths[1:]), (split.targets[0], 2, *split.targets[1:]))
    found = ask(cached_network(), with_gone, tmp_path, name="test", batch_size=4, num_workers=1)
    assert found.split == split
    assert len(found.unreadable) == 1
    assert "gone.jpg" in found.unreadable[0]
    np.testing.assert_allclose(
        found.logits, ask(cached_network(), split, tmp_path / "without", name="test").logits, atol=1e-5
    )


def test_a_split_of_which_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found none that can be read"):
        ask(cached_network(), Split((tmp_path / "gone.jpg",), (0,)), tmp_path, name="test")
