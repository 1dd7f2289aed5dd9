"""The libraries of a container: SageMaker's training toolkit by itself, and beside it what is installed here."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from dogbreed.atomic import write_text
from dogbreed.data.lock import locked
from dogbreed.errors import ConfigError

# The newest that the images of PyTorch 2.13 have, and the protobuf of those images' major version.
TOOLKIT = ("sagemaker-training==5.1.4", "sagemaker-pytorch-training==3.0.0", "protobuf<7")
COMPLETE = "complete"
# An environment with the toolkit that is already there, used as it is.
GIVEN = "DOGBREED_TOOLKIT_ENVIRONMENT"
BORROWED = "zz_borrowed.pth"
LIBRARIES = {"site-packages", "dist-packages"}
# Both a shell's script and Python's: a path with blanks, or a long one, cannot stand behind #!.
TORCHRUN = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
from torch.distributed.run import main
main()
"""


def toolkit_environment(cache_dir: Path, show: Callable[[str], None]) -> Path:
    """The folder of the environment with the toolkit: made in about a minute the first time, then kept.

    Its own libraries come first, so that the toolkit has its protobuf; all else, torch among it, is what is installed
    where this runs.

    Raises:
        ConfigError: pip could not install the toolkit; says why in one line.
    """
    if given := os.environ.get(GIVEN):
        return Path(given)
    folder = cache_dir / "toolkit" / _key()
    with locked(folder, lambda: show("Another rehearsal is installing SageMaker's training toolkit; waiting for it.")):
        if not (folder / COMPLETE).exists():
            show("Installing SageMaker's training toolkit for rehearsals, once: about a minute …")
            shutil.rmtree(folder, ignore_errors=True)
            _create(folder, installed_libraries(), with_pip=True)
            _install(folder)
            write_text(folder / COMPLETE, "\n".join(TOOLKIT))
    return folder


def job_environment(folder: Path, toolkit: Path) -> Path:
    """A job's own environment, as a container is one: what its requirements install stays in it.

    Args:
        folder: to be made.
        toolkit: of `toolkit_environment`.

    Returns:
        The environment's Python.
    """
    _create(folder, [*map(str, toolkit.glob("lib/python*/site-packages")), *installed_libraries()], with_pip=False)
    python = folder / "bin/python"
    # The installed one would start another Python than the container's.
    (folder / "bin/torchrun").write_text(TORCHRUN.format(python=python))
    (folder / "bin/torchrun").chmod(0o755)
    return python


def installed_libraries() -> list[str]:
    """The folders of the libraries that are installed where this runs, in the order of their use."""
    return [path for path in sys.path if Path(path).name in LIBRARIES]


def _key() -> str:
    parts = [*TOOLKIT, sys.version, sys.prefix, *installed_libraries()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _create(folder: Path, libraries: Sequence[str], *, with_pip: bool) -> None:
    try:
        venv.create(folder, with_pip=with_pip, symlinks=True)
    except subprocess.CalledProcessError as error:
        raise ConfigError(
            "A rehearsal needs a virtual environment of its own, and this Python makes none with pip: "
            "apt-get install python3-venv"
        ) from error
    (own,) = folder.glob("lib/python*/site-packages")
    (own / BORROWED).write_text("".join(f"{path}\n" for path in libraries))


def _install(folder: Path) -> None:
    _pip(folder, "install", "--no-warn-conflicts", *TOOLKIT)
    # It would hide the installed one, and pip would fetch another for each job.
    _pip(folder, "uninstall", "--yes", "setuptools")


def _pip(folder: Path, verb: str, *arguments: str) -> None:
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    command = [str(folder / "bin/python"), "-m", "pip", verb, *options, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ConfigError(f"A rehearsal needs SageMaker's training toolkit, and {_reason(done.stderr)}")


def _reason(errors: str) -> str:
    """What pip's errors come to, and what mends it."""
    causes = {
        ("gcc' failed", "gcc failed", "cc' failed", "clang' failed", "Microsoft Visual C++"): (
            "it is built with a C compiler, which this machine lacks: apt-get install gcc (or xcode-select --install)"
        ),
        ("No matching distribution", "NewConnectionError", "Failed to establish", "name resolution"): (
            "the package index cannot be reached: connect to the network once, or set PIP_INDEX_URL"
        ),
        ("No space left",): "the disk is full: make room, or give another paths.cache_dir",
    }
    for words, cause in causes.items():
        if any(word in errors for word in words):
            return f"{cause}."
    lines = [line for line in errors.splitlines() if line.startswith("ERROR")] or errors.splitlines()
    return f"pip could not install it: {lines[-1] if lines else 'it said nothing'}"
