"""What a member of an archive may be: a plain file or folder, with a name that every disk can hold."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from zipfile import ZipInfo

MAX_RATIO = 100  # photos hardly shrink, text does tenfold; deflate itself ends near 1032
RATIO_COUNTS_FROM_BYTES = 1 << 20
MAX_NAME_BYTES, MAX_PATH_BYTES = 255, 1024
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_VOLUME_LABEL_OR_LINK = 0x8 | 0x400  # in the DOS half of the attributes


def is_litter(member: ZipInfo) -> bool:
    """Whether a desktop left it: `__MACOSX/`, `.DS_Store`."""
    names = PurePosixPath(member.filename).parts
    return names[0] == "__MACOSX" or names[-1] == ".DS_Store"


def fault(member: ZipInfo) -> str | None:
    """Say why a member is refused; None for a plain file or folder inside the archive's own."""
    return next((why for why, is_so in _FAULTS.items() if is_so(member)), None)


def parts(member: ZipInfo) -> list[str]:
    """Split at the slashes; a folder's own last slash does not count."""
    return member.filename.removesuffix("/").split("/")


def _has_control_character(name: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name)


def _is_too_long(member: ZipInfo) -> bool:
    longest = max(len(os.fsencode(part)) for part in parts(member))
    return longest > MAX_NAME_BYTES or len(os.fsencode(member.filename)) > MAX_PATH_BYTES


def _is_special(member: ZipInfo) -> bool:
    """Whether the attributes speak of a link, a device, a socket …, or of a folder whose name is a file's."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    plain = (0, stat.S_IFDIR) if member.is_dir() else (0, stat.S_IFREG)
    return kind not in plain or bool(member.external_attr & _VOLUME_LABEL_OR_LINK)


def _is_bomb(member: ZipInfo) -> bool:
    return member.file_size > max(RATIO_COUNTS_FROM_BYTES, MAX_RATIO * member.compress_size)


# `orig_filename` still has what follows a NUL; zipfile cuts it off from `filename`.
_FAULTS: dict[str, Callable[[ZipInfo], bool]] = {
    "whose name has a control character": lambda m: _has_control_character(m.orig_filename + m.filename),
    "whose name is too long": _is_too_long,
    "whose name has a backslash": lambda m: "\\" in m.orig_filename + m.filename,
    "whose name is absolute": lambda m: m.filename.startswith("/"),
    "whose name begins with a drive letter": lambda m: re.match("[A-Za-z]:", m.filename) is not None,
    "which leads out of the folder": lambda m: ".." in parts(m),
    "whose name has an empty part": lambda m: not {"", "."}.isdisjoint(parts(m)),
    "which is a link or another special file": _is_special,
    "which is encrypted": lambda m: bool(m.flag_bits & _ENCRYPTED),
    "which is compressed in an unknown way": lambda m: (
        m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    ),
    f"which grows more than {MAX_RATIO} times": _is_bomb,
}


@dataclass
class Names:
    """The names seen so far, as a disk sees them that knows no case and one Unicode form."""

    spellings: dict[str, tuple[str, bool, ZipInfo]] = field(default_factory=dict)

    def clash(self, member: ZipInfo) -> str | None:
        """Return the earlier name that `member`, or a folder above it, would fall together with."""
        names = parts(member)
        for depth in range(1, len(names) + 1):
            name = "/".join(names[:depth])
            is_file = depth == len(names) and not member.is_dir()
            earlier = self.spellings.setdefault(_folded(name), (name, is_file, member))
            if earlier[2] is not member and (earlier[:2] != (name, False) or is_file):
                return earlier[0]
        return None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
