from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from dogbreed.caching.rows import RowStore, fill
from tests.caching.stored_rows import are_right, one_by_one, row, rows, run_program


class Computing:
    """Computes right rows, and remembers for which keys it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, keys: list[str]) -> Iterator[dict[str, Tensor]]:
        self.asked += keys
        yield from one_by_one(keys)


def test_only_what_is_missing_is_computed_in_order_and_each_once(tmp_path: Path) -> None:
    store, computing = RowStore(tmp_path / "store"), Computing()
    store.add(rows(["2"]))
    fill(store, iter(["3", "2", "1", "3"]), computing)
    assert computing.asked == ["3", "1"]
    assert are_right(store, "123")
    fill(store, "123", computing)
    assert computing.asked == ["3", "1"]


def test_a_row_that_is_not_there_is_a_missing_key(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    assert "1" not in store
    with pytest.raises(KeyError, match="1"):
        store["1"]


def test_another_stores_rows_are_seen_after_a_refresh(tmp_path: Path) -> None:
    first, second = RowStore(tmp_path), RowStore(tmp_path)
    second.add(rows([1, 2]))
    assert first.missing(["1"]) == ["1"]
    first.refresh()
    assert are_right(first, [1, 2])
    assert first.nbytes == second.nbytes == 2 * 64 * 4


def test_a_store_in_a_place_where_no_folder_can_be_has_nothing_and_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = RowStore(tmp_path / "file" / "store", {"what": "nothing"})
    assert store.missing("1") == ["1"]
    with pytest.raises(OSError, match="directory"):
        store.add(rows([1]))


def test_looking_into_a_store_that_is_not_there_makes_nothing(tmp_path: Path) -> None:
    assert RowStore(tmp_path / "store", {"what": "nothing"}).missing("1") == ["1"]
    RowStore(tmp_path / "store").add({})
    assert list(tmp_path.iterdir()) == []


def test_a_store_says_what_it_is_to_whoever_looks_into_its_folder(tmp_path: Path) -> None:
    RowStore(tmp_path, {"what": "features", "size": (2, 3)}).add(rows([1]))
    assert json.loads((tmp_path / "about.json").read_text()) == {"what": "features", "size": [2, 3]}
    (tmp_path / "about.json").write_text("{")
    RowStore(tmp_path, {"what": "features"})
    assert json.loads((tmp_path / "about.json").read_text()) == {"what": "features"}
    RowStore(tmp_path)
    assert json.loads((tmp_path / "about.json").read_text()) == {"what": "features"}


def test_a_pickled_store_opens_its_folder_again(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    store.add(rows(range(100)))
    pickled = pickle.dumps(store)
    assert len(pickled) < 500
    assert are_right(pickle.loads(pickled), range(100))  # noqa: S301 (made here)


class Rows(torch.utils.data.Dataset[Tensor]):
    """A store as a data set."""

    def __init__(self, store: RowStore) -> None:
        self.store = store

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> Tensor:
        return self.store[str(index)]


def test_loading_processes_read_a_store_that_was_opened_before_they_began(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    store.add(rows(range(100)))
    batches = list(DataLoader(Rows(store), batch_size=8, num_workers=2, multiprocessing_context="fork"))
    assert torch.equal(torch.cat(batches), torch.stack([row(str(key)) for key in range(100)]))


def test_a_store_is_read_on_after_its_folder_was_removed(tmp_path: Path) -> None:
    RowStore(tmp_path / "store").add(rows([1, 2]))
    store = RowStore(tmp_path / "store")
    shutil.rmtree(tmp_path / "store")
    assert are_right(store, [1, 2])
    fill(store, ["3"], one_by_one)
    assert RowStore(tmp_path / "store").missing("123") == ["1", "2"]


def test_eight_processes_without_locks_keep_and_find_right_rows_only(tmp_path: Path) -> None:
    program = """
    def work(seed):
        store, choose = RowStore(folder), random.Random(seed)
        for _ in range(200):
            keys = [str(choose.randrange(300)) for _ in range(4)]
            fill(store, keys, one_by_one)
            if not are_right(store, keys):
                os._exit(1)
        os._exit(0)

    dogbreed.caching.rows.locked = nullcontext
    children = [os.fork() or work(seed) for seed in range(8)]
    print({os.waitpid(child, 0)[1] for child in children})
    """
    finished = run_program(program, tmp_path / "store")
    assert (finished.stdout, finished.stderr) == ("{0}\n", "")
    files = {path.suffix for path in (tmp_path / "store").iterdir() if path.name != "used"}
    assert files == {".safetensors"}
    store = RowStore(tmp_path / "store")
    assert store.missing(map(str, range(300))) == []
    assert are_right(store, range(300))


def test_with_locks_nothing_is_computed_twice(tmp_path: Path) -> None:
    program = """
    def compute(keys):
        with open(sys.argv[2], "a") as log:
            for key in keys:
                print(key, file=log, flush=True)
                yield rows([key])

    def work(seed):
        store = RowStore(folder)
        for start in range(0, 60, 10):
            fill(store, map(str, range(start, start + 20)), compute)
        os._exit(not are_right(store, range(70)))

    children = [os.fork() or work(seed) for seed in range(2)]
    print({os.waitpid(child, 0)[1] for child in children})
    """
    finished = run_program(program, tmp_path / "store", tmp_path / "log")
    assert (finished.stdout, finished.stderr) == ("{0}\n", "")
    assert sorted(map(int, (tmp_path / "log").read_text().split())) == list(range(70))


def test_a_killed_process_leaves_what_it_had_added_and_only_the_rest_is_computed(tmp_path: Path) -> None:
    program = """
    def compute(keys):
        yield rows(keys[:3])
        yield rows(keys[3:5])
        os.kill(os.getpid(), signal.SIGKILL)

    fill(RowStore(folder), map(str, range(9)), compute)
    """
    assert run_program(program, tmp_path / "store").returncode == -signal.SIGKILL
    store, computing = RowStore(tmp_path / "store"), Computing()
    assert are_right(store, range(5))
    fill(store, map(str, range(9)), computing)
    assert computing.asked == ["5", "6", "7", "8"]
    assert are_right(store, range(9))


def test_what_a_killed_process_had_half_written_goes_once_nobody_can_be_writing_it(tmp_path: Path) -> None:
    old, new = tmp_path / ".old.partial", tmp_path / ".new.partial"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    fill(RowStore(tmp_path), ["1"], one_by_one)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_write_cut_short_raises_and_leaves_nothing_partial(tmp_path: Path) -> None:
    program = """
    import errno, resource
    store = RowStore(folder)
    store.add(rows([1]))
    for limit in 5_000, 100, 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            store.add(rows(range(2, 40)))
        except OSError as error:
            print(errno.errorcode[error.errno], store.missing("123"), are_right(store, [1]))
    """
    assert run_program(program, tmp_path).stdout == 3 * "EFBIG ['2', '3'] True\n"
    assert len([path for path in tmp_path.iterdir() if path.name != "used"]) == 1
    assert RowStore(tmp_path).missing("123") == ["2", "3"]


def test_a_full_disk_ends_a_filling_and_what_came_before_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, free = os.fsync, iter([True, True, True, True])

    def fsync_while_there_is_room(descriptor: int) -> None:
        if not next(free, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync_while_there_is_room)
    # A block takes two: one of the file, one of its folder.
    with pytest.raises(OSError, match="No space left"):
        fill(RowStore(tmp_path / "store"), "123", one_by_one)
    assert not list(tmp_path.rglob("*.partial"))
    assert RowStore(tmp_path / "store").missing("123") == ["3"]


def test_a_folder_that_can_only_be_read_serves_what_it_has(tmp_path: Path) -> None:
    program = """
    os.chdir(folder)
    # What is imported when it is first needed may lie where only its owner can read.
    RowStore(Path("other")).add(rows([1]))
    os.geteuid() or os.setuid(65534)
    store = RowStore(Path("store"), {"what": "rows"})
    fill(store, "12", one_by_one)
    print(are_right(store, [1, 2]))
    try:
        store.add(rows([3]))
    except PermissionError:
        print(store.missing("123"))
    """
    RowStore(tmp_path / "store").add(rows([1, 2]))
    (tmp_path / "store").chmod(0o555)
    tmp_path.chmod(0o755)
    finished = run_program(program, tmp_path)
    (tmp_path / "store").chmod(0o755)
    assert finished.stdout == "True\n['3']\n", finished.stderr


def test_a_fault_of_the_computation_is_passed_on_and_leaves_no_lock(tmp_path: Path) -> None:
    def compute(keys: list[str]) -> Iterator[dict[str, Tensor]]:
        yield rows(keys[:1])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fill(RowStore(tmp_path / "store"), "12", compute)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert RowStore(tmp_path / "store").missing("12") == ["2"]


def test_a_file_system_without_locks_is_used_unlocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    store = RowStore(tmp_path / "store")
    fill(store, "12", one_by_one)
    assert are_right(store, "12")
