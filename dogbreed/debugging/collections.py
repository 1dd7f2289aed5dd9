"""Which tensors are recorded, and at which steps: collections, in SageMaker Debugger's vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
PHASES: dict[str, Mode] = {"train": "TRAIN", "eval": "EVAL"}
DEFAULT_INTERVAL = 500


@dataclass(frozen=True)
class Collection:
    """One collection.

    Attributes:
        name: a key of `KNOWN`, or any other with a regex.
        parameters: as SageMaker's CollectionParameters: `save_interval`, `train.save_interval`, `eval.save_interval`,
            `train.save_steps`, `include_regex`, `reductions` and so on.
    """

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def interval(self, mode: Mode) -> int:
        """So many steps of a mode lie between two recordings."""
        phase = mode.lower()
        for key in (f"{phase}.save_interval", "save_interval"):
            if key in self.parameters:
                return int(self.parameters[key])
        return DEFAULT_INTERVAL

    def due(self, mode: Mode, step: int) -> bool:
        """Whether the collection is recorded at a step of a mode."""
        steps = self.parameters.get(f"{mode.lower()}.save_steps", self.parameters.get("save_steps"))
        if steps is not None:
            return step in map(int, steps.split(","))
        return step % self.interval(mode) == 0


def collections_of(settings: Mapping[str, Mapping[str, Any] | None]) -> list[Collection]:
    """The collections of a configuration, where `train: {save_interval: 5}` is `train.save_interval: 5`.

    Raises:
        ConfigError: an unknown name without a regex, or an interval that is no positive number.

    >>> collections_of({"losses": {"train": {"save_interval": 5}}})[0].parameters
    {'train.save_interval': '5'}
    """
    made = [Collection(name, dict(_flat(given or {}))) for name, given in settings.items()]
    for collection in made:
        _check(collection)
    return made


def from_sagemaker(configurations: list[Mapping[str, Any]] | None) -> list[Collection]:
    """The collections of a job's `debughookconfig.json`."""
    return [Collection(c["CollectionName"], c.get("CollectionParameters") or {}) for c in configurations or []]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _check(collection: Collection) -> None:
    if collection.name not in KNOWN and "include_regex" not in collection.parameters:
        raise ConfigError(
            f"Unknown debugger collection {collection.name!r}: known are {', '.join(KNOWN)}; any other needs an "
            "include_regex."
        )
    for key, value in collection.parameters.items():
        if key.endswith("save_interval") and not (value.isdigit() and int(value) > 0):
            raise ConfigError(f"Expected {key} of debugger collection {collection.name} to be at least 1, got {value}.")
