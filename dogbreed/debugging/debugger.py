"""The debugger of a run, from its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback

from dogbreed.debugging.collections import Collection, collections_of
from dogbreed.debugging.debugger_callback import DebuggerCallback
from dogbreed.debugging.hooks import TensorHook, hook_configuration, smdebug_pytorch, write_configuration
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rules_callback import RulesCallback
from dogbreed.errors import ConfigError

# Recorded whatever a configuration says: eight bytes a step, by which a run that stood still is known.
TIMES = Collection("wall_time", {"save_interval": "1"})


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
    output_dir, chosen = Path(output_dir), [*collections_of(collections or {}), TIMES]
    unasked = sorted(set(stop_on) - set(rules or {}))
    if unasked:
        known = ", ".join(rules or {}) or "none"
        raise ConfigError(f"debugger.stop_on names {unasked[0]!r}, which is no rule of debugger.rules ({known}).")
    made: list[Callback] = []
    if trial and collections:
        smdebug_pytorch()
        opener = _Opener(output_dir, chosen, job_configuration)
        made.append(DebuggerCallback(opener, chosen, limit_bytes=disk_gib * 2**30))
    if rules:
        made.append(RulesCallback(output_dir / "rules.json", Recorded(rules), chosen, stop_on=stop_on))
    return made


class _Opener:
    """Opens the hook of a fit: in a folder of its own, where an interrupted fit has left one."""

    def __init__(self, output_dir: Path, collections: Sequence[Collection], job_configuration: str | None) -> None:
        self._output_dir = output_dir
        self._collections = collections
        self._job_configuration = job_configuration

    def __call__(self) -> TensorHook:
        if self._job_configuration and Path(self._job_configuration).exists():
            return TensorHook(Path(self._job_configuration))
        folder = self._output_dir / "debugger"
        number = 1
        while folder.exists():
            number += 1
            folder = self._output_dir / f"debugger-{number}"
        configuration = self._output_dir / "debughookconfig.json"
        write_configuration(configuration, hook_configuration(folder, self._collections))
        return TensorHook(configuration)
