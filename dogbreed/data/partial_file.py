"""What has come of a download so far."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dogbreed.atomic import atomic_write


@dataclass(frozen=True)
class PartialFile:
    """The bytes that have come so far, and a note beside them of the URL and the object that they begin."""

    file: Path
    url: str

    @property
    def note(self) -> Path:
        """Where the note lies."""
        return self.file.with_name(self.file.name + ".json")

    def validator(self) -> str:
        """Return the ETag or date to go on with; empty when these bytes cannot be told from another object's."""
        try:
            note = json.loads(self.note.read_bytes())
            return str(note["validator"]) if note["url"] == self.url else ""
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return ""

    def offset(self) -> int:
        """From which byte on the rest can be asked for."""
        return self.length() if self.validator() else 0

    def length(self) -> int:
        """How many bytes have come."""
        return self.file.stat().st_size if self.file.exists() else 0

    def start(self, validator: str) -> None:
        """Begin with nothing; the old bytes go before the new note comes, so that the two never disagree."""
        self.file.open("wb").close()
        with atomic_write(self.note) as note:
            note.write(json.dumps({"url": self.url, "validator": validator}).encode())

    def discard(self) -> None:
        """Forget what has come."""
        self.file.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
