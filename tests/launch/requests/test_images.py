from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from dogbreed.errors import ConfigError
from launch.requests.images import inference_image, ray_image, rule_image, training_image
from tests.launch.sdk import sdk

TRAINING = [
    ("pytorch-amzn2023", "us-east-1", "ml.m5.large", "2.13"),
    ("pytorch-amzn2023", "ap-south-2", "ml.g4dn.xlarge", "2.11"),
    ("pytorch-amzn2023", "il-central-1", "ml.p5.48xlarge", "2.13"),
    ("pytorch-amzn2023", "me-west-1", "ml.m7i-flex.large", "2.14"),
    ("pytorch", "us-gov-west-1", "ml.m5.large", "2.10"),
    ("pytorch", "eusc-de-east-1", "ml.g5.xlarge", "2.10"),
    ("pytorch", "cn-north-1", "ml.p3.2xlarge", "2.6.0"),
    ("pytorch", "us-iso-east-1", "ml.c5.2xlarge", "2.10.0"),
]
INFERENCE = [
    ("us-east-1", "ml.m5.large", "2.6"),
    ("us-east-1", "ml.t2.medium", "2.6.0"),
    ("eu-west-2", "ml.g5.xlarge", "2.3.0"),
    ("cn-north-1", "ml.g4dn.xlarge", "2.6"),
    ("eu-west-2", "ml.m6g.large", "2.6.0"),
    ("us-east-1", "ml.c7g.xlarge", "1.12"),
]


RAY = [
    ("us-east-1", "ml.m5.large", "1"),
    ("eu-west-2", "ml.g5.xlarge", "1"),
    ("cn-north-1", "ml.m5.large", "1"),
    ("us-east-1", "ml.g4dn.xlarge", "1.4"),
]


@pytest.mark.parametrize(("framework", "region", "instance_type", "version"), TRAINING)
def test_the_image_for_training_is_that_of_the_sdk(
    framework: str, region: str, instance_type: str, version: str
) -> None:
    expected = sdk("image_uris").retrieve(
        framework, region, version=version, instance_type=instance_type, image_scope="training"
    )
    assert training_image(region, instance_type, version) == expected


@pytest.mark.parametrize(("region", "instance_type", "version"), INFERENCE)
def test_the_image_for_endpoints_is_that_of_the_sdk(region: str, instance_type: str, version: str) -> None:
    expected = sdk("image_uris").retrieve(
        "pytorch", region, version=version, instance_type=instance_type, image_scope="inference"
    )
    assert inference_image(region, instance_type, version) == expected


@pytest.mark.parametrize(("region", "instance_type", "version"), RAY)
def test_the_image_for_ray_serve_is_that_of_the_sdk(region: str, instance_type: str, version: str) -> None:
    expected = sdk("image_uris").retrieve(
        "ray-serve", region, version=version, instance_type=instance_type, image_scope="inference"
    )
    assert ray_image(region, instance_type, version) == expected


def test_ray_serves_image_is_the_newest_of_its_major_version() -> None:
    assert ray_image("us-east-1", "ml.m5.large").endswith("/ray:serve-ml-sagemaker-cpu-v1")


@pytest.mark.parametrize(
    ("sentence", "arguments"),
    [
        ("do not run on Arm processors", ("us-east-1", "ml.c7g.xlarge", None)),
        ("no image for Ray Serve 9; it has 1, ", ("us-east-1", "ml.m5.large", "9")),
        ("no image for Ray Serve 1 in us-east1", ("us-east1", "ml.m5.large", None)),
        ("for Ray Serve 1 compute on cpu or gpu, not on", ("us-east-1", "ml.inf2.xlarge", None)),
    ],
)
def test_where_ray_serve_has_no_image_the_sentence_says_so(
    sentence: str, arguments: tuple[str, str, str | None]
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        ray_image(*arguments)


def test_the_newest_image_is_taken_unless_a_version_is_given() -> None:
    expected = sdk("image_uris").retrieve(
        "pytorch-amzn2023", "us-east-1", version="latest", instance_type="ml.g4dn.xlarge"
    )
    assert training_image("us-east-1", "ml.g4dn.xlarge") == expected
    assert ":2.6.0-cpu-" in inference_image("us-east-1", "ml.m5.large")


def test_a_serverless_endpoint_computes_on_a_processor() -> None:
    assert inference_image("us-east-1", None) == inference_image("us-east-1", "ml.m5.large")


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "sa-east-1", "us-gov-west-1"])
def test_the_image_of_rules_is_that_of_the_sdk(region: str) -> None:
    assert rule_image(region) == sdk("debugger").get_rule_container_image_uri("VanishingGradient", region)


@pytest.mark.parametrize(
    ("sentence", "arguments"),
    [
        ("has no image for PyTorch 3.0; it has", ("us-east-1", "ml.m5.large", "3.0")),
        ("in cn-north-1; choose an older framework_version", ("cn-north-1", "ml.m5.large", None)),
        ("in us-east1;", ("us-east1", "ml.m5.large", None)),
        ("compute on cpu or gpu, not on ml.trn1.2xlarge", ("us-east-1", "ml.trn1.2xlarge", None)),
        ("too old for CUDA 13", ("us-east-1", "ml.p3.2xlarge", None)),
    ],
)
def test_where_there_is_no_image_the_sentence_says_what_to_choose(
    sentence: str, arguments: tuple[str, str, str | None]
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        training_image(*arguments)


@pytest.mark.parametrize("region", ["il-central-1", "eu-central-2", "us-east1"])
def test_a_region_without_rules_is_refused(region: str) -> None:
    with pytest.raises(ConfigError, match=f"do not run in {region}.*debugger=rules"):
        rule_image(region)


def test_images_are_found_without_importing_the_sdk() -> None:
    code = (
        "import sys; from launch.requests.images import *\n"
        "training_image('us-east-1', 'ml.m5.large'); rule_image('us-east-1')\n"
        "print([name for name in sys.modules if name.startswith(('sagemaker', 'torch', 'numpy'))])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


def test_without_the_sdks_tables_the_line_that_installs_them_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    from launch.requests import images

    monkeypatch.setattr(images, "distribution", absent)
    images._table.cache_clear()
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[launch\]"'):
        training_image("us-east-1", "ml.m5.large")
