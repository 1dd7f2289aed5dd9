from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dogbreed import benchmark
from dogbreed.command_line import run_command
from tests.drawn_photos import draw_folder

STAGES = [
    "loading, one core",
    "loading, as a run does",
    "frozen forward",
    "head epoch from features",
    "training step of everything",
    "serving one photo",
]


class Command:
    """The command in this process: importing torch takes seconds."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["benchmark", *map(str, arguments)])
        self.monkeypatch.setattr(benchmark, "keep_freed_memory", lambda: True)
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_command(benchmark.main)
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos") / "dogs")


def test_every_stage_is_measured_drawn_and_told(command: Command, photos: Path, tmp_path: Path) -> None:
    output_dir = tmp_path / "out"
    status, out, err = command(
        f"data.root={photos}",
        "model.backbone=resnet18",
        "model.image_size=32",
        "batch_size=4",
        "seconds=0.05",
        "device=cpu",
        f"output_dir={output_dir}",
    )
    assert (status, err) == (0, "")
    found = json.loads((output_dir / "benchmark.json").read_text())
    assert [stage["name"] for stage in found["stages"]] == STAGES
    for stage in found["stages"]:
        check_stage(stage)
        assert stage["name"] in out
    assert found["photos"] == {
        "folder": "dogs",
        "splits": {"train": 40, "val": 12, "test": 12},
        "measured": 40,
        "shorter_side": 48,
    }
    assert all(seconds > 0 for seconds in found["seconds_of_runs"].values())
    assert all(f"- {sentence}" in out for sentence in found["advice"])
    assert str(photos.parent) not in json.dumps(found)
    with Image.open(output_dir / "benchmark.png") as picture:
        assert picture.getpixel((2, 2))[:3] == (255, 255, 255)
    assert sorted(path.name for path in output_dir.iterdir()) == ["benchmark.json", "benchmark.png"]


def check_stage(stage: dict[str, Any]) -> None:
    for side in ("ours", "floor", "public method"):
        figures = stage["sides"][side]
        assert 0 < figures["min"] <= figures["median"] <= figures["max"]
    ratio = stage["sides"]["ours"]["median"] / stage["sides"]["floor"]["median"]
    assert stage["share_of_floor"] == pytest.approx(1 / ratio if stage["unit"] == "ms" else ratio)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data.root": ""}, "Expected data.root=PATH"),
        ({"data.root": "nowhere"}, "Expected a folder of photos at nowhere"),
        ({"model.backbone": "resnet51"}, "Unknown backbone 'resnet51': did you mean resnet"),
        ({"model.weights": "nowhere.pth"}, "found no file nowhere.pth"),
        ({"model.image_size": "big"}, "Expected model.image_size to be a whole number above 0, or null"),
        ({"model.image_size": "0"}, "Expected model.image_size to be a whole number above 0, or null"),
        ({"batch_size": "1"}, "Expected batch_size to be at least 2"),
        ({"seconds": "0"}, "Expected seconds to be at least 0.01"),
        ({"device": "abacus"}, "Expected device to be auto, cpu"),
        ({"backbone": "resnet18"}, "Unknown setting 'backbone': did you mean model.backbone?"),
    ],
)
def test_bad_input_is_told_in_one_line(
    command: Command, photos: Path, tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    arguments = {"data.root": str(photos), "output_dir": str(tmp_path / "out"), **changed}
    status, _, err = command(*(f"{name}={value}" for name, value in arguments.items()))
    assert status == 1
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_measured(
    command: Command, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    status, out, err = command(f"data.root={photos}", f"output_dir={tmp_path / 'file' / 'out'}")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "Expected to write to" in err


def test_help_is_given_for_nothing_at_all(command: Command) -> None:
    status, out, _ = command()
    assert status == 1
    assert "python -m dogbreed.benchmark data.root=PATH" in out
