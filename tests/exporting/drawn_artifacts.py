"""Artifacts in memory whose answers to drawn photos differ, and the photos."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor, nn

from dogbreed.artifacts import Artifact
from dogbreed.data.sample import BREEDS, draw_photo
from dogbreed.data.transforms import evaluation_transform, normalise
from dogbreed.models.network import BreedNetwork, build_network
from tests.trained_models import CLASS_NAMES

TEMPERATURE = 1.7


@functools.cache
def drawn_photos(size: int) -> Tensor:
    """Eight photos, none of which the export itself draws, as uint8 of shape (8, 3, size, size)."""
    photos = [draw_photo(BREEDS[number], np.random.default_rng(number)) for number in range(8)]
    resized = [photo.resize((size, size)) for photo in photos]
    return torch.stack([torch.from_numpy(np.array(photo)).permute(2, 0, 1) for photo in resized])


def artifact_of(network: BreedNetwork) -> Artifact:
    card = {"calibration": {"temperature": TEMPERATURE}}
    return Artifact(network.eval().requires_grad_(False), CLASS_NAMES, network.preprocessing, card)


def drawn_artifact(backbone: str = "squeezenet1_1", image_size: int | None = 32) -> Artifact:
    """Random weights and the batch statistics of photos: with those of a new network all photos look alike."""
    torch.manual_seed(0)
    network = build_network(len(CLASS_NAMES), backbone=backbone, image_size=image_size)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        photos = drawn_photos(network.preprocessing.crop)
        with torch.no_grad():
            network.train()(normalise(photos, network.preprocessing))
    return artifact_of(network)


def seen(artifact: Artifact) -> Tensor:
    """The photos as the artifact's evaluation sees them."""
    transform = evaluation_transform(artifact.preprocessing)
    return torch.stack([transform(photo) for photo in drawn_photos(artifact.preprocessing.crop)])
