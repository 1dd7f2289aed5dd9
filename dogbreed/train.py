"""`python -m dogbreed.train`: from a folder of photos to a tested model that can be loaded anywhere."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig, OmegaConf

from dogbreed.arguments import check_arguments
from dogbreed.command_line import run_command
from dogbreed.composed_command import begin, told_in_one_line
from dogbreed.composed_run import CONF, build_module, part, plain, rehearse

if TYPE_CHECKING:
    from pytorch_lightning import Trainer

    from dogbreed.data.check import CheckedFolder
    from dogbreed.data.datamodule import DogBreedDataModule
    from dogbreed.models.classifier import BreedClassifier
    from dogbreed.training.interruption import Interruption


def train(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> dict[str, float]:
    """Fit, or resume where the trainer's folder holds a checkpoint, and go back to the best epoch: its validation loss.

    `dogbreed.training.results.write_results` then tests the module and leaves what was learnt.
    """
    from dogbreed.training.run import train as fit

    return fit(trainer, module, data)


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="train")
def main(cfg: DictConfig) -> None:
    """Compose, instantiate, fit, test the best, write the artifact."""
    told_in_one_line(cfg, "python -m dogbreed.train", run)


def run(
    cfg: DictConfig,
    interruption: Interruption,
    *,
    checked: CheckedFolder | None = None,
    command: Sequence[str] = (),
) -> None:
    """What the command does, unless a complete run is there already.

    Args:
        cfg: composed.
        interruption: says whether a signal has asked the run to stop.
        checked: of the folder of photos; None checks it.
        command: that makes this run, for its report; none for the one that is running.

    Raises:
        DogbreedError: what the user gave cannot be used.
        Interrupted: a signal asked the run to stop; its state is stored.
    """
    from dogbreed.training import notices, results

    quiet()
    output_dir = Path(cfg.paths.output_dir)
    if finished := notices.finished(output_dir, plain(cfg)):
        print(finished)
        return
    trainer = composed_trainer(cfg, interruption)
    data = part(cfg.data, "data", checked=checked)
    rehearse(cfg.model)
    data.prepare_data()
    data.setup()
    results.judged_splits(trainer, data)
    module = build_module(cfg, data)
    if trainer.is_global_zero:
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
        settings=replace(results.default_settings(trainer, data), **plain(cfg.evaluation)),
        report=cfg.report,
        command=command or ["python", "-m", "dogbreed.train", *sys.argv[1:]],
    )
    if found:
        print("\n".join(notices.after(trainer, data, output_dir, found)))


def composed_trainer(cfg: DictConfig, interruption: Interruption) -> Trainer:
    """The trainer of a run with all its callbacks, after the settings of what follows the training were checked.

    Raises:
        ConfigError: a setting that cannot be used.
    """
    from dogbreed.evaluation.evaluation import Settings
    from dogbreed.training.results import write_results

    check_arguments(Settings, plain(cfg.evaluation), "evaluation.")
    check_arguments(write_results, {"report": cfg.report}, "")
    callbacks = part(cfg.callbacks, "callbacks", interruption=interruption)
    observers = [*part(cfg.debugger, "debugger"), *part(cfg.profiler, "profiler")]
    return part(cfg.trainer, "trainer", callbacks=[*callbacks, *observers])  # type: ignore[no-any-return]


def _found_rate(cfg: DictConfig, trainer: Trainer, module: Any, data: Any, interruption: Any) -> str:
    from dogbreed.training.run import use_found_rate

    output_dir = Path(cfg.paths.output_dir)
    return use_found_rate(trainer, module, data, output_dir, seed=cfg.seed, interruption=interruption)


def quiet() -> None:
    """Lightning's advice on hardware and loaders is not about anything that the user can change here."""
    # Its import sets the level anew.
    import pytorch_lightning  # noqa: F401

    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")
    # The metrics have gathered from all processes what is logged.
    warnings.filterwarnings("ignore", ".*sync_dist=True.*")
    warnings.filterwarnings("ignore", ".*is smaller than the logging interval.*")
    warnings.filterwarnings("ignore", ".*exists and is not empty.*")
    warnings.filterwarnings("ignore", ".*multi-threaded, use of fork.*")
    warnings.filterwarnings("ignore", ".*LeafSpec.*is deprecated.*")
    warnings.filterwarnings("ignore", ".*Found .* module.* in eval mode.*")


def command() -> None:
    """The command with its faults told in one line."""
    begin(main, "train")


if __name__ == "__main__":
    run_command(command)
