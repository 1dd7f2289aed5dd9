"""The debugger of a run, from its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback

from dogbreed.debugging.collections import Collection, collections_of, from_sagemaker
from dogbreed.debugging.debugger_callback import DebuggerCallback
from dogbreed.debugging.hook_configuration import (
    TIMES,
    hook_configuration,
    job_hook_configuration,
    write_configuration,
)
from dogbreed.debugging.hooks import TensorHook, smdebug_pytorch
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rules_callback import RulesCallback
from dogbreed.errors import ConfigError

# Recorded by smdebug whether it is asked to or not, at its own interval.
LOSSES = Collection("losses")


def build_debugger(
    output_dir: str | Path,
    *,
    trial: bool = False,
    collections: Mapping[str, Mapping[str, Any] | None] | None = None,
    rules: Mapping[str, Mapping[str, Any] | None] | None = None,
    stop_on: Sequence[str] = (),
    disk_gib: float = 2.0,
    job_configuration: str | None = None,
) -> list[Callback]:
    """The callbacks that record a run and ask the rules; none where nothing is recorded.

    Args:
        output_dir: gets `debugger/`, a trial for smdebug, and `rules.json`.
        trial: whether tensors are written to disk, with smdebug.
        collections: what is looked at, and when, in SageMaker's words.
        rules: names, each with parameters that differ from its defaults.
        stop_on: rules whose issue ends the run.
        disk_gib: so much of tensors is written at most, losses aside.
        job_configuration: path of a SageMaker job's `debughookconfig.json`: what it says is recorded, where it says.

    Raises:
        ConfigError: an unknown collection, rule or parameter, or smdebug is wanted and missing.
    """
    output_dir, job = Path(output_dir), _read_job(job_configuration)
    asked = collections_of(collections or {}) if job is None else from_sagemaker(job)
    chosen = list({c.name: c for c in (*([LOSSES] if trial else []), *asked, TIMES)}.values())
    unasked = sorted(set(stop_on) - set(rules or {}))
    if unasked:
        known = ", ".join(rules or {}) or "none"
        raise ConfigError(f"debugger.stop_on names {unasked[0]!r}, which is no rule of debugger.rules ({known}).")
    made: list[Callback] = []
    if trial and asked:
        smdebug_pytorch()
        opener = _Opener(output_dir, chosen, job)
        everywhere = ((job or {}).get("HookParameters") or {}).get("include_workers") == "all"
        limit = disk_gib * 2**30
        made.append(DebuggerCallback(opener, chosen, limit_bytes=limit, all_processes=everywhere))
    if rules:
        made.append(RulesCallback(output_dir / "rules.json", Recorded(rules), chosen, stop_on=stop_on))
    return made


def _read_job(path: str | None) -> dict[str, Any] | None:
    """A job's configuration; None where there is none."""
    if not path or not Path(path).exists():
        return None
    try:
        job = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        job = None
    if not isinstance(job, dict) or not isinstance(job.get("LocalPath"), str):
        raise ConfigError(
            f"Expected debugger.job_configuration to be a SageMaker job's debughookconfig.json, with a LocalPath, got "
            f"{path}."
        )
    return job


class _Opener:
    """Opens the hook of a fit: in a folder of its own, where an interrupted fit has left one."""

    def __init__(self, output_dir: Path, collections: Sequence[Collection], job: dict[str, Any] | None) -> None:
        self._output_dir = output_dir
        self._collections = collections
        self._job = job

    def __call__(self) -> TensorHook:
        if self._job:
            configuration = job_hook_configuration(self._job)
        else:
            configuration = hook_configuration(_new_folder(self._output_dir), self._collections)
        path = self._output_dir / "debughookconfig.json"
        write_configuration(path, configuration)
        return TensorHook(path)


def _new_folder(output_dir: Path) -> Path:
    folder, number = output_dir / "debugger", 1
    while folder.exists():
        number += 1
        folder = output_dir / f"debugger-{number}"
    return folder
