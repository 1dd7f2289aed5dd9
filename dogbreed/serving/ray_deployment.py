"""The model as an application of Ray Serve: what AWS's container for it runs, by `code/ray_app.py` beside a model."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dogbreed.errors import ConfigError
from dogbreed.serving.first_photo import drawn_photo
from dogbreed.serving.handler import model_fn
from dogbreed.serving.ray_replicas import Replicas, replicas
from dogbreed.serving.server.admission import Admission, BusyError
from dogbreed.serving.server.answering import Answering
from dogbreed.serving.server.bodies import Body
from dogbreed.serving.server.limits import Limits
from dogbreed.serving.server.refusing import REFUSALS, refusal
from dogbreed.serving.settings import Settings

LOGGER = logging.getLogger("ray.serve")
# What reaches a replica that has no place left: health checks, and requests that it refuses.
PASSING = 32
# Checks in a row that found all places taken, and no photo answered since the one before: a minute of Ray's.
BUSY_CHECKS = 6


class Breeds:
    """A replica.

    Args:
        model_dir: of the model.
        settings: what a request may hold.
        limits: of the replica.
        threads: that the network computes with.
    """

    def __init__(self, model_dir: str, settings: Settings, limits: Limits, threads: int) -> None:
        self._settings, self._limits, self._held = settings, limits, Admission(limits.held)
        self._answering = Answering(model_fn(model_dir), settings, limits, threads=threads, observe=lambda _: None)
        self._answered, self._busy, self._sound = 0, 0, False

    async def __call__(self, request: Request) -> Response:
        """The answer to a request: of POST about its photos, of GET about the replica's health."""
        if request.method != "POST":
            return Response(status_code=200 if self._sound else 503)
        try:
            return await self._answer(request)
        except Exception as error:
            if not isinstance(error, tuple(REFUSALS)):
                LOGGER.exception("A request failed.")
            return refusal(error)

    async def check_health(self) -> None:
        """Raise unless a photo was answered since the last time, or is now; all places may be taken, but not for long.

        Ray asks when a replica has begun, which is sent nothing before, and then again and again: one that fails is
        replaced.
        """
        answered, self._answered = self._answered, 0
        try:
            if not answered:
                await self._answering.answer(drawn_photo(), "image/jpeg", None)
        except BusyError as error:
            self._wait_longer(error)
        except Exception:
            self._sound = False
            raise
        else:
            self._sound, self._busy = True, 0

    def _wait_longer(self, error: BusyError) -> None:
        self._busy += 1
        if self._busy >= BUSY_CHECKS:
            self._sound = False
            raise error
        LOGGER.info("All places are taken by requests that are being answered.")

    async def _answer(self, request: Request) -> Response:
        body = Body(request.receive, self._settings.max_bytes, self._limits.body_seconds, self._held)
        try:
            content, headers = await Request(request.scope, body.receive).body(), request.headers
            answer = await self._answering.answer(content, headers.get("content-type"), headers.get("accept"))
        finally:
            body.close()
        self._answered += 1
        return Response(answer.content, media_type=answer.media)


def application(model_dir: Path, environ: Mapping[str, str]) -> Any:
    """The application that `serve run` takes.

    Args:
        model_dir: of the model.
        environ: `DOGBREED_REPLICAS` and `DOGBREED_LOG_LEVEL`, see `replicas`, and what `Settings` reads.

    Raises:
        ConfigError: a variable that cannot be used, or Ray Serve is not installed.
    """
    share, settings = replicas(environ), Settings.from_environment(environ)
    limits = Limits.holding(settings.max_bytes)
    options = _options(share, limits)
    arguments = (str(model_dir), settings, limits, share.threads)
    return _ray_serve().deployment(**options)(Breeds).bind(*arguments)


def _options(share: Replicas, limits: Limits) -> dict[str, Any]:
    return {
        "name": "breeds",
        "num_replicas": share.count,
        # A replica refuses by itself what it has no place for; what comes faster than it can refuse, Ray does.
        "max_ongoing_requests": limits.requests + PASSING,
        "max_queued_requests": limits.requests,
        # No processors are asked for: an application that asks for more than Ray has counted would wait for ever.
        "ray_actor_options": {"num_cpus": 0, "num_gpus": share.gpus},
        "graceful_shutdown_timeout_s": limits.grace_seconds,
        "logging_config": {"log_level": share.log_level},
    }


def _ray_serve() -> Any:
    try:
        return import_module("ray.serve")
    except ImportError as error:
        raise ConfigError('Ray Serve is not installed: pip install "ray[serve]"') from error
