from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from dogbreed.atomic import atomic_write, replace_durably

OLD, NEW = b"old" * 50_000, b"new" * 100_000

# What a child process does before it writes NEW to the path that it is given.
WRITE = """
import errno, os, resource, signal, sys
from pathlib import Path
import dogbreed.atomic

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

path, half = Path(sys.argv[1]), 150_000
{before}
try:
    with dogbreed.atomic.atomic_write(path) as file:
        {at_open}
        file.write((b"new" * 100_000)[:half])
        {in_the_middle}
        file.write((b"new" * 100_000)[half:])
except OSError as error:
    print(errno.errorcode[error.errno])
"""


def write_in_child(
    path: Path, wrapper: tuple[str, ...] = (), before: str = "", at_open: str = "", in_the_middle: str = ""
) -> subprocess.CompletedProcess[str]:
    code = WRITE.format(before=before, at_open=at_open, in_the_middle=in_the_middle)
    return subprocess.run([*wrapper, sys.executable, "-c", code, path], capture_output=True, text=True)


def write(path: Path, content: bytes = NEW) -> None:
    with atomic_write(path) as file:
        file.write(content)


@pytest.fixture(params=[OLD, None], ids=["over an old file", "as a new file"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file in a folder of its own, with or without an earlier content."""
    path = tmp_path / "folder" / "answer.txt"
    path.parent.mkdir()
    if request.param:
        path.write_bytes(request.param)
    return path


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def is_as_it_was(path: Path, before: bytes | None) -> bool:
    """Whether the file has its old content, or is still missing, and nothing else lies beside it."""
    return content(path) == before and list(path.parent.iterdir()) == ([path] if before else [])


def test_a_written_file_is_there_alone_with_the_permissions_of_any_other(path: Path) -> None:
    write(path)
    assert path.read_bytes() == NEW
    assert list(path.parent.iterdir()) == [path]
    plain = path.with_name("plain")
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b" / "answer.txt")
    assert (tmp_path / "a" / "b" / "answer.txt").read_bytes() == NEW


def test_a_reader_that_has_the_old_file_open_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_bytes(OLD)
    with (tmp_path / "answer.txt").open("rb") as reader:
        write(tmp_path / "answer.txt")
        assert reader.read() == OLD


@pytest.mark.parametrize(
    "moment",
    [
        {"at_open": "die()"},
        {"in_the_middle": "die()"},
        {"in_the_middle": "file.flush(); die()"},
        {"before": "os.fsync = die"},
        {"before": "Path.replace = die"},
    ],
    ids=["open", "mid-write", "half on the disk", "before fsync", "before replace"],
)
def test_a_kill_before_the_rename_leaves_the_old_file_and_does_not_disturb_the_next_write(
    path: Path, moment: dict[str, str]
) -> None:
    before = content(path)
    assert write_in_child(path, **moment).returncode == -signal.SIGKILL
    assert content(path) == before
    leftover = set(path.parent.iterdir()) - {path}
    assert len(leftover) == 1
    write(path)
    assert path.read_bytes() == NEW
    assert set(path.parent.iterdir()) == {path} | leftover


def test_a_kill_after_the_rename_leaves_the_new_file(path: Path) -> None:
    assert write_in_child(path, before="dogbreed.atomic._sync_folder = die").returncode == -signal.SIGKILL
    assert path.read_bytes() == NEW
    assert list(path.parent.iterdir()) == [path]


def test_the_content_reaches_the_disk_before_the_rename_and_the_rename_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, events, fsync = tmp_path / "answer.txt", [], os.fsync

    def recording(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").resolve()
        events.append(("folder" if target == tmp_path else target.stat().st_size, path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    write(path)
    assert events == [(len(NEW), False), ("folder", True)]


@pytest.mark.parametrize("limit", [0, 10, 200_000])
def test_a_write_cut_short_by_a_limit_raises_and_leaves_the_old_file(path: Path, limit: int) -> None:
    before = content(path)
    bound = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    assert write_in_child(path, before=bound).stdout == "EFBIG\n"
    assert is_as_it_was(path, before)


def test_a_full_disk_raises_and_leaves_the_old_file(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=200k none "$0" && printf old > "$0/answer.txt" && "$@" && ls -A "$0" && cat "$0"/*'
    wrapper = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(tmp_path))
    if shutil.which("unshare") is None or subprocess.run([*wrapper, "true"], capture_output=True).returncode:
        pytest.skip("no file system of one's own to fill")
    finished = write_in_child(tmp_path / "answer.txt", wrapper)
    assert finished.stdout == "ENOSPC\nanswer.txt\nold"


def test_a_folder_for_temporary_files_on_another_file_system_makes_no_difference(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Path("/dev/shm")  # noqa: S108 (the point is that it is another file system)
    if not shared.is_dir() or shared.stat().st_dev == path.parent.stat().st_dev:
        pytest.skip("no second file system")
    monkeypatch.setenv("TMPDIR", str(shared))
    monkeypatch.setattr(tempfile, "tempdir", None)
    write(path)
    assert path.read_bytes() == NEW


def test_a_folder_without_permission_raises_and_leaves_the_old_file(path: Path) -> None:
    before = content(path)
    path.parent.chmod(0o555)
    # The folder is entered first: as nobody, the way to it may be closed as well.
    nobody = f"os.chdir({str(path.parent)!r}); os.geteuid() or os.setuid(65534)"
    assert write_in_child(Path(path.name), before=nobody).stdout == "EACCES\n"
    path.parent.chmod(0o755)
    assert is_as_it_was(path, before)


@pytest.mark.parametrize("name", ["file/answer.txt", "folder", "x" * 300])
def test_a_place_where_no_file_can_be_raises_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError, match=r"directory|exists|too long"):
        write(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
def test_a_failing_disk_raises_and_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = content(path)
    monkeypatch.setattr(call, fail)
    with pytest.raises(OSError, match="Input/output"):
        write(path)
    assert is_as_it_was(path, before)


def test_a_folder_that_cannot_be_synced_raises_and_leaves_the_new_file_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def fail_for_a_folder(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir():
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_for_a_folder)
    with pytest.raises(OSError, match="Input/output"):
        write(path)
    assert is_as_it_was(path, NEW)


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_fault_of_the_writer_is_passed_on_and_leaves_the_old_file(path: Path, fault: type[BaseException]) -> None:
    before = content(path)
    with pytest.raises(fault), atomic_write(path) as file:
        file.write(NEW)
        raise fault
    assert is_as_it_was(path, before)


def test_a_file_that_the_writer_has_closed_itself_raises_and_leaves_the_old_one(path: Path) -> None:
    before = content(path)
    with pytest.raises(ValueError, match="closed"), atomic_write(path) as file:
        file.close()
    assert is_as_it_was(path, before)


def test_writers_at_once_leave_one_whole_file(path: Path) -> None:
    contents = [bytes([number]) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(path.parent.iterdir()) == [path]


def test_the_umask_of_the_other_threads_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[int] = []
    monkeypatch.setattr(os, "umask", lambda mask: changes.append(mask) or 0)
    write(path)
    assert changes == []


def test_a_folder_is_put_in_its_place_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "1.jpg").write_bytes(b"photo")
    replace_durably(tmp_path / "unfinished", tmp_path / "folder")
    assert (tmp_path / "folder" / "1.jpg").read_bytes() == b"photo"
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]
