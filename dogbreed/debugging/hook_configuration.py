"""What smdebug is told to record, in the words of a SageMaker job's `debughookconfig.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dogbreed.debugging.collections import KNOWN, Collection

# What smdebug records itself; the rest of `KNOWN` is given to it, under names that nothing of its own has.
NATIVE = ("losses", "weights", "biases", "gradients")
GIVEN = tuple(name for name in KNOWN if name not in NATIVE)
# Recorded whatever a configuration says: eight bytes a step, by which a run that stood still is known.
TIMES = Collection("wall_time", {"save_interval": "1"})


def hook_configuration(folder: Path, collections: Iterable[Collection], *, workers: str = "one") -> dict[str, Any]:
    """What SageMaker writes into a job's `debughookconfig.json`, for a trial in `folder`."""
    return {
        "LocalPath": str(folder),
        "HookParameters": {"include_workers": workers},
        "CollectionConfigurations": [
            {"CollectionName": c.name, "CollectionParameters": {**_names(c.name), **c.parameters}} for c in collections
        ],
    }


def job_hook_configuration(job: dict[str, Any]) -> dict[str, Any]:
    """A job's `debughookconfig.json` with the names of what smdebug is given, and the times of steps."""
    given = [
        c | {"CollectionParameters": {**_names(c["CollectionName"]), **(c.get("CollectionParameters") or {})}}
        for c in job.get("CollectionConfigurations") or []
    ]
    times = hook_configuration(Path(), [TIMES])["CollectionConfigurations"]
    return job | {"CollectionConfigurations": [*given, *times]}


def _names(collection: str) -> dict[str, str]:
    """How smdebug knows the tensors that it is given."""
    return {"include_regex": rf"(^|/){collection}(_\d+)?$"} if collection in GIVEN else {}


def write_configuration(path: Path, configuration: dict[str, Any]) -> None:
    """Write what smdebug is to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(configuration, indent=2))
