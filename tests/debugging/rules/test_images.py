from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dogbreed.debugging.rules.images import check_input_images, input_not_normalized
from dogbreed.debugging.series import Series
from tests.debugging.rules.recordings import ask, recordings, told

MEAN, STD = torch.tensor([0.485, 0.456, 0.406])[:, None, None], torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def photos(count: int = 250, batches: int = 2) -> list[Tensor]:
    """Decoded, with the mean and deviation that ImageNet's have."""
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(count, 3, 8, 8, generator=generator) * STD + MEAN).clamp(0, 1) for _ in range(batches)]


def normalised() -> list[Tensor]:
    return [(batch - MEAN) / STD for batch in photos()]


def test_normalised_photos_pass_and_decoded_ones_do_not() -> None:
    for rule in ("CheckInputImages", "InputNotNormalized"):
        assert ask(rule, recordings("input_image", "input_image", normalised())).status == "NoIssuesFound"
        for wrong in (photos(), [255 * batch for batch in photos()]):
            assert ask(rule, recordings("input_image", "input_image", wrong)).status == "IssuesFound"
    found = ask("CheckInputImages", recordings("input_image", "input_image", photos()))
    assert told(found) == ("IssuesFound", 1, None)
    assert found.value == pytest.approx(float(torch.cat(photos()).mean((0, 2, 3)).max()), rel=1e-5)
    assert (found.threshold, found.reason) == (0.2, "The mean of channel 0 is 0.49 over 500 photos.")


@pytest.mark.parametrize(("mean", "status"), [(0.24, "NoIssuesFound"), (0.25, "NoIssuesFound"), (0.26, "IssuesFound")])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_mean_may_differ_from_zero_by_the_threshold(mean: float, sign: int, status: str) -> None:
    images = torch.zeros(500, 3, 2, 2)
    images[:, 1] = sign * mean
    found = ask("CheckInputImages", recordings("x", "input_image", [images.double()]), threshold_mean=0.25)
    assert found.status == status


def test_images_are_averaged_over_photos_and_enough_are_needed() -> None:
    batches = [torch.full((400, 3, 2, 2), 0.1), torch.full((100, 3, 2, 2), -0.9)]
    found = ask("CheckInputImages", recordings("x", "input_image", batches))
    assert (found.status, found.value) == ("NoIssuesFound", pytest.approx(0.1))
    assert ask("CheckInputImages", recordings("x", "input_image", [batches[0]])).status == "NotApplicable"
    few = ask("CheckInputImages", recordings("x", "input_image", [batches[1][:1]]), threshold_samples=0)
    assert few.status == "IssuesFound"
    assert check_input_images(Series()).status == "NotApplicable"


def test_channels_may_stand_last_and_the_tensor_be_named() -> None:
    images = torch.zeros(500, 4, 4, 3)
    images[..., 2] = 1
    given = recordings("Net_input_0", "own", [images])
    assert ask("CheckInputImages", given).status == "NotApplicable"
    assert ask("CheckInputImages", given, regex="Net_input").reason.startswith("The mean of channel 0 is 0.33")
    assert ask("CheckInputImages", given, regex="input_0", channel=3).reason.startswith("The mean of channel 2 is 1.00")
    named = recordings("hybridsequential0_input_0", "own", [images])
    assert ask("CheckInputImages", named).status == "IssuesFound"


def test_photos_without_channels_or_with_values_that_are_no_numbers_are_not_called_fine() -> None:
    assert ask("CheckInputImages", recordings("x", "input_image", [torch.zeros(500)])).status == "NotApplicable"
    broken = recordings("x", "input_image", [torch.full((500, 3, 2, 2), torch.nan)])
    assert ask("CheckInputImages", broken).status == "IssuesFound"
    assert ask("InputNotNormalized", broken).status == "NotApplicable"


@pytest.mark.parametrize(
    ("low", "high", "value", "threshold"),
    [
        (-0.1, 20.0, None, None),
        (-0.1, 20.1, 20.1, 20.0),
        (0.0, 20.0, 0.0, 0.0),
        (0.0, 255.0, 255.0, 20.0),
        (0.1, 1.0, 0.1, 0.0),
    ],
)
def test_photos_are_normalised_that_lie_on_both_sides_of_zero_and_near_it(
    low: float, high: float, value: float | None, threshold: float | None
) -> None:
    found = input_not_normalized(Series([3, 4], [(low, 0.5), (0.2, high)]))
    assert (found.status == "IssuesFound", found.value, found.threshold) == (value is not None, value, threshold)
    assert found.step == (None if value is None else 3)


def test_without_photos_there_is_nothing_to_say() -> None:
    for rule in ("CheckInputImages", "InputNotNormalized"):
        found = ask(rule, recordings("features", "own", [torch.zeros(500, 8)]))
        assert found.status == "NotApplicable"
        assert found.reason.startswith("No photo was recorded")
