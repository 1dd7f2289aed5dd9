from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from PIL import Image

from dogbreed.data.transforms import Preprocessing, evaluation_transform
from dogbreed.explaining.overlay import COLOURS, cropped, overlay
from tests.data.photo_folders import noise


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def test_where_there_is_no_heat_the_photo_stays_as_it_is() -> None:
    photo, heat = noise(40, 40, seed=0), np.zeros((40, 40), dtype=np.float32)
    heat[10:20, 10:20] = 1
    changed = (pixels(overlay(photo, heat)) != pixels(photo)).any(axis=2)
    assert not changed[heat == 0].any()
    assert changed[heat == 1].mean() > 0.9


def test_the_photo_is_recognisable_below_the_strongest_heat() -> None:
    photo = noise(40, 40, seed=0)
    below, above = pixels(photo), pixels(overlay(photo, np.ones((40, 40))))
    assert np.corrcoef(below[..., 0].ravel(), above[..., 0].ravel())[0, 1] > 0.99
    assert above[..., 0].std() > 0.25 * below[..., 0].std()


def test_more_heat_is_more_colour_and_a_lighter_one() -> None:
    grey = Image.new("RGB", (256, 1), (60, 60, 60))
    strip = pixels(overlay(grey, np.linspace(0, 1, 256, dtype=np.float32)[None]))[0]
    saturation = [colorsys.rgb_to_hsv(*pixel)[1] for pixel in strip]
    assert np.argmax(saturation) > 128
    assert (np.diff(COLOURS @ (0.2126, 0.7152, 0.0722)) > 0).all()
    assert strip.sum(axis=1).argmax() == 255


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_tensor_and_an_array_give_the_same_image(dtype: torch.dtype) -> None:
    photo, heat = noise(40, 40, seed=0), torch.rand(40, 40).to(dtype)
    assert overlay(photo, heat.requires_grad_()) == overlay(photo, heat.detach().float().numpy())


def test_heat_of_another_size_is_scaled_to_the_photo() -> None:
    photo = noise(60, 40, seed=0)
    changed = (pixels(overlay(photo, np.array([[0.0, 0.0, 1.0]]))) != pixels(photo)).any(axis=2)
    assert changed.shape == (40, 60)
    assert changed[:, 50:].all(axis=1).any()
    assert not changed[:, :20].any()


@pytest.mark.parametrize("size", [(80, 60), (33, 200), (32, 32)])
def test_the_cropped_photo_is_what_the_network_sees(size: tuple[int, int]) -> None:
    photo, preprocessing = noise(*size, seed=0), Preprocessing(40, 32)
    seen = cropped(photo, preprocessing)
    assert seen.size == (32, 32)
    assert torch.equal(torch.from_numpy(np.array(seen)).permute(2, 0, 1), evaluation_transform(preprocessing)(photo))
