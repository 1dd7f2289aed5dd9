from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dogbreed.command_line import run_command
from dogbreed.debugging.__main__ import main
from tests.drawn_photos import draw_folder


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty photos to train on and twelve to validate: three steps and two in batches of eight."""
    return draw_folder(tmp_path_factory.mktemp("photos"), counts={"train": 5, "valid": 3, "test": 2})


@dataclass(frozen=True)
class Told:
    """What a command has said, and its exit status."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """`python -m dogbreed.debugging` within this process, which has imported everything."""

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["debugging", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_command(main)
        written = capsys.readouterr()
        return Told(int(str(ended.value)), written.out, written.err)

    return run
