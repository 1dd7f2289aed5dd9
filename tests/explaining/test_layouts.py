from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dogbreed.explaining.layouts import layout_of


def picture(batch: int = 2, channels: int = 5, side: int = 3) -> Tensor:
    return torch.rand(batch, channels, side, side, generator=torch.Generator().manual_seed(0))


def tokens(maps: Tensor, prefix: int) -> Tensor:
    return torch.cat([torch.zeros(len(maps), prefix, maps.shape[1]), maps.flatten(2).mT], dim=1)


FORMS = {
    "channels first": picture(),
    "channels last": picture().movedim(1, 3),
    "patches": tokens(picture(), 0),
    "patches after a class token": tokens(picture(), 1),
    "patches after a class token and four registers": tokens(picture(side=4), 5),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_output_is_seen_as_maps_and_these_as_the_output_again(form: str) -> None:
    output, layout = FORMS[form], layout_of(FORMS[form])
    assert layout is not None
    maps = layout.to_maps(output)
    assert torch.equal(maps, picture(side=maps.shape[-1]))
    assert torch.equal(layout.to_output(maps, output), output)


@pytest.mark.parametrize(
    "shape", [(), (7,), (2, 7), (2, 512, 1, 1), (2, 1, 1, 7), (2, 3, 4, 5), (2, 3, 7), (2, 142, 8), (2, 3, 4, 4, 4)]
)
def test_an_output_without_places_has_no_layout(shape: tuple[int, ...]) -> None:
    assert layout_of(torch.zeros(shape)) is None
