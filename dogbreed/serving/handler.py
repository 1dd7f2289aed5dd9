"""The four functions that SageMaker's inference containers call; `code/inference.py` beside a model passes them on."""

from __future__ import annotations

import torch
from torch import Tensor

from dogbreed.data.transforms import evaluation_transform
from dogbreed.predictor import BreedPredictor
from dogbreed.serving.answers import Answers, write_answer
from dogbreed.serving.error import RequestError
from dogbreed.serving.reading import Images, read_request


def model_fn(model_dir: str) -> BreedPredictor:
    """The predictor of a model's folder, on the machine's accelerator if it has one.

    Raises:
        ArtifactError: the folder holds no model, or a damaged one.
    """
    return BreedPredictor.load(model_dir, "auto")


def input_fn(body: bytes | bytearray | str, content_type: str) -> Images:
    """The photos of a request.

    Raises:
        RequestError: it holds none that can be read.
    """
    return read_request(body, content_type)


def predict_fn(images: Images, predictor: BreedPredictor) -> Answers:
    """What the model says of them.

    Raises:
        RequestError: images of another size than the network was trained on.
    """
    artifact = predictor.artifact
    logits = _of_images(images, predictor) if isinstance(images, Tensor) else _of_photos(images, predictor)
    return Answers(logits, predictor.class_names, artifact.temperature, str(artifact.card["digest"])[:12])


def output_fn(answers: Answers, accept: str | None) -> tuple[bytes, str]:
    """The body of the answer, and its media type.

    Raises:
        RequestError: nothing that can be written is accepted.
    """
    return write_answer(answers, accept)


def _of_photos(photos: Images, predictor: BreedPredictor) -> Tensor:
    transform = evaluation_transform(predictor.artifact.preprocessing)
    return predictor.logits(torch.stack([transform(photo).as_subclass(Tensor) for photo in photos]))


def _of_images(images: Tensor, predictor: BreedPredictor) -> Tensor:
    network, side = predictor.artifact.network, predictor.artifact.preprocessing.crop
    if images.shape[-2:] != (side, side):
        raise RequestError(400, f"Expected images of {side} x {side} pixels, got {tuple(images.shape[-2:])}.")
    with torch.inference_mode():
        logits: Tensor = network(images.to(next(network.parameters()).device))
        return logits.cpu()
