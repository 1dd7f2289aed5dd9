from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from dogbreed.composed_run import CONF
from dogbreed.tuning.best_settings import experiment_file, pasted, train_command

SETTINGS: dict[str, Any] = {
    "model.learning_rate": 1e-05,
    "model.hidden": [512],
    "model.schedule": "constant",
    "model.train_batch_norm": None,
    "data.batch_size": 64,
}
SEARCHED = ["data.root=my photos", "data=folder", "search=frozen", "search.seeds=1", "n_trials=5", "n_jobs=2"]


def read(*overrides: str, conf: Path = CONF) -> dict[str, Any]:
    with initialize_config_dir(str(conf), version_base="1.3"):
        config = compose("train", list(overrides))
    return {name: OmegaConf.select(config, name) for name in SETTINGS}


def test_the_pasted_command_trains_with_exactly_the_best_settings() -> None:
    arguments = [*SEARCHED, "paths.output_dir=elsewhere", "model.learning_rate=0.5"]
    words = shlex.split(pasted(train_command(arguments, SETTINGS)))
    assert words[:5] == ["python", "-m", "dogbreed.train", "data.root=my photos", "data=folder"]
    assert not any(
        word.startswith(("search", "n_trials", "n_jobs", "paths", "model.learning_rate=0.5")) for word in words
    )
    assert read(*words[4:], "data.root=photos") == SETTINGS


@pytest.mark.parametrize("experiment", [None, "finetune"])
def test_the_file_is_an_experiment_that_composes(tmp_path: Path, experiment: str | None) -> None:
    conf = tmp_path / "conf"
    conf.mkdir()
    for path in CONF.iterdir():
        if path.name != "experiment":
            (conf / path.name).symlink_to(path)
    (conf / "experiment").mkdir()
    (conf / "experiment" / "finetune.yaml").symlink_to(CONF / "experiment" / "finetune.yaml")
    (conf / "experiment" / "best.yaml").write_text(experiment_file(SETTINGS, "The best of 20 trials.", experiment))
    found = read("data=folder", "data.root=photos", "experiment=best", conf=conf)
    assert {**found, "model.train_batch_norm": None} == SETTINGS
    with initialize_config_dir(str(conf), version_base="1.3"):
        config = compose("train", ["data=folder", "data.root=photos", "experiment=best"])
    assert config.model.frozen is (experiment is None)


def test_an_experiment_that_the_search_has_chosen_is_in_the_command_once() -> None:
    assert train_command(["search=finetune"], {}, "finetune")[3:] == ["experiment=finetune"]
    assert train_command(["experiment=finetune"], {}, "finetune")[3:] == ["experiment=finetune"]
