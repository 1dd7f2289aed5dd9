from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Callback, Trainer

from dogbreed.artifacts import load_artifact
from dogbreed.caching.layout import block_files, rows_folder
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.evaluation.evaluation import Settings
from dogbreed.models.classifier import BreedClassifier
from dogbreed.train import quiet
from dogbreed.training.history import read_history
from dogbreed.training.interruption import Interrupted, Interruption
from dogbreed.training.results import write_results
from dogbreed.training.run import train
from dogbreed.training.trainer import build_callbacks, build_trainer
from tests.drawn_photos import draw_folder

COUNTS = {"train": 12, "valid": 4, "test": 6}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"), counts=COUNTS)


class Run:
    """A small run of a frozen network, with everything that a run leaves."""

    def __init__(self, photos: Path, output_dir: Path, **settings: Any) -> None:
        quiet()
        chosen: dict[str, Any] = {"max_epochs": 3, "precision": "32-true", "unfreeze_epoch": None, **settings}
        self.output_dir = output_dir
        self.cache = chosen.pop("cache_dir", output_dir.parent / "cache")
        data = {name: chosen.pop(name) for name in ("views", "augmentation", "mixing", "cache_gib") if name in chosen}
        model = {name: chosen.pop(name) for name in ("frozen", "cache", "frozen_forward") if name in chosen}
        # The smallest network that has the stages asked for: what a checkpoint holds is most of the time of such a run.
        backbone = "resnet18" if isinstance(model.get("frozen"), str) else "shufflenet_v2_x0_5"
        self.interruption = chosen.pop("interruption", Interruption())
        callbacks: list[Callback] = build_callbacks(
            output_dir,
            patience=None,
            unfreeze_epoch=chosen.pop("unfreeze_epoch"),
            ema_decay=chosen.pop("ema_decay", None),
            interruption=self.interruption,
        )
        self.data = DogBreedDataModule(photos, batch_size=8, num_workers=0, cache_dir=self.cache, **data)
        torch.manual_seed(chosen.pop("weights_seed", 7))
        self.module = BreedClassifier(
            self.data.num_classes, weights=None, image_size=32, hidden=[16], dropout=0.3, backbone=backbone, **model
        )
        self.trainer: Trainer = build_trainer(output_dir, callbacks=callbacks, accelerator="cpu", **chosen)

    def train(self) -> Run:
        self.metrics = train(self.trainer, self.module, self.data)
        return self

    def history(self) -> list[dict[str, str]]:
        return [dict(row) for row in read_history(self.output_dir / "history.csv")]

    def blocks(self) -> set[Path]:
        folders = rows_folder(self.cache)
        return {path for folder in folders.iterdir() for path in block_files(folder)} if folders.exists() else set()


def close(first: list[dict[str, str]], second: list[dict[str, str]]) -> bool:
    rows = [[{k: float(v) for k, v in row.items() if v and k != "seconds"} for row in rows] for rows in (first, second)]
    return rows[0] == [pytest.approx(row, rel=1e-4, abs=1e-5) for row in rows[1]]


@pytest.mark.parametrize(
    ("frozen", "settings"),
    [
        (True, {"augmentation": "none"}),
        (True, {"views": 2}),
        (True, {"views": 3, "augmentation": "standard"}),
        ("layer4", {"views": 2, "augmentation": "standard"}),
    ],
)
def test_a_run_that_keeps_features_learns_what_a_run_that_looks_at_its_photos_learns(
    photos: Path, tmp_path: Path, frozen: bool | str, settings: dict[str, Any]
) -> None:
    kept = Run(photos, tmp_path / "kept", frozen=frozen, **settings).train()
    looked = Run(photos, tmp_path / "looked", frozen=frozen, cache=False, **settings).train()
    assert kept.data.features is not None
    assert looked.data.features is None
    assert len(kept.history()) == 3
    assert close(kept.history(), looked.history())
    # Of a layer that learns AdamW may turn the last digit of a small gradient into a step.
    for name, tensor in looked.module.network.head.state_dict().items() if frozen is True else ():
        torch.testing.assert_close(kept.module.network.head.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


def test_both_leave_the_same_figures_and_the_same_model(photos: Path, tmp_path: Path) -> None:
    details = {}
    for name, cache in {"kept": True, "looked": False}.items():
        run = Run(photos, tmp_path / name, augmentation="none", cache=cache).train()
        details[name] = write_results(
            run.output_dir, run.trainer, run.module, run.data, run.metrics, settings=Settings(batch_size=8)
        )
    assert details["kept"]["metrics"] == pytest.approx(details["looked"]["metrics"], rel=1e-4)
    left = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in details]
    assert left[0] == left[1]
    states = [load_artifact(tmp_path / name / "model").network.state_dict() for name in details]
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, rtol=1e-3, atol=1e-4)


def test_the_second_run_looks_at_no_photo(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Run(photos, tmp_path / "first").train()
    capsys.readouterr()

    def no_photo(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("dogbreed.data.photo_views.open_photo", no_photo)
    second = Run(photos, tmp_path / "second").train()
    assert "are known already" in capsys.readouterr().out
    assert close(first.history(), second.history())


@pytest.mark.filterwarnings("ignore:You requested to overfit")
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"mixing": "mixup"}, "data.mixing"),
        ({"frozen": "layer4", "unfreeze_epoch": 1}, "callbacks.unfreeze_epoch"),
        ({"views": 4}, "too short"),
        ({"overfit_batches": 1}, "trainer.overfit_batches"),
        ({"cache_gib": 0.0}, "exceed its limit"),
        ({"frozen": "conv1"}, "no frozen layer"),
    ],
)
def test_a_run_that_cannot_keep_features_says_why_and_looks_at_its_photos(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, Any], reason: str
) -> None:
    run = Run(photos, tmp_path / "run", **settings).train()
    assert run.data.features is None
    assert run.blocks() == set()
    assert len(run.history()) == 3
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Features")]
    assert reason in line


def test_a_second_module_on_the_same_photos_is_not_given_the_features_of_the_first(
    photos: Path, tmp_path: Path
) -> None:
    first = Run(photos, tmp_path / "first", max_epochs=1).train()
    second, alone = (Run(photos, tmp_path / name, max_epochs=1, weights_seed=8) for name in ("second", "alone"))
    second.data = first.data
    assert close(second.train().history(), alone.train().history())
    assert not close(second.history(), first.history())
    fine_tuned = Run(photos, tmp_path / "fine-tuned", max_epochs=1, frozen=False)
    fine_tuned.data = first.data
    assert fine_tuned.train().data.features is None


def test_averaged_weights_are_those_of_a_run_that_looks_at_its_photos(photos: Path, tmp_path: Path) -> None:
    runs = [Run(photos, tmp_path / str(cache), ema_decay=0.9, cache=cache, views=3).train() for cache in (True, False)]
    assert close(*(run.history() for run in runs))


def test_what_is_fine_tuned_as_a_whole_says_nothing_of_features(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Run(photos, tmp_path / "run", frozen=False, max_epochs=1).train()
    assert "Features" not in capsys.readouterr().out


def test_a_run_that_is_interrupted_while_it_looks_at_photos_goes_on_where_it_was(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dogbreed.features.extraction.BATCH_SIZE", 4)
    monkeypatch.setattr("dogbreed.features.extraction.BLOCK_ROWS", 4)
    interruption, real, looked = Interruption(), Interruption.stop_if_asked, [0]

    def after_three_batches(self: Interruption) -> None:
        looked[0] += 1
        if looked[0] == 4:
            self.signal = 15
        real(self)

    monkeypatch.setattr(Interruption, "stop_if_asked", after_three_batches)
    stopped = Run(photos, tmp_path / "stopped", interruption=interruption)
    with pytest.raises(Interrupted):
        stopped.train()
    assert len(stopped.blocks()) == 3
    monkeypatch.setattr(Interruption, "stop_if_asked", real)
    total = stopped.data.num_classes * (COUNTS["train"] + COUNTS["valid"])
    again = Run(photos, tmp_path / "stopped").train()
    assert f"looking once at {total - 12:,} photos" in capsys.readouterr().out
    assert close(again.history(), Run(photos, tmp_path / "other", cache_dir=tmp_path / "empty").train().history())


@pytest.mark.parametrize("place", [0, 40, -1])
def test_features_that_a_disk_has_damaged_are_computed_again(photos: Path, tmp_path: Path, place: int) -> None:
    first = Run(photos, tmp_path / "first").train()
    (block,) = first.blocks()
    content = bytearray(block.read_bytes())
    content[place] ^= 1
    block.write_bytes(content)
    assert close(first.history(), Run(photos, tmp_path / "second").train().history())
