"""What features depend on besides the photo: features of one space can stand for one another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import PIL
import torch
import torchvision
from torch import nn

from dogbreed.data.transforms import Preprocessing

# Count up when features of the same network and photos come out otherwise.
VERSION = 2


def feature_space(lower: nn.Module, preprocessing: Preprocessing, *, computed: str) -> str:
    """A name, 24 hexadecimal digits, that changes with the weights, the network, the preprocessing, and what computes.

    Args:
        lower: the frozen part of a network.
        preprocessing: of its photos.
        computed: how, in words, from `dogbreed.models.forward_paths.path_name`.
    """
    digest = hashlib.sha256()
    for part in _parts(lower, preprocessing, computed):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:24]


def _parts(lower: nn.Module, preprocessing: Preprocessing, computed: str) -> Iterator[bytes]:
    versions = [VERSION, torch.__version__, torchvision.__version__, PIL.__version__]
    yield json.dumps([computed, preprocessing.to_dict(), versions]).encode()
    yield _structure(lower).encode()
    # A traced part holds its modules under names that say nothing of their order of use; its code does.
    for name, tensor in sorted(lower.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        yield f"{name} {values.dtype} {tuple(values.shape)}".encode()
        yield values.reshape(-1).view(torch.uint8).numpy().tobytes()


def _structure(lower: nn.Module) -> str:
    return f"{lower}\n{getattr(lower, 'code', '')}"
