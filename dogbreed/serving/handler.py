"""The four functions that SageMaker's inference containers call; `code/inference.py` beside a model passes them on."""

from __future__ import annotations

from weakref import WeakSet

from torch import Tensor

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.answers import Answers, write_answer
from dogbreed.serving.error import RequestError
from dogbreed.serving.reading import Images, read_request
from dogbreed.serving.settings import process_settings

# The containers ask for the photos of a request without saying of which model: a process has one.
_loaded: WeakSet[BreedPredictor] = WeakSet()


def model_fn(model_dir: str) -> BreedPredictor:
    """The predictor of a model's folder, on the machine's accelerator if it has one.

    Raises:
        ArtifactError: the folder holds no model, or a damaged one.
        ConfigError: this machine cannot compute by the backend of the settings.
    """
    predictor = BreedPredictor.load(model_dir, "auto", backend=process_settings().backend)
    _loaded.add(predictor)
    return predictor


def input_fn(body: bytes | bytearray | str, content_type: str) -> Images:
    """The photos of a request, decoded no further than the model of this process needs.

    Raises:
        RequestError: it holds none that can be read.
    """
    smallest_side = max((side for predictor in _loaded if (side := predictor.smallest_side)), default=None)
    return read_request(body, content_type, smallest_side=smallest_side)


def predict_fn(images: Images, predictor: BreedPredictor) -> Answers:
    """What the model says of them.

    Raises:
        RequestError: images of another size than the network was trained on.
    """
    return answer(predictor.network_logits(prepare(images, predictor)), predictor, process_settings().top_k)


def prepare(images: Images, predictor: BreedPredictor) -> Tensor:
    """The photos of a request as the network expects them, normalised, shape (n, 3, crop, crop).

    Raises:
        RequestError: images that were preprocessed elsewhere, to another size.
    """
    if not isinstance(images, Tensor):
        return predictor.prepared(images)
    side = predictor.artifact.preprocessing.crop
    if images.shape[-2:] != (side, side):
        raise RequestError(400, f"Expected images of {side} x {side} pixels, got {tuple(images.shape[-2:])}.")
    return images


def answer(logits: Tensor, predictor: BreedPredictor, top_k: int) -> Answers:
    """What the logits of the network say of as many photos, shape (n, classes): so many breeds of each."""
    artifact = predictor.artifact
    version = str(artifact.card["digest"])[:12]
    return Answers(logits, predictor.class_names, artifact.temperature, version, artifact.thresholds, top_k)


def output_fn(answers: Answers, accept: str | None) -> tuple[bytes, str]:
    """The body of the answer, and its media type.

    Raises:
        RequestError: nothing that can be written is accepted.
    """
    return write_answer(answers, accept)
