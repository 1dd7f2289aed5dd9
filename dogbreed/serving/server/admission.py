"""Who comes in: so many requests at once, so many bytes; the next is told to come again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class BusyError(Exception):
    """No room at the moment."""


class Admission:
    """A number of places.

    Args:
        limit: how many there are.

    >>> admission = Admission(2)
    >>> with admission.place(), admission.place():
    ...     admission.check()
    Traceback (most recent call last):
    dogbreed.serving.server.admission.BusyError: All 2 are taken.
    >>> admission.taken
    0
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.taken = 0

    def check(self, wanted: int = 1) -> None:
        """Raise BusyError unless so many are free."""
        if self.taken + wanted > self._limit:
            raise BusyError(f"All {self._limit} are taken.")

    def take(self, wanted: int = 1) -> None:
        """Take so many, to be given back; raise BusyError unless they are free."""
        self.check(wanted)
        self.taken += wanted

    def give(self, taken: int = 1) -> None:
        """Give so many back."""
        self.taken -= taken

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of them, for as long as the block runs.

        Raises:
            BusyError: none is free.
        """
        self.take()
        try:
            yield
        finally:
            self.give()
