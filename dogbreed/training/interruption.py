"""Ctrl-C and SIGTERM: the run stops before its next step, after it has stored where it is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """The run was asked to stop and has stored its state; like KeyboardInterrupt, no ordinary handler catches it."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number

    @property
    def exit_status(self) -> int:
        """As a shell reports a process that the signal ended: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.signal_number


class Interruption:
    """Whether a signal has asked the run to stop."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._listening = False

    def stop_if_asked(self) -> None:
        """Raise `Interrupted` where a signal came."""
        if self.signal is not None:
            raise Interrupted(self.signal)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note the first signal; a second one stops at once."""
        before = {number: signal.getsignal(number) for number in SIGNALS}
        self._listening = True
        self.listen_again()
        try:
            yield
        finally:
            self._listening = False
            for number, handler in before.items():
                signal.signal(number, handler)

    def listen_again(self) -> None:
        """Take the signals back from a Trainer, which would end the process before its state is stored."""
        if self._listening:
            for number in SIGNALS:
                signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> Any:
        if self.signal is not None:
            raise Interrupted(number)
        self.signal = number
