from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor, nn

from dogbreed.errors import ConfigError
from dogbreed.models.network_path import EXACT, NETWORK_PATHS, NetworkPath, network_path
from tests.trained_models import cached_network

SIDE = 32
LIBRARIES = ["openvino", "onnxruntime"]


class Small(nn.Module):
    """Quick to read for what converts networks."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.layers = nn.Sequential(*layers, nn.Linear(8, 3))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits


class DecidesByNumbers(Small):
    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images) if images.sum() > 0 else -self.layers(images)


def built(name: str, network: nn.Module) -> NetworkPath:
    library = next((library for library in LIBRARIES if name.startswith(library)), None)
    # Not importorskip: it would import more than the code under test does.
    if library and find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    return network_path(name, network.eval().requires_grad_(False), SIDE)


def images(batch: int) -> Tensor:
    return torch.randn(batch, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(batch))


def difference(path: NetworkPath, network: nn.Module, batch: int) -> float:
    with torch.inference_mode():
        answered, expected = path.forward(images(batch)).float().softmax(1), network(images(batch)).softmax(1)
    assert answered.shape == (batch, 3)
    return (answered - expected).abs().max().item()


@pytest.mark.parametrize("name", NETWORK_PATHS)
def test_a_path_answers_batches_of_any_size_as_the_network_does(name: str) -> None:
    network = Small()
    path = built(name, network)
    assert path.name == name
    bound = 1e-5 if name.endswith("float32") else 0.01
    assert all(difference(path, network, batch) < bound for batch in (1, 2, 3, 16, 64))


def test_the_fastest_exact_path_gives_the_probabilities_of_a_real_backbone() -> None:
    network = cached_network(0)
    path = network_path("auto", network, SIDE)
    assert path.name == ("openvino-float32" if find_spec("openvino") else "onnxruntime-float32")
    assert all(difference(path, network, batch) < 1e-5 for batch in (1, 5))


@pytest.mark.parametrize("name", EXACT)
def test_threads_that_ask_at_once_have_their_own_answers(name: str) -> None:
    network = Small()
    forward = built(name, network).forward
    batches = [images(batch) for batch in range(1, 25)]
    with torch.inference_mode():
        expected = [network(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        answered = list(pool.map(forward, batches))
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(answered, expected, strict=True))


def test_without_the_libraries_the_network_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in LIBRARIES:
        monkeypatch.setitem(sys.modules, library, None)
    network = cached_network(0)
    path = network_path("auto", network, SIDE)
    assert path.name == "folded-float32"
    assert difference(path, network, 3) < 1e-5


def test_what_the_libraries_cannot_read_is_computed_as_it_is_stored() -> None:
    network = DecidesByNumbers().eval().requires_grad_(False)
    path = network_path("auto", network, SIDE)
    assert path.name == "folded-float32"
    assert difference(path, network, 2) < 1e-5
    with pytest.raises(ConfigError, match="cannot"):
        built("openvino-float32", network)


def test_a_path_that_answers_otherwise_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in EXACT:
        monkeypatch.setitem(NETWORK_PATHS, name, lambda network, _: lambda batch: network(batch) + torch.eye(3)[0])
    network = Small().eval()
    path = network_path("auto", network, SIDE)
    assert path.name == "float32"
    assert path.forward is network


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_that_is_missing_is_named_with_its_installation(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[(openvino|export)\]"'):
        network_path(f"{library}-float32", Small(), SIDE)


def test_an_unknown_path_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Expected backend to be auto or one of float32, .*, got 'onnx'"):
        network_path("onnx", Small(), SIDE)
