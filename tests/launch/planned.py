"""Plans as the command makes them, in this process and without an account."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from hydra import compose, initialize_config_dir

from dogbreed.composed_run import CONF
from dogbreed.overrides import with_data_choice
from launch.planning.composed_plan import Place, composed_plan
from launch.planning.plan import Plan

PLACE = Place("us-east-1", "arn:aws:iam::111122223333:role/dogs", "bucket")


def planned(*overrides: str, place: Place = PLACE, **arguments: Any) -> Plan:
    """Of `python launch/sagemaker.py` with these overrides."""
    given = with_data_choice(overrides)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return composed_plan(compose("sagemaker", given), given, place, **arguments)


def shipped(plan: Plan, name: str) -> bytes:
    """A file of the source archive."""
    with tarfile.open(fileobj=io.BytesIO(plan.archive)) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read()


def run_of(plan: Plan) -> dict[str, Any]:
    """What the container is told to run."""
    run: dict[str, Any] = json.loads(shipped(plan, "run.json"))
    return run
