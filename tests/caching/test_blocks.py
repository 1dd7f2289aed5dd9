from __future__ import annotations

import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from dogbreed.caching.blocks import read_block, write_block
from dogbreed.caching.rows import RowStore
from tests.caching.stored_rows import rows

DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.uint8, torch.int64, torch.bool]
SHAPES = [(3, 5, 7), (4,), (), (0, 3), (1, 1)]


def bits(tensor: Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rows_of_every_dtype_and_shape_come_back_bit_for_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    noise = torch.Generator().manual_seed(0)
    size = dtype.itemsize
    given = {}
    for shape in SHAPES:
        raw = torch.randint(0, 2 if dtype == torch.bool else 256, (math.prod(shape) * size,), generator=noise)
        given[str(shape)] = raw.to(torch.uint8).view(dtype).reshape(shape)
    RowStore(tmp_path).add(given)
    found = RowStore(tmp_path)
    for key, tensor in given.items():
        assert found[key].dtype == dtype
        assert found[key].shape == tensor.shape
        assert bits(found[key]) == bits(tensor)


@pytest.mark.parametrize(
    "key", ["", "ä/ö 🐕", "../../x", '"}', "a\0b", "n\udcffame"], ids=["empty", "text", "path", "JSON", "nul", "bytes"]
)
def test_any_text_is_a_key(tmp_path: Path, key: str) -> None:
    RowStore(tmp_path).add({key: torch.ones(2)})
    assert RowStore(tmp_path)[key].tolist() == [1.0, 1.0]


def test_a_rows_layout_in_memory_and_its_gradient_make_no_difference(tmp_path: Path) -> None:
    photo = torch.rand(1, 3, 4, 5).to(memory_format=torch.channels_last)[0]
    given = {"photo": photo, "turned": torch.rand(4, 6).T, "grown": torch.rand(3, requires_grad=True)}
    store = RowStore(tmp_path)
    store.add(given)
    assert all(torch.equal(store[key], given[key]) for key in given)
    assert not store["grown"].requires_grad


def test_a_block_can_be_read_by_whoever_reads_safetensors(tmp_path: Path) -> None:
    path = write_block(tmp_path, {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(1)})
    with safe_open(path, framework="np") as file:
        assert file.get_tensor("values").tolist() == [0, 1, 2, 3, 4, 5, 1]
        assert file.metadata() == {"keys": '["a", "b"]', "shapes": "[[2, 3], [1]]"}


@pytest.mark.parametrize("given", [{}, {"a": torch.ones(1), "b": torch.ones(1).half()}], ids=["none", "two dtypes"])
def test_a_block_is_of_one_dtype(tmp_path: Path, given: dict[str, Tensor]) -> None:
    with pytest.raises(ValueError, match="one dtype"):
        write_block(tmp_path, given)
    assert list(tmp_path.iterdir()) == []


def places(length: int, count: int) -> list[int]:
    """Offsets all over a file, its first and its last bytes among them."""
    return sorted({*range(8), length - 2, length - 1, *(length * i // (count - 10) for i in range(1, count - 10))})


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "count"),
    [(flipped, 50), (lambda content, place: content[:place], 22), (lambda content, _: content + b"\0", 11)],
    ids=["a flipped bit", "a missing end", "a byte too many"],
)
def test_damage_anywhere_is_noticed_and_the_file_removed(
    tmp_path: Path, damage: Callable[[bytes, int], bytes], count: int
) -> None:
    path = write_block(tmp_path, rows(range(3)))
    content = path.read_bytes()
    for place in places(len(content), count):
        path.write_bytes(damage(content, place))
        assert read_block(path) is None, place
        assert not path.exists()
    path.write_bytes(content)
    assert read_block(path) is not None


def test_the_rows_of_a_damaged_block_are_missing_and_can_be_added_again(tmp_path: Path) -> None:
    RowStore(tmp_path).add(rows([1]))
    path = write_block(tmp_path, rows([2]))
    path.write_bytes(flipped(path.read_bytes(), path.stat().st_size - 5))
    store = RowStore(tmp_path)
    assert store.missing(["1", "2"]) == ["2"]
    store.add(rows([2]))
    assert RowStore(tmp_path).missing(["1", "2"]) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 100], ids=["empty", "short", "no header"])
def test_a_file_that_is_whole_but_no_block_counts_as_missing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / f"{sha256(content).hexdigest()}.safetensors"
    path.write_bytes(content)
    assert read_block(path) is None
    assert not path.exists()


def test_what_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    assert read_block(tmp_path / "folder.safetensors") is None
    assert read_block(tmp_path / "nothing.safetensors") is None
    assert RowStore(tmp_path).nbytes == 0
    assert (tmp_path / "folder.safetensors").is_dir()


def test_writing_to_a_row_does_not_reach_the_file(tmp_path: Path) -> None:
    RowStore(tmp_path).add(rows([1]))
    RowStore(tmp_path)["1"].zero_()
    assert RowStore(tmp_path)["1"].tolist() == rows([1])["1"].tolist()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no account of the memory")
def test_opening_and_reading_a_store_does_not_load_it(tmp_path: Path) -> None:
    def anonymous() -> int:
        status = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

    for number in range(4):
        write_block(tmp_path, {str(number): torch.full((2**22,), float(number))})
    before = anonymous()
    store = RowStore(tmp_path)
    assert store.nbytes == 2**26
    assert sum(store[str(number)].sum().item() for number in range(4)) == 6 * 2**22
    assert anonymous() - before < 2**23
