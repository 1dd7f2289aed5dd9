"""A tar archive that nobody has vouched for, unpacked into a folder that exists whole or not at all."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dogbreed.data.archive_refusal import ArchiveRefusal
from dogbreed.data.member_names import Names, name_fault, name_parts
from dogbreed.data.whole_folder import whole_folder
from launch.shipping.tar_stream import Archive, DamageError, Member

GZIP = b"\x1f\x8b"
# What a file needs in an archive beside its content, generously: headers, extended ones, padding, folders.
OVERHEAD_BYTES = 1 << 13
ENDING_BYTES = 1 << 20


def unpack_tar(archive: Path, folder: Path, *, max_files: int, max_bytes: int) -> None:
    """Unpack the regular files of `archive` to `folder`; folders come with the files in them.

    The files are unpacked to `.<folder>.unpacking` beside `folder`, which takes its name at the end. They get the
    permissions of new files, whatever the archive says.

    Args:
        archive: a tar file, compressed with gzip or not.
        folder: must not exist, or be empty.
        max_files: how many files it may hold.
        max_bytes: how large they may be together.

    Raises:
        DataError: a member is not a plain file inside the folder (it is named), the archive is larger than allowed or
            damaged, there is no room, or `folder` is in use; nothing is left behind.

    >>> import tarfile
    >>> from tempfile import mkdtemp
    >>> root = Path(mkdtemp())
    >>> (root / "model.json").write_text("{}")
    2
    >>> with tarfile.open(root / "model.tar.gz", "w:gz") as file:
    ...     file.add(root / "model.json", "model.json")
    >>> unpack_tar(root / "model.tar.gz", root / "model", max_files=10, max_bytes=100)
    >>> (root / "model" / "model.json").read_text()
    '{}'
    """
    refusal = ArchiveRefusal(archive, "tar archive")
    longest = max_bytes + max_files * OVERHEAD_BYTES + ENDING_BYTES
    try:
        with _opened(archive) as file, whole_folder(folder) as temporary:
            seen = _Seen(refusal, max_files, max_bytes)
            for member, content in Archive(file, longest).members():
                seen.check(member)
                _write(temporary, member, content)
    except (DamageError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise refusal.damaged(error) from error
    except OSError as error:
        raise refusal.unwritable(folder, error) from error


@contextmanager
def _opened(archive: Path) -> Iterator[IO[bytes]]:
    with archive.open("rb") as file:
        is_compressed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        yield gzip.GzipFile(fileobj=file) if is_compressed else file  # type: ignore[misc]


@dataclass
class _Seen:
    """The members up to one of them, and what is refused in the light of those before it."""

    refusal: ArchiveRefusal
    files_left: int
    bytes_left: int
    names: Names = field(default_factory=Names)

    def check(self, member: Member) -> None:
        if _is_root(member):
            return
        if (why := name_fault(member.name) or member.fault) is not None:
            raise self.refusal.member(member.name, why)
        if (other := self.names.clash(member.name, is_folder=member.is_folder)) is not None:
            raise self.refusal.clash(member.name, other)
        self.files_left -= not member.is_folder
        self.bytes_left -= member.size
        if self.files_left < 0:
            raise self.refusal.member(member.name, "which is one more than the files expected")
        if self.bytes_left < 0:
            raise self.refusal.member(member.name, "with which they are larger than expected")


def _is_root(member: Member) -> bool:
    """Whether it is the folder that the archive was made in."""
    return member.is_folder and member.name == "." and member.fault is None


def _write(folder: Path, member: Member, content: Iterator[bytes]) -> None:
    if member.is_folder:
        return
    path = folder.joinpath(*name_parts(member.name))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.writelines(content)
