"""A tar archive read once from front to back: what its members say of themselves, and their content.

`tarfile` takes a damaged header for the end of the archive, and its filters have been got round.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

BLOCK_BYTES = 512
CHUNK_BYTES = 1 << 20
# Of an extended header, which is held in memory: a name and a few numbers.
MAX_EXTENSION_BYTES = 1 << 16


@dataclass(frozen=True)
class Member:
    """A file or folder as the archive describes it; `fault` ends a sentence about one that is neither."""

    name: str
    size: int
    is_folder: bool
    fault: str | None


class DamageError(ValueError):
    """Bytes that are no archive; says why."""


class Archive:
    """Reads members one after the other.

    Args:
        file: the archive, decompressed.
        max_bytes: how long it may be, headers and padding included.
    """

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file = file
        self._left = max_bytes

    def members(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Every member with its content, which must be read before the next member is asked for.

        Raises:
            DamageError: the archive breaks off, or is none, or is longer than allowed.
        """
        extended: dict[str, str] = {}
        while any(block := self._exactly(BLOCK_BYTES)):
            header = _header(block)
            if header.type in EXTENSIONS:
                extended |= EXTENSIONS[header.type](self._extension(header.size))
                continue
            member = _member(header, extended)
            yield member, self._content(0 if member.is_folder else member.size)
            extended = {}
        self._check_end()

    def _exactly(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise DamageError("it is longer than what is expected in it needs")
        content = self._file.read(size)
        if len(content) < size:
            raise DamageError("it breaks off")
        return content

    def _content(self, size: int) -> Iterator[bytes]:
        for start in range(0, size, CHUNK_BYTES):
            yield self._exactly(min(CHUNK_BYTES, size - start))
        self._exactly(-size % BLOCK_BYTES)

    def _extension(self, size: int) -> bytes:
        if not 0 <= size <= MAX_EXTENSION_BYTES:
            raise DamageError(f"an extended header of {size} bytes")
        return b"".join(self._content(size))

    def _check_end(self) -> None:
        """Read on to the end, where the compression has its checksum: there are zeros alone."""
        while rest := self._file.read(CHUNK_BYTES):
            self._left -= len(rest)
            if any(rest) or self._left < 0:
                raise DamageError("there is more behind its end")


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError as error:
        raise DamageError(f"a header with {error}") from error


def _member(header: tarfile.TarInfo, extended: dict[str, str]) -> Member:
    try:
        size = int(extended.get("size", header.size))
    except ValueError as error:
        raise DamageError("a size that is no number") from error
    name = extended.get("path", header.name)
    is_folder = header.type == tarfile.DIRTYPE
    # `tar -C folder .` begins every name so.
    return Member(name.removeprefix("./") or ".", size, is_folder, _fault(header.type, size, extended))


def _fault(kind: bytes, size: int, extended: dict[str, str]) -> str | None:
    if kind not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
        return "which is a link or another special file"
    if any(key.startswith("GNU.sparse") for key in extended):
        return "which is a file with holes"
    if size < 0 or (size and kind == tarfile.DIRTYPE):
        return f"whose size cannot be {size} bytes"
    return None


def _pax(content: bytes) -> dict[str, str]:
    """Parse the records `length key=value` of POSIX.1-2001."""
    records = {}
    while content:
        digits = content.partition(b" ")[0]
        length = int(digits) if digits.isdigit() and len(digits) < len(str(MAX_EXTENSION_BYTES)) + 1 else 0
        record, content = content[:length], content[length:]
        key, equals, value = record[len(digits) + 1 :].partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise DamageError("an extended header that cannot be read")
        records[key.decode(errors="surrogateescape")] = value[:-1].decode(errors="surrogateescape")
    return records


def _long_name(content: bytes) -> dict[str, str]:
    return {"path": content.partition(b"\0")[0].decode(errors="surrogateescape")}


def _nothing(_: bytes) -> dict[str, str]:
    return {}


# What stands before a member and speaks of it. A global header holds comments; where a link leads is not of interest.
EXTENSIONS: dict[bytes, Callable[[bytes], dict[str, str]]] = {
    tarfile.XHDTYPE: _pax,
    tarfile.SOLARIS_XHDTYPE: _pax,
    tarfile.XGLTYPE: _nothing,
    tarfile.GNUTYPE_LONGNAME: _long_name,
    tarfile.GNUTYPE_LONGLINK: _nothing,
}
