from __future__ import annotations

import copy
import functools

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.swin_transformer import ShiftedWindowAttention

from dogbreed.errors import ConfigError
from dogbreed.models.cut import Cut, cut
from dogbreed.models.network import BreedNetwork, build_network
from tests.trained_models import small_network

# Those that see one size only; the rest are given small images.
SIZES = {"vit_b_32": None, "timm/vit_tiny_patch16_224": None}
SLOW = ("vit_b_32",)
CUTS: dict[str, tuple[bool | str, ...]] = {
    # A stage, one block of a stage, a stage without parameters that writes into what it is given, the head alone.
    "resnet18": ("layer4", "layer3.1", "relu", "fc", True),
    "mobilenet_v2": ("features.14", "features.14.conv.1", "classifier", True),
    "densenet121": ("features.denseblock4", "features.transition3", "features.norm5"),
    "efficientnet_b0": ("features.7", "features.6.1", "classifier"),
    "convnext_tiny": ("features.6", "features.7.1"),
    "shufflenet_v2_x0_5": ("stage4", "stage4.1.branch2", True),
    "googlenet": ("inception5a",),
    "swin_t": ("features.7", "features.5.3"),
    "vit_b_32": ("encoder.layers.encoder_layer_11",),
    "timm/vit_tiny_patch16_224": ("blocks.10",),
    "timm/test_resnet": ("layer3", True),
}


@functools.lru_cache(maxsize=1)
def network_of(backbone: str) -> BreedNetwork:
    torch.manual_seed(0)
    return build_network(3, backbone=backbone, hidden=[4], dropout=0.5, image_size=SIZES.get(backbone, 64))


def frozen_network(backbone: str, frozen: bool | str, *, train_batch_norm: bool = True) -> BreedNetwork:
    network = network_of(backbone)
    network.freeze(frozen, train_batch_norm=train_batch_norm)
    return network.eval()


def images_for(network: BreedNetwork, batch: int = 3) -> Tensor:
    return torch.randn(batch, 3, network.preprocessing.crop, network.preprocessing.crop)


def training_step(network: BreedNetwork, run: nn.Module, given: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits and gradients in training mode; the batch statistics are put back."""
    before = copy.deepcopy(network.state_dict())
    network.train().zero_grad()
    torch.manual_seed(1)
    logits: Tensor = run(given)
    logits.logsumexp(1).sum().backward()
    network.eval().load_state_dict(before)
    return logits.detach(), {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(
    ("backbone", "frozen"),
    [
        pytest.param(name, stage, marks=[pytest.mark.slow] if name in SLOW else [])
        for name, stages in CUTS.items()
        for stage in stages
    ],
)
def test_both_parts_together_are_the_network_in_evaluation_and_in_training_and_so_are_the_gradients(
    backbone: str, frozen: bool | str
) -> None:
    network = frozen_network(backbone, frozen)
    before, modes = copy.deepcopy(network.state_dict()), [module.training for module in network.modules()]
    parts, images = cut(network, frozen), images_for(network)
    assert modes == [module.training for module in network.modules()]
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        kept = parts.lower(images)
        assert len(kept) == len(images)
        original = kept.clone()
        assert torch.equal(parts.upper(kept), network(images))

    logits, expected = training_step(network, network, images)
    upper_logits, found = training_step(network, parts.upper, kept)
    # With small images some layers see one position only; they take other instructions when gradients are wanted.
    assert torch.allclose(upper_logits, logits, rtol=1e-4, atol=1e-5)
    assert found.keys() == expected.keys() == {name for name, p in network.named_parameters() if p.requires_grad}
    for name, gradient in expected.items():
        assert (found[name] - gradient).norm() <= 1e-3 * gradient.norm() + 1e-5, name
    assert torch.equal(kept, original)


def test_a_network_whose_batch_norm_has_parts_of_its_own_is_cut_and_its_batches_are_not_counted() -> None:
    network = frozen_network("timm/test_efficientnet", "blocks.2")
    before, images = copy.deepcopy(network.state_dict()), images_for(network)
    parts = cut(network, "blocks.2")
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        assert torch.equal(parts.upper(parts.lower(images)), network(images))


@pytest.mark.parametrize(
    ("backbone", "frozen", "reason"),
    [
        ("resnet18", "layer4.0.bn1", "2 tensors cross it"),
        ("densenet121", "features.denseblock3.denselayer5", "6 tensors cross it"),
        ("googlenet", "inception5b.branch2", "2 tensors cross it"),
        ("resnet18", "conv1", "no frozen layer"),
        ("timm/test_vit", "blocks.1", "no frozen layer"),
    ],
)
def test_a_network_that_cannot_be_cut_there_is_refused_in_one_line(backbone: str, frozen: str, reason: str) -> None:
    network = network_of(backbone) if backbone != "timm/test_vit" else build_network(3, backbone=backbone)
    with pytest.raises(ConfigError, match=rf"cannot be cut before {frozen}: {reason}") as error:
        cut(network, frozen)
    assert "\n" not in str(error.value)


def test_an_unknown_stage_and_a_network_that_is_trained_whole_are_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean layer4"):
        cut(network_of("resnet18"), "layer5")
    with pytest.raises(ConfigError, match=r"true or the name of a stage.*got false"):
        cut(network_of("resnet18"), False)


def is_random(parts: Cut, kept: Tensor) -> bool:
    with torch.no_grad():
        return not torch.equal(parts.upper(kept), parts.upper(kept))


@pytest.mark.parametrize(
    ("backbone", "frozen"),
    [
        ("efficientnet_b0", "features.6.1"),
        ("efficientnet_b0", "classifier"),
        ("resnet18", True),
        ("swin_t", "features.7"),
    ],
)
def test_what_is_dropped_at_random_is_dropped_in_training_only(backbone: str, frozen: bool | str) -> None:
    network = frozen_network(backbone, frozen, train_batch_norm=False)
    parts = cut(network, frozen)
    kept = parts.lower(images_for(network, batch=16)).detach()
    network.train()
    assert is_random(parts, kept)
    network.eval()
    assert not is_random(parts, kept)


def test_attention_whose_mode_is_an_argument_of_a_function_still_follows_the_network() -> None:
    network = build_network(3, backbone="swin_t", image_size=32)
    for module in network.modules():
        if isinstance(module, ShiftedWindowAttention):
            module.dropout = 0.5
        if "StochasticDepth" in type(module).__name__:
            module.p = 0.0
    network.freeze("features.7")
    parts = cut(network.train(), "features.7")
    kept = torch.randn(3, 1, 1, 768)
    assert is_random(parts, kept)
    network.eval()
    assert not is_random(parts, kept)


def test_batch_norm_of_the_trained_part_follows_the_batches_if_the_network_says_so() -> None:
    network = small_network(hidden=[])
    for train_batch_norm in (True, False):
        network.freeze("stage4", train_batch_norm=train_batch_norm)
        parts = cut(network, "stage4")
        kept = parts.lower(torch.rand(4, 3, 32, 32)).detach()
        before = copy.deepcopy(network.state_dict())
        network.train()
        parts.upper(kept)
        changed = {name for name, tensor in network.state_dict().items() if not torch.equal(before[name], tensor)}
        assert bool(changed) == train_batch_norm
        assert all(name.startswith(("backbone.stage4", "backbone.conv5")) for name in changed)
        network.eval()


def test_training_the_upper_part_trains_the_network() -> None:
    network = small_network()
    network.freeze("stage4")
    parts, images = cut(network, "stage4"), torch.rand(2, 3, 32, 32)
    kept = parts.lower(images).detach()
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    before = network(images)
    parts.upper(kept).square().sum().backward()
    optimizer.step()
    assert not torch.equal(network(images), before)
    assert torch.equal(network(images), parts.upper(kept))
