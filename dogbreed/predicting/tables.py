"""Answers as a table: a row a photo, in the format that a file's suffix names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from dogbreed.errors import ConfigError
from dogbreed.predicting.answer import Row
from dogbreed.predicting.csv_line import csv_line

# Rows that are held at once.
GROUP = 10_000
# What is no text in any encoding, as a file's name need not be, is written as stdout shows it.
ODD = "backslashreplace"
Cells = dict[str, Any]
Write = Callable[[Iterable[Row], IO[bytes], int], None]


def columns(top_k: int) -> list[str]:
    """The names of the columns of a table.

    >>> columns(2)
    ['file', 'label', 'probability', 'label_2', 'probability_2', 'error']
    """
    return ["file", *(name for rank in range(1, top_k + 1) for name in _pair(rank)), "error"]


def cells(row: Row) -> Cells:
    """An answer by the names of its columns; one that a photo does not have is left out.

    >>> cells({"file": "a.jpg", "predictions": [{"name": "Beagle", "index": 1, "probability": 0.75}]})
    {'file': 'a.jpg', 'label': 'Beagle', 'probability': 0.75}
    """
    found = {"file": row["file"]}
    for rank, one in enumerate(row["predictions"], 1):
        found |= zip(_pair(rank), (one["name"], one["probability"]), strict=True)
    return found | ({"error": row["error"]} if "error" in row else {})


def _pair(rank: int) -> tuple[str, str]:
    return ("label", "probability") if rank == 1 else (f"label_{rank}", f"probability_{rank}")


def write_csv(rows: Iterable[Row], file: IO[bytes], top_k: int) -> None:
    """With a header; probabilities with six digits, cells without a value empty."""
    names = columns(top_k)
    file.write(_csv_bytes(names))
    for found in map(cells, rows):
        file.write(_csv_bytes(_digits(found.get(name, "")) for name in names))


def _csv_bytes(row: Iterable[str]) -> bytes:
    return f"{csv_line(row)}\n".encode(errors=ODD)


def _digits(value: str | float) -> str:
    return f"{value:.6f}" if isinstance(value, float) else value


def write_jsonl(rows: Iterable[Row], file: IO[bytes], _: int) -> None:
    """An object a line, as `format=json` prints it."""
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False).encode(errors=ODD) + b"\n")


def write_parquet(rows: Iterable[Row], file: IO[bytes], top_k: int) -> None:
    """Texts, and probabilities as float64; cells without a value are null."""
    pyarrow, parquet = _pyarrow()
    kinds = [(name, pyarrow.float64() if "probability" in name else pyarrow.string()) for name in columns(top_k)]
    schema = pyarrow.schema(kinds)
    with parquet.ParquetWriter(file, schema) as writer:
        for group in _groups(rows):
            writer.write_table(pyarrow.Table.from_pylist([_texts(cells(row)) for row in group], schema))


def _texts(row: Cells) -> Cells:
    return {name: v.encode(errors=ODD).decode() if isinstance(v, str) else v for name, v in row.items()}


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while group := list(islice(left, GROUP)):
        yield group


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError('A table in Parquet needs pyarrow: pip install -e ".[parquet]"') from error
    return pyarrow, parquet


WRITERS: dict[str, Write] = {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}


def writer_of(path: Path) -> Write:
    """What writes a table to a file of this name.

    Raises:
        ConfigError: no format has this suffix, or its library is missing.
    """
    if path.suffix.lower() not in WRITERS:
        raise ConfigError(f"Expected out to end in {', '.join(WRITERS)}, got {path}.")
    if path.suffix.lower() == ".parquet":
        _pyarrow()
    return WRITERS[path.suffix.lower()]
