"""The parts of a run, as a composed configuration describes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig, OmegaConf

from dogbreed.arguments import check_arguments
from dogbreed.errors import ConfigError, DogbreedError

if TYPE_CHECKING:
    from dogbreed.data.datamodule import DogBreedDataModule
    from dogbreed.models.classifier import BreedClassifier

PACKAGE = Path(__file__).parent
# In a checkout the configuration lies beside the package, in an installed wheel inside it.
CONF = PACKAGE / "conf" if (PACKAGE / "conf").is_dir() else PACKAGE.parent / "conf"


def build_module(cfg: DictConfig, data: DogBreedDataModule) -> BreedClassifier:
    """The module of a run, its first weights decided by the run's seed alone.

    Raises:
        ConfigError: a setting that cannot be used.
        WeightsError: weights that cannot be read or fetched.
    """
    import torch

    from dogbreed.data.randomness import derived_seed
    from dogbreed.training.run import class_weights

    weights = class_weights(cfg.model.class_weights, data)
    torch.manual_seed(derived_seed(cfg.seed, "first weights"))
    return part(cfg.model, "model", num_classes=data.num_classes, class_weights=weights)  # type: ignore[no-any-return]


def part(node: DictConfig, name: str, **arguments: Any) -> Any:
    """What a part of the configuration describes; a wrong value is the configuration's fault.

    Args:
        node: with a `_target_`.
        name: of the node, for messages.
        arguments: beside those of the node.

    Raises:
        ConfigError: a value that cannot be used.
    """
    check_kinds(node, name, **arguments)
    try:
        # In two steps: Hydra takes a dataclass among the arguments for a configuration.
        return hydra.utils.instantiate(node, _convert_="all", _partial_=True)(**arguments)
    except Exception as error:
        cause = error.__cause__ if isinstance(error, hydra.errors.InstantiationException) else error
        if isinstance(cause, DogbreedError):
            raise cause from None
        raise ConfigError(f"Cannot use the settings of {name}: {cause or error}") from error


def check_kinds(node: DictConfig, name: str, **arguments: Any) -> None:
    """Compare a node's values with the annotations of what it describes.

    Raises:
        ConfigError: a value of another kind.
    """
    check_arguments(hydra.utils.get_object(node._target_), plain(node) | arguments, f"{name}.")


def rehearse(model: DictConfig) -> None:
    """Build the model without its weights and without memory: a wrong name is met before a download, not after it.

    Raises:
        ConfigError: a setting that cannot be used.
        WeightsError: there are no such weights.
    """
    import torch

    from dogbreed.models.weights import check_exists

    check_exists(model.weights)
    with torch.device("meta"):
        part(model, "model", num_classes=2, weights=None, class_weights=None)


def plain(node: DictConfig) -> Any:
    """A node's values, resolved."""
    return OmegaConf.to_container(node, resolve=True)
