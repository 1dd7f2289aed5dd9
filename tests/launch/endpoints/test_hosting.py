from __future__ import annotations

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from dogbreed.composed_run import CONF
from dogbreed.errors import ConfigError
from launch.endpoints.deployment import Deployment, deployment
from launch.endpoints.endpoint_limits import SERVERS
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.hosting import autoscaling, endpoint, endpoint_config, endpoint_update, model
from launch.requests.request import Request
from launch.requests.validation import check

ROLE = "arn:aws:iam::123456789012:role/dogs"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/dogs:1"
DATA = "s3://bucket/dogbreed/models/0/model.tar.gz"
ROOT = "s3://bucket/dogbreed"
SERVERLESS: dict[str, Any] = {
    "kind": "serverless",
    "server": "torchserve",
    "instance_type": None,
    "memory_mb": 3072,
    "max_concurrency": 5,
}
ASYNC: dict[str, Any] = {"kind": "async"}
VPC: dict[str, Any] = {"subnets": ["subnet-1"], "security_groups": ["sg-1"]}
SCALED: dict[str, Any] = {"min_instances": 1, "max_instances": 4}


def preset(name: str) -> EndpointSettings:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("deploy", [f"endpoint={name}"])
    settings: Any = OmegaConf.to_container(config.endpoint)
    return EndpointSettings(**settings)


def planned(settings: EndpointSettings, **changes: Any) -> Deployment:
    given: dict[str, Any] = {"name": None, "role": ROLE, "region": "eu-west-1", "root": ROOT, "model_data": DATA}
    return deployment(settings, **given | changes)


def made_model(**settings: Any) -> Request:
    return model("m", EndpointSettings(**settings), image=IMAGE, role=ROLE, region="eu-west-1", model_data=DATA)


def variant(settings: EndpointSettings) -> dict[str, Any]:
    (found,) = endpoint_config("c", settings, model="m", root=ROOT).parameters["ProductionVariants"]
    return dict(found)


# What each server's container is told.
VARIABLES = {
    "ray": {
        "SM_RAYSERVE_APP": "ray_app:app",
        "RAYSERVE_BACKEND_URL": "http://127.0.0.1:8000/breeds",
        "RAYSERVE_BACKEND_TIMEOUT": "60",
        "DOGBREED_LOG_LEVEL": "20",
    },
    "torchserve": {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "60",
        "TS_MAX_REQUEST_SIZE": "6291456",
        "TS_MAX_RESPONSE_SIZE": "6291456",
        "TS_DEFAULT_RESPONSE_TIMEOUT": "60",
    },
}


def test_another_model_under_the_same_name_in_s3_makes_another_endpoint() -> None:
    first, other = (planned(EndpointSettings(), model_version=version) for version in ('"1"', '"2"'))
    assert len({one.name for one in (first, other, planned(EndpointSettings()))}) == 3
    assert first.model.parameters["PrimaryContainer"] == other.model.parameters["PrimaryContainer"]


@pytest.mark.parametrize("server", SERVERS)
def test_a_model_is_its_container_with_where_the_code_is_and_what_it_may_take(server: str) -> None:
    every = {"SAGEMAKER_REGION": "eu-west-1", "DOGBREED_MAX_BYTES": "6291456"}
    assert made_model(server=server) == Request(
        "CreateModel",
        {
            "ModelName": "m",
            "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": DATA, "Environment": {**VARIABLES[server], **every}},
            "ExecutionRoleArn": ROLE,
        },
    )


def told(**settings: Any) -> dict[str, str]:
    variables: dict[str, str] = made_model(**settings).parameters["PrimaryContainer"]["Environment"]
    return variables


def test_the_owner_sets_how_requests_are_read_and_the_server_takes_as_much() -> None:
    own = {"DOGBREED_MAX_BYTES": "1000000", "DOGBREED_FETCH_HOSTS": "photos.example"}
    for server in SERVERS:
        assert own.items() <= told(server=server, environment=own).items()
    assert told(server="torchserve", environment=own)["TS_MAX_REQUEST_SIZE"] == "1000000"


def test_each_server_is_told_how_many_copies_of_the_model_answer() -> None:
    assert told(server="ray", workers=3)["DOGBREED_REPLICAS"] == "3"
    assert told(server="torchserve", workers=3)["SAGEMAKER_MODEL_SERVER_WORKERS"] == "3"


@pytest.mark.parametrize(
    ("server", "instance_type", "image"),
    [
        ("ray", "ml.m5.large", "/ray:serve-ml-sagemaker-cpu-v1"),
        ("ray", "ml.g5.xlarge", "/ray:serve-ml-sagemaker-cuda-v1"),
        ("torchserve", "ml.m5.large", "/pytorch-inference:2.6.0-cpu-py312"),
    ],
)
def test_an_endpoint_runs_the_image_of_its_server(server: str, instance_type: str, image: str) -> None:
    plan = planned(EndpointSettings(server=server, instance_type=instance_type))
    assert plan.model.parameters["PrimaryContainer"]["Image"].endswith(image)
    assert ("InferenceAmiVersion" in variant(plan.settings)) == (instance_type == "ml.g5.xlarge")


def test_a_models_network_may_be_its_own_or_none() -> None:
    request = made_model(**VPC, network_isolation=True, image=IMAGE, environment={"LOG": "1"})
    assert request.parameters["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert request.parameters["EnableNetworkIsolation"] is True
    assert request.parameters["PrimaryContainer"]["Environment"]["LOG"] == "1"
    check(request)


# What the write-ups tell of their endpoints, and our own settings for what they leave out.
PUBLIC = {
    "public_a": ("ml.g4dn.xlarge", 1),
    "public_b": ("ml.g4dn.xlarge", 1),
    "public_c": ("ml.t2.medium", 1),
    "public_d": ("ml.m5.large", 1),
    "public_e": ("ml.t2.medium", 1),
}


@pytest.mark.parametrize(("name", "of"), PUBLIC.items())
def test_the_endpoints_of_public_attempts_are_theirs_field_by_field(name: str, of: tuple[str, int]) -> None:
    driver = {"InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-3-1"} if "g4dn" in of[0] else {}
    assert endpoint_config("c", preset(name), model="m", root=ROOT) == Request(
        "CreateEndpointConfig",
        {
            "EndpointConfigName": "c",
            "ProductionVariants": [
                {
                    "VariantName": "AllTraffic",
                    "ModelName": "m",
                    "InitialInstanceCount": of[1],
                    "InstanceType": of[0],
                    "InitialVariantWeight": 1.0,
                    "ModelDataDownloadTimeoutInSeconds": 900,
                    "ContainerStartupHealthCheckTimeoutInSeconds": 900,
                    **driver,
                }
            ],
        },
    )


@pytest.mark.parametrize("name", ["default", "serverless", "async", *PUBLIC])
def test_every_preset_is_a_deployment_that_aws_could_take(name: str) -> None:
    plan = planned(preset(name))
    assert [request.operation for request in plan.requests[:3]] == [
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
    ]


def test_a_serverless_endpoint_has_memory_and_no_instance() -> None:
    assert variant(preset("serverless")) == {
        "VariantName": "AllTraffic",
        "ModelName": "m",
        "InitialVariantWeight": 1.0,
        "ServerlessConfig": {"MemorySizeInMB": 3072, "MaxConcurrency": 5},
    }
    assert told(**SERVERLESS)["SAGEMAKER_MODEL_SERVER_WORKERS"] == "1"
    assert planned(preset("serverless")).model.parameters["PrimaryContainer"]["Image"].endswith("-cpu-py312")


def test_an_asynchronous_endpoint_leaves_answers_and_failures_below_our_prefix() -> None:
    config = endpoint_config("c", EndpointSettings(**ASYNC, requests_at_once=4), model="m", root=ROOT)
    assert config.parameters["AsyncInferenceConfig"] == {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        "OutputConfig": {"S3OutputPath": f"{ROOT}/async/output/", "S3FailurePath": f"{ROOT}/async/failed/"},
    }
    toolkit = told(**ASYNC, server="torchserve", response_seconds=600)
    assert (toolkit["TS_MAX_REQUEST_SIZE"], toolkit["TS_DEFAULT_RESPONSE_TIMEOUT"]) == ("67108864", "600")
    ray = told(**ASYNC, server="ray", response_seconds=600)
    assert (ray["DOGBREED_MAX_BYTES"], ray["RAYSERVE_BACKEND_TIMEOUT"]) == ("67108864", "600")


def test_nothing_is_captured_unless_it_is_wanted_and_then_below_our_prefix() -> None:
    assert "DataCaptureConfig" not in endpoint_config("c", EndpointSettings(), model="m", root=ROOT).parameters
    captured = endpoint_config(
        "c", EndpointSettings(capture_percent=10, output_kms_key="k", volume_kms_key="v"), model="m", root=ROOT
    )
    check(captured)
    assert captured.parameters["KmsKeyId"] == "v"
    assert captured.parameters["DataCaptureConfig"] == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": f"{ROOT}/capture/",
        "KmsKeyId": "k",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }


def test_the_number_of_instances_follows_the_requests() -> None:
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/dogs/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    service = "application-autoscaling"
    requests = autoscaling("dogs", EndpointSettings(**SCALED, target_per_instance=60.0))
    assert requests == [
        Request("RegisterScalableTarget", {**target, "MinCapacity": 1, "MaxCapacity": 4}, service),
        Request(
            "PutScalingPolicy",
            {
                "PolicyName": "dogs",
                **target,
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 60.0,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                    "ScaleInCooldown": 300,
                    "ScaleOutCooldown": 60,
                },
            },
            service,
        ),
    ]
    assert autoscaling("dogs", EndpointSettings()) == []
    for request in [*requests, *autoscaling("dogs", EndpointSettings(**ASYNC, **SCALED))]:
        check(request)


def test_an_update_goes_beside_the_old_instances_and_is_taken_back_when_an_alarm_rings() -> None:
    settings = EndpointSettings(canary_percent=10, update_wait_seconds=300, rollback_alarms=["dogs-5xx"], **SCALED)
    update = endpoint_update("dogs", settings, config="c")
    check(update)
    assert update.parameters == {
        "EndpointName": "dogs",
        "EndpointConfigName": "c",
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}],
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "WaitIntervalInSeconds": 300,
                    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
                },
                "TerminationWaitInSeconds": 300,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "dogs-5xx"}]},
        },
    }
    plain = endpoint_update("dogs", EndpointSettings(), config="c").parameters
    assert plain["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert "DeploymentConfig" not in endpoint_update("dogs", EndpointSettings(**SERVERLESS), config="c").parameters


def test_the_same_deployment_has_the_same_names_and_any_other_has_others() -> None:
    deployments: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({}, {}),
        ({"instance_count": 2}, {}),
        ({"environment": {"A": "1"}}, {}),
        ({}, {"model_data": "s3://bucket/dogbreed/models/1/model.tar.gz"}),
    ]
    names = [planned(EndpointSettings(**settings), **changes).name for settings, changes in deployments]
    assert names[0] == names[1]
    assert len(set(names)) == 4
    assert all(name.startswith("dogbreed-") and len(name) == 21 for name in names)


def test_all_that_is_made_carries_the_projects_tag() -> None:
    plan = planned(EndpointSettings(tags={"team": "dogs"}), name="dogs")
    for request in (plan.model, plan.config, plan.endpoint):
        tags = {tag["Key"]: tag["Value"] for tag in request.parameters["Tags"]}
        assert tags["project"] == "dogbreed"
        assert tags["team"] == "dogs"
    assert endpoint("dogs", config="c").parameters == {"EndpointName": "dogs", "EndpointConfigName": "c"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (SERVERLESS | {"instance_type": "ml.g4dn.xlarge"}, "no instances and no GPU"),
        (SERVERLESS | SCALED, "scales by itself"),
        (SERVERLESS | {"memory_mb": 1500}, "memory_mb to be one of 1024, 2048"),
        (SERVERLESS | {"memory_mb": None}, "needs endpoint.memory_mb"),
        (SERVERLESS | {"max_concurrency": 201}, "200 at most, got 201"),
        (SERVERLESS | {"provisioned_concurrency": 6}, "at most endpoint.max_concurrency"),
        (SERVERLESS | {"capture_percent": 5}, "keeps no copy"),
        (SERVERLESS | VPC, "no network of yours"),
        (SERVERLESS | {"requests_at_once": 2}, "is of an asynchronous endpoint"),
        (ASYNC | {"memory_mb": 2048}, "are of a serverless endpoint, this one is async"),
        ({"kind": "batch"}, "one of realtime, serverless, async"),
        ({"server": "flask"}, "one of ray, torchserve"),
        (SERVERLESS | {"server": "ray"}, "choose endpoint.server=torchserve"),
        ({"instance_type": None}, "needs endpoint.instance_type"),
        ({"min_instances": 1}, "needs both ends"),
        (SCALED | {"min_instances": 5}, "got 5 and 4"),
        (SCALED | {"instance_count": 5}, "from 1 to 4, got 5"),
        ({"instance_count": 0}, "1 at least, got 0"),
        ({"instance_count": "two"}, "a whole number, got 'two'"),
        ({"response_seconds": 61}, "choose endpoint=async"),
        ({"subnets": ["subnet-1"]}, "both endpoint.subnets and endpoint.security_groups"),
        ({"image": IMAGE, "framework_version": "2.6.0"}, "leave one of them out"),
        ({"network_isolation": True}, "cannot install"),
        ({"environment": {"DB_PASSWORD": "x"}}, "looks like a secret"),
        ({"environment": {"URL": "https://me:hidden@host/"}}, "looks like a secret"),
        ({"environment": {"WORKERS": 2}}, "a text, got 2"),
        ({"environment": {"DOGBREED_MAX_BYTES": "6MB"}}, "DOGBREED_MAX_BYTES to be a whole number, got '6MB'"),
        ({"environment": {"SAGEMAKER_PROGRAM": "mine.py"}}, "leave it out"),
        ({"environment": {"SM_RAYSERVE_APP": "mine:app"}}, "leave it out"),
    ],
)
def test_settings_that_contradict_each_other_are_told_in_one_sentence(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        EndpointSettings(**settings)
    assert message in str(error.value)
    assert "hidden" not in str(error.value)


def test_what_aws_would_not_take_is_met_with_the_field() -> None:
    with pytest.raises(ConfigError, match=r"CreateEndpointConfig.*InstanceType.*ml\.m5\.large"):
        planned(EndpointSettings(instance_type="ml.m5.largee"))
    with pytest.raises(ConfigError, match=r"CreateEndpoint\.EndpointName"):
        planned(EndpointSettings(), name="no_underscores")


def test_the_configuration_has_every_setting_with_its_own_default() -> None:
    assert preset("default") == EndpointSettings(rollback_alarms=[], subnets=[], security_groups=[])
