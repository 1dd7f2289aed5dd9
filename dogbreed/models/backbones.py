"""Networks that turn images into features: a table, one general path for the rest of torchvision, and timm."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models import WeightsEnum

from dogbreed.data.transforms import Preprocessing
from dogbreed.errors import ConfigError, WeightsError
from dogbreed.models.weights import downloaded, read_state_dict

TIMM = "timm/"


@dataclass(frozen=True)
class Backbone:
    """A network without its classifier: images of shape (batch, 3, size, size) to (batch, num_features)."""

    network: nn.Module
    num_features: int
    preprocessing: Preprocessing


def squeezenet_features(network: nn.Module) -> tuple[nn.Module, int]:
    """SqueezeNet classifies by a convolution and a ReLU after it: its features are what comes before."""
    network.classifier = nn.AdaptiveAvgPool2d(1)
    return network, 512


def without_last_linear(network: nn.Module) -> tuple[nn.Module, int]:
    """The network with its last linear layer, the classifier, replaced by the identity.

    Raises:
        ConfigError: there is no linear layer.
    """
    linear = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ConfigError(f"Expected a network that ends in a linear layer, got {type(network).__name__}.")
    name, classifier = linear[-1]
    parent, _, attribute = name.rpartition(".")
    setattr(network.get_submodule(parent), attribute, nn.Identity())
    return network, classifier.in_features


# Networks whose classifier is not their last linear layer.
FEATURES: dict[str, Callable[[nn.Module], tuple[nn.Module, int]]] = {
    "squeezenet1_0": squeezenet_features,
    "squeezenet1_1": squeezenet_features,
}
# What torchvision sets when it loads the published weights itself, always set here: a network that is built again
# without them must compute the same. The auxiliary classifiers take no part in fine-tuning.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": False, "transform_input": True},
    "inception_v3": {"aux_logits": False, "init_weights": False, "transform_input": True},
    "vit_h_14": {"image_size": 518},
}


def build_backbone(name: str, weights: str | None) -> Backbone:
    """A backbone by name.

    Args:
        name: of a torchvision classification network ("resnet50"), or "timm/NAME" with the extra `timm`.
        weights: "imagenet", the path of a state dict of the whole network, or None for random weights.

    Raises:
        ConfigError: an unknown name; the nearest known ones are offered.
        WeightsError: weights that cannot be read, fetched, or do not fit.
    """
    if name.startswith(TIMM):
        return _timm_backbone(name.removeprefix(TIMM), weights)
    network = models.get_model(known_name(name), weights=None, **ARGUMENTS.get(name, {}))
    if weights is not None:
        _load(network, name, weights)
    features, num_features = FEATURES.get(name, without_last_linear)(network)
    return Backbone(features, num_features, backbone_preprocessing(name))


def backbone_preprocessing(name: str) -> Preprocessing:
    """What the backbone's published ImageNet weights expect of a photo, without building the backbone.

    Raises:
        ConfigError: an unknown name.
    """
    if name.startswith(TIMM):
        return _timm_preprocessing(name.removeprefix(TIMM))
    preset = _weights(known_name(name)).transforms()
    return Preprocessing(
        preset.resize_size[0],
        preset.crop_size[0],
        tuple(preset.mean),
        tuple(preset.std),
        preset.interpolation.value,
    )


def known_name(name: str) -> str:
    """`name` if torchvision has a classification network of that name.

    Raises:
        ConfigError: it has none.
    """
    known = models.list_models(module=models)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
    raise ConfigError(f"Unknown backbone {name!r}: {hint} (any other by timm/NAME).")


def _weights(name: str) -> Any:
    weights: type[WeightsEnum] = models.get_model_weights(name)
    return weights.DEFAULT


def _load(network: nn.Module, name: str, weights: str) -> None:
    if weights == "imagenet":
        state = downloaded(name, lambda: _weights(name).get_state_dict(progress=True, check_hash=True))
    else:
        state = read_state_dict(weights)
    own = network.state_dict()
    # The auxiliary classifiers of Inception and GoogLeNet take no part here.
    state = {key: value for key, value in state.items() if not key.lower().startswith("aux") or key in own}
    try:
        network.load_state_dict(_renamed(state), strict=True)
    except RuntimeError as error:
        wrong = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise WeightsError(f"Expected weights of {name} in {weights}, but: {wrong[:200]}") from error


def _renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """DenseNet's published weights name their layers `norm.1`, today's module `norm1`."""
    return {re.sub(r"(denselayer\d+\.(?:norm|conv))\.(?=\d)", r"\1", key): tensor for key, tensor in state.items()}


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise ConfigError('A backbone "timm/NAME" needs timm: pip install -e ".[timm]"') from error
    return timm


def _timm_preprocessing(name: str) -> Preprocessing:
    timm = _timm()
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        raise ConfigError(f"Unknown backbone 'timm/{name}': did you mean {' or '.join(near) or 'another name'}?")
    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    crop = config["input_size"][-1]
    return Preprocessing(
        int(crop / config["crop_pct"]),
        crop,
        tuple(config["mean"]),
        tuple(config["std"]),
        config["interpolation"],
    )


def _timm_backbone(name: str, weights: str | None) -> Backbone:
    preprocessing, timm = _timm_preprocessing(name), _timm()
    if weights == "imagenet":
        network = downloaded(name, lambda: timm.create_model(name, pretrained=True, num_classes=0))
    else:
        network = timm.create_model(name, pretrained=False)
        if weights is not None:
            _load(network, f"timm/{name}", weights)
        network.reset_classifier(0)
    with torch.no_grad():
        size = preprocessing.crop
        num_features = network.eval()(torch.zeros(1, 3, size, size)).shape[1]
    return Backbone(network.train(), num_features, preprocessing)
