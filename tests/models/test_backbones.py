from __future__ import annotations

import pickle
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision import models

from dogbreed.errors import ConfigError, WeightsError
from dogbreed.models.backbones import backbone_preprocessing, build_backbone
from dogbreed.models.network import build_network

NAMES = models.list_models(module=models)
SMALL = ["resnet18", "mobilenet_v2", "squeezenet1_1", "shufflenet_v2_x0_5"]


@contextmanager
def shapes_only() -> Iterator[None]:
    """Parameters without memory or numbers, so that the largest network is built at once.

    Not `torch.device("meta")`: some networks compute their widths with tensors.
    """
    register = nn.Module.register_parameter

    def without_numbers(self: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        register(self, name, None if parameter is None else nn.Parameter(parameter.to("meta")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Module, "register_parameter", without_numbers)
        yield


def images(size: int, batch: int = 2, device: str = "cpu") -> Tensor:
    return torch.rand(batch, 3, size, size, device=device)


@pytest.mark.parametrize("name", NAMES)
def test_every_torchvision_network_gives_features_and_its_classifier_is_gone(name: str) -> None:
    with shapes_only():
        backbone = build_backbone(name, None)
    network = backbone.network.to("meta").train()
    features = network(images(backbone.preprocessing.crop, device="meta"))
    assert features.flatten(1).shape == (2, backbone.num_features)
    assert not any(isinstance(m, nn.Linear) and m.out_features == 1000 for m in network.modules())
    assert not any(isinstance(m, nn.Conv2d) and m.out_channels == 1000 for m in network.modules())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "name", ["googlenet", "inception_v3", "vit_h_14", "squeezenet1_0", "regnet_y_400mf", "swin_v2_t"]
)
def test_a_network_gives_logits_in_both_modes(name: str, training: bool) -> None:
    with shapes_only():
        network = build_network(7, backbone=name)
    logits = network.to("meta").train(training)(images(network.preprocessing.crop, device="meta"))
    assert logits.shape == (2, 7)


@pytest.mark.parametrize("name", SMALL)
def test_a_real_forward_pass_gives_finite_logits(name: str) -> None:
    logits = build_network(5, backbone=name, image_size=64)(images(64))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_the_preprocessing_is_that_of_the_published_weights(name: str) -> None:
    preset, own = models.get_model_weights(name).DEFAULT.transforms(), backbone_preprocessing(name)
    assert [own.resize] == preset.resize_size
    assert [own.crop] == preset.crop_size
    assert [list(own.mean), list(own.std)] == [list(preset.mean), list(preset.std)]
    assert own.interpolation == preset.interpolation.value


# What a network's own forward computes just before its classifier.
PENULTIMATE: dict[str, Callable[[nn.Module], nn.Module]] = {
    "resnet18": lambda network: network.fc,
    "mobilenet_v2": lambda network: network.classifier[-1],
    "densenet121": lambda network: network.classifier,
    "googlenet": lambda network: network.fc,
    "vit_b_32": lambda network: network.heads.head,
}


def whole_network(name: str, **arguments: Any) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = models.get_model(name, weights=None, **arguments).eval()
    return network


def penultimate(name: str, network: nn.Module, batch: Tensor) -> Tensor:
    seen: list[Tensor] = []
    PENULTIMATE[name](network).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(batch)
    return seen[0]


def features(name: str, weights: Path, batch: Tensor) -> Tensor:
    with torch.no_grad():
        output: Tensor = build_backbone(name, str(weights)).network.eval()(batch)
    return output


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "vit_b_32"])
def test_a_state_dict_of_the_whole_network_gives_its_penultimate_features(name: str, tmp_path: Path) -> None:
    network, batch = whole_network(name), images(224)
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    assert torch.equal(features(name, tmp_path / "weights.pth", batch), penultimate(name, network, batch))


def test_safetensors_are_read_too(tmp_path: Path) -> None:
    network, batch = whole_network("resnet18"), images(64)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    assert torch.equal(
        features("resnet18", tmp_path / "weights.safetensors", batch), penultimate("resnet18", network, batch)
    )


def test_the_old_layer_names_of_published_densenet_weights_are_understood(tmp_path: Path) -> None:
    network, batch = whole_network("densenet121"), images(64)
    old = {
        key.replace("norm1", "norm.1")
        .replace("norm2", "norm.2")
        .replace("conv1", "conv.1")
        .replace("conv2", "conv.2"): value
        for key, value in network.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "weights.pth")
    expected = penultimate("densenet121", network, batch)
    assert torch.equal(features("densenet121", tmp_path / "weights.pth", batch), expected)


def test_published_weights_with_auxiliary_classifiers_load_and_see_the_input_they_were_trained_on(
    tmp_path: Path,
) -> None:
    network, batch = whole_network("googlenet", aux_logits=True, init_weights=False, transform_input=True), images(64)
    assert any(key.startswith("aux1.") for key in network.state_dict())
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    expected = penultimate("googlenet", network, batch)
    assert torch.equal(features("googlenet", tmp_path / "weights.pth", batch), expected)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_the_published_weights_of_a_network_are_taken_as_torchvision_takes_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shapes_only():
        published = models.get_model(name, aux_logits=True, init_weights=False).state_dict()
        monkeypatch.setattr(models.get_model_weights(name), "get_state_dict", lambda *_, **__: dict(published))
        own = build_backbone(name, "imagenet").network
        theirs = models.get_model(name, weights="DEFAULT")
    assert own.transform_input == theirs.transform_input


class RunsCode:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("ran"),)


def module_file(path: Path) -> None:
    torch.save(nn.Linear(1, 1), path)


BAD_FILES: dict[str, Callable[[Path], Any]] = {
    "a text": lambda path: path.write_text("no weights\n"),
    "an empty file": lambda path: path.write_bytes(b""),
    "a pickle that runs code": lambda path: path.write_bytes(pickle.dumps(RunsCode())),
    "an archive that runs code": lambda path: torch.save({"a": RunsCode()}, path),
    "a whole module": module_file,
    "a list": lambda path: torch.save([torch.zeros(1)], path),
    "numbers for names": lambda path: torch.save({1: torch.zeros(1)}, path),
    "another network": lambda path: torch.save(whole_network("shufflenet_v2_x0_5").state_dict(), path),
    "no tensors": lambda path: torch.save({}, path),
    "a nested checkpoint": lambda path: torch.save({"state_dict": {}}, path),
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_holds_no_fitting_weights_is_refused_in_one_line_and_never_run(
    kind: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"weights{suffix}"
    BAD_FILES[kind](path)
    with pytest.raises(WeightsError) as error:
        build_backbone("resnet18", str(path))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()


def test_a_missing_file_of_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"found no file .*/nothing\.pth"):
        build_backbone("resnet18", str(tmp_path / "nothing.pth"))


def test_without_a_network_connection_the_ways_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr(socket, "create_connection", unreachable)
    with pytest.raises(WeightsError, match=r"Network is unreachable.*model\.weights=PATH.*model\.weights=null"):
        build_backbone("resnet18", "imagenet")


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    with pytest.raises(ConfigError, match="did you mean resnet50"):
        build_backbone("resnet5O", None)


@pytest.mark.parametrize("name", ["timm/test_resnet", "timm/test_vit", "timm/test_efficientnet"])
def test_a_network_of_timm_gives_features_and_logits(name: str) -> None:
    backbone = build_backbone(name, None)
    output = backbone.network(images(backbone.preprocessing.crop))
    assert output.flatten(1).shape == (2, backbone.num_features)
    assert build_network(6, backbone=name)(images(backbone.preprocessing.crop)).shape == (2, 6)


def test_a_network_of_timm_is_preprocessed_as_timm_says() -> None:
    import timm

    config = timm.data.resolve_data_config(model=timm.create_model("test_vit"))
    own = backbone_preprocessing("timm/test_vit")
    assert (own.crop, own.interpolation) == (config["input_size"][-1], config["interpolation"])
    assert (own.mean, own.std) == (config["mean"], config["std"])
    assert own.resize == int(own.crop / config["crop_pct"])


def test_a_state_dict_of_a_timm_network_is_read(tmp_path: Path) -> None:
    import timm

    network = timm.create_model("test_resnet").eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    batch = images(160)
    with torch.no_grad():
        expected = network.forward_head(network.forward_features(batch), pre_logits=True)
    assert torch.equal(features("timm/test_resnet", tmp_path / "weights.pth", batch), expected)


def test_an_unknown_name_of_timm_is_answered_with_near_ones() -> None:
    with pytest.raises(ConfigError, match=r"timm/test_resnte.*did you mean test_resnet"):
        build_backbone("timm/test_resnte", None)


def test_where_timm_is_missing_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[timm\]"'):
        build_backbone("timm/test_resnet", None)


@pytest.mark.parametrize(("name", "size"), [("vit_b_32", 96), ("alexnet", 16)])
def test_an_image_size_that_a_network_does_not_take_is_refused_in_one_line(name: str, size: int) -> None:
    with pytest.raises(ConfigError, match=rf"model\.image_size.*{name}.*got {size}") as error:
        build_network(3, backbone=name, image_size=size)
    assert "\n" not in str(error.value)
