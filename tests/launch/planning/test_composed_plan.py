from __future__ import annotations

import re
from pathlib import Path

import pytest

from dogbreed.errors import ConfigError
from launch.planning.plan_text import plan_text
from launch.requests.validation import check
from tests.drawn_photos import draw_folder
from tests.launch.planned import planned, run_of, shipped

PRESETS = ["public_a", "public_b", "public_c", "public_d", "public_e"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"))


def channels(parameters: dict[str, object]) -> dict[str, str]:
    found = parameters.get("InputDataConfig", [])
    return {c["ChannelName"]: c["DataSource"]["S3DataSource"]["S3Uri"] for c in found}  # type: ignore[attr-defined]


def test_a_run_travels_as_the_settings_that_were_typed(photos: Path) -> None:
    plan = planned(f"data.root={photos}", "model.dropout=0.5", "job.spot=true", "paths.output_dir=here")
    assert run_of(plan) == {"overrides": ["data=folder", "model.dropout=0.5"], "trial": False, "left_out": []}
    assert plan.request.operation == "CreateTrainingJob"
    assert plan.request.parameters["EnableManagedSpotTraining"] is True


def test_photos_come_by_a_channel_for_each_split(photos: Path) -> None:
    plan = planned(f"data.root={photos}")
    assert plan.photos is not None
    found = channels(dict(plan.request.parameters))
    assert found == {name: f"{plan.photos.uri}{name}/" for name in ("train", "valid", "test")}
    assert plan.photos.uri == f"s3://bucket/dogbreed/photos/{plan.photos.manifest.sha256[:16]}/"


def test_a_search_has_no_channel_of_test_photos_and_is_told_to_leave_no_model(photos: Path) -> None:
    plan = planned("+hpo=true", f"data.root={photos}", "n_trials=7", "n_jobs=2")
    assert plan.request.operation == "CreateHyperParameterTuningJob"
    assert set(channels(plan.request.parameters["TrainingJobDefinition"])) == {"train", "valid"}
    assert (run_of(plan)["trial"], run_of(plan)["left_out"]) == (True, ["test"])
    limits = plan.request.parameters["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert limits == {"MaxNumberOfTrainingJobs": 7, "MaxParallelTrainingJobs": 2}


def test_a_trial_keeps_checkpoints_in_s3_only_where_its_machine_may_be_taken() -> None:
    plain = planned("+hpo=true").request.parameters["TrainingJobDefinition"]
    spot = planned("+hpo=true", "job.spot=true").request.parameters["TrainingJobDefinition"]
    assert ("CheckpointConfig" in plain, "CheckpointConfig" in spot) == (False, True)


def test_a_file_of_weights_comes_by_a_channel_of_its_own(photos: Path, tmp_path: Path) -> None:
    weights = tmp_path / "mine.pth"
    weights.write_bytes(b"weights")
    plan = planned(f"data.root={photos}", f"model.weights={weights}")
    assert channels(dict(plan.request.parameters))["weights"].startswith("s3://bucket/dogbreed/weights/")
    assert run_of(plan)["overrides"] == ["data=folder"]


def test_photos_in_s3_are_used_where_they_are() -> None:
    plan = planned("data.root=s3://photos/dogs")
    assert channels(dict(plan.request.parameters)) == {"photos": "s3://photos/dogs/"}
    assert plan.photos is None
    found = planned("+hpo=true", "data.root=s3://photos/dogs").request.parameters["TrainingJobDefinition"]
    assert set(channels(found)) == {"train", "valid"}


def test_the_sample_is_drawn_in_the_container() -> None:
    plan = planned()
    assert channels(dict(plan.request.parameters)) == {}
    assert run_of(plan)["overrides"] == []


def test_the_same_command_has_the_same_name_and_any_other_another(photos: Path, tmp_path: Path) -> None:
    one = planned(f"data.root={photos}")
    names = {
        one.name,
        planned(f"data.root={photos}", "seed=7").name,
        planned(f"data.root={photos}", "job.instance_type=ml.m5.large").name,
        planned(f"data.root={draw_folder(tmp_path / 'others', classes=3)}").name,
    }
    assert len(names) == 4
    assert planned(f"data.root={photos}").request == one.request
    assert planned(f"data.root={photos}").archive == one.archive


def test_a_preset_of_a_search_takes_its_experiment_along() -> None:
    plan = planned("+hpo=true", "search=finetune", choices={"experiment": "finetune"})
    assert run_of(plan)["overrides"] == ["experiment=finetune"]


def test_the_best_settings_are_what_is_trained(photos: Path) -> None:
    plan = planned(f"data.root={photos}", "model.dropout=0", best={"model.dropout": 0.25, "model.hidden": [512]})
    assert run_of(plan)["overrides"] == ["data=folder", "model.dropout=0.25", "model.hidden=[512]"]


def test_what_the_run_needs_beyond_the_base_is_installed() -> None:
    plain = shipped(planned(), "requirements.txt").decode()
    assert "pytorch-lightning==" in plain
    assert not re.search(r"^(torch|torchvision|timm|smdebug|boto3)\b", plain, re.MULTILINE)
    assert "timm==" in shipped(planned("model.backbone=timm/test_resnet"), "requirements.txt").decode()
    assert "psutil==" in shipped(planned("profiler=on"), "requirements.txt").decode()


@pytest.mark.parametrize("preset", PRESETS)
def test_everything_that_a_public_attempt_set_can_be_sent(preset: str) -> None:
    group = [f"experiment={preset}", f"job={preset}", f"debugger={preset}", f"profiler={preset}"]
    plan = planned("data.root=s3://photos/dogs", *group, "debugger.hosted=true")
    assert plan.request.parameters["DebugRuleConfigurations"]
    check(plan.request)
    search = planned("+hpo=true", "data.root=s3://photos/dogs", *group, f"search={preset}")
    check(search.request)
    # One instance type, in training as in tuning.
    resources = search.request.parameters["TrainingJobDefinition"]["ResourceConfig"]
    assert plan.request.parameters["ResourceConfig"]["InstanceType"] == resources["InstanceType"]


def test_a_container_without_network_is_not_left_to_fetch_weights() -> None:
    isolated = ["data.root=s3://photos/dogs", "job.network_isolation=true", "job.image=mine:1"]
    with pytest.raises(ConfigError, match=r"model\.weights=PATH"):
        planned(*isolated)
    assert planned(*isolated, "model.weights=null").request.parameters["EnableNetworkIsolation"]


def test_a_search_may_fall_back_to_other_instance_types() -> None:
    plan = planned("+hpo=true", "job.instance_type=ml.m5.xlarge", "job.instance_preferences=[ml.m5.2xlarge]")
    assert "ml.m5.xlarge or ml.m5.2xlarge" in plan_text(plan, region="us-east-1")


def test_hosted_rules_are_not_asked_for_unless_they_are_wanted() -> None:
    found = planned("debugger=rules", "profiler=on").request.parameters
    assert "DebugHookConfig" not in found
    assert found["ProfilerConfig"] == {"DisableProfiler": True}


IMPOSSIBLE = [
    ("the trials of a tuning job", ["+hpo=true", "debugger=public_a", "debugger.hosted=true"]),
    ("lr_find=false", ["+hpo=true", "lr_find=true"]),
]


@pytest.mark.parametrize(("sentence", "overrides"), IMPOSSIBLE)
def test_what_a_search_cannot_have_is_said(sentence: str, overrides: list[str]) -> None:
    with pytest.raises(ConfigError, match=sentence):
        planned(*overrides)
