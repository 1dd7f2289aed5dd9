"""Requests about a photo as public attempts at this job send them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2

from dogbreed.data.transforms import Preprocessing


@dataclass(frozen=True)
class Asked:
    """A request's body and its media type."""

    body: bytes
    media: str


def jpeg_bytes(photo: bytes, _: Preprocessing) -> Asked:
    """The file as it is, with the content type that the client was told."""
    return Asked(photo, "image/jpeg")


def float_tensor(photo: bytes, preprocessing: Preprocessing) -> Asked:
    """A preprocessed photo, shape (1, 3, H, W), by the transforms that notebooks write, as their client sends it."""
    interpolation = v2.InterpolationMode(preprocessing.interpolation)
    transform = v2.Compose(
        [
            v2.Resize(preprocessing.resize, interpolation=interpolation),
            v2.CenterCrop(preprocessing.crop),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(list(preprocessing.mean), list(preprocessing.std)),
        ]
    )
    return Asked(npy(transform(Image.open(io.BytesIO(photo))).unsqueeze(0).numpy()), "application/x-npy")


def base64_json(photo: bytes, _: Preprocessing) -> Asked:
    """The file in base64, one instance of a JSON request."""
    text = base64.b64encode(photo).decode()
    return Asked(json.dumps({"instances": [{"data": text}]}).encode(), "application/json")


def url_json() -> Asked:
    """Where a photo is, as a handler that fetches it would take it."""
    return Asked(json.dumps({"url": "http://169.254.169.254/latest/meta-data"}).encode(), "application/json")


def npy(array: np.ndarray[Any, Any]) -> bytes:
    """In NumPy's format."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


ATTEMPTS: dict[str, Callable[[bytes, Preprocessing], Asked]] = {
    "JPEG bytes": jpeg_bytes,
    "float tensor": float_tensor,
    "base64 JSON": base64_json,
}
