"""Which tensors are recorded, and at which steps: collections, in SageMaker Debugger's vocabulary."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dogbreed.debugging.rule import Mode
from dogbreed.errors import ConfigError

# What each is, by name; any other name is a collection of the user's own and needs an include_regex.
KNOWN = {
    "losses": "what the loss says of each batch",
    "weights": "parameters of layers, but biases",
    "biases": "biases of layers",
    "gradients": "of parameters that are trained",
    "labels": "the classes of a batch",
    "predictions": "the logits of a batch",
    "input_image": "every eighth pixel of what the network is given",
    "frozen_statistics": "running means and variances of frozen batch norm",
    "wall_time": "when each step was recorded, in seconds",
    "relu_input": "variance of what a ReLU is given",
    "relu_output": "how often each unit of a ReLU is above zero",
}
DEFAULT_INTERVAL = 500
# What smdebug reads of a collection's parameters; the first four also for one phase alone, as in `train.save_interval`.
STEPS = ("save_interval", "save_steps", "start_step", "end_step")
PHASES = ("train", "eval", "predict", "global")
OTHERS = ("include_regex", "reductions", "save_raw_tensor", "save_shape", "save_histogram")
PARAMETERS = (*STEPS, *(f"{phase}.{key}" for phase in PHASES for key in STEPS), *OTHERS)


@dataclass(frozen=True)
class Collection:
    """One collection.

    Attributes:
        name: a key of `KNOWN`, or any other with a regex.
        parameters: as SageMaker's CollectionParameters: `save_interval`, `train.save_interval`, `eval.save_interval`,
            `train.save_steps`, `include_regex`, `reductions` and so on.
        defaults: of all collections of a job, where this one says nothing.
    """

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)

    def due(self, mode: Mode, step: int) -> bool:
        """Whether the collection is recorded at a step of a mode.

        As smdebug decides: `save_steps` come on top of the interval, and do not replace it.
        """
        steps, end = self._setting(mode, "save_steps"), self._setting(mode, "end_step")
        if steps is not None and step in map(int, steps.split(",")):
            return True
        within = int(self._setting(mode, "start_step") or 0) <= step and (end is None or step < int(end))
        return within and step % int(self._setting(mode, "save_interval") or DEFAULT_INTERVAL) == 0

    def holds(self, name: str) -> bool:
        """Whether the collection is one by regex, and a tensor's name matches it."""
        regex = "" if self.name in KNOWN else self.parameters.get("include_regex", "")
        return any(re.search(part.strip(), name) for part in regex.split(",") if part.strip())

    def _setting(self, mode: Mode, key: str) -> str | None:
        keys = (f"{mode.lower()}.{key}", key)
        found = (given[name] for given in (self.parameters, self.defaults) for name in keys if name in given)
        return next(found, None)


def collections_of(settings: Mapping[str, Mapping[str, Any] | None]) -> list[Collection]:
    """The collections of a configuration, where `train: {save_interval: 5}` is `train.save_interval: 5`.

    Raises:
        ConfigError: an unknown name without a regex, an unknown parameter, or an interval that is no positive number.

    >>> collections_of({"losses": {"train": {"save_interval": 5}}})[0].parameters
    {'train.save_interval': '5'}
    """
    made = [Collection(name, dict(_flat(given or {}))) for name, given in settings.items()]
    for collection in made:
        _check(collection)
    return made


def from_sagemaker(job: Mapping[str, Any]) -> list[Collection]:
    """The collections of a job's `debughookconfig.json`.

    Raises:
        ConfigError: as `collections_of`.
    """
    defaults = {key: value for key, value in (job.get("HookParameters") or {}).items() if key in PARAMETERS}
    made = [
        Collection(c["CollectionName"], c.get("CollectionParameters") or {}, defaults)
        for c in job.get("CollectionConfigurations") or []
    ]
    for collection in made:
        _check(collection)
    return made


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _check(collection: Collection) -> None:
    if collection.name not in KNOWN and "include_regex" not in collection.parameters:
        raise ConfigError(
            f"Unknown debugger collection {collection.name!r}: known are {', '.join(KNOWN)}; the nearest is "
            f"{difflib.get_close_matches(collection.name, KNOWN, n=1, cutoff=0)[0]}. Any other needs an include_regex."
        )
    for key, value in collection.parameters.items():
        if key not in PARAMETERS:
            near = difflib.get_close_matches(key, PARAMETERS, n=1, cutoff=0)[0]
            raise ConfigError(f"Debugger collection {collection.name} has no parameter {key!r}; the nearest is {near}.")
        expected, fits = FITTING.get(key.rpartition(".")[2], ("", None))
        if fits and not fits(value):
            raise ConfigError(f"Expected {key} of debugger collection {collection.name} to be {expected}, got {value}.")


FITTING: dict[str, tuple[str, Callable[[str], bool]]] = {
    "save_interval": ("at least 1", lambda value: value.isdigit() and int(value) > 0),
    "save_steps": ("whole numbers", lambda value: all(part.strip().isdigit() for part in value.split(","))),
    "start_step": ("a whole number", str.isdigit),
    "end_step": ("a whole number", str.isdigit),
}
