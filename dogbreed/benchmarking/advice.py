"""What to change, from what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from dogbreed.benchmarking.run_time import Speeds

LARGE = 2.0  # times the size needed: decoding is most of the work by then
LONG = 3600.0  # seconds


@dataclass(frozen=True)
class Facts:
    """What advice depends on.

    Attributes:
        speeds: as measured.
        workers: processes that load photos.
        threads: that torch computes with.
        device: "cpu", "cuda", …
        has_openvino: whether it is installed.
        has_bfloat16: whether the device computes faster in it.
        shorter_side: of the photos, the median, in pixels.
        resize: what the shorter side becomes, in pixels.
        fine_tuning: seconds of a run that trains everything.
    """

    speeds: Speeds
    workers: int
    threads: int
    device: str
    has_openvino: bool
    has_bfloat16: bool
    shorter_side: int
    resize: int
    fine_tuning: float

    @property
    def waits_for_photos(self) -> bool:
        """Whether photos come more slowly than a training step could take them."""
        return self.speeds.loading < self.speeds.step

    @property
    def enough_workers(self) -> int:
        """Processes that would keep up with the training step, or with what it would leave them of the cores."""
        speeds = self.speeds
        shared = 1 / (speeds.core * speeds.cores) if speeds.on_processor else 0.0
        wanted = 1 / (1 / speeds.step + shared)
        return min(speeds.cores, math.ceil(wanted / speeds.core))


# What must hold, and what is said then.
ADVICE: tuple[tuple[Callable[[Facts], bool], Callable[[Facts], str]], ...] = (
    (
        lambda f: f.waits_for_photos and f.enough_workers > f.workers,
        lambda f: (
            f"Training waits for photos: {f.speeds.loading:,.0f} images/s are loaded where a step takes "
            f"{f.speeds.step:,.0f}, and {f.speeds.cores} cores have {f.workers} workers: "
            f"data.num_workers={f.enough_workers}."
        ),
    ),
    (
        lambda f: f.shorter_side > LARGE * f.resize,
        lambda f: (
            f"The photos' shorter side is {f.shorter_side:,} pixels where {f.resize} are needed; most of the loading "
            "is decoding what is thrown away: data.prepare=true stores them smaller once."
        ),
    ),
    (
        lambda f: f.device == "cpu" and not f.has_openvino,
        lambda _: 'OpenVINO computes frozen backbones two to three times as fast: pip install -e ".[openvino]".',
    ),
    (
        lambda f: f.device == "cpu" and f.threads < f.speeds.cores,
        lambda f: (
            f"torch computes on {f.threads} of {f.speeds.cores} cores: unset OMP_NUM_THREADS, or set it to "
            f"{f.speeds.cores}."
        ),
    ),
    (
        lambda f: f.device == "cpu" and not f.has_bfloat16,
        lambda _: "This processor has no bfloat16 (AVX-512 BF16, AMX): one that has it computes about twice as fast.",
    ),
    (
        lambda f: f.device == "cuda" and not f.has_bfloat16,
        lambda _: "This GPU has no bfloat16: runs use float16, which this command does not measure.",
    ),
    (
        lambda f: f.speeds.forward < f.speeds.loading,
        lambda f: (
            f"The network is what takes the time, not the photos: with a frozen backbone each photo is looked at once "
            f"({f.speeds.together(f.speeds.forward):,.0f} images/s) and every epoch after that runs at "
            f"{f.speeds.head:,.0f} images/s, as long as model.cache is on, which it is by default."
        ),
    ),
    (
        lambda f: f.fine_tuning > LONG,
        lambda _: (
            "Training everything takes over an hour here: try the frozen backbone first, a smaller one "
            "(model.backbone=mobilenet_v3_large), or smaller images (model.image_size=160)."
        ),
    ),
)
NOTHING = "Nothing to change: the default settings use this machine well."


def advice(facts: Facts) -> list[str]:
    """A sentence for each thing that could be better; one that says so where nothing could."""
    return [said(facts) for holds, said in ADVICE if holds(facts)] or [NOTHING]
