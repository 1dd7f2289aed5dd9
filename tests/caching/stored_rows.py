"""Rows that tests keep and find again, and programs that keep them in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent

import torch
from torch import Tensor

from dogbreed.caching.rows import RowStore


def row(key: str) -> Tensor:
    """The one right row of a key that is a number."""
    return torch.arange(64, dtype=torch.float32) + 1000 * int(key)


def rows(keys: Iterable[str | int]) -> dict[str, Tensor]:
    """The right rows of keys."""
    return {str(key): row(str(key)) for key in keys}


def one_by_one(keys: list[str]) -> Iterator[dict[str, Tensor]]:
    """What `fill` asks for, a block a key."""
    for key in keys:
        yield rows([key])


def are_right(store: RowStore, keys: Iterable[str | int]) -> bool:
    """Whether every key has its row."""
    return all(torch.equal(store[str(key)], row(str(key))) for key in keys)


def run_program(body: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program with the helpers of this module at hand."""
    head = """
    import os, random, signal, sys
    from contextlib import nullcontext
    from pathlib import Path
    import torch
    import dogbreed.caching.rows
    from dogbreed.caching.rows import RowStore, fill
    from tests.caching.stored_rows import are_right, one_by_one, row, rows
    folder = Path(sys.argv[1])
    """
    command = [sys.executable, "-c", dedent(head) + dedent(body), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
