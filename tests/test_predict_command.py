from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from dogbreed import predict
from dogbreed.command_line import run_command
from dogbreed.data.photos import open_photo
from dogbreed.explaining.answer_sheet import answer_sheet
from dogbreed.explaining.overlay import cropped
from dogbreed.predictor import BreedPredictor
from tests.data.photo_folders import add_photo, noise
from tests.trained_models import CLASS_NAMES, save_small


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    save_small(folder)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("b/2.png", "a.png", "b/1.png"):
        add_photo(tmp_path / "photos" / name, noise(50, 40, seed=len(name)))
    return tmp_path / "photos"


class Command:
    """The command in this process: importing torch takes seconds."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["predict", *map(str, arguments)])
        self.monkeypatch.setattr(predict, "keep_freed_memory", lambda: True)
        with pytest.raises(SystemExit) as ended:
            run_command(predict.main)
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


def test_a_photo_is_answered_with_names_and_probabilities(command: Command, model: Path, photos: Path) -> None:
    status, out, err = command(f"model={model}", photos / "a.png", "top_k=2")
    lines = out.splitlines()
    assert (status, err, len(lines)) == (0, "", 3)
    assert lines[0] == str(photos / "a.png")
    assert all("%" in line and any(name in line for name in CLASS_NAMES) for line in lines[1:])


def test_a_folder_stands_for_the_photos_below_it(command: Command, model: Path, photos: Path) -> None:
    (photos / "notes.txt").write_text("no photo, and not called like one")
    status, out, _ = command(f"model={model}", photos, "format=json", "batch_size=2")
    assert status == 0
    assert [json.loads(line)["file"] for line in out.splitlines()] == [
        str(photos / n) for n in ("a.png", "b/1.png", "b/2.png")
    ]


def test_json_is_an_object_a_line_and_csv_a_row_a_breed_with_the_same_figures(
    command: Command, model: Path, photos: Path
) -> None:
    _, text, _ = command(f"model={model}", photos, "format=json")
    _, table, _ = command(f"model={model}", photos, "format=csv")
    objects, rows = [json.loads(line) for line in text.splitlines()], list(csv.DictReader(io.StringIO(table)))
    assert list(rows[0]) == ["file", "rank", "name", "index", "probability"]
    expected = [
        (answer["file"], str(rank), p["name"], str(p["index"]), f"{p['probability']:.6f}")
        for answer in objects
        for rank, p in enumerate(answer["predictions"], 1)
    ]
    assert [tuple(row.values()) for row in rows] == expected
    assert "Löwchen" in text


def test_a_photo_that_cannot_be_read_is_named_and_the_others_are_answered(
    command: Command, model: Path, photos: Path
) -> None:
    (photos / "b" / "broken.png").write_bytes((photos / "a.png").read_bytes()[:100])
    status, out, err = command(f"model={model}", photos, "format=json", "batch_size=1")
    assert status == 1
    assert len(out.splitlines()) == 3
    assert len(err.splitlines()) == 1
    assert "broken.png" in err
    assert err.startswith("error: ")


def test_the_command_answers_as_the_predictor_does_a_photo_of_a_telephone_too(
    command: Command, model: Path, photos: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(64, 40, seed=1).save(photos / "c.jpg", exif=exif)
    predictor = BreedPredictor.load(model)
    for photo in (photos / "a.png", photos / "c.jpg"):
        answered = json.loads(command(f"model={model}", photo, "format=json")[1])["predictions"]
        assert answered == [asdict(prediction) for prediction in predictor.predict(photo)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.png", "topk=3"], "Unknown setting 'topk': did you mean top_k?"),
        (["a.png", "top_k=many"], "Expected top_k to be a whole number, got 'many'."),
        (["a.png", "top_k=0"], "Expected top_k to be at least 1, got 0."),
        (["a.png", "batch_size=-1"], "Expected batch_size to be at least 1, got -1."),
        (["a.png", "format=xml"], "Expected format to be one of text, json, csv, got 'xml'."),
        (["a.png", "tta=yes"], "Expected tta to be true or false, got 'yes'."),
        (["a.png", "calibrate=1"], "Expected calibrate to be true or false, got '1'."),
        (
            ["a.png", "explain=b/1.png"],
            "Expected explain to be a folder that can be written to, got b/1.png: File exists.",
        ),
        (["a.png", "explain=b/1.png/x"], "Expected explain to be a folder that can be written to"),
        (["a.png", "device=gpu"], "Expected device to be auto, cpu"),
        (["missing.png"], "found nothing at missing.png"),
        ([], "Expected at least one photo"),
        ([""], "got an empty argument"),
        (["a.png", "model="], "Expected model=DIR"),
        (["a.png", "model=nowhere"], "Expected a model in nowhere"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line_with_status_1(
    command: Command, model: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(photos)
    status, out, err = command(f"model={model}", *arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: ")
    assert message in err


def test_calibration_is_on_and_test_time_augmentation_off_unless_it_is_said_otherwise(
    command: Command, tmp_path: Path, photos: Path
) -> None:
    save_small(tmp_path / "model", calibration={"temperature": 3.0})
    for arguments, options in (
        ([], {"calibrate": True, "tta": False}),
        (["calibrate=False", "tta=TRUE"], {"calibrate": False, "tta": True}),
    ):
        predictor = BreedPredictor.load(tmp_path / "model", **options)
        out = command(f"model={tmp_path / 'model'}", photos / "a.png", "format=json", *arguments)[1]
        assert json.loads(out)["predictions"] == [asdict(p) for p in predictor.predict(photos / "a.png")]


def test_an_explanation_of_every_answered_photo_is_left_in_a_folder_that_is_made(
    command: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    add_photo(photos / "c" / "1.png")
    (photos / "b" / "broken.png").write_bytes(b"")
    folder, before = tmp_path / "new" / "folder", {path: path.read_bytes() for path in photos.rglob("*.png")}
    status, out, err = command(f"model={model}", photos, "format=json", "batch_size=2", f"explain={folder}")
    assert (status, len(out.splitlines()), len(err.splitlines())) == (1, 4, 1)
    assert sorted(path.name for path in folder.iterdir()) == ["1-2.png", "1.png", "2.png", "a.png"]
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before
    for path in folder.iterdir():
        with Image.open(path) as sheet:
            sheet.load()
            assert sheet.format == "PNG"


def test_an_explanation_shows_what_the_network_sees_and_its_answers(
    command: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    command(f"model={model}", photos / "a.png", "top_k=2", f"explain={tmp_path}")
    predictor = BreedPredictor.load(model)
    seen = cropped(open_photo(photos / "a.png"), predictor.artifact.preprocessing)
    answers = [(p.name, p.probability) for p in predictor.predict(photos / "a.png", top_k=2)]
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.convert("RGB") == answer_sheet(seen, predictor.explain(photos / "a.png"), answers)


def test_answers_are_the_same_with_and_without_explanations(
    command: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    without, explained = (command(f"model={model}", photos, *more) for more in ([], [f"explain={tmp_path / 'x'}"]))
    assert explained == without


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_a_photo_whose_name_is_not_text_is_answered(command: Command, model: Path, photos: Path, form: str) -> None:
    odd = photos / os.fsdecode(b"\xff.png")
    (photos / "a.png").rename(odd)
    status, out, _ = command(f"model={model}", odd, f"format={form}", f"explain={photos / 'x'}")
    assert status == 0
    assert r"\udcff.png" in out
    assert form != "json" or json.loads(out)["file"] == str(odd)


def test_a_photo_whose_name_looks_like_a_setting_is_a_photo(
    command: Command, model: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    add_photo(photos / "top_k=3.png")
    assert command(f"model={model}", "top_k=3.png")[1].startswith("top_k=3.png\n")


HELP = """
import runpy, sys
sys.argv = ["command", "--help"]
try:
    runpy.run_module(sys.argv.pop(0) and "MODULE", run_name="__main__", alter_sys=False)
except SystemExit as ended:
    print("status", ended.code or 0)
print("heavy", [name for name in ("torch", "torchvision", "pytorch_lightning") if name in sys.modules])
"""


@pytest.mark.parametrize("module", ["dogbreed.predict", "dogbreed.train", "dogbreed.data.check"])
def test_help_comes_without_the_heavy_imports(module: str) -> None:
    code = HELP.replace('sys.argv.pop(0) and "MODULE"', repr(module))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.splitlines()[-2:] == ["status 0", "heavy []"], run.stderr
    assert f"python -m {module}" in run.stdout


def test_no_arguments_show_the_help_with_status_1(command: Command) -> None:
    status, out, _ = command()
    assert (status, out.strip()) == (1, predict.HELP)


def test_output_that_nobody_reads_any_more_is_no_error(model: Path, photos: Path) -> None:
    line = f"{sys.executable} -m dogbreed.predict model={model} {photos} top_k=1 | head -n 1; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["/bin/bash", "-c", line], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
