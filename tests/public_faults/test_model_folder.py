"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

From the trained network to an answer: what is stored, what is loaded, what the answer is called.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import models

from dogbreed.artifacts import load_artifact, save_artifact
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.errors import ArtifactError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.models.network import build_network
from dogbreed.predictor import BreedPredictor
from dogbreed.training.results import write_results
from tests.data.photo_folders import noise, photo_folder
from tests.public_faults.conftest import WatchedRun
from tests.public_faults.tiny_run import MODEL, command_run

SMALL = "shufflenet_v2_x0_5"
# Any look at a name or another machine ends the process with a traceback.
OFFLINE = """
import sys
def refuse(event, arguments):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "urllib.Request")):
        raise SystemExit(f"went online: {event} {arguments}")
sys.addaudithook(refuse)
from PIL import Image
from dogbreed.predictor import BreedPredictor
print(BreedPredictor.load(sys.argv[1]).predict(Image.new("RGB", (64, 48), "red"), top_k=1)[0].name)
"""


# fault 10
def test_the_network_that_is_loaded_is_built_as_the_trained_one(watched: WatchedRun) -> None:
    loaded = load_artifact(watched.run.output_dir / "model").network
    assert str(loaded) == str(watched.run.module.network)
    assert [type(layer).__name__ for layer in loaded.head.children()] == ["Linear", "ReLU", "Dropout", "Linear"]


# fault 10
@pytest.mark.parametrize("hidden", [[], [9], [3, 3]], ids=["a layer less", "another width", "a layer more"])
def test_weights_of_another_head_are_refused(tmp_path: Path, hidden: list[int]) -> None:
    architecture: dict[str, Any] = {
        "num_classes": 3,
        "backbone": SMALL,
        "hidden": hidden,
        "dropout": 0.0,
        "image_size": 32,
    }
    network = build_network(3, backbone=SMALL, hidden=[3], image_size=32)
    with pytest.raises(ArtifactError, match=r"cannot be built"):
        save_artifact(tmp_path, network, architecture=architecture, class_names="abc")
    with pytest.raises(ArtifactError, match=r"cannot be built"):
        load_artifact(tmp_path)


# fault 10
def test_a_head_that_was_changed_in_the_description_is_noticed(tmp_path: Path) -> None:
    architecture: dict[str, Any] = {
        "num_classes": 3,
        "backbone": SMALL,
        "hidden": [8],
        "dropout": 0.0,
        "image_size": 32,
    }
    save_artifact(tmp_path, build_network(**architecture), architecture=architecture, class_names="abc")
    card = json.loads((tmp_path / "model.json").read_text())
    card["architecture"]["dropout"] = 0.5
    (tmp_path / "model.json").write_text(json.dumps(card))
    with pytest.raises(ArtifactError, match=r"model\.json was changed"):
        load_artifact(tmp_path)


# fault 16
def test_an_answer_has_the_name_of_its_class_folder_whatever_number_stands_before_it(tmp_path: Path) -> None:
    names = {"007.Saluki": 5, "010.Akita": 5, "2.Borzoi": 5, "023.Basenji": 5}
    split = dict.fromkeys(names, 2)
    data = DogBreedDataModule(photo_folder(tmp_path / "photos", {"train": names, "valid": split, "test": split}))
    architecture: dict[str, Any] = {"num_classes": 4, "backbone": SMALL, "image_size": 32}
    network = build_network(**architecture)
    logits = list(network.modules())[-1]
    assert isinstance(logits, torch.nn.Linear)
    for folder, name in [("007.Saluki", "Saluki"), ("010.Akita", "Akita"), ("2.Borzoi", "Borzoi")]:
        photos = data.folder.splits["train"]
        [target] = {t for path, t in zip(photos.paths, photos.targets, strict=True) if path.parent.name == folder}
        torch.nn.init.zeros_(logits.weight)
        logits.bias.data = torch.nn.functional.one_hot(torch.tensor(target), 4) * 2.0
        save_artifact(tmp_path / "model", network, architecture=architecture, class_names=data.class_names)
        answer = BreedPredictor.load(tmp_path / "model").predict(noise(seed=0))
        assert (answer[0].name, answer[0].index) == (name, target)
        assert answer[0].probability == pytest.approx(torch.tensor([2.0, 0, 0, 0]).softmax(0)[0].item())
        assert all(data.class_names[each.index] == each.name for each in answer)
        assert sorted(each.index for each in answer) == [0, 1, 2, 3]


# fault 24
def test_a_model_that_began_with_published_weights_is_loaded_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = models.get_model_weights(SMALL).DEFAULT.url.rpartition("/")[2]
    (tmp_path / "full" / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(models.get_model(SMALL).state_dict(), tmp_path / "full" / "hub" / "checkpoints" / file)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "full"))
    module = BreedClassifier(2, **{**MODEL, "weights": "imagenet"})
    save_artifact(tmp_path / "model", module.network, architecture=module.architecture, class_names=["Akita", "Borzoi"])
    ended = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(tmp_path / "model")],
        env={**os.environ, "TORCH_HOME": str(tmp_path / "empty")},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() in ("Akita", "Borzoi")


# fault 25
@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_missing_file_is_named_and_where_a_run_leaves_it(watched: WatchedRun, tmp_path: Path, name: str) -> None:
    for file in (watched.run.output_dir / "model").iterdir():
        (tmp_path / (f"my-{name}" if file.name == name else file.name)).write_bytes(file.read_bytes())
    with pytest.raises(ArtifactError, match=rf"{tmp_path}.*{name}.*OUTPUT_DIR/model"):
        load_artifact(tmp_path)


# fault 25
@pytest.mark.parametrize("folder", ["", "modle", "checkpoints"])
def test_another_folder_than_the_models_is_named(watched: WatchedRun, folder: str) -> None:
    with pytest.raises(ArtifactError, match=r"model\.safetensors: No such file.*OUTPUT_DIR/model"):
        load_artifact(watched.run.output_dir / folder)


# fault 25
def test_a_run_whose_model_does_not_load_has_no_figures(watched: WatchedRun, tmp_path: Path) -> None:
    run = watched.run
    other = BreedClassifier(4, **{**MODEL, "hidden": [9]})
    other.network = run.module.network
    with pytest.raises(ArtifactError, match="cannot be built"):
        write_results(tmp_path, run.trainer, other, run.data, run.metrics)
    assert not (tmp_path / "metrics.json").exists()


# fault 25
def test_a_run_whose_model_has_no_place_has_no_figures(watched: WatchedRun, tmp_path: Path) -> None:
    run = watched.run
    (tmp_path / "model").write_text("A file where the folder should be.")
    with pytest.raises(ArtifactError, match="Cannot write the model"):
        write_results(tmp_path, run.trainer, run.module, run.data, run.metrics)
    assert not (tmp_path / "metrics.json").exists()


# fault 25
def test_a_finished_run_that_lost_its_model_is_run_again(photos: Path, tmp_path: Path) -> None:
    card = command_run(photos, tmp_path / "run")
    for file in (tmp_path / "run" / "model").iterdir():
        file.unlink()
    assert command_run(photos, tmp_path / "run")["weights"] == card["weights"]
