"""What a member of a zip may be: a plain file or folder, with a name that every disk can hold."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from zipfile import ZipInfo

from dogbreed.data.member_names import name_fault

MAX_RATIO = 100  # photos hardly shrink, text does tenfold; deflate itself ends near 1032
RATIO_COUNTS_FROM_BYTES = 1 << 20
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_VOLUME_LABEL_OR_LINK = 0x8 | 0x400  # in the DOS half of the attributes


def is_litter(member: ZipInfo) -> bool:
    """Whether a desktop left it: `__MACOSX/`, `.DS_Store`."""
    names = PurePosixPath(member.filename).parts
    return names[0] == "__MACOSX" or names[-1] == ".DS_Store"


def fault(member: ZipInfo) -> str | None:
    """Say why a member is refused; None for a plain file or folder inside the archive's own."""
    # `orig_filename` still has what follows a NUL; zipfile cuts it off from `filename`.
    for name in (member.orig_filename, member.filename):
        if (why := name_fault(name)) is not None:
            return why
    return next((why for why, is_so in _FAULTS.items() if is_so(member)), None)


def _is_special(member: ZipInfo) -> bool:
    """Whether the attributes speak of a link, a device, a socket …, or of a folder whose name is a file's."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    plain = (0, stat.S_IFDIR) if member.is_dir() else (0, stat.S_IFREG)
    return kind not in plain or bool(member.external_attr & _VOLUME_LABEL_OR_LINK)


def _is_bomb(member: ZipInfo) -> bool:
    return member.file_size > max(RATIO_COUNTS_FROM_BYTES, MAX_RATIO * member.compress_size)


_FAULTS: dict[str, Callable[[ZipInfo], bool]] = {
    "which is a link or another special file": _is_special,
    "which is encrypted": lambda m: bool(m.flag_bits & _ENCRYPTED),
    "which is compressed in an unknown way": lambda m: (
        m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    ),
    f"which grows more than {MAX_RATIO} times": _is_bomb,
}
