"""SageMaker's own profiler beside a training job: how often the machine is watched, and which rules are asked.

As Debugger, of which it is a part, it is closed to new customers since 30 July 2026; `profiler=on` watches from within
the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dogbreed.errors import ConfigError
from launch.requests.images import rule_image
from launch.requests.rule_configs import rule_configs

INTERVALS = (100, 200, 500, 1000, 5000, 60_000)
MOST = 20
# Those that AWS's package exports, and its service therefore takes.
RULES = (
    "BatchSize",
    "CPUBottleneck",
    "GPUMemoryIncrease",
    "IOBottleneck",
    "LoadBalancing",
    "LowGPUUtilization",
    "MaxInitializationTime",
    "OverallSystemUsage",
    "ProfilerReport",
    "StepOutlier",
)
# What AWS's SDK sends for the framework's part, beside the steps.
FRAMEWORK = {
    "LocalPath": "/opt/ml/output/profiler",
    "RotateMaxFileSizeInBytes": "10485760",
    "RotateFileCloseIntervalInSeconds": "60",
    "FileOpenFailThreshold": "50",
}
FRAMEWORK_PARTS = {
    "DetailedProfilingConfig": "",
    "DataloaderProfilingConfig": '"MetricsRegex": ".*", ',
    "PythonProfilingConfig": '"ProfilerName": "cprofile", "cProfileTimer": "total_time", ',
    "HorovodProfilingConfig": "",
    "SMDataParallelProfilingConfig": "",
}


def hosted_profiler(
    rules: Mapping[str, Mapping[str, Any] | None],
    *,
    region: str,
    output_uri: str,
    interval_milliseconds: int = 500,
    framework_steps: int = 0,
) -> dict[str, Any]:
    """The members of `CreateTrainingJob` that watch its machines: ProfilerConfig and ProfilerRuleConfigurations.

    Args:
        rules: names, each with parameters that differ from its defaults, as in conf/profiler/.
        region: of the job.
        output_uri: below which SageMaker puts what it has seen.
        interval_milliseconds: one of `INTERVALS`.
        framework_steps: so many steps are asked to be watched operator by operator; only images with PyTorch before 2.0
            do so, others overlook it.

    Raises:
        ConfigError: a rule, parameter or interval that SageMaker does not have, too many rules, or a region without.
    """
    if interval_milliseconds not in INTERVALS:
        raise ConfigError(
            f"SageMaker's profiler looks every {', '.join(map(str, INTERVALS))} milliseconds, not every "
            f"{interval_milliseconds}; choose profiler.interval, in seconds, from these."
        )
    if len(rules) > MOST:
        raise ConfigError(f"SageMaker's profiler takes {MOST} rules at most, got {len(rules)}; leave some out.")
    image = rule_image(region)
    config = {
        "S3OutputPath": output_uri,
        "DisableProfiler": False,
        "ProfilingIntervalInMilliseconds": interval_milliseconds,
    }
    if framework_steps:
        config["ProfilingParameters"] = FRAMEWORK | {
            name: f'{{"StartStep": 0, "NumSteps": {framework_steps}, {others}}}'
            for name, others in FRAMEWORK_PARTS.items()
        }
    return {
        "ProfilerConfig": config,
        "ProfilerRuleConfigurations": [_rule(name, given or {}, image) for name, given in rules.items()],
    }


def _rule(name: str, given: Mapping[str, Any], image: str) -> dict[str, Any]:
    if name not in RULES:
        raise ConfigError(
            f"SageMaker's profiler has no rule {name}; leave it out of profiler.rules, or leave debugger.hosted out: "
            f"profiler=on asks it in the job itself. Hosted are: {', '.join(RULES)}."
        )
    try:
        parameters = getattr(rule_configs(), name)(**given).rule_parameters
    # What its classes raise where a parameter is unknown, or its value of no use.
    except (TypeError, AssertionError) as error:
        raise ConfigError(f"Cannot ask SageMaker's rule {name}: {' '.join(str(error).split())}") from error
    return {
        "RuleConfigurationName": name,
        "RuleEvaluatorImage": image,
        "RuleParameters": {key: str(value) for key, value in parameters.items()},
    }
