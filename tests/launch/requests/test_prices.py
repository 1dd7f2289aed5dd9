from __future__ import annotations

import re
from typing import Any

import pytest

from dogbreed.tuning.space import Choice, LogUniform, Space
from launch.requests.job_settings import JobSettings
from launch.requests.machines import machines
from launch.requests.prices import ESTIMATE, PRICES, TABLE, highest_price, price, priced
from launch.requests.quotas import needed_quotas, quota_name, training_quotas
from launch.requests.request import Request
from launch.requests.training import training_definition, training_job
from launch.requests.tuning import tuning_job
from tests.launch.sdk import instance_types

PLACES: dict[str, Any] = {
    "image": "image",
    "role": "arn:aws:iam::123456789012:role/dogbreed",
    "region": "us-east-1",
    "channels": {},
    "source_uri": "s3://bucket/source.tar.gz",
    "output_uri": "s3://bucket/output/",
    "checkpoint_uri": "s3://bucket/checkpoints/",
}
RANGE: Space = {"model.learning_rate": LogUniform(1e-4, 1e-2)}
GRID: Space = {"data.batch_size": Choice([32, 64]), "model.hidden": Choice([[], [256], [512]])}


def training(**settings: Any) -> Request:
    return Request("CreateTrainingJob", training_job("dogs", JobSettings(**settings), **PLACES))


def tuning(space: Space = RANGE, *, job: dict[str, Any] | None = None, **search: Any) -> Request:
    definition = training_definition(JobSettings(**job or {}), **PLACES)
    parameters = tuning_job("dogs", space, training_job=definition, **search)
    return Request("CreateHyperParameterTuningJob", parameters)


def test_a_price_is_one_of_the_table_or_none() -> None:
    assert price("ml.g4dn.xlarge") == 0.736
    assert price("ml.c8i.96xlarge") is None
    assert all(0.01 < found < 100 for found in PRICES.values())


def test_the_table_says_of_when_and_whence_it_is() -> None:
    assert re.fullmatch(r"20\d\d-\d\d", TABLE["as_of"])
    assert "aws.amazon.com/sagemaker/pricing" in TABLE["source"]
    assert TABLE["as_of"] in ESTIMATE
    assert "estimate" in ESTIMATE


def test_most_prices_are_of_types_that_sagemaker_trains_on() -> None:
    others = {name for name in PRICES if name not in instance_types()}
    assert others == {name for name in PRICES if name.startswith("ml.t2.")} | {
        "ml.c5.large",
        "ml.c6i.large",
    }


def test_a_larger_machine_of_a_family_costs_more() -> None:
    for small, large in (("ml.g5.xlarge", "ml.g5.2xlarge"), ("ml.g5.12xlarge", "ml.g5.48xlarge")):
        assert PRICES[small] < PRICES[large]


def test_of_types_to_fall_back_to_the_dearest_counts() -> None:
    assert highest_price(["ml.g4dn.xlarge", "ml.g5.xlarge"], 2) == pytest.approx(2 * 1.408)
    assert highest_price(["ml.g4dn.xlarge", "ml.g7e.2xlarge"]) is None


def test_a_training_job_costs_at_most_what_its_machines_do_in_all_of_its_time() -> None:
    (line,) = priced(training(instance_count=2, max_run_seconds=3600))
    assert line == f"$1.47 an hour, $1.47 at most; {ESTIMATE}"


def test_what_is_kept_warm_is_counted() -> None:
    (line,) = priced(training(max_run_seconds=3600, keep_alive_seconds=3600))
    assert line.startswith("$0.74 an hour, $1.47 at most")


def test_spot_is_promised_no_price() -> None:
    line, note = priced(training(spot=True, max_run_seconds=3600))
    assert line.startswith("$0.74 an hour, $0.74 at most")
    assert "not known before" in note


def test_a_type_without_a_known_price_is_named() -> None:
    assert priced(training(instance_preferences=["ml.g7e.2xlarge"])) == [
        "not known for ml.g7e.2xlarge; see https://aws.amazon.com/sagemaker/pricing/"
    ]


def test_a_search_costs_at_most_what_all_of_its_jobs_do() -> None:
    (line,) = priced(tuning(job={"max_run_seconds": 3600}, max_jobs=20, max_parallel_jobs=2))
    assert line.startswith("$1.47 an hour, $14.72 at most")


def test_a_grid_has_as_many_jobs_as_points_and_other_searches_may_have_no_limit() -> None:
    assert machines(tuning(GRID, strategy="grid")).jobs == 6
    assert machines(tuning(max_jobs=None)).jobs is None
    assert "no limit" in priced(tuning(max_jobs=None))[0]


def test_a_search_that_falls_back_counts_as_a_job_that_does() -> None:
    asked = machines(tuning(job={"instance_preferences": ["ml.g5.xlarge"], "instance_count": 2}))
    assert (asked.instance_types, asked.count) == (("ml.g4dn.xlarge", "ml.g5.xlarge"), 2)


@pytest.mark.parametrize(
    ("use", "name"),
    [
        ("training", "ml.g5.xlarge for training job usage"),
        ("spot", "ml.g5.xlarge for spot training job usage"),
        ("warm", "ml.g5.xlarge for training warm pool usage"),
        ("endpoint", "ml.g5.xlarge for endpoint usage"),
    ],
)
def test_a_quota_has_the_name_that_aws_gives_it(use: str, name: str) -> None:
    assert quota_name("ml.g5.xlarge", use) == name


@pytest.mark.parametrize(
    ("request_", "needed"),
    [
        (training(), {"ml.g4dn.xlarge for training job usage": 1}),
        (training(spot=True, instance_count=3), {"ml.g4dn.xlarge for spot training job usage": 3}),
        (
            training(keep_alive_seconds=60),
            {"ml.g4dn.xlarge for training job usage": 1, "ml.g4dn.xlarge for training warm pool usage": 1},
        ),
        (
            training(instance_preferences=["ml.g5.xlarge"]),
            {"ml.g4dn.xlarge for training job usage": 1, "ml.g5.xlarge for training job usage": 1},
        ),
        (tuning(job={"instance_count": 2}, max_parallel_jobs=4), {"ml.g4dn.xlarge for training job usage": 8}),
    ],
)
def test_quotas_are_those_of_all_machines_at_a_time(request_: Request, needed: dict[str, int]) -> None:
    assert needed_quotas(request_) == needed
    assert training_quotas(request_) == [f"{name}: {count} at least" for name, count in needed.items()]
