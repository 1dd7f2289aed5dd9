"""The containers of a job: where each lies on this machine, and what it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Hosts on one machine need names that it knows.
LOCAL_HOSTS = ("127.0.0.1", "localhost")
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


@dataclass(frozen=True)
class Host:
    """One container of a job.

    Attributes:
        base: what is `/opt/ml` in a container.
        name: as the others know it.
    """

    base: Path
    name: str

    @property
    def model(self) -> Path:
        """What becomes `model.tar.gz`."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """What becomes `output.tar.gz`."""
        return self.base / "output/data"


def host_names(count: int) -> Sequence[str]:
    """What the hosts of a job are called, in SageMaker's order."""
    return ("algo-1",) if count == 1 else LOCAL_HOSTS
