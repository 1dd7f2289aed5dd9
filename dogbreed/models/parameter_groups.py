"""Which parameter learns how fast: the head fastest, the backbone slower, its lower stages slower still."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from torch import nn

from dogbreed.models.network import BreedNetwork


def parameter_groups(
    network: BreedNetwork,
    *,
    frozen: set[nn.Parameter],
    learning_rate: float,
    backbone_rate: float,
    layer_decay: float,
    weight_decay: float,
) -> list[dict[str, Any]]:
    """Groups for an optimizer, named `head`, `backbone.layer4`, …; frozen parameters are in none.

    Biases and the weights of normalisation layers, all of one dimension, are not decayed.

    Args:
        network: whose parameters.
        frozen: parameters that are never trained.
        learning_rate: of the head.
        backbone_rate: of the backbone's uppermost stage, as a factor of the head's rate.
        layer_decay: factor from each stage to the one below it (Howard and Ruder, 2018, use 1 / 2.6).
        weight_decay: of all other parameters.
    """
    rates = {"head": learning_rate}
    for depth, stage in enumerate(reversed(stages(network.backbone))):
        rates[f"backbone.{stage}"] = learning_rate * backbone_rate * layer_decay**depth
    groups: dict[tuple[str, bool], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in network.named_parameters():
        if parameter not in frozen:
            stage = max((s for s in rates if name.startswith(f"{s}.") or name == s), key=len)
            groups[stage, parameter.ndim > 1].append(parameter)
    return [
        {
            "params": params,
            "lr": rates[s],
            "weight_decay": weight_decay * decayed,
            "name": s + ("" if decayed else " (not decayed)"),
        }
        for (s, decayed), params in groups.items()
    ]


def stages(backbone: nn.Module) -> list[str]:
    """The names of the parts that hold parameters, from the image upwards; one level down where there is only one.

    >>> from torch import nn
    >>> stages(nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)))
    ['0', '2']
    """
    direct = [name for name, _ in backbone.named_parameters(recurse=False)]
    children = [name for name, child in backbone.named_children() if any(True for _ in child.parameters())]
    if len(children) == 1 and not direct:
        return [f"{children[0]}.{name}" for name in stages(backbone.get_submodule(children[0]))] or children
    return direct + children
