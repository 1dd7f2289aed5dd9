"""The learning-rate finder: searched once a run, remembered beside it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer

from dogbreed.atomic import write_text
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.reporting.contents import RateSearch
from dogbreed.training.interruption import Interruption
from dogbreed.training.range_test import InMemory, range_test
from dogbreed.training.rate_suggestion import suggested
from dogbreed.training.trainer import build_trainer

SEARCH_FILE = "learning_rate_search.json"
FEWEST_STEPS = 20


def find_learning_rate(
    module: BreedClassifier,
    data: DogBreedDataModule,
    *,
    output_dir: str | Path,
    accelerator: str = "auto",
    devices: int | str | list[int] = 1,
    precision: str = "auto",
    seed: int = 42,
    num_steps: int = 100,
    low: float = 1e-6,
    high: float = 1.0,
    interruption: Interruption | None = None,
) -> RateSearch:
    """The rate at which the training loss falls most steeply while the rate rises from step to step (Smith, 2017).

    What is searched is `model.learning_rate`, the rate of the head: the backbone's stages learn at their own factors
    of it, as they will in the run. The search knows no schedule, no gradual unfreezing, no clipping and no
    accumulation of gradients. Module, data and random state stay as they are. Where `output_dir` holds a search of
    the same settings, that one is returned.

    Args:
        module: as it is before the first step.
        data: prepared; its training photos are seen again where there are fewer batches than steps.
        output_dir: gets `learning_rate_search.json`, nothing else.
        accelerator: as Lightning's.
        devices: of the run; the search takes one of them.
        precision: see `build_trainer`.
        seed: of the run.
        num_steps: at most so many, at least 20; a loss that rises far above the lowest ends the search.
        low: the first rate, above 0.
        high: the last rate.
        interruption: says whether a signal has asked the run to stop.

    Returns:
        The rates, the smoothed losses, and the suggestion; None where no rate makes the loss fall clearly.

    Raises:
        ConfigError: a value out of range.
        Interrupted: a signal asked the run to stop.
    """
    if not 0 < low < high < math.inf or num_steps < FEWEST_STEPS:
        raise ConfigError(
            f"Expected at least {FEWEST_STEPS} steps between two learning rates above 0, the lower one first, got "
            f"{num_steps} steps from {low:g} to {high:g}."
        )
    steps: dict[str, Any] = {"seed": seed, "num_steps": num_steps, "low": low, "high": high}
    settings = _settings(module, data, steps)
    remembered = read_search(output_dir, settings)
    if remembered is not None:
        return remembered
    trainer = _trainer(output_dir, num_steps, accelerator, devices, precision)
    rates, losses = range_test(trainer, module, data, interruption=interruption or Interruption(), **steps)
    search = suggested(rates, losses)
    write_search(output_dir, search, settings)
    return search


def _trainer(
    output_dir: str | Path, num_steps: int, accelerator: str, devices: int | str | list[int], precision: str
) -> Trainer:
    return build_trainer(
        output_dir,
        max_epochs=num_steps,
        accelerator=accelerator,
        devices=devices[:1] if isinstance(devices, list) else 1,
        precision=precision,
        logger=False,
        enable_checkpointing=False,
        plugins=[InMemory()],
        progress_bar=False,
    )


def _settings(module: BreedClassifier, data: DogBreedDataModule, steps: dict[str, Any]) -> dict[str, Any]:
    """What the losses of a search depend on, as JSON gives it back."""
    model = {name: value for name, value in module.hparams.items() if name != "learning_rate"}
    photos = {name: getattr(data, name) for name in ("root", "batch_size", "augmentation", "mixing", "seed")}
    photos["photos"] = len(data.folder.splits["train"])
    settings: dict[str, Any] = json.loads(json.dumps({"model": model, "data": photos, "search": steps}, default=str))
    return settings


def describe_search(search: RateSearch, learning_rate: float) -> str:
    """A line for the user: the rate of the run, and why.

    Args:
        search: what was found.
        learning_rate: what the settings say.

    >>> describe_search(RateSearch((1e-6, 1e-2), (4.1, 1.2), 7e-4), 0.001)
    'Learning rate: 0.0007 (set was 0.001): the loss falls most steeply there, of the rates from 1e-06 to 0.01.'
    >>> describe_search(RateSearch((1e-6, 1e-2), (4.1, 4.1), None), 0.001)
    'Learning rate: 0.001, as set: the search found no rate at which the loss falls clearly.'
    """
    if search.suggestion is None:
        return f"Learning rate: {learning_rate:g}, as set: the search found no rate at which the loss falls clearly."
    return (
        f"Learning rate: {search.suggestion:.2g} (set was {learning_rate:g}): the loss falls most steeply there, of "
        f"the rates from {search.rates[0]:.2g} to {search.rates[-1]:.2g}."
    )


def write_search(output_dir: str | Path, search: RateSearch, settings: dict[str, Any]) -> None:
    """Write a search to the folder of its run, with the settings that it was made with."""
    content = {
        "settings": settings,
        "suggestion": search.suggestion,
        "rates": list(search.rates),
        "losses": list(search.losses),
    }
    write_text(Path(output_dir) / SEARCH_FILE, json.dumps(content, indent=2, allow_nan=False))


def read_search(output_dir: str | Path, settings: dict[str, Any] | None = None) -> RateSearch | None:
    """The search of a run; None where there is none, its file is damaged, or it was made with other settings.

    Args:
        output_dir: of the run.
        settings: None for whichever the search was made with.
    """
    try:
        content = json.loads((Path(output_dir) / SEARCH_FILE).read_bytes())
        search = RateSearch(
            tuple(map(float, content["rates"])),
            tuple(map(float, content["losses"])),
            None if content["suggestion"] is None else float(content["suggestion"]),
        )
        made_with = content["settings"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    usable = len(search.rates) == len(search.losses) and search.suggestion in (None, *search.rates)
    return search if usable and settings in (None, made_with) else None
