"""The addresses of the page: its files, what is known of the model, and why it answers as it does."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from importlib.resources import files
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.error import RequestError
from dogbreed.serving.page.about_model import about
from dogbreed.serving.reading import read_request
from dogbreed.serving.settings import Settings

INDEX = "index.html"
MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Another version of the server has another page.
    "Cache-Control": "no-cache",
}
# Carries work on a request's body out on the server's bounded pool, as long as its client is there; raises where that
# is full, before the body is read.
Run = Callable[[Request, Callable[[bytes], Any]], Awaitable[Any]]


def page_routes(predictor: BreedPredictor, settings: Settings, run: Run) -> list[Route]:
    """The page at `/` with its files, `/model`, and `/explain`.

    `/model` is JSON of `about`. `/explain` takes a photo and gives a PNG: what the network sees of it, coloured where
    it speaks for the class `?index=`, or the most probable one. A request that is refused raises RequestError: the
    application around makes an answer of it, and bounds the bodies.

    Args:
        predictor: that answers.
        settings: what a request may hold.
        run: work that computes, and waits for its turn; what it raises goes through.
    """
    known = about(predictor.artifact, settings)

    async def model(_: Request) -> Response:
        return JSONResponse(known, headers=HEADERS, background=BackgroundTask(_prepare_overlays))

    async def explain(request: Request) -> Response:
        index = _index(request.query_params.get("index"), len(predictor.class_names))
        picture = await run(request, lambda body: explanation(predictor, settings, body, index))
        return Response(picture, media_type="image/png", headers=HEADERS)

    of_page = [Route("/" if name == INDEX else f"/{name}", _file(name)) for name in page_files()]
    return [*of_page, Route("/model", model), Route("/explain", explain, methods=["POST"])]


def page_files() -> list[str]:
    """The names of the files that the page is made of."""
    return sorted(file.name for file in files(__package__).iterdir() if _suffix(file.name) in MEDIA)


def explanation(predictor: BreedPredictor, settings: Settings, body: bytes, index: int | None) -> bytes:
    """A PNG of what the network sees of a photo, coloured where it speaks for a class.

    Raises:
        RequestError: there is no photo in the body.
    """
    photo, *_ = read_request(body, "application/x-image", settings, smallest_side=predictor.smallest_side)
    picture = io.BytesIO()
    predictor.explain(photo, index).save(picture, "PNG")
    return picture.getvalue()


def _prepare_overlays() -> None:
    # Seconds of imports, which the first click would wait for: whoever asks of the model has just opened the page.
    with suppress(ImportError):
        import_module("captum.attr")


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    content = files(__package__).joinpath(name).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(content, media_type=MEDIA[_suffix(name)], headers=HEADERS)

    return answer


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def _index(text: str | None, classes: int) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) < classes):
        raise RequestError(400, f"Expected index to be from 0 to {classes - 1}, got {text[:20]!r}.")
    return int(text)
