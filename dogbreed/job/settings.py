"""What the container knows of a run, in Hydra's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dogbreed.data.folder import SPLIT_FOLDERS
from dogbreed.errors import ConfigError, DataError
from dogbreed.job.environment import JobEnvironment
from dogbreed.override_text import override_text
from dogbreed.overrides import with_data_choice

PHOTOS, WEIGHTS, TRAIN = "photos", "weights", "train"
SPLITS = [name for names in SPLIT_FOLDERS.values() for name in names]
# The service writes it where a job was asked to record tensors.
HOOK_FILE = "debughookconfig.json"


def job_overrides(given: Sequence[str], environment: JobEnvironment, *, trial: bool) -> list[str]:
    """All overrides of a run: those given, and after them what the container knows better.

    Args:
        given: of the archive and the hyperparameters.
        environment: of the job.
        trial: whether the run is one of a search.

    Raises:
        ConfigError: a channel or a trial's name is missing, or hosts would train without knowing of one another.
        DataError: a channel has no files.
    """
    known = [
        "paths=sagemaker",
        *_data(given, environment.channels),
        *_weights(environment.channels),
        *_devices(environment),
        *_debugger(environment.config_dir / HOOK_FILE),
    ]
    if trial:
        # Trials may share a place for checkpoints: without a name, one would go on from another's.
        if not environment.name:
            raise ConfigError("Expected the name of the job in TRAINING_JOB_NAME, by which trials are told apart.")
        known.append(override_text("paths.output_dir", f"${{paths.checkpoints_dir}}/{environment.name}"))
    return with_data_choice([*given, *known])


def _data(given: Sequence[str], channels: Mapping[str, Path]) -> list[str]:
    splits = [name for name in SPLITS if name in channels]
    for name in [*splits, *([PHOTOS] if PHOTOS in channels else [])]:
        _files(name, channels[name])
    if TRAIN in splits:
        root = channels[TRAIN].parent
    elif PHOTOS in channels:
        root = channels[PHOTOS]
    elif splits or "data=folder" in with_data_choice(given):
        there = ", ".join(channels) or "none"
        raise ConfigError(f"Expected a channel {TRAIN}, or {PHOTOS} with all of the folder; the job's are: {there}.")
    else:
        return []
    return [override_text("data.root", str(root)), "data.source=null"]


def _weights(channels: Mapping[str, Path]) -> Iterator[str]:
    if WEIGHTS in channels:
        files = _files(WEIGHTS, channels[WEIGHTS])
        if len(files) != 1:
            raise ConfigError(f"Expected one file in the channel {WEIGHTS}, found {len(files)}.")
        yield override_text("model.weights", str(files[0]))


def _devices(environment: JobEnvironment) -> Iterator[str]:
    # Not more than torchrun has started processes for: Lightning would start this program once more for each.
    yield f"trainer.devices={environment.processes}"
    if environment.world_size > environment.processes:
        yield f"++trainer.num_nodes={environment.world_size // environment.processes}"
    elif environment.hosts > 1:
        raise ConfigError(
            f"Expected torchrun on {environment.hosts} hosts, which would each train the same: send the job with the "
            "hyperparameter sagemaker_torch_distributed_enabled."
        )


def _debugger(hook: Path) -> list[str]:
    return [override_text("debugger.job_configuration", str(hook)), "debugger.trial=true"] if hook.exists() else []


def _files(channel: str, folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    if not files:
        raise DataError(f"Expected files in the channel {channel}, found none in {folder}: is its S3 prefix right?")
    return files
