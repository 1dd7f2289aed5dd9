"""A line of JSON for each request: when, where, how long; never what was in it, and no word of the client's."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("dogbreed.serving")
MEDIA = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,40}")


class JsonLines(logging.Formatter):
    """Records as JSON, a line each.

    >>> record = logging.LogRecord("x", logging.INFO, "", 0, "request", None, None)
    >>> record.created, record.fields = 0.0, {"status": 200}
    >>> JsonLines().format(record)
    '{"time": "1970-01-01T00:00:00.000+00:00", "level": "info", "event": "request", "status": 200}'
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def media_type(header: str | None) -> str:
    """A request's media type, if it is one.

    >>> media_type("Image/JPEG; q=1"), media_type("<script>"), media_type(None)
    ('image/jpeg', 'other', 'none')
    """
    if not header:
        return "none"
    media = header.partition(";")[0].strip().lower()
    return media if MEDIA.fullmatch(media) else "other"


def log_to_stderr() -> None:
    """Write the server's log, and uvicorn's errors, as JSON lines on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in {LOGGER.name: logging.INFO, "uvicorn.error": logging.ERROR}.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
