"""Files packed so that the same contents are the same bytes, whoever packs them and when."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A gzip-compressed tar of contents by path: sorted, without times, owners and permissions of their own.

    >>> tar_gz({"b": b"2", "a": b"1"}) == tar_gz({"a": b"1", "b": b"2"})
    True
    """
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            archive.addfile(_member(name, len(files[name])), io.BytesIO(files[name]))
    return packed.getvalue()


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)  # its time, user and group are zero
    member.size, member.mode = size, 0o644
    return member
