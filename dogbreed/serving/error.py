"""What is wrong with a request."""

from __future__ import annotations


class RequestError(ValueError):
    """A request that cannot be answered as it is: the caller's fault, not the server's.

    Args:
        status: of HTTP, 400 to 499.
        message: a sentence for whoever sent it.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
