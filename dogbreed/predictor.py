"""Photos to breeds, for other code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from dogbreed.artifacts import Artifact, load_artifact
from dogbreed.data.photos import open_photo
from dogbreed.data.transforms import evaluation_transform, normalise
from dogbreed.errors import ConfigError, DataError

Photo = str | Path | bytes | Image.Image | Tensor


@dataclass(frozen=True)
class Prediction:
    """One breed that a photo may show: its name, its position in the class names, its probability in [0, 1]."""

    name: str
    index: int
    probability: float


class BreedPredictor:
    """Answers which breed a photo shows, with the preprocessing that the model was trained with."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._transform = evaluation_transform(artifact.preprocessing)
        self._device = next(artifact.network.parameters()).device

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> Self:
        """The predictor of a model's folder.

        Raises:
            ArtifactError: the folder holds no model, or a damaged one.
            ConfigError: this machine has no such device.
        """
        return cls(load_artifact(folder, _existing(device)))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The breeds; `Prediction.index` is a position in them."""
        return self.artifact.class_names

    def predict(self, photo: Photo, top_k: int = 5) -> list[Prediction]:
        """The `top_k` most probable breeds of one photo, the most probable first.

        Args:
            photo: a path, the bytes of a file, a PIL image, or a tensor of shape (3, height, width): uint8, or
                floats in [0, 1].
            top_k: how many, at least 1; no more than there are classes.

        Raises:
            ConfigError: `top_k` is below 1.
            DataError: this is no photo.
        """
        return next(self.predict_many([photo], top_k=top_k))

    def predict_many(self, photos: Iterable[Photo], top_k: int = 5, batch_size: int = 32) -> Iterator[list[Prediction]]:
        """The answers of `predict` for each photo in turn; no more than `batch_size` photos are held at once."""
        for name, value in {"top_k": top_k, "batch_size": batch_size}.items():
            if value < 1:
                raise ConfigError(f"Expected {name} to be at least 1, got {value}.")
        for batch in _batched(photos, batch_size):
            images = torch.stack([self._transform(_image(photo)).as_subclass(Tensor) for photo in batch])
            yield from self._answers(self.logits(images), top_k)

    def logits(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, num_classes), of uint8 images, shape (batch, 3, crop, crop)."""
        with torch.inference_mode():
            images = normalise(images.to(self._device), self.artifact.preprocessing)
            logits: Tensor = self.artifact.network(images)
            return logits.cpu()

    def _answers(self, logits: Tensor, top_k: int) -> Iterator[list[Prediction]]:
        top = logits.softmax(1).topk(min(top_k, len(self.class_names)), dim=1)
        for probabilities, indices in zip(top.values.tolist(), top.indices.tolist(), strict=True):
            pairs = zip(indices, probabilities, strict=True)
            yield [Prediction(self.class_names[index], index, probability) for index, probability in pairs]


def _existing(device: str | torch.device) -> torch.device:
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigError(f"Expected device to be cpu, or a cuda or mps device that is there: {reason}") from error


def _batched(photos: Iterable[Photo], batch_size: int) -> Iterator[Sequence[Photo]]:
    iterator = iter(photos)
    while batch := [photo for _, photo in zip(range(batch_size), iterator, strict=False)]:
        yield batch


def _image(photo: Photo) -> Image.Image:
    if not isinstance(photo, Tensor):
        return open_photo(photo)
    if photo.ndim != 3 or photo.shape[0] != 3 or not photo.numel():
        raise DataError(f"Expected an image tensor of shape (3, height, width), got {tuple(photo.shape)}.")
    if photo.dtype == torch.uint8:
        return _as_image(photo)
    if not photo.is_floating_point():
        raise DataError(f"Expected an image tensor of uint8, or of floats in [0, 1], got {photo.dtype}.")
    if not (photo.min() >= 0 and photo.max() <= 1):
        low, high = photo.min().item(), photo.max().item()
        raise DataError(f"Expected a float image in [0, 1], not yet normalised, got values from {low:g} to {high:g}.")
    return _as_image(photo.mul(255).round().to(torch.uint8))


def _as_image(photo: Tensor) -> Image.Image:
    # Tensors are resized by other arithmetic than images: the same photo would get another answer.
    image: Image.Image = v2.functional.to_pil_image(photo.cpu())
    return open_photo(image)
