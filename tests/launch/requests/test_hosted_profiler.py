from __future__ import annotations

import re
import warnings
from typing import Any

import pytest

from dogbreed.errors import ConfigError
from dogbreed.profiling.rule_table import REPORT
from dogbreed.profiling.rule_table import RULES as OURS
from launch.requests.hosted_profiler import INTERVALS, RULES, hosted_profiler
from tests.launch.sdk import sdk

OUTPUT = "s3://bucket/dogbreed/debug/"
IMAGE = "503895931360.dkr.ecr.us-east-1.amazonaws.com/sagemaker-debugger-rules:latest"


def hosted(rules: Any, **settings: Any) -> dict[str, Any]:
    return hosted_profiler(rules, **{"region": "us-east-1", "output_uri": OUTPUT} | settings)


def of_the_sdk(name: str, **parameters: Any) -> dict[str, Any]:
    debugger = sdk("debugger")
    rule = debugger.ProfilerRule.sagemaker(getattr(debugger.rule_configs, name)(**parameters))
    rule.image_uri = IMAGE
    described: dict[str, Any] = rule.to_profiler_rule_config_dict()
    return described


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_sent_as_the_sdk_sends_it(name: str) -> None:
    assert hosted({name: None})["ProfilerRuleConfigurations"] == [of_the_sdk(name)]


def test_parameters_are_sent_as_the_sdk_sends_them() -> None:
    rules = {"CPUBottleneck": {"threshold": 90}, "ProfilerReport": {"CPUBottleneck_threshold": 90}}
    expected = [of_the_sdk(name, **parameters) for name, parameters in rules.items()]
    assert hosted(rules)["ProfilerRuleConfigurations"] == expected


@pytest.mark.parametrize("interval", INTERVALS)
def test_the_machine_is_watched_as_the_sdk_would_ask(interval: int) -> None:
    config = sdk("debugger").ProfilerConfig(s3_output_path=OUTPUT, system_monitor_interval_millis=interval)
    assert hosted({}, interval_milliseconds=interval)["ProfilerConfig"] == config._to_request_dict()


def test_steps_are_watched_as_the_sdk_would_ask() -> None:
    debugger = sdk("debugger")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = debugger.ProfilerConfig(
            s3_output_path=OUTPUT,
            system_monitor_interval_millis=500,
            framework_profile_params=debugger.FrameworkProfile(num_steps=10),
        )
    assert hosted({}, framework_steps=10)["ProfilerConfig"] == config._to_request_dict()


def test_every_hosted_rule_is_one_of_ours() -> None:
    assert set(RULES) <= {*OURS, REPORT}


@pytest.mark.parametrize(
    ("sentence", "settings"),
    [
        ("has no rule Dataloader; leave it out of profiler.rules", {"rules": {"Dataloader": {}}}),
        ("rule CPUBottleneck:", {"rules": {"CPUBottleneck": {"hope": 1}}}),
        ("rule CPUBottleneck:", {"rules": {"CPUBottleneck": {"threshold": 200}}}),
        ("rule ProfilerReport:", {"rules": {"ProfilerReport": {"hope": 1}}}),
        ("not every 300; choose profiler.interval", {"rules": {}, "interval_milliseconds": 300}),
        ("do not run in eu-central-2", {"rules": {}, "region": "eu-central-2"}),
    ],
)
def test_what_sagemakers_profiler_does_not_have_is_said_in_one_sentence(
    sentence: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=re.escape(sentence)) as error:
        hosted(**settings)
    assert "\n" not in str(error.value)
