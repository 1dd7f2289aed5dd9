"""A zip that nobody has vouched for, unpacked into a folder that exists whole or not at all."""

from __future__ import annotations

import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

from tqdm import tqdm

from dogbreed.data.archive_members import fault, is_litter
from dogbreed.data.archive_refusal import ArchiveRefusal
from dogbreed.data.member_names import Names, name_parts
from dogbreed.data.whole_folder import check_unused, whole_folder
from dogbreed.errors import DataError

CHUNK_BYTES = 1 << 20
BLOCK_BYTES = 4096
_LOCAL_SIGNATURE = b"PK\3\4"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
# What zipfile raises for a damaged archive, beside OSError for an offset before its beginning.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def unzip(archive: Path, folder: Path, *, max_files: int, max_bytes: int) -> None:
    """Unpack the regular files of `archive` to `folder`, less a top folder that all of them share.

    Every member is looked at before anything is written; `__MACOSX/` and `.DS_Store` are left out. The files
    are unpacked to `.<folder>.unpacking` beside `folder`, which takes its name at the end.

    Args:
        archive: a zip file.
        folder: must not exist, or be empty.
        max_files: how many files it may hold.
        max_bytes: how large they may be together.

    Raises:
        DataError: a member is not a plain file inside the folder (it is named), the archive is larger than
            allowed or damaged, there is no room, or `folder` is in use; nothing is left behind.

    >>> from tempfile import mkdtemp
    >>> root = Path(mkdtemp())
    >>> with ZipFile(root / "dogs.zip", "w") as file:
    ...     file.writestr("dogs/train/Akita/1.jpg", b"photo")
    >>> unzip(root / "dogs.zip", root / "dogs", max_files=10, max_bytes=100)
    >>> (root / "dogs" / "train" / "Akita" / "1.jpg").read_bytes()
    b'photo'
    """
    refusal = ArchiveRefusal(archive, "zip file")
    try:
        check_unused(folder)
        with archive.open("rb") as file, ZipFile(file) as opened:
            members = _checked(opened, file, refusal, max_files, max_bytes)
            _check_room(folder.parent, members)
            with whole_folder(folder) as temporary:
                _unpack(opened, members, temporary, refusal)
    except _DAMAGE as error:
        raise refusal.damaged(error) from error
    except OSError as error:
        raise refusal.unwritable(folder, error) from error


def _checked(
    opened: ZipFile, file: IO[bytes], refusal: ArchiveRefusal, max_files: int, max_bytes: int
) -> list[ZipInfo]:
    """Return the members to be unpacked, after every member has been looked at."""
    for member in opened.infolist():
        if (why := fault(member)) is not None:
            raise refusal.member(member.orig_filename, why)
    _check_places(opened, file, refusal)
    wanted = [member for member in opened.infolist() if not is_litter(member)]
    names = Names()
    for member in wanted:
        if (other := names.clash(member.filename, is_folder=member.is_dir())) is not None:
            raise refusal.clash(member.filename, other)
    members = [member for member in wanted if not member.is_dir()]
    _check_totals(members, refusal, max_files, max_bytes)
    return members


def _check_places(opened: ZipFile, file: IO[bytes], refusal: ArchiveRefusal) -> None:
    """Members lie one behind the other: two that share their bytes make a small archive a large one."""
    end, last = 0, ""
    for member in sorted(opened.infolist(), key=lambda member: member.header_offset):
        if member.header_offset < 0 or member.header_offset + _LOCAL_HEADER.size > opened.start_dir:
            raise refusal.member(member.filename, "which lies outside the archive")
        if member.header_offset < end:
            raise refusal.member(member.filename, f"which overlaps with {last[:100]!a}")
        end, last = member.header_offset + _length(member, file, refusal), member.filename
        if end > opened.start_dir:
            raise refusal.member(member.filename, "which lies outside the archive")


def _length(member: ZipInfo, file: IO[bytes], refusal: ArchiveRefusal) -> int:
    """Count the bytes that `member` takes up in the archive, its own header included."""
    file.seek(member.header_offset)
    signature, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    if signature != _LOCAL_SIGNATURE:
        raise refusal.member(member.filename, "which is not where the archive says")
    return _LOCAL_HEADER.size + int(name) + int(extra) + member.compress_size


def _check_totals(members: Sequence[ZipInfo], refusal: ArchiveRefusal, max_files: int, max_bytes: int) -> None:
    if len(members) > max_files:
        raise refusal.member(members[max_files].filename, f"which is one more than the {max_files} files expected")
    total = 0
    for member in members:
        total += member.file_size
        if total > max_bytes:
            raise refusal.member(member.filename, f"with which they are larger than the {max_bytes} bytes expected")


def _check_room(parent: Path, members: Iterable[ZipInfo]) -> None:
    parent.mkdir(parents=True, exist_ok=True)
    needed = sum(-(-member.file_size // BLOCK_BYTES) * BLOCK_BYTES for member in members)
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise DataError(
            f"Expected {needed} free bytes in {parent} to unpack to, found {free}. Make room or choose another folder."
        )


def _unpack(opened: ZipFile, members: Sequence[ZipInfo], folder: Path, refusal: ArchiveRefusal) -> None:
    shared = _has_shared_folder(members)
    total = sum(member.file_size for member in members)
    with tqdm(desc="Unpacking", total=total, unit="B", unit_scale=True, unit_divisor=1024, disable=None) as progress:
        for member in members:
            path = folder.joinpath(*name_parts(member.filename)[shared:])
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                _copy(opened, member, file, refusal, progress.update)


def _has_shared_folder(members: Sequence[ZipInfo]) -> bool:
    names = [name_parts(member.filename) for member in members]
    return len({name[0] for name in names}) == 1 and all(len(name) > 1 for name in names)


def _copy(
    opened: ZipFile, member: ZipInfo, file: IO[bytes], refusal: ArchiveRefusal, progress: Callable[[int], object]
) -> None:
    """Write the content of `member`, and no byte more than was declared."""
    left = member.file_size
    for chunk in _chunks(opened, member, refusal):
        left -= len(chunk)
        if left < 0:
            break
        file.write(chunk)
        progress(len(chunk))
    if left:
        raise refusal.member(member.filename, f"whose size is not the {member.file_size} bytes that it declares")


def _chunks(opened: ZipFile, member: ZipInfo, refusal: ArchiveRefusal) -> Iterator[bytes]:
    try:
        with opened.open(member) as content:
            while chunk := content.read(CHUNK_BYTES):
                yield chunk
    except _DAMAGE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise refusal.member(member.filename, f"which is damaged ({why})") from error
