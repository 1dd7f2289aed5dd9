"""A service on a socket, until it is told to stop."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable

import uvicorn

from dogbreed.serving.server.app import Service
from dogbreed.serving.server.connection import BoundedConnection
from dogbreed.serving.server.draining import DrainingServer
from dogbreed.serving.server.health import warm_up


def server_of(service: Service) -> DrainingServer:
    """Uvicorn as it serves this: no protocol but HTTP/1.1, no trust in what a proxy's headers would say."""
    limits = service.limits
    connection = functools.partial(BoundedConnection, limits=limits, refused=service.metrics.refused)
    config = uvicorn.Config(
        service.app,
        http=connection,  # type: ignore[arg-type]
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=round(limits.idle_seconds),
        timeout_graceful_shutdown=round(limits.grace_seconds),
    )
    return DrainingServer(config, service.health)


async def serve(service: Service, listener: socket.socket, ready: Callable[[], None]) -> int:
    """Answer requests until SIGTERM or Ctrl-C, and then those that were accepted.

    Args:
        service: what answers.
        listener: a bound socket.
        ready: called once a photo was answered.

    Returns:
        How many of them had no answer when `grace_seconds` were over.

    Raises:
        Exception: what kept the first photo from being answered.
    """
    server = server_of(service)
    warming = asyncio.create_task(_warm(service, server, ready))
    try:
        await server.serve([listener])
        await warming
    finally:
        service.close()
    return server.cut_off


async def _warm(service: Service, server: DrainingServer, ready: Callable[[], None]) -> None:
    try:
        await warm_up(service.answering, service.health)
    except BaseException:
        server.should_exit = True
        raise
    ready()
