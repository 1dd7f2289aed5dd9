from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from dogbreed import export
from dogbreed.artifacts import load_artifact, save_artifact
from dogbreed.command_line import run_command
from dogbreed.data.photos import open_photo
from dogbreed.data.sample import BREEDS, draw_photo
from dogbreed.data.transforms import Preprocessing, evaluation_transform, normalise
from dogbreed.predictor import BreedPredictor
from tests.trained_models import CLASS_NAMES, small_network

ARCHITECTURE = {"num_classes": 3, "backbone": "squeezenet1_1", "image_size": 32}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    network = small_network(backbone="squeezenet1_1", hidden=[], dropout=0.0)
    calibration = {"calibration": {"temperature": 2.0}}
    save_artifact(folder, network, architecture=ARCHITECTURE, class_names=CLASS_NAMES, details=calibration)
    return folder


class Command:
    """The command in this process: importing torch takes seconds."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["export", *map(str, arguments)])
        self.monkeypatch.setattr(export, "keep_freed_memory", lambda: True)
        with pytest.raises(SystemExit) as ended:
            run_command(export.main)
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


@pytest.mark.parametrize(
    ("kind", "name", "preprocessing"), [("onnx", "model.onnx", "true"), ("torch_export", "model.pt2", "false")]
)
def test_the_file_lies_in_the_models_folder_and_the_lines_that_are_told_use_it(
    command: Command, model: Path, kind: str, name: str, preprocessing: str
) -> None:
    status, out, err = command(f"model={model}", f"format={kind}", f"preprocessing={preprocessing}")
    lines = out.splitlines()
    assert (status, err, len(lines)) == (0, "", 6)
    assert lines[0].startswith(f"Written: {model / name} (")
    assert lines[0].endswith(f" MB), described in {model / name}.json")
    assert "batches of 1, 2 and 5" in lines[1]

    predictor = BreedPredictor.load(model)
    photos = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    logits, asked = predictor.logits(photos), preprocessing == "true"
    images = photos if asked else normalise(photos, predictor.artifact.preprocessing)
    told: dict[str, Any] = {"images": images.numpy()}
    exec(compile(dedent("\n".join(lines[3:])), "told", "exec"), told)  # noqa: S102
    answers = torch.as_tensor(told["probabilities" if asked else "logits"])
    expected = (logits / 2.0).softmax(1) if asked else logits
    torch.testing.assert_close(answers, expected, rtol=0, atol=1e-5)
    assert load_artifact(model).temperature == 2.0


def test_another_place_and_no_calibration(command: Command, model: Path, tmp_path: Path) -> None:
    file = tmp_path / "a" / "dogs.pt2"
    arguments = (f"model={model}", "format=torch_export", f"output={file}", "preprocessing=True", "calibrate=false")
    assert command(*arguments)[0] == 0
    photos = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    expected = BreedPredictor.load(model).logits(photos).softmax(1)
    torch.testing.assert_close(torch.export.load(file).module()(photos), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fromat=onnx"], "Unknown setting 'fromat': did you mean format?"),
        (["format=onx"], "Expected format to be one of onnx, torch_export, got 'onx'."),
        (["preprocessing=yes"], "Expected preprocessing to be true or false, got 'yes'."),
        (["model="], "Expected model=DIR"),
        (["model=nowhere"], "Expected a model in nowhere"),
        (["onnx"], "Expected key=value, got 'onnx'."),
        (["output=model.json"], "to end in .onnx, got 'model.json'."),
        (["output=file/a.onnx"], "Cannot write the export to file/a.onnx: "),
    ],
)
def test_a_wrong_argument_is_told_in_one_line_with_status_1(
    command: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    status, out, err = command(f"model={model}", *arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: ")
    assert message in err


def help_lines() -> str:
    """The code that the help gives for resizing, cropping and normalising."""
    return dedent(export.HELP[export.HELP.index("  image = ImageOps") :])


@pytest.mark.parametrize("size", [(96, 96), (131, 97), (50, 203), (40, 61)], ids=str)
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
def test_the_helps_code_makes_of_a_photo_what_the_evaluation_makes_of_it(
    tmp_path: Path, size: tuple[int, int], interpolation: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo, file = draw_photo(BREEDS[0], np.random.default_rng(0)).resize(size), tmp_path / "photo.jpg"
    photo.save(file, exif=exif)
    preprocessing = Preprocessing(43, 32, interpolation=interpolation)
    names: dict[str, Any] = {"np": np, "Image": Image, "ImageOps": ImageOps}
    names |= {"photo": file, "p": preprocessing.to_dict()}
    exec(compile(help_lines(), "help", "exec"), names)  # noqa: S102
    pixels = evaluation_transform(preprocessing)(open_photo(file))
    torch.testing.assert_close(torch.from_numpy(names["images"])[0], normalise(pixels, preprocessing), rtol=0, atol=0)
    assert names["images"].dtype == np.float32


def test_help_comes_without_the_heavy_imports() -> None:
    code = "import sys\nfrom dogbreed import export\nsys.argv = ['export', '--help']\nstatus = export.main()\n"
    code += "print(status, [name for name in ('torch', 'onnx', 'onnxruntime', 'PIL') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.splitlines()[-1:] == ["0 []"], run.stderr
