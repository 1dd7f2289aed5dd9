from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from dogbreed.caching.layout import block_files, rows_folder
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.models.classifier import BreedClassifier
from dogbreed.train import quiet
from dogbreed.training.history import read_history
from dogbreed.training.interruption import Interrupted, Interruption
from dogbreed.training.run import train
from dogbreed.training.trainer import build_callbacks, build_trainer
from tests.drawn_photos import draw_folder

COUNTS = {"train": 6, "valid": 3, "test": 3}
PHOTOS = 3 * (COUNTS["train"] + COUNTS["valid"])


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"), classes=3, counts=COUNTS, size=64)


class Run:
    """A small run of a network that learns as a whole, with everything that it leaves."""

    def __init__(self, photos: Path, output_dir: Path, **settings: Any) -> None:
        quiet()
        chosen: dict[str, Any] = {"max_epochs": 2, "precision": "32-true", **settings}
        self.output_dir = output_dir
        self.cache = output_dir.parent / "cache"
        interruption = chosen.pop("interruption", Interruption())
        model = {name: chosen.pop(name) for name in ("frozen", "cache", "train_batch_norm") if name in chosen}
        data = {
            name: chosen.pop(name)
            for name in ("prepare", "augmentation", "mixing", "cache_gib", "num_workers")
            if name in chosen
        }
        self.data = DogBreedDataModule(photos, **{"batch_size": 6, "num_workers": 0, "cache_dir": self.cache, **data})
        torch.manual_seed(7)
        self.module = BreedClassifier(
            3, backbone="shufflenet_v2_x0_5", weights=None, image_size=32, **{"frozen": False, **model}
        )
        callbacks = build_callbacks(output_dir, patience=None, interruption=interruption)
        self.trainer = build_trainer(output_dir, callbacks=callbacks, accelerator="cpu", **chosen)

    def train(self) -> Run:
        self.metrics = train(self.trainer, self.module, self.data)
        return self

    def history(self) -> list[dict[str, float]]:
        rows = read_history(self.output_dir / "history.csv")
        return [{name: float(value) for name, value in row.items() if value and name != "seconds"} for row in rows]

    def blocks(self) -> list[Path]:
        folders = rows_folder(self.cache)
        return [path for folder in folders.iterdir() for path in block_files(folder)] if folders.exists() else []


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("Photos:")]


def no_photo(*_: object) -> None:
    raise AssertionError


def test_a_run_on_prepared_photos_without_augmentation_is_the_run_on_their_files(photos: Path, tmp_path: Path) -> None:
    prepared = Run(photos, tmp_path / "prepared", prepare=True, augmentation="none").train()
    files = Run(photos, tmp_path / "files", prepare=False, augmentation="none").train()
    assert (prepared.data.prepared is None, files.data.prepared is None) == (False, True)
    assert prepared.history() == files.history()
    for name, tensor in files.module.state_dict().items():
        assert torch.equal(prepared.module.state_dict()[name], tensor)


@pytest.mark.parametrize("settings", [{}, {"mixing": "mixup"}], ids=str)
def test_a_run_on_prepared_photos_ends_near_the_run_on_their_files(
    photos: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    # Batch norm over six photos of this size makes much of little.
    prepared, files = [
        Run(photos, tmp_path / str(choice), prepare=choice, train_batch_norm=False, **settings).train()
        for choice in (True, False)
    ]
    for one, other in zip(prepared.history(), files.history(), strict=True):
        assert one["train/loss"] == pytest.approx(other["train/loss"], rel=0.01)
        assert one["val/loss"] == pytest.approx(other["val/loss"], rel=0.01)


def test_the_second_run_decodes_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Run(photos, tmp_path / "first", prepare=True).train()
    assert f"decoding {PHOTOS} once" in lines(capsys)[0]
    monkeypatch.setattr("dogbreed.data.dataset.open_photo", no_photo)
    monkeypatch.setattr("dogbreed.data.prepared.decode", no_photo)
    second = Run(photos, tmp_path / "second", prepare=True).train()
    assert [f"all {PHOTOS} are prepared" in line for line in lines(capsys)] == [True]
    assert first.history() == second.history()


def test_a_photo_that_has_changed_is_decoded_anew_and_no_other(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(photos, tmp_path / "photos")
    Run(folder, tmp_path / "first", prepare=True).train()
    lines(capsys)
    changed = min((folder / "train").rglob("*.png"))
    with Image.open(changed) as image:
        image.transpose(Image.Transpose.ROTATE_180).save(changed)
    second = Run(folder, tmp_path / "second", prepare=True).train()
    assert "decoding 1 once" in lines(capsys)[0]
    assert len(second.blocks()) == 2


@pytest.mark.parametrize("place", [0, 40, -1])
def test_photos_that_a_disk_has_damaged_are_decoded_again(photos: Path, tmp_path: Path, place: int) -> None:
    first = Run(photos, tmp_path / "first", prepare=True).train()
    (block,) = first.blocks()
    content = bytearray(block.read_bytes())
    content[place] ^= 1
    block.write_bytes(content)
    assert Run(photos, tmp_path / "second", prepare=True).train().history() == first.history()


# The rows take 36 x 36 pixels a photo, as JPEG about a third of that.
@pytest.mark.parametrize(("kilobytes", "form"), [(200, "raw"), (60, "JPEG"), (1, None)])
def test_photos_are_kept_in_the_form_that_there_is_room_for_and_a_line_says_where_there_is_none(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kilobytes: int, form: str | None
) -> None:
    run = Run(photos, tmp_path / "run", prepare=True, cache_gib=kilobytes * 1000 / 2**30).train()
    assert getattr(run.data.prepared, "form", None) == form
    assert len(run.blocks()) == (1 if form else 0)
    assert len(run.history()) == 2
    line = lines(capsys)[0]
    assert (f", {form}." if form else "not prepared, every epoch opens their files. The cache holds") in line


@pytest.mark.parametrize(
    ("settings", "prepared"),
    [
        ({"max_epochs": 4}, True),
        ({"max_epochs": 3}, False),
        ({"max_epochs": 6, "limit_train_batches": 0.5}, False),
        ({"max_epochs": 4, "prepare": False}, False),
        ({"max_epochs": 4, "frozen": True, "cache": False}, True),
        ({"prepare": True, "frozen": True}, False),
    ],
    ids=str,
)
def test_photos_are_prepared_where_they_are_asked_for_often_enough_and_never_where_features_are(
    photos: Path, tmp_path: Path, settings: dict[str, Any], prepared: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(photos, tmp_path / "run", **settings).train()
    assert (run.data.prepared is not None) == prepared
    assert bool(lines(capsys)) == prepared


def test_worker_processes_change_nothing(photos: Path, tmp_path: Path) -> None:
    alone, helped = [
        Run(photos, tmp_path / str(number), prepare=True, num_workers=number).train().history() for number in (0, 2)
    ]
    assert alone == helped


def test_a_run_that_is_interrupted_while_it_prepares_photos_goes_on_where_it_was(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dogbreed.data.preparing.BLOCK_BYTES", 1)
    interruption, real, looked = Interruption(), Interruption.stop_if_asked, [0]

    def after_three_photos(self: Interruption) -> None:
        looked[0] += 1
        if looked[0] == 4:
            self.signal = 15
        real(self)

    monkeypatch.setattr(Interruption, "stop_if_asked", after_three_photos)
    stopped = Run(photos, tmp_path / "run", prepare=True, interruption=interruption)
    with pytest.raises(Interrupted):
        stopped.train()
    assert len(stopped.blocks()) == 3
    monkeypatch.setattr(Interruption, "stop_if_asked", real)
    lines(capsys)
    assert len(Run(photos, tmp_path / "run", prepare=True).train().history()) == 2
    assert f"decoding {PHOTOS - 3} once" in lines(capsys)[0]
