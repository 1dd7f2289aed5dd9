"""The server's figures, for Prometheus. No label comes from a request: their number is bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
PHOTOS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Of one server, in a registry of its own.

    Args:
        version: of the model.
        gauges: what is asked when the figures are: a name and a sentence to a function.
    """

    def __init__(self, version: str, gauges: Mapping[tuple[str, str], Callable[[], float]]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter("dogbreed_requests", "Requests answered.", ["route", "status"], registry=registry)
        self._seconds = Histogram(
            "dogbreed_request_seconds", "From a request to its answer.", ["route"], buckets=SECONDS, registry=registry
        )
        self._photos = Counter("dogbreed_photos", "Photos answered.", registry=registry)
        self._batches = Histogram(
            "dogbreed_batch_photos", "Photos that were computed at once.", buckets=PHOTOS, registry=registry
        )
        self._refused = Counter(
            "dogbreed_refused_connections", "Clients turned away without a request.", ["reason"], registry=registry
        )
        Gauge("dogbreed_model", "The model that answers.", ["version"], registry=registry).labels(version).set(1)
        for (name, sentence), ask in gauges.items():
            Gauge(name, sentence, registry=registry).set_function(ask)

    def request(self, route: str, status: int, seconds: float, photos: int) -> None:
        """A request was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        self._photos.inc(photos if status == 200 else 0)

    def batch(self, photos: int) -> None:
        """So many photos were computed at once."""
        self._batches.observe(photos)

    def refused(self, reason: str) -> None:
        """A client was turned away before there was a request."""
        self._refused.labels(reason).inc()

    def text(self) -> bytes:
        """All of them, in Prometheus's text format."""
        return generate_latest(self._registry)
