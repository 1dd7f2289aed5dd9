"""How much of everything a server takes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Limits:
    """Of a server. Each bounds what one client, or all of them together, can make it hold or do.

    Attributes:
        requests: whose photos wait or are computed; the next are refused.
        batch: photos that the network computes at once.
        workers: threads that read photos.
        connections: open at once; a new one takes the place of the one that has waited longest for its client.
        held: bytes of all bodies together.
        header_seconds: for a request's header to come whole.
        body_seconds: for its body.
        answer_seconds: for a client to take what it is sent.
        idle_seconds: that a connection stays open for the next request.
        grace_seconds: after SIGTERM, for what was accepted.
    """

    requests: int = 64
    batch: int = 16
    workers: int = 2
    connections: int = 512
    held: int = 256 * 2**20
    header_seconds: float = 10.0
    body_seconds: float = 60.0
    answer_seconds: float = 30.0
    idle_seconds: float = 30.0
    grace_seconds: float = 25.0

    @classmethod
    def holding(cls, most: int, **others: Any) -> Self:
        """Those under which a body of so many bytes, the largest that is allowed, can be held at all.

        >>> Limits.holding(10).held == Limits.held, Limits.holding(2**30).held
        (True, 1073741824)
        """
        return cls(held=max(cls.held, most), **others)
