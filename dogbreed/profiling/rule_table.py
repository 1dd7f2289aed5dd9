"""All rules, by SageMaker's names."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from dogbreed.errors import ConfigError
from dogbreed.profiling.rule import Rule
from dogbreed.profiling.rules.bottlenecks import cpu_bottleneck, io_bottleneck
from dogbreed.profiling.rules.gpu import gpu_memory_increase, load_balancing, low_gpu_utilization
from dogbreed.profiling.rules.room import batch_size
from dogbreed.profiling.rules.steps import dataloader, max_initialization_time, step_outlier
from dogbreed.profiling.rules.usage import overall_system_usage

RULES: dict[str, Rule] = {
    "LowGPUUtilization": Rule(
        low_gpu_utilization,
        "Give the GPU more to do at a time: a larger data.batch_size; more data.num_workers or data.prepare=true where "
        "it waits for photos; trainer.accelerator=gpu where it is not used; else a smaller machine is enough.",
    ),
    "BatchSize": Rule(
        batch_size, "Raise data.batch_size (a larger one wants a higher model.learning_rate), or use a smaller machine."
    ),
    "CPUBottleneck": Rule(
        cpu_bottleneck,
        "Take work off the processor: data.prepare=true decodes each photo once; more data.num_workers where cores are "
        "free, a lighter data.augmentation where none are.",
    ),
    "IOBottleneck": Rule(
        io_bottleneck,
        "Read less, or from a faster disk: data.prepare=true keeps photos small, paths.cache_dir on a local disk; more "
        "data.num_workers wait for the disk at the same time.",
    ),
    "GPUMemoryIncrease": Rule(
        gpu_memory_increase,
        "Should it go on until the memory is full: a smaller data.batch_size, trainer.precision=16-mixed, or a larger "
        "GPU; keep no tensor that still knows its gradient.",
    ),
    "LoadBalancing": Rule(
        load_balancing, "Use all GPUs alike: trainer.devices for those that are there, and the same data for each."
    ),
    "StepOutlier": Rule(
        step_outlier,
        "Look for what happens at those steps: a slow disk, another program, too few data.num_workers, checkpoints.",
    ),
    "Dataloader": Rule(
        dataloader,
        "Where training waits: more data.num_workers (up to the cores), data.prepare=true or a lighter "
        "data.augmentation; where there are more processes than twice the cores, a smaller data.num_workers.",
    ),
    "MaxInitializationTime": Rule(
        max_initialization_time,
        "Let the start be done once: keep paths.cache_dir between runs, with checked folders, features and prepared "
        "photos in it.",
    ),
    "OverallSystemUsage": Rule(overall_system_usage, ""),
}
# Runs all of them; its parameters are theirs, as <rule>_<parameter>.
REPORT = "ProfilerReport"
Settings = dict[str, dict[str, Any]]


def rule_settings(given: Mapping[str, Mapping[str, Any]]) -> Settings:
    """All parameters of the rules that are asked for; `ProfilerReport` asks for every rule.

    Args:
        given: parameters that differ from the defaults, by rule.

    Raises:
        ConfigError: an unknown rule or parameter.

    >>> rule_settings({"ProfilerReport": {"CPUBottleneck_threshold": 90}})["CPUBottleneck"]["threshold"]
    90
    """
    wanted: dict[str, dict[str, Any]] = {name: {} for name in RULES} if REPORT in given else {}
    for key, value in (given.get(REPORT) or {}).items():
        rule, _, parameter = key.partition("_")
        wanted.setdefault(rule, {})[parameter] = value
    for name, parameters in given.items():
        if name != REPORT:
            wanted.setdefault(name, {}).update(parameters or {})
    return {name: _rule(name).settings(name, parameters) for name, parameters in wanted.items()}


def _rule(name: str) -> Rule:
    if name not in RULES:
        near = get_close_matches(name, [*RULES, REPORT], n=1) or [", ".join([*RULES, REPORT])]
        raise ConfigError(f"Unknown profiler rule {name!r}: did you mean {near[0]}?")
    return RULES[name]
