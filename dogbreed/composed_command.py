"""What commands share that work on a composed configuration: faults in one line, and how to go on after a signal."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from dogbreed.allocator import keep_freed_memory
from dogbreed.command_line import fail
from dogbreed.composed_run import CONF
from dogbreed.errors import DogbreedError
from dogbreed.overrides import check_overrides, with_data_choice

if TYPE_CHECKING:
    from dogbreed.training.interruption import Interruption


def begin(main: Callable[[], None], config_name: str) -> None:
    """Call a command's main function, after its arguments were checked.

    Raises:
        ConfigError: an unknown key or choice, or bad grammar.
    """
    overrides = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if len(overrides) == len(sys.argv) - 1:
        sys.argv[1:] = overrides = with_data_choice(overrides)
        check_overrides(CONF, config_name, overrides)
    # Faults come here as they are, not as Hydra prints them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    keep_freed_memory()
    main()


def told_in_one_line(cfg: DictConfig, command: str, work: Callable[[DictConfig, Interruption], None]) -> None:
    """Do a command's work; a fault or a signal ends the process with a line and a status."""
    from dogbreed.training.interruption import Interrupted, Interruption

    try:
        with printing_once():
            work(cfg, Interruption())
    except Interrupted as interrupted:
        print(_to_go_on(cfg, command, interrupted), file=sys.stderr)
        sys.exit(interrupted.exit_status)
    except Exception as error:
        line = fault_line(error, cfg.paths.output_dir)
        if line is None:
            raise
        sys.exit(fail(line))


@contextmanager
def printing_once() -> Iterator[None]:
    """Within the block, of several processes that share a run the first alone prints to stdout."""
    # torchrun says the first, Lightning, where it starts processes itself, the second.
    if int(os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or 0) == 0:
        yield
    else:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            yield


def fault_line(error: Exception, output_dir: str) -> str | None:
    """What to say of a fault of the input or the machine; None for one of the program.

    Args:
        error: that ended a run.
        output_dir: of the run, for a disk's fault that names no file.
    """
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    if isinstance(error, DogbreedError):
        return str(error)
    if isinstance(error, MisconfigurationException):
        return f"Cannot use the settings of trainer: {error}"
    return f"{error.strerror or error}: {error.filename or output_dir}" if isinstance(error, OSError) else None


def _to_go_on(cfg: DictConfig, command: str, interrupted: BaseException) -> str:
    given = [argument for argument in sys.argv[1:] if not argument.startswith("paths.output_dir=")]
    again = f"{command} {shlex.join([*given, f'paths.output_dir={cfg.paths.output_dir}'])}"
    return f"\nStopped by {interrupted}; the run is stored. To go on: {again}"
