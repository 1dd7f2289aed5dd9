"""The network of this project: a backbone and a head, built by one factory everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import torch
from torch import Tensor, nn

from dogbreed.data.transforms import Preprocessing
from dogbreed.errors import ConfigError
from dogbreed.models.backbones import Backbone, build_backbone
from dogbreed.models.freezing import batch_norms, frozen_modules, frozen_parameters
from dogbreed.models.heads import build_head


class BreedNetwork(nn.Module):
    """A backbone whose frozen part stays frozen, and a head that ends in logits."""

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone.network
        self.head = head
        self.preprocessing: Preprocessing = backbone.preprocessing
        self._frozen: list[nn.Module] = []
        self._upper: Callable[[Tensor], Tensor] | None = None

    @property
    def takes_features(self) -> bool:
        """Whether `forward` is given what the frozen part says, not images."""
        return self._upper is not None

    @contextmanager
    def taking_features(self, upper: nn.Module) -> Iterator[None]:
        """Within the block `forward` is given what the frozen part said of photos, and `upper` goes on from there."""
        # Not the module itself: its parameters would be registered, and stored, a second time.
        self._upper = upper.__call__
        try:
            yield
        finally:
            self._upper = None

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, num_classes), of normalised images, shape (batch, 3, size, size)."""
        logits: Tensor = self._upper(images) if self._upper else self.head(self.features(images))
        return logits

    def features(self, images: Tensor) -> Tensor:
        """What the head is given of normalised images, shape (batch, num_features)."""
        features: Tensor = self.backbone(images).flatten(1)
        return features

    def freeze(self, frozen: bool | str, *, train_batch_norm: bool = True) -> None:
        """Freeze all of the backbone (True), nothing (False), or what lies before a stage.

        Args:
            frozen: as above.
            train_batch_norm: whether batch norm outside the frozen part follows the statistics of each batch.

        Raises:
            ConfigError: there is no stage of that name.
        """
        without_gradient = frozen_parameters(self.backbone, frozen)
        for parameter in self.backbone.parameters():
            parameter.requires_grad_(parameter not in without_gradient)
        modules = frozen_modules(self.backbone, frozen) + ([] if train_batch_norm else batch_norms(self.backbone))
        self._frozen = modules
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As always, but frozen parts stay in eval mode: their batch norm would drift, their dropout add noise."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self


def build_network(
    num_classes: int,
    *,
    backbone: str = "resnet50",
    weights: str | None = None,
    hidden: Sequence[int] = (),
    dropout: float = 0.0,
    image_size: int | None = None,
) -> BreedNetwork:
    """The network of these settings; the same settings give the same architecture in training and in serving.

    Args:
        num_classes: how many breeds, at least 2.
        backbone: see `build_backbone`.
        weights: see `build_backbone`.
        hidden: see `build_head`.
        dropout: see `build_head`.
        image_size: side of the square that the network sees, in pixels; None for what the weights were trained with.

    Raises:
        ConfigError: an unknown backbone, or a value out of range.
        WeightsError: weights that cannot be read, fetched, or do not fit.
    """
    body = build_backbone(backbone, weights)
    network = BreedNetwork(body, build_head(body.num_features, num_classes, hidden=hidden, dropout=dropout))
    if image_size is not None:
        network.preprocessing = body.preprocessing.at_size(image_size)
        _check_size(network, backbone)
    # Convolutions are up to three times as fast in this layout; their outputs follow that of their weights.
    return network.to(memory_format=torch.channels_last)


def _check_size(network: BreedNetwork, backbone: str) -> None:
    """Vision transformers see one size only, convolutional networks none below what their strides leave."""
    size, was_training = network.preprocessing.crop, network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, size, size))
    except (AssertionError, RuntimeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:160]
        raise ConfigError(
            f"Expected model.image_size to be a size that {backbone} takes (null: the one its weights were trained "
            f"with), got {size}: {reason}"
        ) from error
    network.train(was_training)
