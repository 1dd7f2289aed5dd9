"""Photos to breeds, for other code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from dogbreed.artifacts import Artifact, load_artifact
from dogbreed.data.photos import open_photo
from dogbreed.data.transforms import evaluation_transform, normalise, smallest_side
from dogbreed.device import existing_device
from dogbreed.errors import ConfigError, DataError
from dogbreed.explaining.grad_cam import grad_cam
from dogbreed.explaining.overlay import cropped, overlay
from dogbreed.models.network_path import network_path
from dogbreed.models.probabilities import log_probabilities, mirrored, ranking
from dogbreed.prediction import Prediction

__all__ = ["BreedPredictor", "Prediction"]

Photo = str | Path | bytes | Image.Image | Tensor


class BreedPredictor:
    """Answers which breed a photo shows, with the preprocessing that the model was trained with.

    Args:
        artifact: from `load_artifact`.
        calibrate: whether the logits are divided by the artifact's temperature: the same order of breeds, with
            probabilities that are right as often as they say.
        tta: test-time augmentation, the mean of the probabilities of a photo and of its mirror image; takes twice as
            long.
        backend: what computes the network, as in `network_path`: a path by its name, or "auto" for the fastest whose
            probabilities are those of the network as it is stored.
    """

    def __init__(
        self, artifact: Artifact, *, calibrate: bool = True, tta: bool = False, backend: str = "float32"
    ) -> None:
        self.artifact = artifact
        self._temperature = artifact.temperature if calibrate else 1.0
        self._tta = tta
        self._transform = evaluation_transform(artifact.preprocessing)
        self._device = next(artifact.network.parameters()).device
        self._path = network_path(backend, artifact.network, artifact.preprocessing.crop)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        device: str | torch.device = "cpu",
        *,
        calibrate: bool = True,
        tta: bool = False,
        backend: str = "float32",
    ) -> Self:
        """The predictor of a model's folder, with the options of the class.

        Raises:
            ArtifactError: the folder holds no model, or a damaged one.
            ConfigError: this machine has no such device, or cannot compute by this backend.
        """
        artifact = load_artifact(folder, existing_device(device))
        return cls(artifact, calibrate=calibrate, tta=tta, backend=backend)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The breeds; `Prediction.index` is a position in them."""
        return self.artifact.class_names

    @property
    def backend(self) -> str:
        """What computes the network, a key of `NETWORK_PATHS`: which one "auto" has come to."""
        return self._path.name

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
            images = self._images(self._image(photo) for photo in batch)
            yield from self.answers(images, top_k)

    def explain(self, photo: Photo, index: int | None = None) -> Image.Image:
        """What the network sees of a photo, coloured where it speaks for a breed (see `grad_cam`).

        The image is (crop, crop) pixels, RGB. Neither calibration nor test-time augmentation changes the colours.

        Args:
            photo: as in `predict`.
            index: of the breed in `class_names`; None for the most probable.

        Raises:
            ConfigError: there is no such breed, or images are too small for this network to have places.
            DataError: this is no photo.
        """
        if index is not None and not 0 <= index < len(self.class_names):
            raise ConfigError(f"Expected index to be from 0 to {len(self.class_names) - 1}, got {index}.")
        seen = cropped(self._image(photo), self.artifact.preprocessing)
        image = v2.functional.pil_to_tensor(seen)[None]
        answer = self.probabilities(image).argmax(1) if index is None else torch.tensor([index])
        normalised = normalise(image.to(self._device), self.artifact.preprocessing)
        return overlay(seen, grad_cam(self.artifact.network, normalised, answer.to(self._device))[0])

    def answers(self, images: Tensor, top_k: int) -> Iterator[list[Prediction]]:
        """The `top_k` most probable breeds of each image in turn; uint8, shape (batch, 3, crop, crop)."""
        shares = self.probabilities(images)
        best = ranking(shares, top_k)
        for indices, values in zip(best.tolist(), shares.gather(1, best).tolist(), strict=True):
            pairs = zip(indices, values, strict=True)
            yield [Prediction(self.class_names[index], index, probability) for index, probability in pairs]

    def probabilities(self, images: Tensor) -> Tensor:
        """Probabilities, shape (batch, num_classes), of uint8 images, shape (batch, 3, crop, crop)."""
        mirror = self.logits(mirrored(images)) if self._tta else None
        return log_probabilities(self.logits(images), mirror, temperature=self._temperature).exp()

    def logits(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, num_classes), of uint8 images, shape (batch, 3, crop, crop)."""
        with torch.inference_mode():
            return self.network_logits(normalise(images.to(self._device), self.artifact.preprocessing))

    @property
    def smallest_side(self) -> int | None:
        """What `open_photo` is to be told, so that a large photo is decoded no further than this model needs."""
        return smallest_side(self._transform)

    def opened(self, photo: str | Path | bytes) -> Image.Image:
        """A photo as `predict` decodes it: upright RGB, a large JPEG smaller than it is.

        Raises:
            DataError: this is no photo.
        """
        return open_photo(photo, smallest_side=self.smallest_side)

    def prepared(self, photos: Iterable[Image.Image]) -> Tensor:
        """Photos as the network expects them: float32, shape (photos, 3, crop, crop), normalised, on the CPU.

        Args:
            photos: at least one, from `opened`.
        """
        return normalise(self._images(photos), self.artifact.preprocessing)

    def network_logits(self, images: Tensor) -> Tensor:
        """Logits on the CPU, float32, shape (batch, num_classes), of images as `prepared` gives them."""
        with torch.inference_mode():
            return self._path.forward(images.to(self._device)).float().cpu()

    def _image(self, photo: Photo) -> Image.Image:
        if isinstance(photo, Tensor):
            return _as_image(_as_pixels(photo))
        # An image that was not decoded yet would have another size afterwards, and it is the caller's.
        return open_photo(photo) if isinstance(photo, Image.Image) else self.opened(photo)

    def _images(self, photos: Iterable[Image.Image]) -> Tensor:
        return torch.stack([self._transform(photo).as_subclass(Tensor) for photo in photos])


def _batched(photos: Iterable[Photo], batch_size: int) -> Iterator[Sequence[Photo]]:
    iterator = iter(photos)
    while batch := [photo for _, photo in zip(range(batch_size), iterator, strict=False)]:
        yield batch


def _as_pixels(photo: Tensor) -> Tensor:
    if photo.ndim != 3 or photo.shape[0] != 3 or not photo.numel():
        raise DataError(f"Expected an image tensor of shape (3, height, width), got {tuple(photo.shape)}.")
    if photo.dtype == torch.uint8:
        return photo
    if not photo.is_floating_point():
        raise DataError(f"Expected an image tensor of uint8, or of floats in [0, 1], got {photo.dtype}.")
    if not (photo.min() >= 0 and photo.max() <= 1):
        low, high = photo.min().item(), photo.max().item()
        raise DataError(f"Expected a float image in [0, 1], not yet normalised, got values from {low:g} to {high:g}.")
    return photo.mul(255).round().to(torch.uint8)


def _as_image(photo: Tensor) -> Image.Image:
    # Tensors are resized by other arithmetic than images: the same photo would get another answer.
    image: Image.Image = v2.functional.to_pil_image(photo.cpu())
    return open_photo(image)
