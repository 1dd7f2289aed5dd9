"""`code/inference.py` as an endpoint is usually written: torchvision's network as it is, in float32, photo by photo.

TorchServe's environment runs it: it knows torch and torchvision, and nothing of this project.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import models, transforms

TRANSFORM = transforms.Compose(
    [
        transforms.Resize(256),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
)


def model_fn(model_dir: str) -> nn.Module:
    """The network, in eval mode."""
    state = torch.load(Path(model_dir) / "model.pth", weights_only=True)
    network: nn.Module = models.resnet50(num_classes=len(state["fc.bias"]))
    network.load_state_dict(state)
    return network.eval()


def input_fn(body: bytes, content_type: str) -> Tensor:
    """The photo as the network expects it, shape (1, 3, 224, 224)."""
    if content_type != "image/jpeg":
        raise ValueError(f"Expected image/jpeg, got {content_type}.")
    image: Tensor = TRANSFORM(Image.open(io.BytesIO(body)).convert("RGB"))
    return image.unsqueeze(0)


def predict_fn(images: Tensor, network: nn.Module) -> Tensor:
    """The logits."""
    with torch.no_grad():
        logits: Tensor = network(images)
    return logits


def output_fn(logits: Tensor, accept: str) -> tuple[str, str]:
    """The logits as JSON."""
    return json.dumps(logits.tolist()), accept
