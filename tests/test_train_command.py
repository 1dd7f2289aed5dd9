"""`python -m dogbreed.train` as a user types it."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drawn_photos import draw_folder

# A run of seconds: few photos, a small network.
QUICK = (
    "model.backbone=shufflenet_v2_x0_5",
    "model.weights=null",
    "model.image_size=32",
    "data.batch_size=8",
    "data.num_workers=0",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
)


def train(*overrides: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dogbreed.train", *overrides], capture_output=True, text=True, check=False, **settings
    )


def results(output_dir: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((output_dir / "metrics.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"))


def test_a_folder_of_photos_becomes_a_model_that_predicts(photos: Path, tmp_path: Path) -> None:
    run = train(f"data.root={photos}", *QUICK, f"paths.output_dir={tmp_path}/run")
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left >= {"model", "metrics.json", "checkpoints", "config.yaml", "history.csv", "tensorboard"}
    assert results(tmp_path / "run")["data"]["photos"] == {"train": 40, "val": 12, "test": 12}
    photo = next((photos / "test").rglob("*.png"))
    predict = [sys.executable, "-m", "dogbreed.predict", f"model={tmp_path}/run/model", str(photo)]
    answer = subprocess.run(predict, capture_output=True, text=True, check=True)
    assert "Synthetic_" in answer.stdout

    again = train(f"data.root={photos}", *QUICK, f"paths.output_dir={tmp_path}/run")
    assert again.returncode == 0
    assert "is complete" in again.stdout

    other = train(f"data.root={photos}", *QUICK, f"paths.output_dir={tmp_path}/run", "model.eps=1e-6")
    assert other.returncode == 1
    assert "another model.eps" in other.stderr


@pytest.mark.slow
def test_without_photos_of_ones_own_the_sample_is_learnt_far_above_chance_and_called_a_sample(tmp_path: Path) -> None:
    # Fewer epochs than a run without arguments has, and all else as it has it.
    run = train("trainer.max_epochs=5", "evaluation.mirror=false", "evaluation.duplicates=false", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "synthetic sample: drawn pictures, no dogs" in run.stdout
    assert "python -m dogbreed.train data=dogs" in run.stdout
    (output_dir,) = tmp_path.glob("outputs/*/*")
    assert results(output_dir)["metrics"]["test/acc"] > 0.4
    assert results(output_dir)["data"]["synthetic"] is True


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_the_run_with_the_command_that_goes_on(
    photos: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    overrides = [f"data.root={photos}", *QUICK, "trainer.max_epochs=2000", "callbacks.patience=null"]
    command = [sys.executable, "-m", "dogbreed.train", *overrides, f"paths.output_dir={tmp_path}/run"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None
    for line in run.stdout:
        if line.startswith("epoch"):
            break
    run.send_signal(number)
    _, stderr = run.communicate()
    assert run.returncode == status
    assert "Traceback" not in stderr
    assert "To go on: python -m dogbreed.train data=folder" in stderr
    assert f"paths.output_dir={tmp_path}/run" in stderr
    assert list((tmp_path / "run/checkpoints").glob("resume-*.ckpt"))


def bad_inputs(folder: Path, photos: Path) -> Iterator[tuple[str, list[str], str]]:
    """A name, what is typed, and a part of the line that must come."""
    one_class = draw_folder(folder / "one", classes=1)
    (folder / "weights.pth").write_text("no weights")
    rooted = f"data.root={photos}"
    yield "one class", [f"data.root={one_class}"], "class"
    yield "unknown backbone", [rooted, "model.backbone=resnet5"], "did you mean resnet50"
    yield "unknown key", [rooted, "colour=blue"], "Unknown setting 'colour'"
    yield "misspelt key", [rooted, "model.learning_rat=1"], "did you mean model.learning_rate"
    yield "initials of a key", [rooted, "model.lr=1"], "did you mean model.learning_rate"
    yield "unknown choice", ["data=dgos"], "did you mean dogs"
    yield "unreadable weights", [rooted, *QUICK, f"model.weights={folder}/weights.pth"], "Cannot read weights"
    yield "a text for a number", [rooted, "model.learning_rate=fast"], "Expected model.learning_rate to be a number"
    yield "not a setting at all", [rooted, "fast"], "Expected key=value"


def test_bad_input_is_one_line_and_a_status(photos: Path, tmp_path: Path) -> None:
    for name, overrides, part in bad_inputs(tmp_path, photos):
        run = train(*overrides, f"paths.output_dir={tmp_path}/run")
        assert run.returncode == 1, name
        assert run.stderr.startswith("error: "), (name, run.stderr)
        assert run.stderr.count("\n") == 1, (name, run.stderr)
        assert part in run.stderr, (name, run.stderr)


def test_a_full_disk_is_one_line_and_a_status(photos: Path, tmp_path: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    run = train(f"data.root={photos}", *QUICK, f"paths.output_dir={tmp_path}/run", preexec_fn=no_large_files)
    assert run.returncode == 1
    assert run.stderr.startswith("error: Cannot write")
    assert run.stderr.count("\n") == 1


def test_a_misspelt_setting_leaves_nothing_behind(tmp_path: Path) -> None:
    train("model.lr=1", f"paths.output_dir={tmp_path}/run")
    assert not (tmp_path / "run").exists()


def test_help_names_the_three_ways_to_train() -> None:
    run = train("--help")
    assert run.returncode == 0
    for way in ("data.root=PATH", "data=dogs", "experiment=finetune"):
        assert way in run.stdout


def test_an_experiment_on_a_folder_of_photos_is_not_taken_for_the_sample(photos: Path, tmp_path: Path) -> None:
    run = train("experiment=finetune", f"data.root={photos}", *QUICK, f"paths.output_dir={tmp_path}/run")
    assert run.returncode == 0, run.stderr
    assert "synthetic sample" not in run.stdout
    assert results(tmp_path / "run")["training"]["regime"] == "fine-tuned"
    assert results(tmp_path / "run")["training"]["settings"]["backbone_rate"] == 0.03
