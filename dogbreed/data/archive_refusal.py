"""The errors about one archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dogbreed.errors import DataError


@dataclass(frozen=True)
class ArchiveRefusal:
    """Says what is wrong with an archive, of which nothing was unpacked.

    Args:
        archive: the file.
        kind: what it should be.
    """

    archive: Path
    kind: str

    def member(self, name: str, why: str) -> DataError:
        """About one member, by a name that nobody has looked at yet."""
        shown = ascii(name if len(name) <= 100 else name[:100] + "...")
        return DataError(
            f"Expected {self.archive} to hold plain files inside one folder, found member {shown}, {why}. "
            f"Nothing was unpacked: remove {self.archive} and fetch it from a source that you trust."
        )

    def clash(self, name: str, other: str) -> DataError:
        """About two members that some disks cannot tell apart."""
        return self.member(name, f"which is the same name as {other[:100]!a} on some disks")

    def damaged(self, error: BaseException | str) -> DataError:
        """About all of it."""
        why = " ".join(str(error).split()) or type(error).__name__
        return DataError(
            f"Expected a whole {self.kind} at {self.archive}, found a damaged or truncated one ({why}). "
            f"Nothing was unpacked: remove it and run again."
        )

    def unwritable(self, folder: Path, error: OSError) -> DataError:
        """About the disk."""
        return DataError(
            f"Expected to unpack {self.archive} to {folder}, got: {error.strerror or error}. Make room, make the "
            f"folder writable, or choose another one, and run again."
        )
