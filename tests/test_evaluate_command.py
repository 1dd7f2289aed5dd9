from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest

from dogbreed import evaluate
from dogbreed.command_line import run_command
from dogbreed.predictor import BreedPredictor
from tests.drawn_photos import draw_folder
from tests.public_faults.tiny_run import Run, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small run, and the photos that it was trained on."""
    photos = draw_folder(tmp_path_factory.mktemp("photos") / "dogs", counts={"train": 12, "valid": 6, "test": 6})
    return tiny_run(photos, tmp_path_factory.mktemp("run") / "run", max_epochs=3)


@pytest.fixture(scope="module")
def photos(run: Run) -> Path:
    return run.data.root


class Command:
    """The command in this process: importing torch takes seconds."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, arguments)])
        self.monkeypatch.setattr(evaluate, "keep_freed_memory", lambda: True)
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_command(evaluate.main)
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


@pytest.fixture(scope="module")
def evaluated(run: Run, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output_dir = tmp_path_factory.mktemp("evaluated") / "out"
    with pytest.MonkeyPatch.context() as patch:
        arguments = [f"model={run.output_dir / 'model'}", f"data.root={photos}", f"paths.output_dir={output_dir}"]
        patch.setattr(sys, "argv", ["evaluate", *arguments, "data.num_workers=0", "device=cpu"])
        patch.setattr(evaluate, "keep_freed_memory", lambda: True)
        assert evaluate.main() == 0
    return output_dir


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_figures_are_those_that_the_run_found(run: Run, evaluated: Path) -> None:
    found, trained = (json.loads((folder / "metrics.json").read_text()) for folder in (evaluated, run.output_dir))
    expected = {name: value for name, value in trained["metrics"].items() if name.startswith("test/")}
    assert found["metrics"] == pytest.approx(expected, abs=1e-5)
    assert found["intervals"]["test/acc"] == pytest.approx(trained["intervals"]["test/acc"])
    assert set(found["variants"]) == {"plain", "calibrated", "augmented", "calibrated and augmented"}
    assert found["tta_gain"]["low"] <= found["tta_gain"]["value"] <= found["tta_gain"]["high"]


def test_every_photo_has_a_row_with_what_prediction_answers(run: Run, photos: Path, evaluated: Path) -> None:
    table = rows(evaluated / "predictions.csv")
    assert len(table) == 24
    predictor = BreedPredictor.load(run.output_dir / "model")
    for row in table[::5]:
        expected = predictor.predict(photos / row["file"], top_k=4)
        assert [row[f"prediction_{rank}"] for rank in range(1, 5)] == [p.name for p in expected]
        shares = [float(row[f"probability_{rank}"]) for rank in range(1, 5)]
        assert shares == pytest.approx([p.probability for p in expected], abs=1e-5)
        assert row["target"] == Path(row["file"]).parent.name[4:]


def test_every_class_has_a_row_that_agrees_with_the_photos(evaluated: Path) -> None:
    table = rows(evaluated / "predictions.csv")
    for row in rows(evaluated / "per_class.csv"):
        of_class = [photo for photo in table if photo["target"] == row["class"]]
        right = sum(photo["prediction_1"] == row["class"] for photo in of_class)
        assert int(row["support"]) == len(of_class) == 6
        assert float(row["recall"]) == pytest.approx(right / 6, abs=1e-6)


def test_the_report_names_the_model_its_figures_and_the_command_that_makes_it_again(run: Run, evaluated: Path) -> None:
    page = (evaluated / "report.html").read_text()
    figure = json.loads((evaluated / "metrics.json").read_text())["metrics"]["test/acc"]
    assert "shufflenet_v2_x0_5 on dogs" in page
    assert f"{figure:.1%}".replace("%", "") in page
    assert f"python -m dogbreed.evaluate model={run.output_dir / 'model'}" in page


def test_nothing_else_is_left_behind(evaluated: Path) -> None:
    assert sorted(path.name for path in evaluated.iterdir()) == [
        "duplicates.csv",
        "label_errors.csv",
        "metrics.json",
        "per_class.csv",
        "predictions.csv",
        "report.html",
    ]


def test_the_command_says_the_figures_with_their_interval(
    command: Command, run: Run, photos: Path, tmp_path: Path
) -> None:
    status, out, err = command(
        f"model={run.output_dir / 'model'}",
        f"data.root={photos}",
        f"paths.output_dir={tmp_path / 'out'}",
        "data.num_workers=0",
        "report=false",
        "tta=true",
        "data.split=val",
    )
    assert (status, err) == (0, "")
    assert "24 photos of val:" in out
    assert "95 % interval" in out
    assert not (tmp_path / "out" / "report.html").exists()


def test_photos_that_cannot_be_read_are_named_and_the_others_judged(
    command: Command, run: Run, photos: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(photos, tmp_path / "photos")
    broken = next((copy / "test").rglob("*.png"))
    broken.write_bytes(b"")
    status, out, _ = command(
        f"model={run.output_dir / 'model'}",
        f"data.root={copy}",
        f"paths.output_dir={tmp_path / 'out'}",
        "data.num_workers=0",
        "report=false",
    )
    assert status == 0
    assert "23 photos of test:" in out
    assert f"left out: {broken.relative_to(copy).as_posix()} is empty." in out


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": "nowhere"}, "Expected a model in nowhere"),
        ({"data.root": "nowhere"}, "Expected a folder of photos at nowhere"),
        ({"data.split": "holdout"}, "Expected data.split to be one of train, val, test, all"),
        ({"data.rot": "x"}, "Unknown setting 'data.rot': did you mean data.root?"),
        ({"tta": "maybe"}, "Expected tta to be true or false"),
        ({"device": "abacus"}, "Expected device to be auto, cpu"),
        ({"data.root": ""}, "Expected data.root=PATH"),
        ({"model": ""}, "Expected model=DIR"),
    ],
)
def test_bad_input_is_told_in_one_line(
    command: Command, run: Run, photos: Path, changed: dict[str, str], message: str
) -> None:
    arguments = {"model": run.output_dir / "model", "data.root": photos, **changed}
    status, _, err = command(*(f"{name}={value}" for name, value in arguments.items()))
    assert status == 1
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_model_of_other_classes_is_told_in_one_line(command: Command, run: Run, tmp_path: Path) -> None:
    other = draw_folder(tmp_path / "other", classes=6)
    status, _, err = command(f"model={run.output_dir / 'model'}", f"data.root={other}")
    assert (status, err.count("\n")) == (1, 1)
    assert "found 2 of 6 that it does not know" in err
    shutil.rmtree(other / "test")
    status, _, err = command(f"model={run.output_dir / 'model'}", f"data.root={other}")
    assert (status, err.count("\n")) == (1, 1)
    assert "Expected a test folder" in err
