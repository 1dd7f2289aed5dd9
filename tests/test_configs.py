from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import Callback, Trainer

from dogbreed.composed_run import CONF
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.debugging.debugger import build_debugger
from dogbreed.models.classifier import BreedClassifier
from dogbreed.profiling.profiler import build_profiler
from dogbreed.train import quiet
from dogbreed.training.epoch_figures import EpochFigures
from dogbreed.training.interruption import Interruption
from dogbreed.training.trainer import build_callbacks, build_trainer
from tests.drawn_photos import draw_folder

GROUPS = sorted(path.name for path in CONF.iterdir() if path.is_dir())
OPTIONS = [f"{group}={path.stem}" for group in GROUPS for path in sorted((CONF / group).glob("*.yaml"))]

# Keys of the configuration that are no argument, because Hydra reads them.
OF_HYDRA = {"_target_"}
# A setting of a run's part that asks for something beside the run.
OF_THE_LAUNCHER = {build_debugger: {"hosted"}}
# Arguments that the command gives, and no configuration can.
GIVEN: dict[str, set[str]] = {
    "debugger": set(),
    "profiler": set(),
    "model": {"num_classes"},
    "data": {"preprocessing", "checked"},
    "callbacks": {"interruption"},
    "trainer": {"callbacks"},
}
# Where the command differs from the library on purpose: what is an argument there stands in one place here.
DIFFERENT = {
    "data": {"root", "seed", "cache_dir"},
    "callbacks": {"output_dir", "seed"},
    "trainer": {"output_dir"},
    "debugger": {"output_dir"},
    "profiler": {"output_dir"},
}


# The configuration that knows a group, where it is not that of a run.
CONFIG_OF = {"search": "tune", "job": "sagemaker", "endpoint": "deploy"}


def composed(*overrides: str) -> DictConfig:
    groups = [override.partition("=")[0] for override in overrides]
    config = next((CONFIG_OF[group] for group in groups if group in CONFIG_OF), "train")
    of_a_run = [] if config == "deploy" else ["data=folder", "data.root=photos"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(config, [*of_a_run, *overrides])


def nodes(node: Any) -> Iterator[DictConfig]:
    if isinstance(node, DictConfig):
        if "_target_" in node:
            yield node
        for child in node.values():
            yield from nodes(child)


def arguments(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_choice_composes_resolves_and_names_what_exists(option: str) -> None:
    config = composed(option)
    found = [node["_target_"] for node in nodes(OmegaConf.create(OmegaConf.to_container(config, resolve=True)))]
    assert len(found) >= (0 if option.startswith("endpoint=") else 4)
    assert all(callable(get_object(target)) for target in found)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_choice_gives_arguments_that_are_there(option: str) -> None:
    for node in nodes(OmegaConf.create(OmegaConf.to_container(composed(option), resolve=True))):
        function = get_object(node["_target_"])
        known = arguments(function).keys() | (arguments(Trainer).keys() if function is build_trainer else set())
        assert set(map(str, node)) - known <= {"_target_", "_partial_", *OF_THE_LAUNCHER.get(function, ())}


def test_a_choice_of_every_group_goes_with_every_other() -> None:
    by_group = [[o for o in OPTIONS if o.startswith(f"{group}=")] for group in ("data", "model", "experiment")]
    for chosen in itertools.product(*by_group):
        assert composed(*chosen).model.backbone


def test_without_a_choice_the_sample_is_trained_on() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train")
    assert config.data.synthetic is True
    assert config.model.weights is None


@pytest.mark.parametrize(
    ("group", "function"),
    [
        ("model", BreedClassifier),
        ("data", DogBreedDataModule),
        ("callbacks", build_callbacks),
        ("trainer", build_trainer),
        ("debugger", build_debugger),
        ("profiler", build_profiler),
    ],
)
def test_the_configuration_has_every_argument_with_the_librarys_own_default(
    group: str, function: Callable[..., Any]
) -> None:
    config = OmegaConf.to_container(composed()[group], resolve=True)
    known = arguments(function)
    assert set(known) - GIVEN[group] <= set(config)
    if group != "trainer":
        assert set(config) - OF_HYDRA <= set(known)
    for name in set(known) - GIVEN[group] - DIFFERENT.get(group, set()):
        default = known[name].default
        expected = list(default) if isinstance(default, tuple) else default
        assert config[name] == expected, name


def test_the_trainers_other_settings_are_lightnings_own() -> None:
    config = composed().trainer
    others = set(map(str, config)) - arguments(build_trainer).keys() - OF_HYDRA
    assert others <= arguments(Trainer).keys()


def test_one_seed_reaches_every_part() -> None:
    config = composed("seed=7")
    assert (config.data.seed, config.callbacks.seed) == (7, 7)


def test_the_folder_of_the_cache_can_be_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOGBREED_CACHE", "/elsewhere")
    assert composed().data.cache_dir == "/elsewhere"
    monkeypatch.delenv("DOGBREED_CACHE")
    assert composed().data.cache_dir == f"{os.environ.get('HOME', '.')}/.cache/dogbreed"


@pytest.mark.filterwarnings("ignore:.*:torch.jit.TracerWarning")
def test_every_callback_is_built_from_the_configuration_and_takes_part_in_a_run(tmp_path: Path) -> None:
    photos, output_dir = draw_folder(tmp_path / "photos"), tmp_path / "run"
    config = composed(
        f"data.root={photos}",
        f"paths.output_dir={output_dir}",
        "data.batch_size=8",
        "data.num_workers=0",
        "model.backbone=shufflenet_v2_x0_5",
        "model.weights=null",
        "model.image_size=32",
        "model.frozen=false",
        "trainer.max_epochs=2",
        "trainer.accelerator=cpu",
        "trainer.precision=32-true",
        "callbacks.ema_decay=0.5",
        "callbacks.unfreeze_epoch=1",
        "callbacks.checkpoint_seconds=0",
        "debugger=full",
        "profiler=on",
    )
    quiet()
    callbacks = instantiate(config.callbacks, _convert_="all", interruption=Interruption())
    callbacks += [*instantiate(config.debugger, _convert_="all"), *instantiate(config.profiler, _convert_="all")]
    data = instantiate(config.data, _convert_="all")
    callbacks.append(EpochFigures())  # which a search adds to each trial
    module = instantiate(config.model, _convert_="all", num_classes=data.num_classes)
    trainer = instantiate(config.trainer, _convert_="all", callbacks=callbacks)
    parts = ("dogbreed.training.", "dogbreed.debugging.", "dogbreed.profiling.")
    own = {cls for cls in subclasses(Callback) if cls.__module__.startswith(parts)}
    # What others are made from takes part in them.
    own -= {cls for cls in own if set(subclasses(cls)) & own}
    assert own <= {type(callback) for callback in trainer.callbacks}
    trainer.fit(module, data)
    assert trainer.global_step == 10
    assert (output_dir / "checkpoints" / "best.ckpt").exists()
    assert (output_dir / "history.csv").read_text().count("\n") == 3
    assert (output_dir / "rules.json").exists()
    assert (output_dir / "profiler" / "rules.json").exists()


def subclasses(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)
