"""What makes a rehearsal short: two epochs, unless the run has fewer."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

EPOCHS = 2
SETTING = "trainer.max_epochs"
HYPERPARAMETER = "trainer__max_epochs"


def shortened(job: Mapping[str, Any], archive: bytes) -> dict[str, Any]:
    """The job with no more than `EPOCHS` epochs; the sole thing in which a rehearsal's request is another."""
    chosen = job["HyperParameters"].get(HYPERPARAMETER, _of_run(archive))
    if (epochs := _number(chosen)) is not None and 0 < epochs <= EPOCHS:
        return dict(job)
    return {**job, "HyperParameters": {**job["HyperParameters"], HYPERPARAMETER: str(EPOCHS)}}


def _of_run(archive: bytes) -> str | None:
    """What the archive's `run.json` says, as far as it can be read: the job itself tells what is wrong with it."""
    with (
        suppress(tarfile.TarError, OSError, KeyError, ValueError, TypeError),
        tarfile.open(fileobj=io.BytesIO(archive)) as tar,
    ):
        run = json.load(tar.extractfile("run.json"))  # type: ignore[arg-type]
        given = [text.partition("=") for text in run["overrides"]]
        return next((value for name, _, value in reversed(given) if name == SETTING), None)
    return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
