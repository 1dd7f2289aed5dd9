"""The model that every side serves: ResNet-50 with random weights, as an artifact and as a file for torchvision."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from dogbreed.artifacts import save_artifact
from dogbreed.models.network import BreedNetwork, build_network

ARCHITECTURE = {"num_classes": 133, "backbone": "resnet50"}
PLAIN = Path(__file__).with_name("plain_inference.py")


def write_models(folder: Path) -> tuple[Path, Path]:
    """The folder of the artifact, and a base folder of SageMaker's toolkit with the same weights, both in `folder`."""
    network = random_network()
    names = [f"breed {number:03}" for number in range(133)]
    save_artifact(folder / "artifact", network, architecture=ARCHITECTURE, class_names=names)
    code = folder / "plain" / "model" / "code"
    code.mkdir(parents=True)
    shutil.copyfile(PLAIN, code / "inference.py")
    state = {name.replace("backbone.", "").replace("head.0.", "fc."): v for name, v in network.state_dict().items()}
    torch.save(state, code.parent / "model.pth")
    return folder / "artifact", folder / "plain"


def random_network() -> BreedNetwork:
    """Its batch statistics are those of noise: with those of a new network every photo has the same answer."""
    torch.manual_seed(0)
    network = build_network(133, backbone="resnet50")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(8, 3, 224, 224))
    return network.eval()


def drawn_photo(width: int, height: int) -> bytes:
    """A JPEG with details of all sizes, as photographs have them."""
    generator, picture = np.random.default_rng(0), np.zeros((height, width, 3))
    for cells in (4, 16, 64, 256):
        noise = Image.fromarray(generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        picture += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), dtype=float) / 4
    file = io.BytesIO()
    Image.fromarray(picture.round().astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()
