"""`run.json`: the settings of the run that was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dogbreed.errors import ConfigError


@dataclass(frozen=True)
class ShippedRun:
    """What the archive says of the run.

    Args:
        overrides: as on the command line of `python -m dogbreed.train`.
        trial: whether it is one of a search, which leaves no model.
        left_out: splits of the photos that were not sent, so that nothing is drawn in their place.
    """

    overrides: tuple[str, ...]
    trial: bool
    left_out: tuple[str, ...]


def read_run(path: Path) -> ShippedRun:
    """The run of an archive.

    Raises:
        ConfigError: there is no such file, or it says something else.
    """
    try:
        run = json.loads(path.read_bytes())
        left_out = ("test",) if run["trial"] else ()
        return ShippedRun(tuple(map(str, run["overrides"])), bool(run["trial"]), tuple(run.get("left_out", left_out)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise ConfigError(f"Expected the settings of a run in {path}, but: {reason}. Send the job again.") from error
