from __future__ import annotations

import re
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from dogbreed.composed_run import CONF
from dogbreed.debugging.collections import from_sagemaker
from dogbreed.debugging.rule_table import RULES as OURS
from dogbreed.errors import ConfigError
from launch.requests.hosted_debugger import RULES, hosted_debugger
from launch.requests.hosted_profiler import hosted_profiler
from launch.requests.job_settings import JobSettings
from launch.requests.request import Request
from launch.requests.training import training_job
from launch.requests.validation import check
from tests.launch.sdk import sdk

OUTPUT = "s3://bucket/dogbreed/debug/"
IMAGE = "503895931360.dkr.ecr.us-east-1.amazonaws.com/sagemaker-debugger-rules:latest"
PLACES: dict[str, Any] = {
    "image": "image",
    "role": "arn:aws:iam::123456789012:role/dogbreed",
    "region": "us-east-1",
    "channels": {},
    "source_uri": "s3://bucket/source.tar.gz",
    "output_uri": "s3://bucket/output/",
    "checkpoint_uri": "s3://bucket/checkpoints/",
}


def hosted(rules: Any, collections: Any = None, **settings: Any) -> dict[str, Any]:
    places = {"region": "us-east-1", "output_uri": OUTPUT}
    return hosted_debugger(rules, collections or {}, **places | settings)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_sent_as_the_sdk_sends_it(name: str) -> None:
    given = {"regex": ".*input_image"} if name == "CheckInputImages" else {}
    rule = sdk("debugger").Rule.sagemaker(
        getattr(sdk("debugger").rule_configs, RULES[name].config)(), rule_parameters=given
    )
    rule.image_uri = IMAGE
    request = hosted({name: given})
    assert request["DebugRuleConfigurations"] == [rule.to_debugger_rule_config_dict()]
    hook = sdk("debugger").DebuggerHookConfig(s3_output_path=OUTPUT, collection_configs=rule.collection_configs)
    assert request["DebugHookConfig"] == hook._to_request_dict()


def test_parameters_are_sent_as_the_sdk_sends_them() -> None:
    debugger = sdk("debugger")
    given = {"tensor_regex": "CrossEntropyLoss_output_0", "num_steps": "5", "mode": "TRAIN"}
    rule = debugger.Rule.sagemaker(debugger.rule_configs.loss_not_decreasing(), rule_parameters=given)
    rule.image_uri = IMAGE
    asked = {"LossNotDecreasing": {**given, "num_steps": 5, "collection_names": None}}
    assert hosted(asked)["DebugRuleConfigurations"] == [rule.to_debugger_rule_config_dict()]


def test_every_hosted_rule_is_one_of_ours_and_our_own_are_refused_by_name() -> None:
    assert set(RULES) < set(OURS)
    for name in set(OURS) - set(RULES):
        with pytest.raises(ConfigError, match=f"no rule {name}; leave debugger.hosted out") as error:
            hosted({name: {}})
        assert "\n" not in str(error.value)


def test_the_hook_is_what_the_sdk_makes_of_the_same_settings() -> None:
    debugger = sdk("debugger")
    collection = debugger.CollectionConfig("weights", {"train.save_interval": "5", "eval.save_interval": "1"})
    hook = debugger.DebuggerHookConfig(
        s3_output_path=OUTPUT,
        hook_parameters={"train.save_interval": "100", "eval.save_interval": "10"},
        collection_configs=[collection],
    )
    made = hosted(
        {"Overfit": {}},
        {"weights": {"train": {"save_interval": 5}, "eval": {"save_interval": 1}}},
        hook_parameters={"train.save_interval": 100, "eval.save_interval": 10},
    )
    assert made["DebugHookConfig"] == hook._to_request_dict()


def test_a_job_records_what_the_request_says() -> None:
    made = hosted({"VanishingGradient": {}}, {"losses": {"train": {"save_interval": 5}}})
    recorded = {one.name: one for one in from_sagemaker(made["DebugHookConfig"])}
    assert [step for step in range(12) if recorded["losses"].due("TRAIN", step)] == [0, 5, 10]
    assert [step for step in range(1001) if recorded["gradients"].due("TRAIN", step)] == [0, 500, 1000]


MANY = {f"c{number}": {"include_regex": "x"} for number in range(21)}
IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("has no rule Overfitting", {"rules": {"Overfitting": {}}}),
    ("Overfit has no parameter 'rising'; its parameters are: tensor_regex", {"rules": {"Overfit": {"rising": 0.25}}}),
    ("give it regex=.*input_image", {"rules": {"CheckInputImages": {}}}),
    ("do not run in il-central-1", {"rules": {"Overfit": {}}, "region": "il-central-1"}),
    ("takes 20 collections of a job at most, got 21", {"rules": {}, "collections": MANY}),
    ("Unknown debugger collection 'CrossEntopyLoss'", {"rules": {}, "collections": {"CrossEntopyLoss": {}}}),
    ("to be at least 1", {"rules": {}, "collections": {"losses": {"save_interval": 0}}}),
]


@pytest.mark.parametrize(("sentence", "settings"), IMPOSSIBLE)
def test_what_sagemakers_debugger_does_not_have_is_said_in_one_sentence(
    sentence: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=re.escape(sentence)) as error:
        hosted(**settings)
    assert "\n" not in str(error.value)


def rule(name: str, **parameters: str) -> dict[str, Any]:
    return {
        "RuleConfigurationName": name,
        "RuleEvaluatorImage": IMAGE,
        "RuleParameters": {"rule_to_invoke": name, **parameters},
    }


def collection(name: str, **parameters: str) -> dict[str, Any]:
    named = {key.replace("_every", ".save_interval"): value for key, value in parameters.items()}
    return {"CollectionName": name, "CollectionParameters": named}


FOUR_RULES = [
    rule("VanishingGradient"),
    rule("Overfit"),
    rule("Overtraining"),
    rule("PoorWeightInitialization"),
]
OFTEN = {"train.save_interval": "100", "eval.save_interval": "10"}
LOW_GPU = {
    "RuleConfigurationName": "LowGPUUtilization",
    "RuleEvaluatorImage": IMAGE,
    "RuleParameters": {
        "threshold_p95": "70",
        "threshold_p5": "10",
        "window": "500",
        "patience": "1000",
        "scan_interval_us": "60000000",
        "rule_to_invoke": "LowGPUUtilization",
    },
}
REPORT = rule("ProfilerReport")
SYSTEM = {"S3OutputPath": OUTPUT, "DisableProfiler": False, "ProfilingIntervalInMilliseconds": 500}
TEN_STEPS = SYSTEM | {
    "ProfilingParameters": {
        "LocalPath": "/opt/ml/output/profiler",
        "RotateMaxFileSizeInBytes": "10485760",
        "RotateFileCloseIntervalInSeconds": "60",
        "FileOpenFailThreshold": "50",
        "DetailedProfilingConfig": '{"StartStep": 0, "NumSteps": 10, }',
        "DataloaderProfilingConfig": '{"StartStep": 0, "NumSteps": 10, "MetricsRegex": ".*", }',
        "PythonProfilingConfig": (
            '{"StartStep": 0, "NumSteps": 10, "ProfilerName": "cprofile", "cProfileTimer": "total_time", }'
        ),
        "HorovodProfilingConfig": '{"StartStep": 0, "NumSteps": 10, }',
        "SMDataParallelProfilingConfig": '{"StartStep": 0, "NumSteps": 10, }',
    }
}
# What each public attempt asks of Debugger and profiler, in the words of the API.
ATTEMPTS: dict[str, dict[str, Any]] = {
    "public_a": {
        "DebugHookConfig": {
            "S3OutputPath": OUTPUT,
            "CollectionConfigurations": [
                collection("losses", save_interval="500"),
                collection("gradients", save_interval="500"),
                collection("relu_input", include_regex=".*relu_input", save_interval="500"),
            ],
        },
        "DebugRuleConfigurations": FOUR_RULES,
        "ProfilerConfig": SYSTEM,
        "ProfilerRuleConfigurations": [LOW_GPU, REPORT],
    },
    "public_b": {
        "DebugHookConfig": {
            "S3OutputPath": OUTPUT,
            "HookParameters": OFTEN,
            "CollectionConfigurations": [
                collection("losses", train_every="100", eval_every="10"),
                collection("gradients", train_every="100"),
                collection("relu_input", include_regex=".*relu_input", train_every="100"),
            ],
        },
        "DebugRuleConfigurations": FOUR_RULES,
        "ProfilerConfig": TEN_STEPS,
        "ProfilerRuleConfigurations": [REPORT],
    },
    "public_c": {
        "DebugHookConfig": {
            "S3OutputPath": OUTPUT,
            "CollectionConfigurations": [
                *(collection(name, train_every="5", eval_every="1") for name in ("weights", "gradients", "biases")),
                collection(
                    "CrossEntropyLoss_output_0",
                    include_regex="CrossEntropyLoss_output_0",
                    train_every="1",
                    eval_every="1",
                ),
                # The SDK adds it for the rule.
                collection("losses", save_interval="500"),
            ],
        },
        "DebugRuleConfigurations": [rule("LossNotDecreasing", tensor_regex="CrossEntropyLoss_output_0")],
        "ProfilerConfig": TEN_STEPS,
        "ProfilerRuleConfigurations": [REPORT],
    },
    "public_d": {
        "DebugHookConfig": {
            "S3OutputPath": OUTPUT,
            "HookParameters": OFTEN,
            "CollectionConfigurations": [collection("losses", train_every="100", eval_every="10")],
        },
        "DebugRuleConfigurations": [rule("LossNotDecreasing")],
        "ProfilerConfig": TEN_STEPS,
        "ProfilerRuleConfigurations": [REPORT],
    },
    "public_e": {
        "DebugHookConfig": {
            "S3OutputPath": OUTPUT,
            "HookParameters": OFTEN,
            "CollectionConfigurations": [
                collection("losses", train_every="100", eval_every="10"),
                collection("gradients", train_every="100"),
            ],
        },
        "DebugRuleConfigurations": [rule("VanishingGradient"), rule("LossNotDecreasing")],
        "ProfilerConfig": TEN_STEPS,
        "ProfilerRuleConfigurations": [REPORT],
    },
}


@pytest.mark.parametrize("preset", ATTEMPTS)
def test_a_preset_asks_what_its_public_attempt_asked(preset: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        chosen = [f"{group}={preset}" for group in ("debugger", "profiler", "job")]
        composed = compose("sagemaker", [*chosen, "data=folder", "data.root=photos"])
    plain: Any = {
        name: OmegaConf.to_container(composed[name], resolve=False) for name in ("debugger", "profiler", "job")
    }
    debugger, profiler, job = plain["debugger"], plain["profiler"], plain["job"]
    settings = JobSettings(**job)
    debugging = hosted(
        debugger["rules"],
        debugger["collections"],
        hook_parameters=settings.hook_parameters,
    )
    debugging |= hosted_profiler(
        profiler["rules"],
        region="us-east-1",
        output_uri=OUTPUT,
        interval_milliseconds=round(1000 * profiler["interval"]),
        framework_steps=profiler["num_steps"],
    )
    assert debugging == ATTEMPTS[preset]
    request = training_job("dogbreed-1", settings, **PLACES, debugging=debugging)
    check(Request("CreateTrainingJob", request))
    assert {name: request[name] for name in debugging} == ATTEMPTS[preset]
