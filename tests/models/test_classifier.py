from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from pytorch_lightning import Trainer
from torch.nn.functional import cross_entropy

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.models.network import build_network
from dogbreed.train import quiet
from tests.drawn_photos import draw_folder


def classifier(num_classes: int = 4, **settings: Any) -> BreedClassifier:
    chosen = {"backbone": "shufflenet_v2_x0_5", "weights": None, "image_size": 32, **settings}
    torch.manual_seed(0)
    return BreedClassifier(num_classes, **chosen)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trainer, BreedClassifier]:
    folder = draw_folder(tmp_path_factory.mktemp("photos"), counts={"train": 4, "valid": 2, "test": 2})
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        default_root_dir=tmp_path_factory.mktemp("run"),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    module = classifier(hidden=[8], dropout=0.1, frozen=False, class_weights=[1.0, 2.0, 1.0, 0.5])
    quiet()
    trainer.fit(module, DogBreedDataModule(folder, batch_size=8, num_workers=0))
    return trainer, module


def test_a_checkpoint_loads_with_nothing_but_tensors_and_plain_values(
    fitted: tuple[Trainer, BreedClassifier], tmp_path: Path
) -> None:
    trainer, module = fitted
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    assert torch.load(tmp_path / "a.ckpt", weights_only=True)["hyper_parameters"]["backbone"] == "shufflenet_v2_x0_5"
    reloaded = BreedClassifier.load_from_checkpoint(tmp_path / "a.ckpt", weights_only=True, map_location="cpu")
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(reloaded.eval()(images), module.eval()(images))
    assert dict(reloaded.hparams) == dict(module.hparams)


def test_every_documented_figure_of_an_epoch_is_logged(fitted: tuple[Trainer, BreedClassifier]) -> None:
    figures = ("loss", "acc", "acc5", "macro_acc", "macro_f1", "calibration_error")
    assert set(fitted[0].callback_metrics) == {"train/loss", "train/acc", *(f"val/{name}" for name in figures)}


def test_the_hyperparameters_are_plain_values() -> None:
    hparams = dict(classifier(hidden=[8]).hparams)
    assert json.loads(json.dumps(hparams)) == hparams


def test_the_architecture_builds_the_same_network_again() -> None:
    module = classifier(hidden=(8,), dropout=0.2)
    again = build_network(**json.loads(json.dumps(module.architecture)))
    again.load_state_dict(module.network.state_dict(), strict=True)
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(again.eval()(images), module.eval()(images))
    assert again.preprocessing == module.preprocessing


@pytest.mark.parametrize("settings", [{}, {"label_smoothing": 0.1}, {"class_weights": [1.0, 4.0, 0.5, 2.0]}], ids=str)
@pytest.mark.parametrize("blended", [False, True])
def test_the_loss_is_torchs_cross_entropy_with_the_settings(settings: dict[str, Any], blended: bool) -> None:
    module = classifier(**settings).eval()
    images, target = torch.randn(6, 3, 32, 32), torch.arange(6) % 4
    expected_target = torch.nn.functional.one_hot(target, 4) * 0.8 + 0.05 if blended else target
    weight = torch.tensor(settings["class_weights"]) if "class_weights" in settings else None
    expected = cross_entropy(
        module(images), expected_target, weight, label_smoothing=settings.get("label_smoothing", 0.0)
    )
    assert torch.equal(module.training_step((images, expected_target), 0), expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_classes", 1),
        ("learning_rate", -1.0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("backbone_rate", -0.1),
        ("layer_decay", -0.1),
        ("weight_decay", -1.0),
        ("eps", -1.0),
        ("label_smoothing", 1.0),
        ("label_smoothing", -0.1),
        ("dropout", 1.0),
        ("hidden", [0]),
        ("warmup", 2.0),
        ("schedule", "linear"),
        ("class_weights", [1.0]),
        ("class_weights", "balanced"),
        ("backbone", "resnet"),
        ("frozen", "layer9"),
        ("image_size", 0),
        ("frozen_forward", "openvino"),
    ],
)
def test_a_setting_out_of_range_is_refused_in_one_line(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as error:
        classifier(**{name: value})
    assert "\n" not in str(error.value)
    assert any(word in str(error.value) for word in (name, name.replace("_", " ").rstrip("s"), "crop"))


@pytest.mark.parametrize(("weights", "follows"), [(True, False), (False, True)])
def test_batch_norm_keeps_the_statistics_of_pretrained_weights_and_learns_its_own_without(
    tmp_path: Path, weights: bool, follows: bool
) -> None:
    torch.save(torchvision.models.get_model("shufflenet_v2_x0_5").state_dict(), tmp_path / "weights.pth")
    module = classifier(weights=str(tmp_path / "weights.pth") if weights else None, frozen=False).train()
    norm = module.network.backbone.conv5[1]
    assert norm.training is follows
    assert norm.weight.requires_grad
    module(torch.randn(4, 3, 32, 32))
    assert bool(norm.running_mean.any()) is follows


def test_a_checkpoint_of_pretrained_weights_loads_where_these_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(torchvision.models.get_model("shufflenet_v2_x0_5").state_dict(), path)
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer.strategy.connect(classifier(weights=str(path), frozen=False))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    path.unlink()
    assert BreedClassifier.load_from_checkpoint(tmp_path / "a.ckpt").hparams["train_batch_norm"] is False
