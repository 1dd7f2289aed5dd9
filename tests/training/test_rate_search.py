from __future__ import annotations

import json
import math
import multiprocessing
import shutil
import signal
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_lightning import Trainer

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.transforms import normalise
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.reporting.contents import RateSearch
from dogbreed.train import quiet
from dogbreed.training.interruption import Interrupted, Interruption
from dogbreed.training.rate_search import SEARCH_FILE, describe_search, find_learning_rate, read_search, write_search
from dogbreed.training.rate_suggestion import suggested
from dogbreed.training.trainer import build_callbacks, build_trainer
from tests.drawn_photos import draw_folder

TINTS = {"blue": (30, 30, 230), "green": (30, 230, 30), "grey": (100, 100, 100), "red": (230, 30, 30)}
COUNTS = {"train": 16, "valid": 8, "test": 1}
STEPS = 20


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos that a small network with random weights can tell apart."""
    root, generator = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for split, count in COUNTS.items():
        for name, tint in TINTS.items():
            (root / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = np.array(tint) + generator.normal(0, 30, (48, 48, 3))
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / split / name / f"{index}.png")
    return root


def photo_data(root: Path, **settings: Any) -> DogBreedDataModule:
    return DogBreedDataModule(root, **{"batch_size": 16, "num_workers": 0, "augmentation": "none", **settings})


def small_module(data: DogBreedDataModule, **settings: Any) -> BreedClassifier:
    """Random weights, with batch statistics of photos: a network to fine-tune without a download."""
    torch.manual_seed(1)
    chosen = {"backbone": "shufflenet_v2_x0_5", "weights": None, "image_size": 32, "train_batch_norm": False}
    module = BreedClassifier(data.num_classes, **chosen | settings)
    images = torch.cat(
        [images for images, _ in photo_data(data.root, preprocessing=module.preprocessing).val_dataloader()]
    )
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
            layer.train()
    with torch.no_grad():
        module.network.backbone(normalise(images, module.preprocessing))
    module.network.train()
    return module


def search(module: BreedClassifier, data: DogBreedDataModule, output_dir: Path, **settings: Any) -> RateSearch:
    quiet()
    chosen = {"accelerator": "cpu", "precision": "32-true", "num_steps": STEPS, **settings}
    return find_learning_rate(module, data, output_dir=output_dir, **chosen)


@pytest.fixture(scope="module")
def plain(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RateSearch]:
    """A search with the settings of the functions above, and the folder that it left."""
    data, output_dir = photo_data(photos), tmp_path_factory.mktemp("plain")
    return output_dir, search(small_module(data), data, output_dir)


def run(module: BreedClassifier, data: DogBreedDataModule, output_dir: Path, *, epochs: int = 1) -> Trainer:
    quiet()
    trainer = build_trainer(
        output_dir,
        max_epochs=epochs,
        accelerator="cpu",
        precision="32-true",
        callbacks=build_callbacks(output_dir),
        progress_bar=False,
        deterministic="warn",
    )
    trainer.fit(module, data)
    return trainer


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("frozen", [True, False])
def test_training_with_the_suggestion_beats_training_with_the_lowest_and_the_highest_rate(
    photos: Path, tmp_path: Path, frozen: bool
) -> None:
    losses = {}
    suggestion = search(small_module(photo_data(photos), frozen=frozen), photo_data(photos), tmp_path, num_steps=40)
    assert suggestion.suggestion is not None
    assert 1e-4 < suggestion.suggestion < 1e-1
    for rate in (1e-6, suggestion.suggestion, 1.0):
        data = photo_data(photos)
        module = small_module(data, frozen=frozen, learning_rate=rate)
        losses[rate] = run(module, data, tmp_path / str(rate), epochs=3).callback_metrics["val/loss"].item()
    assert min(losses, key=lambda rate: losses[rate]) == suggestion.suggestion


def test_the_rates_rise_over_the_whole_range_and_each_has_a_loss(plain: tuple[Path, RateSearch]) -> None:
    _, found = plain
    assert list(found.rates) == sorted(set(found.rates))
    assert found.rates[0] == pytest.approx(1e-6)
    assert found.rates[-1] == pytest.approx(1.0)
    assert len(found.rates) == len(found.losses) == STEPS


def test_a_search_ends_where_the_loss_explodes(photos: Path, tmp_path: Path) -> None:
    data = photo_data(photos)
    found = search(small_module(data), data, tmp_path, num_steps=30, high=1e6)
    assert len(found.rates) < 30
    assert found.rates[-1] < 1e6


def test_a_run_after_a_search_is_the_run_without_one_to_the_last_bit(photos: Path, tmp_path: Path) -> None:
    states = {}
    for searched in (False, True):
        data = photo_data(photos, augmentation="standard", mixing="mixup")
        module = small_module(data, frozen=False, train_batch_norm=True, hidden=[8], dropout=0.5)
        if searched:
            search(module, data, tmp_path / "run")
        run(module, data, tmp_path / "run" / str(searched))
        states[searched] = module.state_dict()
    assert same(states[False], states[True])


def test_a_search_leaves_module_data_and_process_as_they_were(photos: Path, tmp_path: Path) -> None:
    data = photo_data(photos)
    module = small_module(data, frozen="conv5", train_batch_norm=True)
    # As a run's own trainer sets it.
    torch.use_deterministic_algorithms(True, warn_only=True)
    before, random, handlers = deepcopy(module.state_dict()), torch.get_rng_state(), _handlers()
    settings, learning = dict(module.hparams), [p.requires_grad for p in module.parameters()]
    modes = [part.training for part in module.modules()]

    search(module, data, tmp_path)

    assert same(module.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), random)
    assert dict(module.hparams) == settings
    assert [p.requires_grad for p in module.parameters()] == learning
    assert all(p.grad is None for p in module.parameters())
    assert [part.training for part in module.modules()] == modes
    assert data.trainer is None
    assert _handlers() == handlers
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(False)


def _handlers() -> list[Any]:
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def test_a_module_and_data_that_were_fitted_stay_with_their_trainer(photos: Path, tmp_path: Path) -> None:
    data = photo_data(photos)
    module = small_module(data)
    trainer = run(module, data, tmp_path / "run")
    search(module, data, tmp_path)
    assert module.trainer is trainer
    assert data.trainer is trainer


def test_a_search_leaves_one_file_and_says_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    data = photo_data(photos)
    search(small_module(data), data, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == [SEARCH_FILE]
    assert list((tmp_path / "here").iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_backbone_whose_factor_is_zero_is_searched_as_a_frozen_one(
    photos: Path, tmp_path: Path, plain: tuple[Path, RateSearch]
) -> None:
    data, frozen = photo_data(photos), plain[1]
    still = search(small_module(data, frozen=False, backbone_rate=0.0), data, tmp_path / "still")
    moving = search(small_module(data, frozen=False, backbone_rate=1.0), data, tmp_path / "moving")
    assert still.losses == pytest.approx(frozen.losses, rel=1e-4)
    assert moving.losses != pytest.approx(frozen.losses, rel=1e-2)


def test_the_rate_that_is_set_changes_nothing_of_the_search(
    photos: Path, tmp_path: Path, plain: tuple[Path, RateSearch]
) -> None:
    data = photo_data(photos)
    assert search(small_module(data, learning_rate=0.0), data, tmp_path) == plain[1]


def test_the_same_seed_searches_the_same_and_another_one_otherwise(photos: Path, tmp_path: Path) -> None:
    data, searches = photo_data(photos), []
    for folder, seed in (("first", 1), ("second", 1), ("third", 2)):
        module = small_module(data, hidden=[8], dropout=0.5)
        torch.manual_seed(len(folder))
        searches.append(search(module, data, tmp_path / folder, seed=seed))
    assert searches[0] == searches[1]
    assert searches[0].losses != searches[2].losses


def test_worker_processes_change_nothing_and_end_with_the_search(
    photos: Path, tmp_path: Path, plain: tuple[Path, RateSearch]
) -> None:
    data = photo_data(photos, num_workers=2)
    assert search(small_module(data), data, tmp_path) == plain[1]
    assert multiprocessing.active_children() == []


def test_few_photos_are_seen_again(tmp_path: Path) -> None:
    data = photo_data(draw_folder(tmp_path / "few", classes=2, counts={"train": 2, "valid": 1, "test": 1}))
    assert len(data.train_dataloader()) == 1
    assert len(search(small_module(data), data, tmp_path, high=1e-3).rates) == STEPS


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda _: "",
        lambda _: "[" * 100_000,
        lambda _: "[]",
        lambda text: json.dumps(json.loads(text) | {"suggestion": "fast"}),
        lambda text: json.dumps(json.loads(text) | {"suggestion": -1.0}),
        lambda text: json.dumps(json.loads(text) | {"rates": [1.0]}),
        lambda text: json.dumps(json.loads(text) | {"losses": None}),
    ],
)
def test_a_damaged_file_is_no_search(tmp_path: Path, damage: Callable[[str], str]) -> None:
    written = RateSearch((1e-3, 1e-2), (2.0, 1.0), 1e-2)
    write_search(tmp_path, written, {})
    assert read_search(tmp_path) == written
    (tmp_path / SEARCH_FILE).write_text(damage((tmp_path / SEARCH_FILE).read_text()))
    assert read_search(tmp_path) is None


def test_a_run_that_resumes_takes_the_search_that_it_left_and_searches_anew_where_it_is_damaged(
    photos: Path, tmp_path: Path, plain: tuple[Path, RateSearch]
) -> None:
    data, file, (folder, first) = photo_data(photos), tmp_path / SEARCH_FILE, plain
    left = json.loads((folder / SEARCH_FILE).read_text())
    # No search finds this: where it comes back, it was read.
    file.write_text(json.dumps(left | {"suggestion": first.rates[0]}))
    assert search(small_module(data), data, tmp_path).suggestion == first.rates[0]
    file.write_text(file.read_text()[:-10])
    assert search(small_module(data), data, tmp_path) == first
    assert read_search(tmp_path) == first


@pytest.mark.parametrize(
    ("model", "photos_settings", "steps"),
    [({"hidden": [8]}, {}, {}), ({}, {"batch_size": 8}, {}), ({}, {}, {"low": 1e-5})],
)
def test_a_search_of_other_settings_is_not_taken(
    photos: Path,
    tmp_path: Path,
    plain: tuple[Path, RateSearch],
    model: dict[str, Any],
    photos_settings: dict[str, Any],
    steps: dict[str, Any],
) -> None:
    shutil.copy(plain[0] / SEARCH_FILE, tmp_path)
    data = photo_data(photos, **photos_settings)
    assert search(small_module(data, **model), data, tmp_path, **steps) != plain[1]


def test_rates_too_low_for_any_effect_give_no_suggestion_and_the_run_keeps_its_own(
    photos: Path, tmp_path: Path
) -> None:
    data = photo_data(photos)
    found = search(small_module(data), data, tmp_path, low=1e-12, high=1e-10)
    assert found.suggestion is None
    assert describe_search(found, 0.003).startswith("Learning rate: 0.003, as set")


def test_a_loss_that_is_no_number_from_the_first_step_gives_no_suggestion(photos: Path, tmp_path: Path) -> None:
    data = photo_data(photos)
    module = small_module(data)
    with torch.no_grad():
        next(module.network.head.parameters()).fill_(math.nan)
    assert search(module, data, tmp_path) == RateSearch((), (), None) == read_search(tmp_path)


def test_a_signal_ends_a_search_before_its_next_step(photos: Path, tmp_path: Path) -> None:
    data, interruption = photo_data(photos), Interruption()
    with interruption.listening(), pytest.raises(Interrupted) as ended:
        signal.raise_signal(signal.SIGTERM)
        search(small_module(data), data, tmp_path, interruption=interruption)
    assert ended.value.exit_status == 143
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"low": 1.0, "high": 0.1}, {"num_steps": 5}, {"high": math.nan}])
def test_a_range_that_is_none_is_refused(photos: Path, tmp_path: Path, wrong: dict[str, float]) -> None:
    data = photo_data(photos)
    with pytest.raises(ConfigError, match="between two learning rates"):
        search(small_module(data), data, tmp_path, **wrong)


def test_noise_alone_gives_no_suggestion() -> None:
    generator, rates = np.random.default_rng(0), np.geomspace(1e-6, 1, 100).tolist()
    searches = [suggested(rates, generator.normal(4.8, 0.2, 100).tolist()) for _ in range(200)]
    assert [found.suggestion for found in searches] == [None] * 200


@pytest.mark.parametrize("steepest", [1e-4, 1e-3, 1e-2])
def test_the_suggestion_is_where_the_loss_falls_most_steeply_whatever_the_noise(steepest: float) -> None:
    generator, rates = np.random.default_rng(0), np.geomspace(1e-6, 1, 100)
    # Over the logarithm of the rate; a hundred times above, the loss rises beyond all bounds.
    losses = 1 + 4 / (1 + rates / steepest) + (rates / (100 * steepest)) ** 4
    for _ in range(50):
        found = suggested(rates.tolist(), (losses + generator.normal(0, 0.15, 100)).tolist())
        assert found.suggestion is not None
        assert abs(math.log10(found.suggestion / steepest)) < 0.5
