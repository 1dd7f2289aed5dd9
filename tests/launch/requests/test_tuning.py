from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from dogbreed.composed_run import CONF
from dogbreed.epoch_line import METRICS, OBJECTIVES, metric_regex, objective_regex
from dogbreed.errors import ConfigError
from dogbreed.job.hyperparameters import hyperparameters, overrides
from dogbreed.tuning.search import build_space
from dogbreed.tuning.space import Choice, Integers, LogUniform, Space, Uniform
from launch.requests.parameter_ranges import parameter_ranges
from launch.requests.tuning import Completion, Hyperband, WarmStart, tuning_job

REQUEST = (
    ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    .operation_model("CreateHyperParameterTuningJob")
    .input_shape
)
TRAINING_JOB: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "FastFile"},
    "RoleArn": "arn:aws:iam::123456789012:role/dogbreed",
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/dogs/train"}},
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
    "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "StaticHyperParameters": {"sagemaker_program": "container.py", "sagemaker_submit_directory": "s3://bucket/code"},
}
SPACE: Space = {
    "model.learning_rate": LogUniform(1e-5, 1e-2),
    "model.dropout": Uniform(0.0, 0.5),
    "trainer.max_epochs": Integers(5, 20),
    "model.hidden": Choice([[], [512], [512, 256]]),
    "model.schedule": Choice(["cosine", "constant"]),
    "model.train_batch_norm": Choice([None, True, False]),
    "data.batch_size": Choice([32, 64]),
}
CHOICES: Space = {"data.batch_size": Choice([32, 64]), "model.frozen": Choice([True, False])}
PRESETS = ["frozen", "finetune", "public_a", "public_b", "public_c", "public_d", "public_e"]


def job(name: str = "dogs", space: Space = SPACE, **settings: Any) -> dict[str, Any]:
    return tuning_job(name, space, **{"training_job": TRAINING_JOB} | settings)


def config(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = job(**settings)["HyperParameterTuningJobConfig"]
    return found


def faults(request: Mapping[str, Any]) -> str:
    """What botocore would say before it sent the request, with no credentials; and what it leaves to the service."""
    report: str = ParamValidator().validate(request, REQUEST).generate_report()
    return report or "\n".join(breaches(request, REQUEST))


def breaches(value: Any, shape: Any) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from breaches(member, shape.members[name])
    elif shape.type_name in ("list", "map"):
        if len(value) > shape.metadata.get("max", len(value)):
            yield f"{shape.name}: {len(value)} items"
        items, kind = (value.values(), shape.value) if shape.type_name == "map" else (value, shape.member)
        for item in items:
            yield from breaches(item, kind)
    elif shape.type_name == "string":
        limits = shape.metadata
        pattern = limits.get("pattern", ".*").replace(r"\p{L}\p{Z}\p{N}", r"\w\s")
        if len(value) > limits.get("max", len(value)) or value not in limits.get("enum", [value]):
            yield f"{shape.name}: {value}"
        if not re.fullmatch(pattern, value):
            yield f"{shape.name}: {value} is not {pattern}"
    elif shape.type_name in ("integer", "long") and value > shape.metadata.get("max", value):
        yield f"{shape.name}: {value}"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"space": CHOICES, "strategy": "grid"},
        {"strategy": "random", "seed": 7, "max_jobs": None, "max_runtime_seconds": 3600},
        {"strategy": "hyperband", "hyperband": Hyperband(1, 20)},
        {"metric": "val/acc", "early_stopping": True, "max_jobs": 100, "max_parallel_jobs": 10},
        {"completion": Completion(target=0.1, not_improving=5, converged=True)},
        {"completion": Completion()},
        {"warm_start": WarmStart(["dogs-1", "dogs-2"], transfer=True), "tags": {"project": "dogs"}},
        {"static": {"data.root": "/opt/ml/input/data/train", "model.weights": None, "seed": 7}},
        {"training_job": {key: TRAINING_JOB[key] for key in TRAINING_JOB if key != "StaticHyperParameters"}},
    ],
)
def test_a_request_is_one_that_botocore_would_send(settings: dict[str, Any]) -> None:
    assert faults(job(**settings)) == ""


def test_what_botocore_would_not_send_is_noticed_here() -> None:
    request = job()
    request["HyperParameterTuningJobConfig"]["Strategy"] = "Guessing"
    assert "Guessing" in faults(request)
    assert "JobName" in faults(job() | {"HyperParameterTuningJobName": "no_name"})
    assert "Unknown parameter" in faults(job() | {"Hope": 1})


def test_ranges_say_in_texts_what_the_space_holds() -> None:
    assert parameter_ranges(SPACE) == {
        "IntegerParameterRanges": [
            {"Name": "trainer__max_epochs", "MinValue": "5", "MaxValue": "20", "ScalingType": "Linear"}
        ],
        "ContinuousParameterRanges": [
            {"Name": "model__learning_rate", "MinValue": "0.00001", "MaxValue": "0.01", "ScalingType": "Logarithmic"},
            {"Name": "model__dropout", "MinValue": "0.0", "MaxValue": "0.5", "ScalingType": "Linear"},
        ],
        "CategoricalParameterRanges": [
            {"Name": "model__hidden", "Values": ["[]", "[512]", "[512, 256]"]},
            {"Name": "model__schedule", "Values": ['"cosine"', '"constant"']},
            {"Name": "model__train_batch_norm", "Values": ["null", "true", "false"]},
            {"Name": "data__batch_size", "Values": ["32", "64"]},
        ],
    }


@pytest.mark.parametrize("bound", [1e-9, 1e-300 * 1e100, 0.1, 1 / 3, 2.5e-7, 123456.789, 1e9, 1e22])
def test_a_bound_is_exact_and_has_no_exponent(bound: float) -> None:
    (described,) = parameter_ranges({"x": LogUniform(bound, 1e30)})["ContinuousParameterRanges"]
    assert "e" not in described["MinValue"].lower()
    assert float(described["MinValue"]) == bound


def test_the_rest_of_the_training_job_is_passed_through_and_left_as_it_was() -> None:
    before = deepcopy(TRAINING_JOB)
    definition = job(static={"seed": 7})["TrainingJobDefinition"]
    definition["ResourceConfig"]["InstanceCount"] = 2
    assert before == TRAINING_JOB
    own = {"AlgorithmSpecification", "StaticHyperParameters", "ResourceConfig"}
    assert {key: definition[key] for key in definition if key not in own} == {
        key: before[key] for key in before if key not in own
    }
    assert definition["AlgorithmSpecification"]["TrainingImage"] == "image"
    assert definition["StaticHyperParameters"] == before["StaticHyperParameters"] | {"seed": "7"}


def test_static_settings_are_sent_as_json() -> None:
    shared = job(static={"model.weights": None, "model.backbone": "resnet18", "model.eps": 1e-8})
    assert shared["TrainingJobDefinition"]["StaticHyperParameters"].items() >= {
        ("model__weights", "null"),
        ("model__backbone", '"resnet18"'),
        ("model__eps", "1e-08"),
    }


@pytest.mark.parametrize("metric", OBJECTIVES)
def test_the_objective_is_read_at_the_epoch_whose_weights_are_kept_and_all_else_in_every_epoch(metric: str) -> None:
    request = job(metric=metric)
    definitions = request["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    assert [definition["Name"] for definition in definitions] == list(METRICS)
    expected = {name: metric_regex(name) for name in METRICS} | {metric: objective_regex(metric)}
    assert {definition["Name"]: definition["Regex"] for definition in definitions} == expected
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    assert objective == {"MetricName": metric, "Type": "Minimize" if metric == "val/loss" else "Maximize"}


def test_what_was_not_given_is_not_sent() -> None:
    request = job()
    assert request.keys() == {
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition",
    }
    assert config()["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 1}
    assert config()["TrainingJobEarlyStoppingType"] == "Off"
    assert not {"StrategyConfig", "TuningJobCompletionCriteria", "RandomSeed"} & config().keys()


def test_a_grid_has_as_many_jobs_as_points() -> None:
    grid = config(space=CHOICES, strategy="grid", max_jobs=20, max_parallel_jobs=4)
    assert grid["ResourceLimits"] == {"MaxParallelTrainingJobs": 4}


def test_what_was_given_is_sent() -> None:
    settings = config(
        strategy="hyperband",
        hyperband=Hyperband(2, 9),
        completion=Completion(target=0.1, not_improving=3, converged=True),
        seed=0,
    )
    assert settings["StrategyConfig"] == {"HyperbandStrategyConfig": {"MinResource": 2, "MaxResource": 9}}
    assert settings["TuningJobCompletionCriteria"] == {
        "TargetObjectiveMetricValue": 0.1,
        "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3},
        "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"},
    }
    assert settings["RandomSeed"] == 0
    assert job(warm_start=WarmStart(["dogs-1"]))["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "dogs-1"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    assert job(tags={"project": "dogs"})["Tags"] == [{"Key": "project", "Value": "dogs"}]


def channel(name: str) -> dict[str, Any]:
    return TRAINING_JOB | {"InputDataConfig": [{**TRAINING_JOB["InputDataConfig"][0], "ChannelName": name}]}


MANY = {f"model.x{number}": Uniform(0.0, 1.0) for number in range(31)}
IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("choose its values, or another strategy", {"strategy": "grid"}),
    ("leave early_stopping out", {"strategy": "hyperband", "hyperband": Hyperband(1, 9), "early_stopping": True}),
    ("give hyperband its min_epochs", {"strategy": "hyperband"}),
    ("mean nothing to the strategy random", {"strategy": "random", "hyperband": Hyperband(1, 9)}),
    ("bayesian, random, hyperband, grid", {"strategy": "tpe"}),
    ("number of settings to search", {"space": MANY}),
    ("number of settings to search", {"space": {}}),
    ("number of values of data.batch_size", {"space": {"data.batch_size": Choice(range(31))}}),
    ("characters", {"space": {"model.weights": Choice(["a", "b" * 255])}}),
    ("characters", {"space": {"model.x": LogUniform(1e-300, 1.0)}}),
    ("characters", {"static": {"model.weights": "b" * 255}}),
    ("what JSON can write", {"space": {"model.x": Choice([object(), 1])}}),
    ("stand for the dot", {"space": {"model__x": Uniform(0.0, 1.0)}}),
    ("stand for the dot", {"static": {"sagemaker_program": "container.py"}}),
    ("trainer.max_epochs was given twice", {"static": {"trainer.max_epochs": 5}}),
    (
        "seed was given twice",
        {"static": {"seed": 7}, "training_job": TRAINING_JOB | {"StaticHyperParameters": {"seed": "7"}}},
    ),
    ("no channel of test photos", {"training_job": channel("test")}),
    ("no channel of test photos", {"training_job": channel("Test")}),
    ("not by 'test/loss'", {"metric": "test/loss"}),
    ("not by 'train/loss'", {"metric": "train/loss"}),
    ("not by 'val/f1'", {"metric": "val/f1"}),
    ("hyphens", {"name": "dogs_1"}),
    ("hyphens", {"name": ""}),
    ("hyphens", {"name": "dogs-"}),
    ("hyphens", {"name": "d" * 33}),
    ("hyphens", {"name": "d" + "-" * 31 + "s"}),
    ("max_parallel_jobs to be 1 at least and 100 at most", {"max_parallel_jobs": 101, "max_jobs": 200}),
    ("max_parallel_jobs to be 1", {"max_parallel_jobs": 0}),
    ("lower max_parallel_jobs", {"max_parallel_jobs": 21}),
    ("lower max_parallel_jobs", {"space": CHOICES, "strategy": "grid", "max_parallel_jobs": 5}),
    ("max_jobs to be 1", {"max_jobs": 0}),
    ("750 at most", {"max_jobs": 751}),
    ("10000 at most", {"max_jobs": 10_001, "strategy": "random"}),
    ("points of the grid", {"strategy": "grid", "space": {f"x{n}": Choice([0, 1]) for n in range(10)}}),
    ("max_runtime_seconds", {"max_runtime_seconds": 119}),
    ("seed", {"seed": -1}),
    ("hyperparameters in all", {"static": {f"model.x{number}": 1 for number in range(91)}}),
]


@pytest.mark.parametrize(("sentence", "settings"), IMPOSSIBLE)
def test_what_sagemaker_cannot_do_is_said_in_one_sentence(sentence: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=re.escape(sentence)) as error:
        job(**settings)
    assert "\n" not in str(error.value)


def test_as_many_hyperparameters_as_sagemaker_takes_can_be_sent() -> None:
    count = 100 - 1 - len(SPACE) - len(TRAINING_JOB["StaticHyperParameters"])
    assert faults(job(static={f"model.x{number}": 1 for number in range(count)})) == ""


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (Completion, {"not_improving": 2}),
        (WarmStart, {"parents": []}),
        (WarmStart, {"parents": ["dogs"] * 6}),
        (WarmStart, {"parents": ["no_name"]}),
        (Hyperband, {"min_epochs": 0, "max_epochs": 9}),
        (Hyperband, {"min_epochs": 10, "max_epochs": 9}),
        (Hyperband, {"min_epochs": 1, "max_epochs": 20_001}),
    ],
)
def test_what_no_tuning_job_has_is_refused(kind: type, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        kind(**arguments)


def extremes(space: Space) -> Iterator[tuple[str, str, Any]]:
    """Name, text as in `hyperparameters.json`, and value, of every end of every range of the request."""
    ranges = job(space=space)["HyperParameterTuningJobConfig"]["ParameterRanges"]
    for name, parameter in space.items():
        (described,) = [d for kind in ranges.values() for d in kind if d["Name"] == name.replace(".", "__")]
        if isinstance(parameter, Choice):
            yield from ((name, text, value) for text, value in zip(described["Values"], parameter.values, strict=True))
            continue
        yield name, described["MinValue"], parameter.low
        yield name, described["MaxValue"], parameter.high
        if not isinstance(parameter, Integers):
            yield name, repr(float(parameter.low)), float(parameter.low)
            yield (
                name,
                f"{parameter.low + (parameter.high - parameter.low) / 3:.17e}",
                (parameter.low + (parameter.high - parameter.low) / 3),
            )


def assert_arrives(space: Space) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for name, text, value in extremes(space):
            # What the tuning job adds, as the toolkit finds it.
            sent = {name.replace(".", "__"): text, "_tuning_objective_metric": "val/loss", "sagemaker_region": '"x"'}
            found = json.loads(json.dumps(hyperparameters(sent)))
            settings = compose("train", ["data=folder", "data.root=photos", *overrides(found)])
            arrived = OmegaConf.select(settings, name)
            plain = OmegaConf.to_container(arrived) if OmegaConf.is_config(arrived) else arrived
            assert (plain, type(plain)) == (value, type(value)), (name, text)


def test_every_end_of_a_range_arrives_in_the_run_as_it_was() -> None:
    assert_arrives(SPACE)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_becomes_a_request_and_arrives_in_the_run_as_it_was(preset: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        chosen = compose("tune", [f"search={preset}", "data=folder", "data.root=photos"])
    space = build_space(instantiate(chosen.search.space, _convert_="all"))
    assert faults(job(space=space)) == ""
    assert_arrives(space)


def test_a_request_is_made_without_torch_and_without_a_cloud() -> None:
    heavy = ("torch", "boto3", "botocore", "hydra")
    code = f"import sys, launch.requests.tuning; print([m for m in {heavy} if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"
