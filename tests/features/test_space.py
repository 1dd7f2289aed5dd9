from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import PIL
import pytest
import torch
import torchvision
from torch import nn

from dogbreed.data.folder import Split
from dogbreed.data.photo_views import MIRRORED, PLAIN, PhotoView, augmented, photo_views
from dogbreed.data.transforms import Preprocessing
from dogbreed.features.space import feature_space

PREPROCESSING = Preprocessing()


def lower() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


def space(network: nn.Module, preprocessing: Preprocessing = PREPROCESSING, computed: str = "float32 on cpu") -> str:
    return feature_space(network, preprocessing, computed=computed)


def changed(change: Callable[[nn.Sequential], object]) -> nn.Sequential:
    network = lower()
    with torch.no_grad():
        change(network)
    return network


def test_the_same_part_of_a_network_has_the_same_space_in_every_mode_and_place() -> None:
    network = lower()
    assert space(network) == space(lower()) == space(copy.deepcopy(network).eval().requires_grad_(False))
    assert space(network.to(memory_format=torch.channels_last)) == space(lower())


CHANGES: dict[str, Callable[[nn.Sequential], object]] = {
    "the last bit of a weight": lambda n: n[0].weight[0, 0, 0, 0].mul_(1 + 2**-23),
    "a bias": lambda n: n[0].bias.add_(1e-6),
    "a statistic of batch norm": lambda n: n[1].running_var.mul_(1.01),
    "a number that is no weight": lambda n: setattr(n[1], "eps", 1e-3),
    "the stride": lambda n: setattr(n[0], "stride", (2, 2)),
    "an activation": lambda n: n.__setitem__(2, nn.ReLU6()),
    "the number format": lambda n: n.to(torch.bfloat16),
    "one more layer": lambda n: n.append(nn.Flatten()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changes_in_the_network_changes_the_space(change: Callable[[nn.Sequential], object]) -> None:
    assert space(changed(change)) != space(lower())


@pytest.mark.parametrize(
    "preprocessing",
    [
        replace(PREPROCESSING, resize=232),
        replace(PREPROCESSING, crop=192),
        replace(PREPROCESSING, mean=(0.5, 0.456, 0.406)),
        replace(PREPROCESSING, std=(0.5, 0.224, 0.225)),
        replace(PREPROCESSING, interpolation="bicubic"),
    ],
)
def test_whatever_changes_in_the_preprocessing_changes_the_space(preprocessing: Preprocessing) -> None:
    assert space(lower(), preprocessing) != space(lower())


def test_what_computes_changes_the_space() -> None:
    assert len({space(lower(), computed=f"{name} on cpu") for name in ("float32", "bfloat16", "openvino 1")}) == 3


@pytest.mark.parametrize("library", [torch, torchvision, PIL])
def test_another_version_of_a_library_changes_the_space(library: object, monkeypatch: pytest.MonkeyPatch) -> None:
    before = space(lower())
    monkeypatch.setattr(library, "__version__", "0.0.1")
    assert space(lower()) != before


def test_a_photo_is_known_by_its_content_and_its_view_whatever_it_is_called() -> None:
    keys = [
        PhotoView(Path("a.jpg"), "content", view).key
        for view in (PLAIN, MIRRORED, augmented("light", 1), augmented("light", 2), augmented("strong", 1))
    ]
    assert len(set(keys)) == len(keys)
    assert PhotoView(Path("b.jpg"), "content", PLAIN).key == keys[0]
    assert PhotoView(Path("a.jpg"), "other", PLAIN).key not in keys


def test_the_views_of_a_split_are_in_its_order() -> None:
    paths = (Path("b.jpg"), Path("a.jpg"))
    views = photo_views(Split(paths, (0, 1)), {paths[0]: "1", paths[1]: "2"})
    assert [view.path for view in views] == list(paths)
    assert [view.key for view in views] == ["1/plain", "2/plain"]
