"""The profiler of a run: what is watched, and what the rules make of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from dogbreed.debugging.finding import worst_first
from dogbreed.profiling.checking import judge
from dogbreed.profiling.layout import node_name
from dogbreed.profiling.operators import OperatorProfile
from dogbreed.profiling.page import PAGE, write_page
from dogbreed.profiling.readings import read
from dogbreed.profiling.reports import write_reports
from dogbreed.profiling.rule_table import rule_settings
from dogbreed.profiling.sampler import Sampler
from dogbreed.profiling.step_times import StepTimes

FOLDER = "profiler"
Rules = Mapping[str, Mapping[str, float]]


def build_profiler(
    output_dir: str | Path, *, interval: float | None = None, num_steps: int = 10, rules: Rules | None = None
) -> list[Callback]:
    """The callbacks that watch a run; none of them changes what is learnt.

    Args:
        output_dir: gets `profiler/`.
        interval: between two samples of the machine, in seconds, at least 0.1; None for no profiler at all.
        num_steps: so many steps are watched operator by operator; 0 for none.
        rules: to ask when the run ends, by SageMaker's names, with the parameters that differ from the defaults;
            "ProfilerReport" asks all.

    Raises:
        ConfigError: an unknown rule or parameter, too short an interval, or psutil is not installed.
    """
    if interval is None:
        return []
    folder = Path(output_dir) / FOLDER
    operators = [OperatorProfile(folder, num_steps)] if num_steps else []
    # What reads must come after what writes: Lightning calls them in this order.
    return [StepTimes(folder), *operators, Profiling(folder, interval, rules or {})]


class Profiling(Callback):
    """Samples the machine from the set-up of training to its end, however it ends, and asks the rules then.

    Args:
        folder: gets `system/`, `rules.json` and `rule-output/`.
        interval: between two samples, in seconds.
        rules: by name, with the parameters that differ from the defaults.

    Raises:
        ConfigError: an unknown rule or parameter, too short an interval, or psutil is not installed.
    """

    def __init__(self, folder: Path, interval: float, rules: Rules) -> None:
        self._folder = folder
        self._interval = interval
        self._rules = rules
        self._settings = rule_settings(rules)
        self._sampler: Sampler | None = None
        # What is wrong is said now, not in the middle of a run.
        Sampler(folder, interval=interval)

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        # A machine is sampled once, however many processes train on it.
        if stage == "fit" and trainer.local_rank == 0 and self._sampler is None:
            self._sampler = Sampler(self._folder, interval=self._interval, node=node_name(trainer.node_rank))
            self._sampler.start()

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._finish(trainer)

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._finish(trainer)

    def _finish(self, trainer: Trainer) -> None:
        if self._sampler is not None:
            self._sampler.stop()
            self._sampler = None
            if trainer.is_global_zero and self._settings:
                # A full disk ends the run at its checkpoints, not here.
                with suppress(OSError):
                    verdicts = judge(read(self._folder), self._rules)
                    write_reports(self._folder, verdicts, self._settings)
                    page = self._folder.with_name(PAGE)
                    findings = worst_first(verdict.finding for verdict in verdicts.values())
                    write_page(page, self._folder, findings, title=f"Profiler: {self._folder.parent.name}")
                    print(f"Profiler: {page}", flush=True)
