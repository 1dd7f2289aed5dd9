from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

import dogbreed
from dogbreed.artifacts import Artifact
from dogbreed.data.transforms import normalise
from dogbreed.errors import ConfigError
from dogbreed.exporting import onnx_file
from dogbreed.exporting.error import ExportError
from dogbreed.exporting.run import ExportResult, export_model
from dogbreed.predictor import BreedPredictor
from tests.exporting.drawn_artifacts import TEMPERATURE, artifact_of, drawn_artifact, seen
from tests.exporting.exported_files import ASK, SUFFIXES, ask_onnx, ask_torch_export
from tests.trained_models import CLASS_NAMES

CASES = [(kind, preprocessing) for kind in SUFFIXES for preprocessing in (False, True)]


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    return drawn_artifact()


@pytest.fixture(scope="module")
def exported(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> dict[Any, ExportResult]:
    """Each format, with and without preprocessing."""
    folder = tmp_path_factory.mktemp("exported")
    return {
        (kind, preprocessing): export_model(
            artifact, folder / f"{preprocessing}{SUFFIXES[kind]}", format=kind, preprocessing=preprocessing
        )
        for kind, preprocessing in CASES
    }


@pytest.mark.parametrize("batch", [1, 2, 5, 8])
@pytest.mark.parametrize("kind", SUFFIXES)
def test_the_file_gives_the_logits_of_normalised_images(
    artifact: Artifact, exported: dict[Any, ExportResult], kind: str, batch: int
) -> None:
    photos = seen(artifact)[:batch]
    logits = BreedPredictor(artifact).logits(photos)
    answers = ASK[kind](exported[kind, False].files[0], normalise(photos, artifact.preprocessing))
    assert answers.dtype == torch.float32
    torch.testing.assert_close(answers, logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", SUFFIXES)
def test_with_preprocessing_the_file_gives_the_predictors_probabilities_of_pixels(
    artifact: Artifact, exported: dict[Any, ExportResult], kind: str
) -> None:
    photos = seen(artifact)
    expected = torch.softmax(BreedPredictor(artifact).logits(photos) / TEMPERATURE, 1)
    answers = ASK[kind](exported[kind, True].files[0], photos)
    torch.testing.assert_close(answers, expected, rtol=0, atol=1e-5)
    assert len(answers.unique(dim=0)) == len(photos)


def test_the_onnx_file_names_its_input_and_output_and_takes_any_batch(exported: dict[Any, ExportResult]) -> None:
    for preprocessing, dtype, output in ((False, "tensor(float)", "logits"), (True, "tensor(uint8)", "probabilities")):
        session = onnxruntime.InferenceSession(exported["onnx", preprocessing].files[0])
        (taken,), (given,) = session.get_inputs(), session.get_outputs()
        assert (taken.name, taken.type, taken.shape) == ("images", dtype, ["batch", 3, 32, 32])
        assert (given.name, given.type, given.shape) == (output, "tensor(float)", ["batch", len(CLASS_NAMES)])


def test_the_onnx_file_is_of_one_standard_operator_set(exported: dict[Any, ExportResult]) -> None:
    model = onnx.load(exported["onnx", True].files[0])
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]
    assert not model.functions


def metadata(kind: str, file: Path) -> dict[str, Any]:
    if kind == "onnx":
        texts = onnxruntime.InferenceSession(file).get_modelmeta().custom_metadata_map
    else:
        texts = dict.fromkeys(("class_names", "preprocessing", "temperature", "dogbreed_version"), "")
        torch.export.load(file, extra_files=texts)
    return {name: json.loads(text) for name, text in texts.items()}


@pytest.mark.parametrize("kind", SUFFIXES)
def test_the_file_itself_says_what_it_answers_with(
    artifact: Artifact, exported: dict[Any, ExportResult], kind: str
) -> None:
    assert metadata(kind, exported[kind, True].files[0]) == {
        "class_names": list(CLASS_NAMES),
        "preprocessing": artifact.preprocessing.to_dict(),
        "temperature": TEMPERATURE,
        "dogbreed_version": "0.1.0",
    }


@pytest.mark.parametrize(("kind", "preprocessing"), CASES)
def test_a_sidecar_describes_the_file(
    artifact: Artifact, exported: dict[Any, ExportResult], kind: str, preprocessing: bool
) -> None:
    result = exported[kind, preprocessing]
    (file,) = result.files
    described = json.loads(result.sidecar.read_text())
    assert result.sidecar == file.with_name(f"{file.name}.json")
    assert described["files"] == {file.name: {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}}
    assert described["input"]["dtype"] == ("uint8" if preprocessing else "float32")
    assert described["output"]["name"] == ("probabilities" if preprocessing else "logits")
    assert (described["class_names"], described["temperature"]) == (list(CLASS_NAMES), TEMPERATURE)
    assert described["preprocessing"] == artifact.preprocessing.to_dict()
    assert described["largest_difference"] == result.difference <= 1e-5
    assert result.bytes == file.stat().st_size


@pytest.mark.parametrize(("kind", "preprocessing"), CASES)
def test_the_file_does_not_tell_where_it_was_made(
    exported: dict[Any, ExportResult], kind: str, preprocessing: bool
) -> None:
    content = exported[kind, preprocessing].files[0].read_bytes()
    for place in (Path(dogbreed.__file__).parent.parent, Path(torch.__file__).parent.parent, Path.home() / "x"):
        assert bytes(place) not in content


ALONE = """
import sys
for name in ("dogbreed", "torchvision", "timm"):
    sys.modules[name] = None
import numpy, torch
module = torch.export.load(sys.argv[1]).module()
numpy.save(sys.argv[2], module(torch.from_numpy(numpy.load(sys.argv[2]))).numpy())
"""


def test_pytorch_alone_runs_the_torch_export_file(
    artifact: Artifact, exported: dict[Any, ExportResult], tmp_path: Path
) -> None:
    photos = seen(artifact)
    np.save(tmp_path / "x.npy", photos.numpy())
    command = [sys.executable, "-P", "-c", ALONE, exported["torch_export", True].files[0], tmp_path / "x.npy"]
    subprocess.run(command, check=True, cwd=tmp_path)
    expected = torch.softmax(BreedPredictor(artifact).logits(photos) / TEMPERATURE, 1)
    torch.testing.assert_close(torch.from_numpy(np.load(tmp_path / "x.npy")), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("preprocessing", [True, False])
def test_without_calibration_the_temperature_is_1(artifact: Artifact, tmp_path: Path, preprocessing: bool) -> None:
    file = tmp_path / "a.pt2"
    export_model(artifact, file, format="torch_export", preprocessing=preprocessing, calibrate=False)
    logits = BreedPredictor(artifact).logits(seen(artifact))
    images = seen(artifact) if preprocessing else normalise(seen(artifact), artifact.preprocessing)
    expected = logits.softmax(1) if preprocessing else logits
    torch.testing.assert_close(ask_torch_export(file, images), expected, rtol=0, atol=1e-5)
    assert metadata("torch_export", file)["temperature"] == 1.0


def test_the_same_model_gives_the_same_file_and_is_left_as_it_is(
    artifact: Artifact, exported: dict[Any, ExportResult], tmp_path: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in artifact.network.state_dict().items()}
    for kind in SUFFIXES:
        again = export_model(artifact, tmp_path / f"False{SUFFIXES[kind]}", format=kind)
        assert again.files[0].read_bytes() == exported[kind, False].files[0].read_bytes()
    assert all(torch.equal(before[name], tensor) for name, tensor in artifact.network.state_dict().items())
    assert not artifact.network.training


class Dice(nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return logits + torch.rand_like(logits)


class Branch(nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return -logits if logits.sum() > 0 else logits


class Counter(nn.Module):
    """Follows the number of the images in a way that no graph for any batch can hold."""

    def forward(self, logits: Tensor) -> Tensor:
        return logits * len(list(logits))


class SingularValues(nn.Module):
    """An operation that ONNX has not."""

    def forward(self, logits: Tensor) -> Tensor:
        return torch.linalg.svdvals(logits.unsqueeze(-1)) + logits


def ending_in(module: nn.Module) -> Artifact:
    artifact = drawn_artifact()
    artifact.network.head.append(module)
    return artifact_of(artifact.network)


@pytest.mark.parametrize("kind", SUFFIXES)
def test_a_file_that_answers_otherwise_is_not_kept_and_the_old_one_stays(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"model{SUFFIXES[kind]}"
    file.write_bytes(b"old")
    with pytest.raises(ExportError, match="answers otherwise than the model, by up to 0"):
        export_model(ending_in(Dice()), file, format=kind)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert file.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("module", "kind", "message"),
    [
        (Branch(), "torch_export", "torch.export does not take this network: Could not guard"),
        (Counter(), "torch_export", "torch.export does not take this network: .*batch"),
        (SingularValues(), "onnx", "cannot be written as ONNX .*svd"),
    ],
    ids=["branch", "counter", "singular values"],
)
def test_a_network_that_an_exporter_does_not_take_is_told_in_one_line_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], module: nn.Module, kind: str, message: str
) -> None:
    with pytest.raises(ExportError, match=message) as error:
        export_model(ending_in(module), tmp_path / f"model{SUFFIXES[kind]}", format=kind)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.exhaustive
def test_weights_that_are_too_many_for_one_file_lie_beside_it(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "LARGEST", 0)
    file, images = tmp_path / "model.onnx", normalise(seen(artifact), artifact.preprocessing)
    first, second = export_model(artifact, file), export_model(artifact, file)
    assert file.stat().st_size < second.files[1].stat().st_size
    assert second.bytes == sum(path.stat().st_size for path in second.files)
    torch.testing.assert_close(ask_onnx(file, images), artifact.network(images), rtol=0, atol=1e-5)
    assert set(json.loads(second.sidecar.read_text())["files"]) == {path.name for path in second.files}

    with pytest.raises(ExportError):
        export_model(ending_in(Dice()), file)
    assert set(tmp_path.iterdir()) == {*second.files, second.sidecar}
    assert first.files[1] not in second.files
    torch.testing.assert_close(ask_onnx(file, images), artifact.network(images), rtol=0, atol=1e-5)

    monkeypatch.undo()
    export_model(artifact, file)
    assert set(tmp_path.iterdir()) == {file, second.sidecar}


def test_a_place_that_cannot_be_written_is_told_in_one_line(artifact: Artifact, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ExportError, match=r"Cannot write the export to .*/file/a\.pt2: (Not a directory|File exists)\."
    ):
        export_model(artifact, tmp_path / "file" / "a.pt2", format="torch_export")


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("tflite", "model.tflite", "Expected format to be one of onnx, torch_export, got 'tflite'"),
        ("onnx", "model.safetensors", r"format=onnx to end in \.onnx, got 'model.safetensors'"),
        ("torch_export", "model.json", r"format=torch_export to end in \.pt2, got 'model.json'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    artifact: Artifact, tmp_path: Path, kind: str, name: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        export_model(artifact, tmp_path / name, format=kind)


def test_where_a_library_is_missing_its_installation_is_named(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match=r'format=onnx needs onnxruntime: pip install -e "\.\[export\]"'):
        export_model(artifact, tmp_path / "model.onnx")
