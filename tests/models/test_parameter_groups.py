from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from dogbreed.models.freezing import frozen_parameters
from dogbreed.models.network import BreedNetwork, build_network
from dogbreed.models.parameter_groups import parameter_groups, stages

BACKBONES = ["resnet18", "mobilenet_v2", "densenet121", "convnext_tiny", "swin_t", "regnet_y_400mf", "googlenet"]


def groups_of(network: BreedNetwork, frozen: bool | str = False, **settings: float) -> list[dict[str, Any]]:
    chosen = {"learning_rate": 1.0, "backbone_rate": 0.5, "layer_decay": 0.5, "weight_decay": 0.1, **settings}
    return parameter_groups(network, frozen=frozen_parameters(network.backbone, frozen), **chosen)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_parameter_is_in_exactly_one_group(backbone: str) -> None:
    network = build_network(3, backbone=backbone, hidden=[8])
    grouped = [id(p) for group in groups_of(network) for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in network.parameters())


@pytest.mark.parametrize("frozen", [True, "layer4", "layer3.1"])
def test_the_trainable_parameters_are_grouped_and_no_others(frozen: bool | str) -> None:
    network = build_network(3, backbone="resnet18")
    network.freeze(frozen)
    grouped = {id(p) for group in groups_of(network, frozen) for p in group["params"]}
    assert grouped == {id(p) for p in network.parameters() if p.requires_grad}


def test_each_stage_learns_more_slowly_than_the_one_above() -> None:
    rates = {group["name"].split()[0]: group["lr"] for group in groups_of(build_network(3, backbone="resnet18"))}
    assert rates == {
        "head": 1.0,
        "backbone.layer4": 0.5,
        "backbone.layer3": 0.25,
        "backbone.layer2": 0.125,
        "backbone.layer1": 0.0625,
        "backbone.bn1": 0.03125,
        "backbone.conv1": 0.015625,
    }


def test_a_backbone_of_one_part_has_the_stages_within_it() -> None:
    assert stages(build_network(3, backbone="mobilenet_v2").backbone) == [f"features.{i}" for i in range(19)]


@pytest.mark.parametrize("backbone", ["resnet18", "vit_b_32", "swin_t"])
def test_biases_and_normalisation_are_not_decayed_and_weights_are(backbone: str) -> None:
    network = build_network(3, backbone=backbone)
    decay = {id(p): group["weight_decay"] for group in groups_of(network) for p in group["params"]}
    normalisation = (nn.BatchNorm2d, nn.LayerNorm)
    not_decayed = [p for m in network.modules() if isinstance(m, normalisation) for p in m.parameters()]
    not_decayed += [p for name, p in network.named_parameters() if name.endswith("bias") and p.ndim == 1]
    assert {decay[id(p)] for p in not_decayed} == {0.0}
    assert {decay[id(m.weight)] for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)} == {0.1}


def test_an_optimizer_takes_the_groups() -> None:
    network = build_network(3, backbone="shufflenet_v2_x0_5")
    optimizer = torch.optim.AdamW(groups_of(network), lr=1.0)
    assert {group["name"].removesuffix(" (not decayed)") for group in optimizer.param_groups} >= {
        "head",
        "backbone.conv5",
    }
