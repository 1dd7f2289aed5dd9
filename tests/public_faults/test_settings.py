"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

Settings: each has an effect, and one that does not exist is refused.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dogbreed.composed_run import CONF
from dogbreed.data.check import main as check
from dogbreed.errors import ConfigError
from dogbreed.overrides import check_overrides
from dogbreed.predict import parse
from dogbreed.training.history import read_history
from tests.public_faults.conftest import WatchedRun
from tests.public_faults.tiny_run import command_run

# Each away from the value of the run that it is compared with.
MOVED = {
    "seed": 43,
    "data.batch_size": 10,
    "data.augmentation": "strong",
    "data.mixing": "cutmix",
    "trainer.max_epochs": 3,
    "trainer.gradient_clip_val": 0.01,
    "trainer.accumulate_grad_batches": 2,
    "model.learning_rate": 3e-2,
    "model.weight_decay": 1.0,
    "model.eps": 1e-2,
    "model.dropout": 0.5,
    "model.label_smoothing": 0.2,
    "model.backbone_rate": 1.0,
    "model.layer_decay": 0.2,
    "model.warmup": 0.5,
    "model.schedule": "constant",
    "model.hidden": [16],
    "model.frozen": "stage4",
    "model.image_size": 64,
    "callbacks.ema_decay": 0.9,
    "callbacks.unfreeze_epoch": 1,
}


def outcome(photos: Path, output_dir: Path, **changed: Any) -> tuple[str, int]:
    """The trained weights, as their hash, and the number of steps."""
    card = command_run(photos, output_dir, **changed)
    return card["weights"]["sha256"], int(read_history(output_dir / "history.csv")[-1]["step"])


@pytest.fixture(scope="module")
def unchanged(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int]:
    return outcome(photos, tmp_path_factory.mktemp("unchanged") / "run")


# fault 9
def test_the_same_settings_give_the_same_weights(photos: Path, tmp_path: Path, unchanged: tuple[str, int]) -> None:
    assert outcome(photos, tmp_path / "run") == unchanged


# fault 9
@pytest.mark.parametrize("setting", MOVED)
def test_a_setting_that_is_moved_moves_the_weights(
    photos: Path, tmp_path: Path, unchanged: tuple[str, int], setting: str
) -> None:
    weights, steps = outcome(photos, tmp_path / "run", **{setting.replace(".", "__"): MOVED[setting]})
    assert weights != unchanged[0]
    expected = {"trainer.max_epochs": 14, "data.batch_size": 7, "trainer.accumulate_grad_batches": 5}
    assert steps == expected.get(setting, 9)


# fault 9
def test_the_seed_decides_the_first_weights_too(photos: Path, tmp_path: Path) -> None:
    still = {"model__learning_rate": 0, "model__frozen": True, "trainer__max_epochs": 1}
    seeds = {"one": 1, "another": 2, "one again": 1}
    heads = [outcome(photos, tmp_path / name, seed=seed, **still)[0] for name, seed in seeds.items()]
    assert heads[0] == heads[2] != heads[1]


# fault 9
def test_the_balance_of_the_classes_moves_the_weights(photos: Path, tmp_path: Path) -> None:
    uneven = tmp_path / "photos"
    for path in sorted(photos.rglob("*.png")):
        if not path.match("train/001.*/[1-9].png"):
            link = uneven / path.relative_to(photos)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    plain = outcome(uneven, tmp_path / "plain")
    assert outcome(uneven, tmp_path / "balanced", model__class_weights="balanced")[0] != plain[0]


# fault 9
def test_patience_ends_a_run_that_gets_no_better(photos: Path, tmp_path: Path) -> None:
    stuck = {"model__learning_rate": 0, "trainer__max_epochs": 6, "model__frozen": True}
    assert outcome(photos, tmp_path / "run", callbacks__patience=1, **stuck)[1] < 29


# fault 27
@pytest.mark.parametrize(
    ("override", "near"),
    [
        ("model.learning_rat=1e-3", "model.learning_rate"),
        ("model.lr=1e-3", "model.learning_rate"),
        ("trainer.max_epoch=3", "trainer.max_epochs"),
        ("data.batchsize=8", "data.batch_size"),
        ("backbone=resnet18", "model.backbone"),
        ("experiment=finetun", "finetune"),
    ],
)
def test_a_misspelt_setting_of_a_run_is_refused_and_the_near_one_offered(override: str, near: str) -> None:
    with pytest.raises(ConfigError, match=near) as caught:
        check_overrides(CONF, "train", [override])
    assert "\n" not in str(caught.value)


# fault 27
@pytest.mark.parametrize("setting", ["topk=3", "modle=somewhere", "batchsize=1"])
def test_a_misspelt_setting_of_predict_is_refused_and_the_near_one_offered(setting: str, tmp_path: Path) -> None:
    near = {"topk": "top_k", "modle": "model", "batchsize": "batch_size"}[setting.partition("=")[0]]
    with pytest.raises(ConfigError, match=f"did you mean {near}") as caught:
        parse([f"model={tmp_path}", setting])
    assert "\n" not in str(caught.value)


# fault 27
@pytest.mark.parametrize(
    ("arguments", "near"), [(["--jsn=a.json"], "--json"), (["--al"], "--all"), (["al=1"], "--all")]
)
def test_a_misspelt_option_of_the_check_is_refused_and_the_near_one_offered(
    photos: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], near: str
) -> None:
    assert check([str(photos), *arguments]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert arguments[0] in lines[0]
    assert near in lines[0]


# fault 27
@pytest.mark.parametrize("command", ["train", "predict", "data.check"])
def test_each_command_ends_in_one_line_and_status_1(watched: WatchedRun, photos: Path, command: str) -> None:
    arguments = {
        "train": ["trainer.max_epoch=1"],
        "predict": [f"model={watched.run.output_dir / 'model'}", "topk=1", str(photos)],
        "data.check": [str(photos), "--jsn=a.json"],
    }[command]
    ended = subprocess.run([sys.executable, "-m", f"dogbreed.{command}", *arguments], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("error: ")
    assert {"train": "trainer.max_epochs", "predict": "top_k", "data.check": "--json"}[command] in ended.stderr
