"""The whole way of the public attempts, on loopback: jobs and endpoints really run, only AWS itself is not there."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from launch import cleanup, deploy, main, query
from launch.housekeeping.iam_actions import actions
from launch.housekeeping.policies import Scope, allowed_actions, user_policy
from tests.drawn_photos import draw_folder
from tests.launch.recorded_calls import recorded_calls
from tests.launch.rehearsal.jobs import QUICK
from tests.launch.service.service import REGION, Service

ROLE = "arn:aws:iam::123456789012:role/dogbreed"
NAME = r"dogbreed-[0-9a-f]{12}"


@pytest.fixture
def service(tmp_path: Path, toolkit: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """SageMaker as an account sees it that is set up by the environment."""
    monkeypatch.chdir(tmp_path)
    with Service(tmp_path / "service", toolkit) as running:
        variables = {
            "AWS_ENDPOINT_URL": running.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAGEMAKER_ROLE": ROLE,
            "HOME": str(tmp_path),
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("launch.jobs.following.BETWEEN_LOOKS", 0.5)
        yield running


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Calls a command's function with what was typed after its name; what it printed."""

    def call(command: Callable[[], object], *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        with suppress(SystemExit):
            command()
        return capsys.readouterr().out

    return call


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_search_train_the_best_deploy_ask_and_delete(
    service: Service, typed: Callable[..., str], tmp_path: Path
) -> None:
    photos = draw_folder(tmp_path / "photos")
    run = [f"data.root={photos}", *QUICK[1:], "trainer.max_epochs=1", "job.instance_type=ml.m5.xlarge", "yes=true"]
    with recorded_calls() as calls:
        told = typed(
            main.command, "+hpo=true", "+train_best=true", "n_trials=2", "n_jobs=1", *run, "paths.output_dir=run"
        )
        tuning, training = dict.fromkeys(re.findall(rf"(?:Tuning|Training) job ({NAME}) in", told))
        assert "64 of 64 files to upload" in told
        # The training job sees the same photos, and the test photos beside them.
        assert "0 of 64 files to upload" in told
        assert json.loads((tmp_path / "run" / "metrics.json").read_text())["data"]["photos"] == {
            "train": 40,
            "val": 12,
            "test": 12,
        }
        # The best of the search is what was trained, with rules and profiler on.
        best = service.tuning[tuning].truth()["BestTrainingJob"]["TunedHyperParameters"]
        config = (tmp_path / "run" / "config.yaml").read_text()
        assert f"weight_decay: {float(json.loads(best['model__weight_decay']))}" in config
        assert (tmp_path / "run" / "rules.json").exists()
        assert (tmp_path / "run" / "profiler").is_dir()

        again = typed(main.command, f"attach={training}", "paths.output_dir=run")
        assert "Completed" in again

        deployed = typed(deploy.command, f"model={training}", "endpoint.instance_type=ml.m5.large", "yes=true")
        endpoint = re.findall(r"endpoint=(\S+)", deployed)[0]
        photo = next((photos / "test").rglob("*.png"))
        answer = json.loads(typed(query.main, f"endpoint={endpoint}", str(photo), "format=json"))
        assert len(service.training) == 3

        alive = typed(cleanup.main)
        assert endpoint in alive
        typed(cleanup.main, "delete=all", "yes=true")
        assert endpoint not in typed(cleanup.main)

    from dogbreed import BreedPredictor

    predicted = BreedPredictor.load(tmp_path / "run" / "model").predict(photo)
    breeds = answer["predictions"]
    assert [breed["name"] for breed in breeds] == [breed.name for breed in predicted][: len(breeds)]
    assert [breed["probability"] for breed in breeds] == pytest.approx(
        [breed.probability for breed in predicted][: len(breeds)], abs=1e-5
    )
    account = ROLE.split(":")[4]
    scope = Scope(REGION, account, ROLE, f"sagemaker-{REGION}-{account}", "dogbreed")
    assert actions(calls) <= allowed_actions(user_policy(scope))
