"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

Searches for settings: by the validation photos alone, each setting acts, and scales are those of the settings.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from dogbreed.composed_run import CONF
from dogbreed.composed_study import Runs, composed_search, run_of
from dogbreed.data.check import CheckedFolder, check_folder
from dogbreed.errors import ConfigError
from dogbreed.training.interruption import Interruption
from dogbreed.tuning import Choice, LogUniform, Uniform
from dogbreed.tuning.trying import Outcome
from tests.drawn_photos import draw_folder
from tests.public_faults.tiny_run import COMMAND

PRESETS = sorted(path.stem for path in (CONF / "search").glob("*.yaml") if path.stem != "default")
PUBLIC = [name for name in PRESETS if name.startswith("public")]
OWN = [name for name in PRESETS if name not in PUBLIC]
# A value in the range of each preset that is not the run's own, where both ends would be too large for such a run.
NEAR = {"data.batch_size": 16, "trainer.max_epochs": 2}


def composed(preset: str, photos: Path) -> DictConfig:
    settings = {**COMMAND, "data.root": photos, "model.hidden": [], "model.dropout": 0.0, "trainer.max_epochs": 1}
    # As the preset's own regime has it: what is frozen has no backbone that learns.
    del settings["model.frozen"]
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        overrides = [f"{name}={'null' if value is None else value}" for name, value in settings.items()]
        return compose("tune", [f"search={preset}", *overrides])


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"), counts={"train": 12, "valid": 4, "test": 4})


@pytest.fixture(scope="module")
def checked(photos: Path) -> CheckedFolder:
    return check_folder(photos)


def trial(preset: str, photos: Path, folder: Path, checked: CheckedFolder, settings: Mapping[str, Any]) -> Outcome:
    config = composed(preset, photos)
    runs = Runs(run_of(config), composed_search(config), folder, checked, Interruption())
    return runs(settings, "trial")


def moved_alone(preset: str, photos: Path) -> dict[str, Any]:
    """Each setting of a preset and a value within its range that is not the run's own."""
    config, moved = composed(preset, photos), {}
    for name, parameter in composed_search(config).space.items():
        default = OmegaConf.select(config, name)
        ends = parameter.values if isinstance(parameter, Choice) else (parameter.low, parameter.high)
        moved[name] = NEAR.get(name) or next(value for value in reversed(ends) if value != default)
    return moved


# fault 9
@pytest.mark.slow
@pytest.mark.parametrize("presets", [["finetune"], ["frozen", *PUBLIC]], ids=lambda presets: presets[0])
def test_every_setting_of_every_preset_moved_alone_changes_the_run(
    presets: list[str], photos: Path, tmp_path: Path, checked: CheckedFolder
) -> None:
    # Nothing of the backbone learns before the epoch that unfreezes it; a head hardly decays where it hardly learns.
    regime = {"trainer.max_epochs": 2} if presets == ["finetune"] else {"model.learning_rate": 1.0}
    own = trial(presets[0], photos, tmp_path / "own", checked, regime)
    # Beside the space, presets of one regime are the same configuration: a setting that several have is moved once.
    moved = dict(pair for preset in presets for pair in moved_alone(preset, photos).items())
    for name, value in moved.items():
        found = trial(presets[0], photos, tmp_path / name, checked, {**regime, name: value})
        assert found.epochs != own.epochs, name


# fault 11
def test_no_test_photo_is_opened_by_a_trial(photos: Path, tmp_path: Path, checked: CheckedFolder) -> None:
    opened: list[str] = []
    listening = True

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if listening and event == "open" and isinstance(arguments[0], str | Path):
            opened.append(str(arguments[0]))

    sys.addaudithook(hear)
    trial(
        "frozen", photos, tmp_path, checked, {"model.learning_rate": 1e-3, "paths.cache_dir": str(tmp_path / "cache")}
    )
    listening = False
    assert any(path.startswith(str(photos / "train")) for path in opened)
    assert any(path.startswith(str(photos / "valid")) for path in opened)
    assert not any(path.startswith(str(photos / "test")) for path in opened)


# fault 11
@pytest.mark.parametrize("metric", ["test/loss", "test/acc", "train/acc"])
def test_nothing_but_validation_can_be_searched_by(photos: Path, metric: str) -> None:
    config = composed("frozen", photos)
    config.search.metric = metric
    with pytest.raises(ConfigError, match=r"val/loss, val/acc, val/acc5"):
        composed_search(config)


# fault 36
@pytest.mark.parametrize("preset", OWN)
def test_learning_rates_are_searched_by_their_order_of_magnitude_around_what_wins(preset: str, photos: Path) -> None:
    rate = composed_search(composed(preset, photos)).space["model.learning_rate"]
    assert isinstance(rate, LogUniform)
    won = {"frozen": (4e-4, 2e-3), "finetune": (7e-5, 8e-5)}[preset]
    assert all(rate.contains(value) for value in won)


def test_the_published_searches_are_as_they_were(photos: Path) -> None:
    wide = Uniform(0.001, 0.1)
    spaces = {name: dict(composed_search(composed(name, photos)).space) for name in PUBLIC}
    assert {name: space["model.learning_rate"] for name, space in spaces.items()} == {
        "public_a": wide,
        "public_b": wide,
        "public_c": wide,
        "public_d": Uniform(0.9, 1.0),
        "public_e": Uniform(1e-4, 1e-2),
    }
    assert spaces["public_a"]["data.batch_size"] == Choice([32, 64, 128, 256, 512])
    assert str(spaces["public_b"]["trainer.max_epochs"]) == "Integers(low=5, high=20)"
    assert spaces["public_c"]["trainer.max_epochs"] == Choice([1, 2])
    assert spaces["public_d"]["data.batch_size"] == Choice([10, 100])
    assert spaces["public_e"]["model.eps"] == Uniform(1e-9, 1e-7)
    assert spaces["public_e"]["model.weight_decay"] == Uniform(1e-3, 1e-1)
    assert [len(spaces[f"public_{letter}"]) for letter in "abcde"] == [2, 3, 3, 2, 4]
