"""Photos as a page shows them: what the network sees of them, small, and the same beneath a Grad-CAM map."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image
from torchvision.transforms import v2

from dogbreed.data.photos import open_photo
from dogbreed.data.transforms import Preprocessing, evaluation_transform, normalise, smallest_side
from dogbreed.errors import DataError
from dogbreed.evaluation.tables import relative_name
from dogbreed.explaining.grad_cam import grad_cam
from dogbreed.explaining.overlay import cropped, overlay
from dogbreed.models.network import BreedNetwork
from dogbreed.reporting.contents import Picture

SIDE = 176  # pixels
QUALITY = 75
AT_ONCE = 8


def pictures(paths: Sequence[Path], root: Path, preprocessing: Preprocessing) -> dict[Path, Picture]:
    """Every photo that can be opened, as the network sees it."""
    return {
        path: Picture(relative_name(path, root), _data_uri(image))
        for path in dict.fromkeys(paths)
        if (image := _seen(path, preprocessing)) is not None
    }


def explained_pictures(network: BreedNetwork, classes: Mapping[Path, int], root: Path) -> dict[Path, Picture]:
    """As `pictures`, with the evidence for one class over each photo.

    Args:
        network: in eval mode, on the device that computes.
        classes: the class to explain, by photo.
        root: of the photos.
    """
    seen = {path: image for path in classes if (image := _seen(path, network.preprocessing)) is not None}
    found: dict[Path, Picture] = {}
    for start in range(0, len(seen), AT_ONCE):
        batch = dict(list(seen.items())[start : start + AT_ONCE])
        images = torch.stack([v2.functional.pil_to_tensor(image) for image in batch.values()])
        device = next(network.parameters()).device
        targets = torch.tensor([classes[path] for path in batch], device=device)
        maps = grad_cam(network, normalise(images.to(device), network.preprocessing), targets).cpu()
        for (path, image), heat in zip(batch.items(), maps, strict=True):
            found[path] = Picture(relative_name(path, root), _data_uri(image), _data_uri(overlay(image, heat)))
    return found


def _seen(path: Path, preprocessing: Preprocessing) -> Image.Image | None:
    try:
        side = smallest_side(evaluation_transform(preprocessing))
        return cropped(open_photo(path, smallest_side=side), preprocessing)
    except DataError:
        return None


def _data_uri(image: Image.Image) -> str:
    small = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS) if image.width > SIDE else image
    file = io.BytesIO()
    small.save(file, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
