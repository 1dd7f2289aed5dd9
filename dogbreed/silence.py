"""Exporters that keep to themselves what they would print: whole graphs, where one line says what is wrong."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

LOGGERS = ("torch", "onnxscript", "onnx_ir")


@contextmanager
def silent_exporters() -> Iterator[None]:
    """Keep what the exporters log, and what torch.export prints of a graph it fails on, from the terminal."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
