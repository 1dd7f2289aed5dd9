"""The header of an array in NumPy's format, read by its letters: nothing of it is evaluated.

`numpy.lib.format` describes it: a magic string, a version, a length, and the text of a Python dictionary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from dogbreed.serving.error import RequestError

MAGIC = b"\x93NUMPY"
# Of each version: how many bytes its length has.
LENGTHS = {1: 2, 2: 4, 3: 4}
MOST_BYTES = 1024
DTYPES: dict[str, np.dtype[Any]] = {
    **{f"{order}u1": np.dtype(np.uint8) for order in "|<>"},
    **{f"{order}f{size}": np.dtype(f"{order}f{size}") for order in "<>" for size in (4, 8)},
}
VALUE = r"'[^'\\]{0,40}'|True|False|\([0-9, ]{0,100}\)"
PAIR = rf"\s{{0,8}}'(\w{{1,20}})'\s{{0,8}}:\s{{0,8}}({VALUE})\s{{0,8}}"
DICTIONARY = re.compile(rf"{{{PAIR},{PAIR},{PAIR},?\s{{0,8}}}}\s*", re.ASCII)
FORMS = {
    "descr": re.compile("'.*'"),
    "fortran_order": re.compile("True|False"),
    "shape": re.compile(r"\((?:[0-9]{1,9}(?:, ?[0-9]{1,9}){0,7},?)?\)"),
}


@dataclass(frozen=True)
class Header:
    """What follows it, from the byte `start` on: numbers in a shape, the first or the last axis the slowest."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool
    start: int


def read_header(body: bytes) -> Header:
    """The header at the beginning of a body.

    Raises:
        RequestError: there is none that NumPy would write, or it is of another type of numbers.
    """
    text, start = _text(body)
    match = DICTIONARY.fullmatch(text)
    groups = match.groups() if match else ()
    found = dict(zip(groups[::2], groups[1::2], strict=True))
    ordinary = found.keys() == FORMS.keys() and all(FORMS[name].fullmatch(text) for name, text in found.items())
    if not ordinary:
        # An array of records has a list for its type: no letters that stand for one.
        raise _no_array()
    dtype = found["descr"].strip("'")
    if dtype not in DTYPES:
        raise RequestError(400, f"Expected an array of uint8 or float32, got {dtype!r}.")
    shape = tuple(int(digits) for digits in re.findall("[0-9]+", found["shape"]))
    return Header(DTYPES[dtype], shape, found["fortran_order"] == "True", start)


def _text(body: bytes) -> tuple[str, int]:
    size = LENGTHS.get(body[6]) if body.startswith(MAGIC) and len(body) > 12 else None
    if size is None:
        raise _no_array()
    start = 8 + size + int.from_bytes(body[8 : 8 + size], "little")
    if start > min(len(body), MOST_BYTES):
        raise _no_array()
    return body[8 + size : start].decode("latin-1"), start


def _no_array() -> RequestError:
    return RequestError(400, "Expected an array of numbers in NumPy's format (.npy).")
