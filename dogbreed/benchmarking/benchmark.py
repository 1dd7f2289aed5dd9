"""All stages of the work, measured one after the other, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from dogbreed.benchmarking.advice import Facts, advice
from dogbreed.benchmarking.computing import FROZEN, STEP, frozen_forward, training_step
from dogbreed.benchmarking.head_epoch import HEAD, head_epoch
from dogbreed.benchmarking.loading import BY_WORKERS, ONE_CORE, loading
from dogbreed.benchmarking.machine_rates import FORMATS, MachineRates, forward_operations, machine_rates
from dogbreed.benchmarking.public_process import PublicProcess, public_process
from dogbreed.benchmarking.run_time import Speeds, run_times
from dogbreed.benchmarking.serving import MOST, SERVING, serving
from dogbreed.benchmarking.setting import Setting, shorter_side, usable_cores
from dogbreed.benchmarking.stage import FLOOR, OURS, PUBLIC, Stage
from dogbreed.bfloat16 import has_bfloat16
from dogbreed.evaluation.machine import machine_facts
from dogbreed.models.openvino_path import has_openvino


@dataclass(frozen=True)
class Benchmark:
    """What was measured.

    Attributes:
        stages: in the order of the work.
        path: that computed the frozen part.
        operations: of the forward pass of one image.
        rates: of the machine.
        facts: what the advice depends on.
        run_times: seconds, by the kind of run.
    """

    stages: tuple[Stage, ...]
    path: str
    operations: int
    rates: MachineRates
    facts: Facts
    run_times: dict[str, float]

    @property
    def advice(self) -> list[str]:
        """What to change."""
        return advice(self.facts)


def measure(setting: Setting, say: Callable[[str], None] = lambda _: None) -> Benchmark:
    """Measure all stages; takes some twelve times `setting.seconds`, and longer where a step takes longer.

    Args:
        setting: what is measured.
        say: is told of each measurement before it begins.
    """
    with public_process(_public_work(setting)) as public:
        say("what the machine can do")
        formats = [name for name in FORMATS if name == "float32" or has_bfloat16(setting.device.type)]
        rates = machine_rates(setting.device, formats, setting.seconds)
        operations = forward_operations(setting.module.network, setting.images(1))
        stages, path = _stages(setting, public, rates, operations, say)
    speeds = _speeds(stages, setting)
    splits = setting.data.folder.splits
    times = run_times(speeds, len(splits["train"]), len(splits["val"]))
    return Benchmark(tuple(stages.values()), path, operations, rates, _facts(setting, speeds, times), times)


def _stages(
    setting: Setting, public: PublicProcess, rates: MachineRates, operations: int, say: Callable[[str], None]
) -> tuple[dict[str, Stage], str]:
    say("loading")
    alone, by_workers = loading(setting, public)
    say(FROZEN)
    frozen, path = frozen_forward(setting, public, operations, rates)
    say(STEP)
    step = training_step(setting, public, operations, rates)
    say(SERVING)
    served = serving(setting, public, operations, rates, alone.median(FLOOR))
    say(HEAD)
    # The Trainer takes the network off its device: nothing comes after it.
    head = head_epoch(setting, rates, (alone.median(PUBLIC), frozen.median(PUBLIC)))
    return {stage.name: stage for stage in (alone, by_workers, frozen, head, step, served)}, path


def _speeds(stages: dict[str, Stage], setting: Setting) -> Speeds:
    return Speeds(
        core=stages[ONE_CORE].median(OURS),
        loading=stages[BY_WORKERS].median(OURS),
        forward=stages[FROZEN].median(OURS),
        step=stages[STEP].median(OURS),
        head=stages[HEAD].median(OURS),
        cores=usable_cores(),
        on_processor=setting.device.type == "cpu",
    )


def _facts(setting: Setting, speeds: Speeds, times: dict[str, float]) -> Facts:
    return Facts(
        speeds=speeds,
        workers=setting.data.num_workers,
        threads=torch.get_num_threads(),
        device=setting.device.type,
        has_openvino=has_openvino(),
        has_bfloat16=has_bfloat16(setting.device.type),
        shorter_side=shorter_side(setting.photos),
        resize=setting.module.preprocessing.resize,
        fine_tuning=times["everything trained"],
    )


def _public_work(setting: Setting) -> dict[str, Any]:
    preprocessing = setting.module.preprocessing
    return {
        "backbone": setting.module.hparams["backbone"],
        "num_classes": setting.data.num_classes,
        "resize": preprocessing.resize,
        "crop": preprocessing.crop,
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "batch_size": setting.data.batch_size,
        "device": str(setting.device),
        "photos": [str(path.resolve()) for path in setting.photos.paths],
        "most": MOST,
    }


def summary(benchmark: Benchmark, setting: Setting) -> dict[str, Any]:
    """What `benchmark.json` holds."""
    facts = benchmark.facts
    return {
        "machine": machine_facts(setting.device)
        | {"device": str(setting.device), "cores": facts.speeds.cores, "torch threads": facts.threads},
        "setting": {
            "backbone": setting.module.hparams["backbone"],
            "image_size": setting.module.preprocessing.crop,
            "batch_size": setting.data.batch_size,
            "seconds": setting.seconds,
            "workers": facts.workers,
            "frozen_forward": benchmark.path,
        },
        # Where they lie is nobody else's business.
        "photos": {
            "folder": setting.data.root.name,
            "splits": {name: len(split) for name, split in setting.data.folder.splits.items()},
            "measured": len(setting.photos),
            "shorter_side": facts.shorter_side,
        },
        "rates": {
            "operations_per_second": benchmark.rates.operations,
            "bytes_per_second": benchmark.rates.bandwidth,
            "operations_per_image": benchmark.operations,
        },
        "stages": [stage.to_dict() for stage in benchmark.stages],
        "seconds_of_runs": benchmark.run_times,
        "advice": benchmark.advice,
    }
