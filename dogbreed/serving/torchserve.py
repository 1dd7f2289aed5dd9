"""The four functions as the toolkit of SageMaker's TorchServe container calls them.

Of an exception the toolkit makes an answer with a traceback in it, whatever its kind: here, what went wrong passes from
one function to the next as a value, and is written as JSON by the last.
"""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from dogbreed.predictor import BreedPredictor
from dogbreed.serving import handler
from dogbreed.serving.answers import Answers
from dogbreed.serving.error import RequestError
from dogbreed.serving.first_photo import drawn_photo
from dogbreed.serving.reading import Images

LOGGER = logging.getLogger(__name__)
SERVER = b"org.pytorch.serve.ModelServer"
FAILED = "The model failed. The fault is in its log."
Result = TypeVar("Result")


@dataclass(frozen=True)
class Fault:
    """What is answered in place of an answer: the status of HTTP, and a sentence."""

    status: int
    sentence: str


def model_fn(model_dir: str, context: Any = None) -> BreedPredictor:
    """As `handler.model_fn`, and a photo is answered before requests are.

    A server without a model says that it is healthy, and begins its worker again and again: it is ended instead, and
    SageMaker calls the container failed. Until the worker has begun it says so too; no code of a model can change that.

    Args:
        model_dir: as of `handler.model_fn`.
        context: of the worker in TorchServe; None where another process asks.
    """
    _take_bytes()
    try:
        predictor = handler.model_fn(model_dir)
        handler.predict_fn(handler.input_fn(drawn_photo(), "image/jpeg"), predictor)
    except Exception as error:
        if context is not None:
            _end_server(os.getppid(), f"The server ends, its model cannot answer: {error}\n")
        raise
    return predictor


def input_fn(body: bytes | None, content_type: str | None, context: Any = None) -> Images | Fault:
    """As `handler.input_fn`.

    Args:
        body: None where the server found none.
        content_type: None where the request names none.
        context: of the request in TorchServe; None raises what goes wrong.
    """
    return _told(lambda: handler.input_fn(body or b"", content_type or ""), context)


def predict_fn(images: Images | Fault, predictor: BreedPredictor, context: Any = None) -> Answers | Fault:
    """As `handler.predict_fn`."""
    return images if isinstance(images, Fault) else _told(lambda: handler.predict_fn(images, predictor), context)


def output_fn(answers: Answers | Fault, accept: str | None, context: Any = None) -> tuple[bytes, str]:
    """As `handler.output_fn`; `{"error": …}` with the status of what went wrong."""
    written = answers if isinstance(answers, Fault) else _told(lambda: handler.output_fn(answers, accept), context)
    if not isinstance(written, Fault):
        return written
    context.set_response_status(code=written.status, phrase="")
    return json.dumps({"error": written.sentence}, ensure_ascii=False).encode(), "application/json"


def _told(work: Callable[[], Result], context: Any) -> Result | Fault:
    try:
        return work()
    except Exception as error:
        if context is None:
            raise
        if isinstance(error, RequestError):
            return Fault(error.status, str(error))
        LOGGER.exception("A request failed.")
        return Fault(500, FAILED)


def _end_server(process: int, reason: str) -> None:
    if SERVER in Path(f"/proc/{process}/cmdline").read_bytes():
        # What a worker says passes through the server, which would end before. Its log may be a socket, which cannot be
        # opened by its name.
        with suppress(OSError), Path(f"/proc/{process}/fd/2").open("a") as log:
            log.write(reason)
        os.kill(process, signal.SIGTERM)


def _take_bytes() -> None:
    """Have JSON handed on as it came: the toolkit decodes it before anything of ours can say that it is none."""
    try:
        import_module("sagemaker_inference.content_types").UTF8_TYPES.clear()
    except ImportError:
        return
