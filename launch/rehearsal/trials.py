"""The training jobs of a tuning job, as SageMaker makes them: values drawn from its ranges."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

from launch.requests.request import Request

TRIALS = 3
# What SageMaker adds to the hyperparameters of a trial.
OBJECTIVE = "_tuning_objective_metric"


def training_jobs(request: Request, count: int = TRIALS) -> list[dict[str, Any]]:
    """What `CreateTrainingJob` would be sent: of a training job itself, of a tuning job for its first trials.

    The values that a trial tries are the same for the same tuning job, which has no more trials than it allows.
    """
    if request.operation == "CreateTrainingJob":
        return [dict(request.parameters)]
    return [trial_job(request.parameters, drawn, number) for number, drawn in enumerate(_draws(request, count), 1)]


def trial_job(tuning: Mapping[str, Any], drawn: Mapping[str, str], number: int) -> dict[str, Any]:
    """The training job of a tuning job's trial.

    Args:
        tuning: parameters of `CreateHyperParameterTuningJob`.
        drawn: texts of the tuned hyperparameters, by name.
        number: from 1.
    """
    definition = dict(tuning["TrainingJobDefinition"])
    objective = {OBJECTIVE: objective_name(tuning)}
    shared = definition.pop("StaticHyperParameters", {})
    if (instances := definition.pop("HyperParameterTuningResourceConfig", None)) is not None:
        definition["ResourceConfig"] = instances["InstanceConfigs"][0]
    name = f"{tuning['HyperParameterTuningJobName']}-{number:03d}-rehearsal"
    return definition | {"TrainingJobName": name, "HyperParameters": objective | shared | drawn}


def objective_name(tuning: Mapping[str, Any]) -> str:
    """The metric that a tuning job goes by."""
    return str(tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"])


def _draws(request: Request, count: int) -> Iterator[dict[str, str]]:
    config = request.parameters["HyperParameterTuningJobConfig"]
    generator = random.Random(request.parameters["HyperParameterTuningJobName"])
    ranges = [(KINDS[kind], items) for kind, items in config["ParameterRanges"].items() if kind in KINDS]
    for number in range(min(count, config["ResourceLimits"].get("MaxNumberOfTrainingJobs", count))):
        yield {item["Name"]: draw(item, generator, number) for draw, items in ranges for item in items}


def _integer(item: Mapping[str, Any], generator: random.Random, _: int) -> str:
    return str(generator.randint(int(item["MinValue"]), int(item["MaxValue"])))


def _continuous(item: Mapping[str, Any], generator: random.Random, _: int) -> str:
    low, high = float(item["MinValue"]), float(item["MaxValue"])
    if item.get("ScalingType") == "Logarithmic":
        return repr(math.exp(generator.uniform(math.log(low), math.log(high))))
    return repr(generator.uniform(low, high))


def _categorical(item: Mapping[str, Any], _: random.Random, number: int) -> str:
    # In turn, so that each of the first is seen once.
    return str(item["Values"][number % len(item["Values"])])


KINDS = {
    "IntegerParameterRanges": _integer,
    "ContinuousParameterRanges": _continuous,
    "CategoricalParameterRanges": _categorical,
}
