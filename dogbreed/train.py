"""`python -m dogbreed.train`: from a folder of photos to a tested model that can be loaded anywhere."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig, OmegaConf

from dogbreed.allocator import keep_freed_memory
from dogbreed.arguments import check_arguments
from dogbreed.command_line import fail, run_command
from dogbreed.errors import ConfigError, DogbreedError
from dogbreed.overrides import check_overrides, with_data_choice

if TYPE_CHECKING:
    from pytorch_lightning import Trainer

    from dogbreed.data.datamodule import DogBreedDataModule
    from dogbreed.models.classifier import BreedClassifier

PACKAGE = Path(__file__).parent
# In a checkout the configuration lies beside the package, in an installed wheel inside it.
CONF = PACKAGE / "conf" if (PACKAGE / "conf").is_dir() else PACKAGE.parent / "conf"


def train(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> dict[str, float]:
    """Fit, or resume where the trainer's folder holds a checkpoint, and go back to the best epoch: its validation loss.

    `dogbreed.training.results.write_results` then tests the module and leaves what was learnt.
    """
    from dogbreed.training.run import train as run

    return run(trainer, module, data)


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="train")
def main(cfg: DictConfig) -> None:
    """Compose, instantiate, fit, test the best, write the artifact."""
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    from dogbreed.training.interruption import Interrupted, Interruption

    try:
        _run(cfg, Interruption())
    except Interrupted as interrupted:
        print(_interrupted(cfg, interrupted), file=sys.stderr)
        sys.exit(interrupted.exit_status)
    except DogbreedError as error:
        sys.exit(fail(str(error)))
    except MisconfigurationException as error:
        sys.exit(fail(f"Cannot use the settings of trainer: {error}"))
    except OSError as error:
        sys.exit(fail(f"{error.strerror or error}: {error.filename or cfg.paths.output_dir}"))


def _run(cfg: DictConfig, interruption: Any) -> None:
    import torch

    from dogbreed.data.randomness import derived_seed
    from dogbreed.evaluation.evaluation import Settings
    from dogbreed.training import notices, results, run

    quiet()
    output_dir = Path(cfg.paths.output_dir)
    if finished := notices.finished(output_dir, OmegaConf.to_container(cfg, resolve=True)):
        print(finished)
        return
    check_arguments(Settings, _plain(cfg.evaluation), "evaluation.")
    check_arguments(results.write_results, {"report": cfg.report}, "")
    data = _instantiate(cfg.data, "data")
    callbacks = _instantiate(cfg.callbacks, "callbacks", interruption=interruption)
    observers = [*_instantiate(cfg.debugger, "debugger"), *_instantiate(cfg.profiler, "profiler")]
    trainer = _instantiate(cfg.trainer, "trainer", callbacks=[*callbacks, *observers])
    _rehearse(cfg.model)
    data.prepare_data()
    data.setup()
    results.judged_splits(trainer, data)
    weights = run.class_weights(cfg.model.class_weights, data)
    torch.manual_seed(derived_seed(cfg.seed, "first weights"))
    module = _instantiate(cfg.model, "model", num_classes=data.num_classes, class_weights=weights)
    OmegaConf.save(cfg, output_dir / "config.yaml", resolve=True)
    if cfg.lr_find:
        with interruption.listening():
            print(_found_rate(cfg, trainer, module, data, interruption), flush=True)
    print("\n".join(notices.before(trainer, module, data, output_dir)), flush=True)
    # Before and after this a signal may end the process at once: there is nothing to store.
    with interruption.listening():
        metrics = train(trainer, module, data)
    found = results.write_results(
        output_dir,
        trainer,
        module,
        data,
        metrics,
        settings=replace(results.default_settings(trainer, data), **_plain(cfg.evaluation)),
        report=cfg.report,
        command=["python", "-m", "dogbreed.train", *sys.argv[1:]],
    )
    if found:
        print("\n".join(notices.after(trainer, data, output_dir, found)))


def _found_rate(cfg: DictConfig, trainer: Trainer, module: Any, data: Any, interruption: Any) -> str:
    from dogbreed.training.run import use_found_rate

    output_dir = Path(cfg.paths.output_dir)
    return use_found_rate(trainer, module, data, output_dir, seed=cfg.seed, interruption=interruption)


def _instantiate(node: DictConfig, name: str, **arguments: Any) -> Any:
    """What a part of the configuration describes; a wrong value is the configuration's fault."""
    values = _plain(node)
    check_arguments(hydra.utils.get_object(node._target_), values | arguments, f"{name}.")
    try:
        return hydra.utils.instantiate(node, _convert_="all", **arguments)
    except hydra.errors.InstantiationException as error:
        if isinstance(error.__cause__, DogbreedError):
            raise error.__cause__ from None
        cause = error.__cause__ or error
        raise ConfigError(f"Cannot use the settings of {name}: {cause}") from error


def _plain(node: DictConfig) -> Any:
    return OmegaConf.to_container(node, resolve=True)


def _rehearse(model: DictConfig) -> None:
    """Build the model without its weights and without memory: a wrong name is met before a download, not after it."""
    import torch

    from dogbreed.models.weights import check_exists

    check_exists(model.weights)
    with torch.device("meta"):
        _instantiate(model, "model", num_classes=2, weights=None, class_weights=None)


def quiet() -> None:
    """Lightning's advice on hardware and loaders is not about anything that the user can change here."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    warnings.filterwarnings("ignore", ".*is smaller than the logging interval.*")
    warnings.filterwarnings("ignore", ".*exists and is not empty.*")
    warnings.filterwarnings("ignore", ".*multi-threaded, use of fork.*")
    warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated.*")
    warnings.filterwarnings("ignore", ".*Found .* module.* in eval mode.*")


def _interrupted(cfg: DictConfig, interrupted: BaseException) -> str:
    given = [argument for argument in sys.argv[1:] if not argument.startswith("paths.output_dir=")]
    command = " ".join(["python -m dogbreed.train", *given, f"paths.output_dir={cfg.paths.output_dir}"])
    return f"\nStopped by {interrupted}; the run is stored. To go on: {command}"


def command() -> None:
    """The command with its faults told in one line."""
    overrides = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if len(overrides) == len(sys.argv) - 1:
        sys.argv[1:] = overrides = with_data_choice(overrides)
        check_overrides(CONF, "train", overrides)
    # Faults come here as they are, not as Hydra prints them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    keep_freed_memory()
    main()


if __name__ == "__main__":
    run_command(command)
