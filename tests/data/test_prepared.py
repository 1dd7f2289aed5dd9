from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import pytest
import torch
from PIL import ExifTags, Image
from torch import Tensor
from torch.utils.data import DataLoader

from dogbreed.data.dataset import PhotoDataset
from dogbreed.data.folder import Split
from dogbreed.data.loading import loader_settings
from dogbreed.data.prepared import PreparedPhotos, open_prepared
from dogbreed.data.prepared_dataset import PreparedDataset
from dogbreed.data.transforms import AUGMENTATIONS, Preprocessing, evaluation_transform, training_transform
from tests.data.photo_folders import noise

SMALL = Preprocessing(72, 64)
SIZES = [(150, 110), (110, 150), (72, 72), (73, 200), (31, 40), (300, 299)]


def smooth(width: int, height: int, seed: int) -> Image.Image:
    return noise(7, 5, seed=seed).resize((width, height), Image.Resampling.BICUBIC)


def content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def by_content(split: Split) -> dict[str, Path]:
    return {content(path): path for path in split.paths}


def split_of(*paths: Path) -> Split:
    return Split(paths, tuple(range(len(paths))))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Split:
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / f"{number}.png" for number in range(len(SIZES))]
    for number, (path, size) in enumerate(zip(paths, SIZES, strict=True)):
        smooth(*size, seed=number).save(path)
    return split_of(*paths)


@pytest.fixture(scope="module", params=["raw", "JPEG"])
def prepared(request: pytest.FixtureRequest, photos: Split, tmp_path_factory: pytest.TempPathFactory) -> PreparedPhotos:
    return filled(tmp_path_factory.mktemp("cache"), photos, form=request.param)


def filled(cache_dir: Path, split: Split, preprocessing: Preprocessing = SMALL, form: str = "raw") -> PreparedPhotos:
    found = open_prepared(cache_dir, preprocessing, form)
    found.prepare(by_content(split))
    return found


def both(prepared: PreparedPhotos, split: Split, augmentation: str = "none") -> tuple[PhotoDataset, PreparedDataset]:
    """The photos out of their files, and out of the store."""
    transform = training_transform(prepared.preprocessing, augmentation)
    contents = [content(path) for path in split.paths]
    return PhotoDataset(split, transform), PreparedDataset(split, transform, prepared, contents)


def difference(one: Tensor, other: Tensor) -> float:
    return (one.float() - other.float()).abs().mean().item()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "turned"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_evaluation_sees_the_same_pixels_in_the_store_as_in_the_file(
    tmp_path: Path, size: tuple[int, int], mode: str, interpolation: str
) -> None:
    path, exif = tmp_path / "a.jpg" if mode == "turned" else tmp_path / "a.png", Image.Exif()
    exif[ExifTags.Base.Orientation] = 6 if mode == "turned" else 1
    noise(*size, seed=1).convert("RGB" if mode == "turned" else mode).save(path, exif=exif)
    prepared = filled(tmp_path / "cache", split_of(path), Preprocessing(72, 64, interpolation=interpolation))
    (from_file, _), (from_store, _) = [dataset[0] for dataset in both(prepared, split_of(path))]
    assert prepared.get(content(path)) is not None
    assert type(from_store) is Tensor
    assert torch.equal(from_store, from_file)


def test_a_jpeg_row_is_nearly_the_photo(photos: Split, tmp_path: Path) -> None:
    jpeg, raw = filled(tmp_path, photos, form="JPEG"), filled(tmp_path, photos)
    assert jpeg.store.nbytes < raw.store.nbytes / 5
    files, rows = both(jpeg, photos)
    assert all(difference(files[index][0], rows[index][0]) < 1.5 for index in range(len(photos)))


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_training_sees_the_same_part_of_a_photo_in_the_store_as_in_the_file(
    prepared: PreparedPhotos, photos: Split, augmentation: str
) -> None:
    files, rows = both(prepared, photos, augmentation)
    places = [(index, seed) for index in range(len(photos)) for seed in range(20)]
    differences = torch.tensor([difference(files[place][0], rows[place][0]) for place in places])
    # Of 255. Another crop of the same photo is more than 40 off.
    assert differences.mean() < 3
    assert differences.quantile(0.9) < 5


@pytest.mark.parametrize("augmentation", ["none", "strong"])
def test_worker_processes_change_nothing(prepared: PreparedPhotos, photos: Split, augmentation: str) -> None:
    _, rows = both(prepared, photos, augmentation)
    order = [(index, seed) for seed in range(2) for index in range(len(photos))]
    with_none, with_two = [list(DataLoader(rows, sampler=order, **loader_settings(5, n, seed=0))) for n in (0, 2)]
    for one, other in zip(with_none, with_two, strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


@pytest.mark.parametrize("size", [(301, 100), (40, 2000)], ids=str)
def test_a_very_long_photo_is_not_blown_up_but_read_from_its_file(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.png"
    noise(*size, seed=1).save(path)
    prepared = filled(tmp_path / "cache", split_of(path))
    assert prepared.store.nbytes < 100
    assert prepared.store.missing([content(path)]) == []
    files, rows = both(prepared, split_of(path), "light")
    assert torch.equal(files[0, 7][0], rows[0, 7][0])


def test_a_photo_that_is_not_what_its_hash_says_is_not_kept(tmp_path: Path) -> None:
    path, gone = tmp_path / "a.png", tmp_path / "gone.png"
    noise(seed=1).save(path)
    prepared = open_prepared(tmp_path / "cache", SMALL, "raw")
    prepared.prepare({"0" * 64: path, "1" * 64: gone})
    assert prepared.get("0" * 64) is None
    assert prepared.store.missing(["0" * 64, "1" * 64]) == ["0" * 64, "1" * 64]
    files, rows = both(prepared, split_of(path))
    assert torch.equal(files[0][0], rows[0][0])


def test_networks_share_prepared_photos_where_they_resize_alike(tmp_path: Path) -> None:
    prepared = open_prepared(tmp_path, SMALL, "raw")
    alike = Preprocessing(72, 48, mean=(0.5, 0.5, 0.5))
    assert prepared.serves(alike)
    assert open_prepared(tmp_path, alike, "raw").store.folder == prepared.store.folder
    for other in (Preprocessing(80, 64), Preprocessing(72, 64, interpolation="bicubic")):
        assert not prepared.serves(other)
        assert open_prepared(tmp_path, other, "raw").store.folder != prepared.store.folder
    assert open_prepared(tmp_path, SMALL, "JPEG").store.folder != prepared.store.folder


def test_prepared_photos_are_prepared_once(photos: Split, tmp_path: Path) -> None:
    filled(tmp_path, photos)
    again = open_prepared(tmp_path, SMALL, "raw")

    def no_photo() -> None:
        raise AssertionError

    again.prepare(by_content(photos), before_photo=no_photo)
    transform = evaluation_transform(SMALL)
    assert torch.equal(both(again, photos)[1][0][0], PhotoDataset(photos, transform)[0][0])


def test_preparing_that_is_stopped_keeps_the_blocks_before(
    photos: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dogbreed.data.preparing.BLOCK_BYTES", 1)
    monkeypatch.setattr("dogbreed.data.preparing.AHEAD", 1)
    photo = itertools.count()

    def stop_at_the_fourth() -> None:
        if next(photo) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_prepared(tmp_path, SMALL, "raw").prepare(by_content(photos), before_photo=stop_at_the_fourth)
    missing = open_prepared(tmp_path, SMALL, "raw").store.missing(by_content(photos))
    assert missing == [content(path) for path in photos.paths[3:]]
