from __future__ import annotations

import copy
import functools
import shutil
import sys
from importlib.metadata import version
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor, nn

from dogbreed.bfloat16 import has_bfloat16
from dogbreed.errors import ConfigError
from dogbreed.models.cut import cut
from dogbreed.models.folding import folded
from dogbreed.models.forward_paths import PATHS, Forward, build_path, choose_path, path_name, relative_error
from dogbreed.models.network import BreedNetwork, build_network
from tests.trained_models import small_network

CPU = torch.device("cpu")
BATCH_SIZE = 4
# bfloat16 keeps 8 bits, a relative error of 0.4 % for each number, which random weights enlarge from layer to layer.
TOLERANCES = {"float32": 1e-6, "bfloat16": 0.06, "compiled": 0.06, "openvino-float32": 1e-4, "openvino-bfloat16": 0.06}
NETWORKS = {
    "a convolutional network": ("shufflenet_v2_x0_5", "stage3", 64),
    "one whose batch norm comes first": ("densenet121", "features.denseblock3", 32),
    "the whole of a backbone": ("resnet18", True, 32),
    "a transformer": ("swin_t", "features.3", 32),
    "a transformer of plain layers": ("timm/vit_tiny_patch16_224", "blocks.2", 224),
}

ALWAYS = ("the whole of a backbone", "a transformer of plain layers")


def needs_openvino() -> None:
    # Not importorskip: it would import more than the code under test does.
    if find_spec("openvino") is None:
        pytest.skip("OpenVINO is not installed")


@functools.lru_cache(maxsize=1)
def network_of(backbone: str, size: int) -> BreedNetwork:
    """Batch statistics are those of noise: with those of a new network numbers fade from layer to layer."""
    torch.manual_seed(0)
    network = build_network(3, backbone=backbone, image_size=size)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    if norms:
        with torch.no_grad():
            network.train()(torch.randn(16, 3, size, size))
    return network.eval()


def lower_of(kind: str) -> tuple[nn.Module, Tensor]:
    backbone, frozen, size = NETWORKS[kind]
    torch.manual_seed(1)
    return cut(network_of(backbone, size), frozen).lower, torch.randn(BATCH_SIZE, 3, size, size)


def reference(lower: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        activations: Tensor = copy.deepcopy(lower).eval()(images)
    return activations


@pytest.mark.parametrize("path", ["float32", "bfloat16", "openvino-float32", "openvino-bfloat16"])
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in ALWAYS else pytest.mark.exhaustive) for kind in NETWORKS]
)
def test_each_path_gives_the_activations_of_the_frozen_part(kind: str, path: str) -> None:
    if path.startswith("openvino"):
        needs_openvino()
    lower, images = lower_of(kind)
    forward = build_path(path, lower, batch_size=BATCH_SIZE, image_size=images.shape[-1])
    activations, expected = forward(images), reference(lower, images)
    assert activations.shape == expected.shape
    assert activations.dtype in (torch.float32, torch.bfloat16)
    assert relative_error(activations, expected) < TOLERANCES[path]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler")
def test_the_compiled_path_gives_the_activations_of_the_frozen_part_for_full_and_smaller_batches() -> None:
    lower, images = cut(network_of("resnet18", 32), "layer2").lower, torch.randn(BATCH_SIZE, 3, 32, 32)
    forward, expected = build_path("compiled", lower, batch_size=BATCH_SIZE, image_size=32), reference(lower, images)
    assert relative_error(forward(images), expected) < TOLERANCES["compiled"]
    assert relative_error(forward(images[:1]), expected[:1]) < TOLERANCES["compiled"]


def small_lower() -> nn.Module:
    return cut(small_network(), "stage4").lower


@functools.cache
def small_forward(path: str) -> Forward:
    if path.startswith("openvino"):
        needs_openvino()
    return build_path(path, small_lower(), batch_size=BATCH_SIZE, image_size=32)


@pytest.mark.parametrize("path", ["float32", "bfloat16", "openvino-float32", "openvino-bfloat16"])
def test_a_smaller_batch_gives_the_rows_of_the_full_one(path: str) -> None:
    images, forward = torch.randn(BATCH_SIZE, 3, 32, 32), small_forward(path)
    full = forward(images)
    for size in (1, 3):
        some = forward(images[:size])
        assert len(some) == size
        # Convolutions may choose other instructions for another batch.
        assert relative_error(some, full[:size]) < TOLERANCES[path]
    if path.startswith("openvino"):
        assert torch.equal(some, full[:3])
    assert torch.equal(forward(images), full)


@pytest.mark.parametrize("path", ["float32", "bfloat16", "openvino-float32", "openvino-bfloat16"])
def test_the_network_goes_on_as_it_was_and_can_be_trained_on_what_a_path_gives(path: str) -> None:
    if path.startswith("openvino"):
        needs_openvino()
    network = small_network()
    network.freeze("stage4")
    network.train()
    state, layout = copy.deepcopy(network.state_dict()), [p.stride() for p in network.parameters()]
    wanted = [(module.training, [p.requires_grad for p in module.parameters()]) for module in network.modules()]
    parts = cut(network, "stage4")
    forward = build_path(path, parts.lower, batch_size=BATCH_SIZE, image_size=32)
    images = torch.randn(BATCH_SIZE, 3, 32, 32)
    kept = forward(images)
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())
    assert layout == [p.stride() for p in network.parameters()]
    assert wanted == [(m.training, [p.requires_grad for p in m.parameters()]) for m in network.modules()]

    parts.upper(kept.float()).sum().backward()
    assert all((p.grad is not None) == p.requires_grad for p in network.parameters())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert torch.equal(forward(images), kept)


def test_a_path_computes_in_eval_mode_whatever_the_mode_of_the_network() -> None:
    lower = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(0.5)).train()
    forward = build_path("float32", lower, batch_size=2, image_size=8)
    images = torch.randn(2, 3, 8, 8)
    assert torch.allclose(forward(images), lower[0](images), atol=1e-6)


def test_batch_norm_is_folded_into_the_convolution_before_it() -> None:
    network = network_of("resnet18", 32)
    fused = folded(cut(network, "layer4").lower)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    images = torch.randn(2, 3, 32, 32)
    assert relative_error(fused(images), reference(cut(network, "layer4").lower, images)) < 1e-5


class DecidesByNumbers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))

    def forward(self, images: Tensor) -> Tensor:
        activations: Tensor = self.layers(images)
        return activations if activations.sum() > 0 else -activations


def test_what_cannot_be_traced_is_computed_unfolded() -> None:
    lower, images = DecidesByNumbers().eval(), torch.randn(2, 3, 8, 8)
    forward = build_path("bfloat16", lower, batch_size=2, image_size=8)
    assert relative_error(forward(images), reference(lower, images)) < TOLERANCES["bfloat16"]


def test_openvino_is_not_given_the_chance_to_report_over_the_network() -> None:
    small_forward("openvino-float32")
    assert sys.modules["openvino_telemetry"] is None


def test_the_fastest_path_that_is_ready_at_once_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    expected = "bfloat16" if has_bfloat16(CPU.type) else "float32"
    assert choose_path(CPU) == expected
    assert path_name("auto", CPU) == f"{expected} on cpu"
    assert choose_path(torch.device("mps")) == "float32"


def test_openvino_is_chosen_for_a_cpu_where_it_is_installed_and_named_with_its_version() -> None:
    needs_openvino()
    number_format = "bfloat16" if has_bfloat16(CPU.type) else "float32"
    assert choose_path(CPU) == f"openvino-{number_format}"
    assert choose_path(CPU, mixed_precision=False) == "openvino-float32"
    assert choose_path(CPU, long=False) == number_format
    assert not choose_path(torch.device("cuda")).startswith("openvino")
    assert path_name("auto", CPU) == f"openvino-{number_format} of {version('openvino')} on cpu"


def test_where_openvino_is_missing_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[openvino\]"'):
        build_path("openvino-float32", small_lower(), batch_size=1, image_size=32)
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[openvino\]"'):
        path_name("openvino-float32", CPU)


def test_what_openvino_cannot_convert_is_refused_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    needs_openvino()
    with pytest.raises(ConfigError, match="OpenVINO cannot convert DecidesByNumbers") as error:
        build_path("openvino-float32", DecidesByNumbers(), batch_size=2, image_size=8)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["float16", ""])
def test_an_unknown_path_is_answered_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match="auto or one of float32, bfloat16, compiled, openvino"):
        build_path(name, small_lower(), batch_size=1, image_size=32)
    with pytest.raises(ConfigError, match="auto or one of"):
        path_name(name, CPU)


def test_every_path_has_a_tolerance() -> None:
    assert PATHS.keys() == TOLERANCES.keys()


def test_the_relative_error_is_that_of_the_worst_image_and_not_finite_where_the_activations_are_not() -> None:
    expected = torch.tensor([[[3.0], [4.0]], [[0.0], [1.0]]])
    assert relative_error(expected, expected) == 0
    assert relative_error(expected * torch.tensor([1.1, 1.2])[:, None, None], expected) == pytest.approx(0.2)
    assert relative_error(expected * torch.nan, expected) == float("inf")
    assert relative_error(torch.zeros(1, 2), torch.zeros(1, 2)) == 0
