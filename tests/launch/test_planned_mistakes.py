"""Mistakes that are told before anything is sent: by the command, or by its dry run, in one line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dogbreed.errors import DogbreedError
from tests.drawn_photos import draw_folder
from tests.launch.planned import PLACE, planned

DOOR = Path(__file__).parents[2] / "launch" / "sagemaker.py"


def door(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    """The real command, from another folder, by somebody without an account."""
    return subprocess.run(
        [sys.executable, str(DOOR), *overrides],
        cwd=folder,
        env={"PATH": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("overrides", "part"),
    [
        (["dry_run=true", "model.learning_rat=1"], "did you mean model.learning_rate"),
        (["data=dgos"], "did you mean dogs"),
        (["dry_run=true", "job.instance_type=ml.g4dn.xlagre"], "ml.g4dn.xlarge"),
        (["dry_run=perhaps"], "Expected dry_run to be true, false or json"),
        (["+train_best=true"], "+hpo=true"),
    ],
)
def test_a_typing_error_is_one_line_and_a_status(tmp_path: Path, overrides: list[str], part: str) -> None:
    run = door(tmp_path, *overrides)
    assert run.returncode == 1
    assert run.stderr.startswith("error: ")
    assert run.stderr.count("\n") == 1
    assert part in run.stderr
    assert list(tmp_path.iterdir()) == []


SPACE = "search.space.model.learning_rate"
MISTAKES = [
    ("keeps none warm", ["job.spot=true", "job.keep_alive_seconds=600"]),
    ("max_wait_seconds", ["job.spot=true", "job.max_wait_seconds=60"]),
    ("max_wait_seconds", ["job.max_wait_seconds=99999"]),
    ("instance_count", ["job.instance_count=0"]),
    ("volume_gb", ["job.volume_gb=big"]),
    ("network", ["job.network_isolation=true"]),
    ("data.root=PATH", ["data.root=nowhere/at/all"]),
    ("found no file", ["model.weights=nowhere/mine.pth"]),
    ("not by 'test/loss'|search.metric", ["+hpo=true", "search.metric=test/loss"]),
    ("did you mean", ["+hpo=true", "+search.space.model.learning_rat=${search.space.model.learning_rate}"]),
    ("lower first", ["+hpo=true", f"{SPACE}.low=1.0"]),
    ("lower max_parallel_jobs", ["+hpo=true", "n_trials=2", "n_jobs=3"]),
    ("Secrets Manager", ["+job.environment.API_TOKEN=abc"]),
    ("(?i)secret|access key", ["+trainer.notes=AKIAIOSFODNN7EXAMPLQ"]),
    ("requirement", ["job.requirements=['-r other.txt']"]),
]


@pytest.mark.parametrize(("sentence", "overrides"), MISTAKES)
def test_a_mistake_in_a_setting_is_told_by_the_dry_run(sentence: str, overrides: list[str]) -> None:
    with pytest.raises(DogbreedError) as error:
        planned(*overrides)
    assert re.search(sentence, str(error.value)), str(error.value)
    assert "\n" not in str(error.value)


def test_a_role_that_can_be_none_is_told_by_the_dry_run() -> None:
    with pytest.raises(DogbreedError, match=r"CreateTrainingJob\.RoleArn"):
        planned(place=type(PLACE)(PLACE.region, "arn:aws:iam::12:role/dogs", PLACE.bucket))


def test_a_region_without_the_image_is_told_by_the_dry_run() -> None:
    place = type(PLACE)("xx-nowhere-1", PLACE.role, PLACE.bucket)
    with pytest.raises(DogbreedError, match="xx-nowhere-1"):
        planned(place=place)


def test_a_file_that_s3_cannot_hold_is_told_by_the_dry_run(tmp_path: Path) -> None:
    root = draw_folder(tmp_path / "photos")
    photo = next((root / "train").rglob("*.png"))
    photo.rename(photo.with_name("line\nbreak.png"))
    with pytest.raises(DogbreedError, match=r"line\\nbreak\.png"):
        planned(f"data.root={root}")


def lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.startswith("|"))


def test_the_guide_has_a_table_of_mistakes_and_of_what_tells_them() -> None:
    guide = (DOOR.parents[1] / "docs" / "sagemaker.md").read_text()
    told = {row.split("|")[2].strip().split(",")[0] for row in lines(guide)}
    assert {"dry run", "rehearsal", "following the job", "doctor"} <= told
