"""`python -m dogbreed.tune` as a user types it."""

from __future__ import annotations

import csv
import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from dogbreed.composed_run import CONF
from dogbreed.data.lock import locked
from dogbreed.errors import ConfigError
from dogbreed.overrides import check_overrides
from dogbreed.predictor import BreedPredictor
from dogbreed.training.interruption import Interruption
from dogbreed.tune import tune as run
from tests.drawn_photos import draw_folder
from tests.test_train_command import QUICK

SMALL = (
    *QUICK,
    "report=false",
    "evaluation.mirror=false",
    "evaluation.duplicates=false",
    "search.seeds=1",
    "search.space.model.hidden.values=[[],[8]]",
    "search.space.data.batch_size.values=[8,16]",
)


def command(*overrides: str) -> list[str]:
    return [sys.executable, "-m", "dogbreed.tune", *overrides]


def tune(*overrides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*overrides), capture_output=True, text=True, check=False)


def rows(output_dir: Path) -> list[dict[str, str]]:
    with (output_dir / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"))


@pytest.mark.slow
def test_a_study_leaves_its_trials_its_best_settings_its_page_and_a_model(photos: Path, tmp_path: Path) -> None:
    output_dir = tmp_path / "study"
    given = [f"data.root={photos}", *SMALL, "n_trials=3", "search.seeds=2", f"paths.output_dir={output_dir}"]
    said = tune(*given)
    assert said.returncode == 0, said.stderr
    assert said.stderr == ""
    left = {path.name for path in output_dir.iterdir()}
    assert left >= {"trials.csv", "best.yaml", "report.html", "study.db", "model", "metrics.json"}
    assert [row["number"] for row in rows(output_dir)] == ["0", "1", "2"]
    assert len(BreedPredictor.load(output_dir / "model").predict(next((photos / "test").rglob("*.png")))) == 4

    # The command that is printed to be pasted leaves the very same model.
    (pasted,) = [line.partition(", or: ")[2] for line in said.stdout.splitlines() if ", or: python" in line]
    words = shlex.split(pasted)
    again = [sys.executable, *words[1:], f"paths.output_dir={tmp_path / 'again'}"]
    subprocess.run(again, check=True, capture_output=True)
    cards = [json.loads((folder / "model" / "model.json").read_text()) for folder in (output_dir, tmp_path / "again")]
    assert cards[0]["weights"] == cards[1]["weights"]
    best = yaml.safe_load((output_dir / "best.yaml").read_text())
    assert best["model"]["learning_rate"] == cards[0]["training"]["settings"]["learning_rate"]

    more = tune(*given, "n_trials=4")
    assert more.returncode == 0, more.stderr
    assert [row["number"] for row in rows(output_dir)] == ["0", "1", "2", "3"]

    other = tune(*given, "n_trials=4", "model.eps=1e-6")
    assert other.returncode == 1
    assert "a study with another model.eps" in other.stderr


# Of a trial that is cut off by other means: tests/tuning/test_trying.py
@pytest.mark.exhaustive
def test_a_study_that_is_killed_in_a_trial_goes_on_with_that_trial(photos: Path, tmp_path: Path) -> None:
    given = [f"data.root={photos}", *SMALL, "n_trials=3"]
    assert tune(*given, f"paths.output_dir={tmp_path / 'whole'}").returncode == 0
    # The second goes on where the first was ended.
    for ending, place in ((signal.SIGINT, 1), (signal.SIGKILL, 2)):
        process = subprocess.Popen(
            command(*given, f"paths.output_dir={tmp_path / 'ended'}"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        # In the middle of a trial: its folder is there, its row is not.
        while not (tmp_path / "ended" / "trials" / f"{place:03d}").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(ending)
        _, said = process.communicate()
        if ending == signal.SIGINT:
            assert process.returncode == 130
            assert "To go on: python -m dogbreed.tune" in said
    assert len(rows(tmp_path / "ended")) == 2
    rest = tune(*given, f"paths.output_dir={tmp_path / 'ended'}")
    assert rest.returncode == 0, rest.stderr
    assert settings(tmp_path / "ended") == settings(tmp_path / "whole")


def settings(output_dir: Path) -> list[dict[str, Any]]:
    """Every trial, less its seconds."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows(output_dir)]


@pytest.mark.slow
def test_trials_can_run_two_at_once(photos: Path, tmp_path: Path) -> None:
    given = [f"data.root={photos}", *SMALL, "n_trials=2", "n_jobs=2", f"paths.output_dir={tmp_path / 'study'}"]
    said = tune(*given)
    assert said.returncode == 0, said.stderr
    found = rows(tmp_path / "study")
    assert len(found) == 2
    assert {row["state"] for row in found} <= {"complete", "pruned"}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "+search.space.model.learning_rates={_target_:dogbreed.tuning.Uniform,low:0,high:1}",
            "did you mean model.learning_rate",
        ),
        ("search.space.model.learning_rate.low=1", "Expected two numbers above zero, the lower first"),
        ("search.space.model.dropout.high=2", "Expected model.dropout to be in [0, 1)"),
        ("search.space.data.batch_size.values=[8,0]", "Expected data.batch_size to be at least 1, got 0"),
        ("search.space.model.hidden.values=[[],eight]", "Expected model.hidden to be"),
        ("search.space.model.dropout=0.5", "Expected search.space.model.dropout to be a range or a choice"),
        (
            "+search.space.trainer={max_epochs:{_target_:dogbreed.tuning.Integers,low:0,high:9}}",
            "trainer.max_epochs to be at least 1, got 0",
        ),
        (
            "+search.space.data.num_workers={_target_:dogbreed.tuning.Integers,low:0,high:2}",
            "data.num_workers would find nothing",
        ),
        ("search.metric=test/acc", "Expected search.metric to be one of val/loss"),
        ("search.early_stopping=3", "Expected search.early_stopping to be true or false"),
        ("lr_find=true", "lr_find=false"),
        ("trainer.limit_test_batches=0", "Expected trainer.limit_test_batches to leave photos to test on"),
        ("evaluation.tta=1", "Expected evaluation.tta to be true or false"),
        ("report=no", "Expected report to be true or false"),
        ("debugger.rules={Nonsense:{}}", "Nonsense"),
        ("n_trials=0", "Expected n_trials to be a whole number of at least 1, got 0"),
        ("n_jobs=two", "Expected n_jobs to be a whole number of at least 1, got 'two'"),
    ],
)
def test_what_cannot_be_searched_is_told_before_anything_starts(
    photos: Path, tmp_path: Path, override: str, said: str
) -> None:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        given = ["data=folder", f"data.root={photos}", *QUICK, override, f"paths.output_dir={tmp_path / 'study'}"]
        config = compose("tune", given)
    with pytest.raises(ConfigError) as told:
        run(config, Interruption())
    assert said in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_without_optuna_the_line_to_install_it_comes_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("tune", ["data=folder", "data.root=nowhere", f"paths.output_dir={tmp_path / 'study'}"])
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[tuning\]"'):
        run(config, Interruption())


def test_two_searches_do_not_share_a_folder(photos: Path, tmp_path: Path) -> None:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("tune", ["data=folder", f"data.root={photos}", *QUICK, f"paths.output_dir={tmp_path}"])
    with locked(tmp_path / "study.db"), pytest.raises(ConfigError, match="Another process is at work"):
        run(config, Interruption())


@pytest.mark.parametrize(("override", "said"), [("search=frosen", "frozen"), ("n_job=2", "did you mean n_jobs?")])
def test_a_setting_that_does_not_exist_is_told_with_the_nearest(override: str, said: str) -> None:
    with pytest.raises(ConfigError, match="Unknown") as told:
        check_overrides(CONF, "tune", [override])
    assert said in str(told.value)


@pytest.mark.slow
def test_a_fault_is_one_line_and_a_status(tmp_path: Path) -> None:
    said = tune("data.root=nowhere", *QUICK, f"paths.output_dir={tmp_path / 'study'}")
    assert said.returncode == 1
    assert said.stderr.startswith("error: ")
    assert said.stderr.count("\n") == 1
