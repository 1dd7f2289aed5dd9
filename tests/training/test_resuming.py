from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from dogbreed.artifacts import load_artifact
from dogbreed.training.resuming import newest_checkpoint, resume_checkpoints
from tests.drawn_photos import draw_folder
from tests.training.small_run import STEPS, Ending, run

# Within the first epoch, at its end, within the second; with and without worker processes.
ALWAYS = {(1, 2), (3, 0), (5, 2), (9, 0)}
ENDINGS = [
    pytest.param(step, workers, marks=[] if (step, workers) in ALWAYS else pytest.mark.exhaustive)
    for step in range(1, STEPS)
    for workers in (0, 2)
]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def uninterrupted(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output_dir = tmp_path_factory.mktemp("run") / "uninterrupted"
    assert run(photos, output_dir) == 0, log(output_dir)
    return output_dir


def log(output_dir: Path) -> str:
    return (output_dir.parent / f"{output_dir.name}.log").read_text()


def final_state(output_dir: Path) -> dict[str, Any]:
    return torch.load(output_dir / "final.pt", weights_only=True)


def steps(output_dir: Path) -> set[str]:
    return set((output_dir / "steps.txt").read_text().split("\n"))


def assert_equal(left: Any, right: Any, where: str = "") -> None:
    """Equal to the last bit."""
    assert type(left) is type(right), where
    if isinstance(left, torch.Tensor):
        assert torch.equal(left, right), where
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for key in left:
            assert_equal(left[key], right[key], f"{where}.{key}")
    elif isinstance(left, list):
        assert len(left) == len(right), where
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            assert_equal(one, other, f"{where}[{index}]")
    else:
        assert left == right, where


def assert_same_run(output_dir: Path, uninterrupted: Path) -> None:
    assert_equal(final_state(output_dir), final_state(uninterrupted))
    # A step that was taken twice saw the same photos and had the same loss: the set holds each step once.
    assert steps(output_dir) == steps(uninterrupted)
    assert (output_dir / "metrics.json").read_text() == (uninterrupted / "metrics.json").read_text()
    assert (output_dir / "history.csv").read_text() == (uninterrupted / "history.csv").read_text()


def test_an_uninterrupted_run_takes_ten_steps_and_leaves_its_results(uninterrupted: Path) -> None:
    assert len(steps(uninterrupted) - {""}) == STEPS
    assert (uninterrupted / "model" / "model.json").exists()
    assert json.loads((uninterrupted / "metrics.json").read_text())["metrics"]["test/acc"] >= 0


def test_the_number_of_worker_processes_changes_nothing(photos: Path, uninterrupted: Path, tmp_path: Path) -> None:
    assert run(photos, tmp_path / "run", workers=2) == 0, log(tmp_path / "run")
    assert_same_run(tmp_path / "run", uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize(("step", "workers"), ENDINGS)
def test_a_run_killed_after_any_step_ends_as_if_nothing_had_happened(
    photos: Path, uninterrupted: Path, tmp_path: Path, step: int, workers: int
) -> None:
    output_dir = tmp_path / "run"
    ended = run(photos, output_dir, workers=workers, ending=Ending(signal.SIGKILL, step))
    assert ended == -signal.SIGKILL, log(output_dir)
    assert run(photos, output_dir, workers=workers) == 0, log(output_dir)
    assert_same_run(output_dir, uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize(("step", "workers"), ENDINGS)
def test_a_run_that_is_asked_to_stop_stores_its_state_and_exits_with_143(
    photos: Path, uninterrupted: Path, tmp_path: Path, step: int, workers: int
) -> None:
    output_dir = tmp_path / "run"
    rarely = {"checkpoint_seconds": 3600.0}
    ended = run(photos, output_dir, workers=workers, ending=Ending(signal.SIGTERM, step), **rarely)
    assert ended == 143, log(output_dir)
    assert [path.name for path in resume_checkpoints(output_dir / "checkpoints")] == [f"resume-{step:08d}.ckpt"]
    assert run(photos, output_dir, workers=workers, **rarely) == 0, log(output_dir)
    assert_same_run(output_dir, uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize("fsync", [5, *(pytest.param(number, marks=pytest.mark.exhaustive) for number in (1, 6, 17))])
def test_a_run_killed_while_it_writes_a_checkpoint_goes_on_from_an_earlier_one(
    photos: Path, uninterrupted: Path, tmp_path: Path, fsync: int
) -> None:
    output_dir = tmp_path / "run"
    assert run(photos, output_dir, ending=Ending(fsync=fsync)) == -signal.SIGKILL, log(output_dir)
    assert run(photos, output_dir) == 0, log(output_dir)
    assert_same_run(output_dir, uninterrupted)


@pytest.mark.slow
def test_the_average_of_the_weights_and_gradual_unfreezing_survive_a_kill(photos: Path, tmp_path: Path) -> None:
    settings = {"ema_decay": 0.9, "unfreeze_epoch": 1}
    assert run(photos, tmp_path / "whole", **settings) == 0, log(tmp_path / "whole")
    for step in (3, 7):
        output_dir = tmp_path / f"killed after {step}"
        run(photos, output_dir, ending=Ending(signal.SIGKILL, step), **settings)
        assert run(photos, output_dir, **settings) == 0, log(output_dir)
        assert_same_run(output_dir, tmp_path / "whole")


def test_worker_processes_end_when_their_run_is_killed(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "run", workers=2, ending=Ending(signal.SIGKILL, 3))
    group = int((tmp_path / "run.group").read_text())
    with pytest.raises(ProcessLookupError):
        for _ in range(150):
            os.killpg(group, 0)
            time.sleep(0.1)


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_used(photos: Path, tmp_path: Path) -> None:
    output_dir = tmp_path / "run"
    run(photos, output_dir, ending=Ending(signal.SIGKILL, 4))
    newest, before = resume_checkpoints(output_dir / "checkpoints")
    whole = newest.read_bytes()
    for share in range(20):
        newest.write_bytes(whole[: len(whole) * share // 20])
        usable, faults = newest_checkpoint(newest.parent)
        assert usable == before
        assert newest.name in faults[0]


def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(
    photos: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    output_dir = tmp_path / "run"
    run(photos, output_dir, ending=Ending(signal.SIGKILL, 4))
    newest = resume_checkpoints(output_dir / "checkpoints")[0]
    newest.write_bytes(newest.read_bytes()[:1000])
    assert run(photos, output_dir) == 0, log(output_dir)
    assert newest.name in log(output_dir)
    assert_same_run(output_dir, uninterrupted)


def test_no_checkpoint_means_a_new_run(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    assert newest_checkpoint(tmp_path) == (None, [])


def test_the_model_of_a_run_that_averages_weights_is_the_average_that_was_validated(
    photos: Path, tmp_path: Path
) -> None:
    assert run(photos, tmp_path / "run", ema_decay=0.5) == 0, log(tmp_path / "run")
    best = torch.load(tmp_path / "run/checkpoints/best.ckpt", weights_only=True)
    current, average = best["current_model_state"], best["state_dict"]
    assert any(not torch.equal(current[name], average[name]) for name in average)
    kept = load_artifact(tmp_path / "run/model").network.state_dict()
    assert all(torch.equal(kept[name], average[f"network.{name}"]) for name in kept)


def test_a_damaged_checkpoint_of_a_later_step_does_not_push_out_the_good_ones(photos: Path, tmp_path: Path) -> None:
    checkpoints = tmp_path / "run/checkpoints"
    run(photos, tmp_path / "run", ending=Ending(signal.SIGKILL, 4))
    (checkpoints / "resume-00000099.ckpt").write_bytes(b"damaged")
    run(photos, tmp_path / "run", ending=Ending(signal.SIGKILL, 7))
    assert [path.name for path in resume_checkpoints(checkpoints)] == ["resume-00000006.ckpt", "resume-00000005.ckpt"]
