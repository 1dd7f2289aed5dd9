from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from dogbreed import cache
from dogbreed.caching.rows import RowStore
from dogbreed.command_line import run_command


class Command:
    """The command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["cache", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_command(cache.main)
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A cache of two stores, one of them used 40 days ago, and of a download and a check of photos."""
    for name, count, days_ago in (("new", 1200, 0), ("old", 30, 40)):
        store = RowStore(tmp_path / "rows" / name, {"what": "features of resnet50"} if name == "new" else None)
        store.add({str(key): torch.zeros(100) for key in range(count)})
        os.utime(store.folder / "used", (time.time() - days_ago * 86_400,) * 2)
    (tmp_path / "photos-1.json").touch()
    (tmp_path / "dogImages.zip").touch()
    return tmp_path


def test_it_shows_what_is_kept_without_being_asked_for_anything(filled: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "dogbreed.cache"],
        capture_output=True,
        text=True,
        env={**os.environ, "DOGBREED_CACHE": str(filled)},
    )
    head, titles, old, new, total = finished.stdout.splitlines()
    assert head == f"{filled}:"
    assert titles.split() == ["what", "rows", "size", "last", "used"]
    assert old.split()[:2] == ["old", "30"]
    assert new.startswith("features of resnet50  1,200  4")
    assert total.split()[:2] == ["total", "1,230"]
    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_listing_does_not_wait_for_torch(filled: Path) -> None:
    code = (
        "import sys; sys.argv = ['cache', sys.argv[1]]; from dogbreed.cache import main; main(); "
        "print('torch' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code, f"cache_dir={filled}"], capture_output=True, text=True)
    assert finished.stdout.splitlines()[-1] == "False"


def test_clearing_removes_the_stores_says_what_was_freed_and_leaves_the_rest(command: Command, filled: Path) -> None:
    status, out, _ = command(f"cache_dir={filled}", "clear=true")
    assert status == 0
    assert out.splitlines()[0] == f"{filled}:"
    assert out.splitlines()[1].startswith("Removed 2, 5")
    assert out.endswith(" kB freed.\n")
    assert sorted(path.relative_to(filled).as_posix() for path in filled.rglob("*")) == [
        "dogImages.zip",
        "photos-1.json",
        "rows",
    ]


def test_an_age_restricts_what_is_shown_and_what_is_removed(command: Command, filled: Path) -> None:
    _, out, _ = command(f"cache_dir={filled}", "older_than=30")
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["old", "total"]
    command(f"cache_dir={filled}", "older_than=30", "clear=true")
    assert [path.name for path in (filled / "rows").iterdir()] == ["new"]
    _, out, _ = command(f"cache_dir={filled}", "older_than=30")
    assert out == f"Nothing is kept in {filled} that was not used for 30 days.\n"


@pytest.mark.parametrize("arguments", [(), ("clear=true",)])
def test_an_empty_cache_is_no_fault(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DOGBREED_CACHE", str(tmp_path / "empty"))
    assert command(*arguments) == (0, f"Nothing is kept in {tmp_path / 'empty'}.\n", "")


def test_a_store_used_by_a_clock_that_ran_ahead_is_shown(command: Command, filled: Path) -> None:
    os.utime(filled / "rows" / "new" / "used", (time.time() + 86_400,) * 2)
    assert "resnet50" in command(f"cache_dir={filled}")[1]


@pytest.mark.parametrize("ask", ["-h", "--help"])
def test_help_is_given(command: Command, ask: str) -> None:
    assert command(ask) == (0, f"{cache.HELP}\n", "")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("clear", "Expected key=value, got 'clear'. All settings: --help"),
        ("clear=yes", "Expected clear to be true or false, got 'yes'."),
        ("older_than=-1", "Expected older_than to be at least 0, got -1."),
        ("older_then=1", "Unknown setting 'older_then': did you mean older_than? All settings: --help"),
        (
            "cache_dir=~nobody-of-that-name/x",
            "Expected ~nobody-of-that-name/x to be a folder, but there is no such home. Name another: cache_dir=PATH",
        ),
    ],
)
def test_bad_input_is_answered_in_one_line(command: Command, argument: str, message: str) -> None:
    assert command(argument) == (1, "", f"error: {message}\n")


def test_what_cannot_be_removed_is_named(command: Command, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    rmtree = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_: None if path.name == "new" else rmtree(path))
    status, _, err = command(f"cache_dir={filled}", "clear=true")
    assert status == 1
    assert err.startswith(f"error: Expected to remove {filled}/rows/new, but it is still there: make it writable")
    assert not (filled / "rows" / "old").exists()
