from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from dogbreed.errors import ConfigError
from dogbreed.models.network import BreedNetwork, build_network

STAGES = {
    "resnet18": ("layer4", ["layer3.1.bn2", "bn1"], ["layer4.0.bn1", "layer4.1.conv2"]),
    "mobilenet_v2": ("features.14", ["features.13", "features.0"], ["features.14", "features.18"]),
    "densenet121": (
        "features.denseblock4",
        ["features.transition3", "features.conv0"],
        ["features.denseblock4.denselayer1", "features.norm5"],
    ),
}


def network_of(backbone: str, frozen: bool | str) -> BreedNetwork:
    network = build_network(3, backbone=backbone)
    network.freeze(frozen)
    return network


@pytest.mark.parametrize("backbone", STAGES)
def test_what_lies_before_a_stage_has_no_gradient_and_stays_in_eval_mode(backbone: str) -> None:
    stage, below, above = STAGES[backbone]
    network = network_of(backbone, stage).train()
    for name in below:
        part = network.backbone.get_submodule(name)
        assert not any(p.requires_grad for p in part.parameters())
        assert not any(m.training for m in part.modules() if not any(m.children()))
    for name in [*above, ""]:
        part = network.backbone.get_submodule(name) if name else network.head
        assert all(p.requires_grad for p in part.parameters())
        assert all(m.training for m in part.modules())


@pytest.mark.parametrize("frozen", [True, "layer4", "layer2.1"])
def test_training_leaves_the_frozen_part_as_it_was_batch_statistics_included(frozen: bool | str) -> None:
    network = network_of("resnet18", frozen).train()
    before = copy.deepcopy(network.backbone.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)
    network(torch.randn(4, 3, 64, 64)).square().sum().backward()
    optimizer.step()
    first_trained = {True: "nothing"}.get(frozen, str(frozen)) if isinstance(frozen, bool) else frozen
    names = list(before)
    index = next((i for i, name in enumerate(names) if name.startswith(f"{first_trained}.")), len(names))
    after = network.backbone.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in names[:index])
    assert all(not torch.equal(before[name], after[name]) for name in names[index:])


def test_a_stage_without_parameters_freezes_the_same_modules_and_parameters() -> None:
    network = network_of("resnet18", "relu").train()
    assert not any(p.requires_grad for p in [*network.backbone.conv1.parameters(), *network.backbone.bn1.parameters()])
    assert all(p.requires_grad for p in network.backbone.layer1.parameters())
    assert network.backbone.layer1[0].bn1.training


def test_parameters_outside_leaf_modules_are_frozen_with_what_surrounds_them() -> None:
    network = network_of("vit_b_32", "encoder.layers.encoder_layer_10")
    backbone = network.backbone
    frozen = [name for name, parameter in backbone.named_parameters() if not parameter.requires_grad]
    assert {"class_token", "encoder.pos_embedding", "conv_proj.weight"} <= set(frozen)
    assert "encoder.layers.encoder_layer_9.self_attention.in_proj_weight" in frozen
    assert backbone.encoder.layers.encoder_layer_10.self_attention.in_proj_weight.requires_grad
    assert backbone.encoder.ln.weight.requires_grad


def test_a_stage_trains_the_parameters_that_it_holds_itself() -> None:
    network = network_of("vit_b_32", "encoder")
    assert network.backbone.encoder.pos_embedding.requires_grad
    assert not network.backbone.class_token.requires_grad


def test_all_and_nothing() -> None:
    assert not any(p.requires_grad for p in network_of("shufflenet_v2_x0_5", True).backbone.parameters())
    assert all(p.requires_grad for p in network_of("shufflenet_v2_x0_5", False).parameters())


def test_freezing_otherwise_replaces_the_earlier_choice() -> None:
    network = network_of("shufflenet_v2_x0_5", True)
    network.freeze(False)
    assert all(m.training for m in network.train().modules())
    assert all(p.requires_grad for p in network.parameters())


def test_freezing_leaves_the_state_dict_alone() -> None:
    assert (
        network_of("shufflenet_v2_x0_5", True).state_dict().keys()
        == build_network(3, backbone="shufflenet_v2_x0_5").state_dict().keys()
    )


def test_a_copy_freezes_its_own_modules() -> None:
    network = copy.deepcopy(network_of("shufflenet_v2_x0_5", True)).train()
    assert not any(m.training for m in network.backbone.modules() if isinstance(m, nn.BatchNorm2d))


def test_an_unknown_stage_is_answered_with_near_ones() -> None:
    with pytest.raises(ConfigError, match="did you mean layer4"):
        network_of("resnet18", "layer5")
    with pytest.raises(ConfigError, match="the stages are conv1"):
        network_of("resnet18", "zzzzzzzz")
