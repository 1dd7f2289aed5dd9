"""What SageMaker's training toolkit says of a job: the one place that reads its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dogbreed.errors import ConfigError


@dataclass(frozen=True)
class JobEnvironment:
    """A job, as one of its processes sees it.

    Attributes:
        hyperparameters: decoded, without the toolkit's own.
        channels: the folder of each.
        config_dir: where the service leaves the parts of the request.
        output_dir: gets `failure`.
        hosts: how many there are.
        name: of the job; empty where it is not told.
        rank: of this process among all.
        world_size: processes in all; 0 where torchrun has not started this one.
        processes: of this host.
    """

    hyperparameters: Mapping[str, Any]
    channels: Mapping[str, Path]
    config_dir: Path
    output_dir: Path
    hosts: int
    name: str
    rank: int
    world_size: int
    processes: int

    @property
    def writes(self) -> bool:
        """Whether this is the process that leaves what the job leaves."""
        return self.rank == 0


def read_environment(variables: Mapping[str, str]) -> JobEnvironment:
    """The job that the environment's variables describe.

    Raises:
        ConfigError: a variable that the toolkit always sets is missing, or is not what it sets.
    """
    try:
        channels = json.loads(variables["SM_CHANNELS"])
        return JobEnvironment(
            hyperparameters=dict(json.loads(variables["SM_HPS"])),
            channels={name: Path(variables[f"SM_CHANNEL_{name.upper()}"]) for name in channels},
            config_dir=Path(variables["SM_INPUT_CONFIG_DIR"]),
            output_dir=Path(variables["SM_OUTPUT_DIR"]),
            hosts=len(json.loads(variables["SM_HOSTS"])),
            name=variables.get("TRAINING_JOB_NAME", ""),
            rank=int(variables.get("RANK", 0)),
            world_size=int(variables.get("WORLD_SIZE", 0)),
            processes=int(variables.get("LOCAL_WORLD_SIZE", 1)),
        )
    except KeyError as error:
        raise ConfigError(
            f"Expected a training job of SageMaker, but its toolkit has not set {error.args[0]}. On your own machine: "
            "python -m dogbreed.train, or python launch/sagemaker.py rehearse=true"
        ) from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"Expected the environment of SageMaker's training toolkit, got another: {error}") from error
