"""What went wrong for others on SageMaker: jobs and endpoints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dogbreed.errors import ArtifactError, DogbreedError
from dogbreed.serving.error import RequestError
from dogbreed.serving.handler import input_fn
from launch.endpoints.model_archive import model_archive
from launch.planning.plan_text import plan_text
from tests.launch.planned import planned


def test_fault_25_a_model_that_is_not_there_is_met_before_anything_is_deployed(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(ArtifactError, match=r"model\.json"):
        model_archive(tmp_path / "model")


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/meta-data/", "https://example.com/dog.jpg", "file:///etc/passwd"]
)
def test_fault_29_nothing_is_fetched_for_whoever_asks_an_endpoint(url: str) -> None:
    with pytest.raises(RequestError) as refused:
        input_fn(json.dumps({"url": url}).encode(), "application/json")
    assert 400 <= refused.value.status < 500


def test_fault_32_the_plan_of_a_job_names_its_price_and_the_quota_it_needs() -> None:
    told = plan_text(planned("job.instance_type=ml.p3.2xlarge", "job.framework_version=2.6.0"), region="us-east-1")
    assert "ml.p3.2xlarge for training job usage: 1 at least" in told
    assert "an hour" in told


def test_fault_33_a_typing_error_is_met_without_an_account() -> None:
    with pytest.raises(DogbreedError, match=r"ml\.g4dn\.xlarge"):
        planned("job.instance_type=ml.g4dn.xlagre")
