"""How many copies of a model share a machine, and what each of them has of it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from dogbreed.errors import ConfigError

MOST = 256


@dataclass(frozen=True)
class Replicas:
    """Copies of a model that answer by Ray Serve.

    Attributes:
        count: of them.
        threads: that each computes with.
        gpus: that each has; a part of one where several share it.
        log_level: of their logging, by its name.
    """

    count: int
    threads: int
    gpus: float
    log_level: str


def replicas(environ: Mapping[str, str], cpus: int | None = None, gpus: int | None = None) -> Replicas:
    """A copy for each GPU, or for each processor where there is none, unless `DOGBREED_REPLICAS` says otherwise.

    Args:
        environ: the variables of the process; `DOGBREED_LOG_LEVEL` is a number of Python's logging.
        cpus: of the machine; None for those of this one.
        gpus: of the machine; None for those of this one.

    Raises:
        ConfigError: a variable that cannot be used.

    >>> replicas({}, cpus=4, gpus=0)
    Replicas(count=4, threads=1, gpus=0.0, log_level='INFO')
    >>> replicas({"DOGBREED_REPLICAS": "2", "DOGBREED_LOG_LEVEL": "30"}, cpus=8, gpus=1)
    Replicas(count=2, threads=4, gpus=0.5, log_level='WARNING')
    """
    cpus = (os.cpu_count() or 1) if cpus is None else cpus
    gpus = torch.cuda.device_count() if gpus is None else gpus
    count = _whole(environ, "DOGBREED_REPLICAS", gpus or cpus, 1, MOST)
    level = _whole(environ, "DOGBREED_LOG_LEVEL", logging.INFO, 0, logging.CRITICAL)
    return Replicas(count, max(1, cpus // count), _share(gpus, count), _named(level))


def _share(gpus: int, count: int) -> float:
    # Ray takes whole GPUs, or a part of one.
    return gpus // count if gpus >= count else gpus / count


def _named(level: int) -> str:
    """The name of the level, or of the next one that says less."""
    return next(name for number, name in LEVELS.items() if level <= number)


LEVELS = {
    number: logging.getLevelName(number)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
}


def _whole(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise ConfigError(f"Expected {name} to be a whole number from {least} to {most}, got {text[:80]!r}.")
    return int(text)
