"""The routes of the server, and what stands before them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.page.routes import page_routes
from dogbreed.serving.server.admission import Admission
from dogbreed.serving.server.answering import Answering
from dogbreed.serving.server.bodies import BoundedBodies
from dogbreed.serving.server.hanging_up import while_connected
from dogbreed.serving.server.health import Health
from dogbreed.serving.server.hosts import KnownHosts
from dogbreed.serving.server.limits import Limits
from dogbreed.serving.server.metrics import Metrics
from dogbreed.serving.server.observing import Observed
from dogbreed.serving.server.refusing import REFUSALS, refuse
from dogbreed.serving.settings import Settings

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
Result = TypeVar("Result")


class Service:
    """A model and what serves it, without the network.

    Args:
        predictor: the model.
        settings: what a request may hold.
        limits: of the server.
        hosts: for whom requests are taken, from `allowed_hosts`.
        threads: that the network computes with.
    """

    def __init__(
        self, predictor: BreedPredictor, settings: Settings, limits: Limits, *, hosts: frozenset[str], threads: int
    ) -> None:
        self.health, self.limits = Health(), limits
        self.held = Admission(limits.held)
        self.answering = Answering(predictor, settings, limits, threads=threads, observe=self._batch)
        self.metrics = Metrics(str(predictor.artifact.card["digest"])[:12], self._gauges())
        routes = [*self._own_routes(), *page_routes(predictor, settings, self.run)]
        self.app = self._before(routes, settings.max_bytes, hosts)

    async def ping(self, _: Request) -> Response:
        """200 if the server can be asked."""
        ready = self.health.ready
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    async def invocations(self, request: Request) -> Response:
        """The breeds of the photos of a request."""
        media, accept = request.headers.get("content-type"), request.headers.get("accept")
        answer = await self._asked(request, lambda body: self.answering.answer(body, media, accept))
        request.state.photos = answer.photos
        return Response(answer.content, media_type=answer.media)

    async def run(self, request: Request, work: Callable[[bytes], Result]) -> Result:
        """Other work on the body of a request, with a place among those that are answered."""
        return await self._asked(request, lambda body: self.answering.run(lambda: work(body)))

    async def figures(self, _: Request) -> Response:
        """What Prometheus asks for."""
        return Response(self.metrics.text(), headers={"content-type": PROMETHEUS})

    def close(self) -> None:
        """Let the threads end."""
        self.answering.close()

    async def _asked(self, request: Request, work: Callable[[bytes], Coroutine[Any, Any, Result]]) -> Result:
        # Who cannot have a place need not send a body.
        self.answering.admission.check()
        return await while_connected(request, work(await request.body()))

    def _gauges(self) -> dict[tuple[str, str], Callable[[], float]]:
        answering, held = self.answering, self.held
        return {
            ("dogbreed_in_flight", "Requests that wait or are computed."): lambda: answering.admission.taken,
            ("dogbreed_waiting_photos", "Photos that wait for the network."): lambda: answering.batcher.waiting,
            ("dogbreed_held_bytes", "Bytes of the bodies that are held."): lambda: held.taken,
        }

    def _own_routes(self) -> list[Route]:
        return [
            Route("/ping", self.ping),
            Route("/invocations", self.invocations, methods=["POST"]),
            Route("/metrics", self.figures),
        ]

    def _before(self, routes: list[Route], most: int, hosts: Iterable[str]) -> ASGIApp:
        app: ASGIApp = Starlette(routes=routes, exception_handlers=dict.fromkeys((*REFUSALS, Exception), refuse))
        app = BoundedBodies(app, most=most, seconds=self.limits.body_seconds, held=self.held)
        app = KnownHosts(app, frozenset(hosts))
        return Observed(app, self.metrics, [route.path for route in routes], lambda: self.health.stopping)

    def _batch(self, photos: int) -> None:
        self.metrics.batch(photos)
