"""What a member of an archive may be called: a name inside the archive's own folder, that every disk can hold."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_NAME_BYTES, MAX_PATH_BYTES = 255, 1024


def name_fault(name: str) -> str | None:
    """Say why a name is refused; None for one that can be used.

    >>> name_fault("../dogs/1.jpg")
    'which leads out of the folder'
    """
    return next((why for why, is_so in _FAULTS.items() if is_so(name)), None)


def name_parts(name: str) -> list[str]:
    """Split at the slashes; a folder's own last slash does not count."""
    return name.removesuffix("/").split("/")


def _has_control_character(name: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name)


def _is_too_long(name: str) -> bool:
    longest = max(len(os.fsencode(part)) for part in name_parts(name))
    return longest > MAX_NAME_BYTES or len(os.fsencode(name)) > MAX_PATH_BYTES


_FAULTS: dict[str, Callable[[str], bool]] = {
    "whose name has a control character": _has_control_character,
    "whose name is too long": _is_too_long,
    "whose name has a backslash": lambda name: "\\" in name,
    "whose name is absolute": lambda name: name.startswith("/"),
    "whose name begins with a drive letter": lambda name: re.match("[A-Za-z]:", name) is not None,
    "which leads out of the folder": lambda name: ".." in name_parts(name),
    "whose name has an empty part": lambda name: not {"", "."}.isdisjoint(name_parts(name)),
}


@dataclass
class Names:
    """The names seen so far, as a disk sees them that knows no case and one Unicode form."""

    spellings: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def clash(self, member: str, *, is_folder: bool) -> str | None:
        """Return the earlier name that a member, or a folder above it, would fall together with."""
        names = name_parts(member)
        for depth in range(1, len(names) + 1):
            found = "/".join(names[:depth]), depth == len(names) and not is_folder
            earlier = self.spellings.get(_folded(found[0]))
            # A folder may come as often as there are files in it.
            if earlier is not None and (earlier != found or earlier[1]):
                return earlier[0]
            self.spellings[_folded(found[0])] = found
        return None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
