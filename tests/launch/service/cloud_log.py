"""A job's log in CloudWatch, as the service writes it."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

GROUP = "/aws/sagemaker/TrainingJobs"
SECONDS = 0.3


class CloudLog:
    """Takes lines at once and sends them in the background, until it is closed."""

    def __init__(self, logs: Any, job: str) -> None:
        self._logs = logs
        self._stream = f"{job}/algo-1-{int(time.time())}"
        self._waiting: list[dict[str, Any]] = []
        self._closed = threading.Event()
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=GROUP)
        logs.create_log_stream(logGroupName=GROUP, logStreamName=self._stream)
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._sender.start()

    def line(self, text: str) -> None:
        # CloudWatch takes no empty message.
        self._waiting.append({"timestamp": int(time.time() * 1000), "message": text or " "})

    def close(self) -> None:
        self._closed.set()
        self._sender.join()

    def _send(self) -> None:
        last = False
        while not last:
            last = self._closed.wait(SECONDS)
            events = self._waiting[:]
            del self._waiting[: len(events)]
            if events:
                self._logs.put_log_events(logGroupName=GROUP, logStreamName=self._stream, logEvents=events)
