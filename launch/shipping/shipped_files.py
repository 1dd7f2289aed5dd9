"""Which files of a folder go into the source archive, and which make the archive impossible."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from dogbreed.errors import ConfigError
from launch.shipping.secret_patterns import is_secret_name, secret_in

MAX_FILE_BYTES = 1 << 20
MAX_TOTAL_BYTES = 10 << 20
COMPILED = ("__pycache__", ".pyc", ".pyo")


def shipped_files(folder: Path, *, without: Path | None = None) -> dict[str, bytes]:
    """The content of every file below `folder` that a job needs, by its path from there.

    Hidden files and compiled ones are left out.

    Args:
        folder: of source or configuration.
        without: a folder inside it that is shipped elsewhere.

    Raises:
        ConfigError: no such folder; a link, a large file, a name that archives cannot hold, or anything that looks like
            a secret, hidden or not.
    """
    if not folder.is_dir():
        raise ConfigError(f"Expected a folder at {folder} to send to the job, found none: check out the project anew.")
    names = {path.relative_to(folder).as_posix(): path for path in _walk(folder, without)}
    return {name: _content(path) for name, path in names.items() if _is_wanted(name, path)}


def check_total(files: Mapping[str, bytes]) -> None:
    """Together they are small: an archive goes to every host of every job.

    Raises:
        ConfigError: they are not; the largest is named.
    """
    total = sum(map(len, files.values()))
    if total > MAX_TOTAL_BYTES:
        largest = max(files, key=lambda name: len(files[name]))
        raise ConfigError(
            f"Expected source and configuration of up to {MAX_TOTAL_BYTES >> 20} MiB in all, found {total:,} bytes, "
            f"the largest in {largest!a} ({len(files[largest]):,}). Move out what is no source."
        )


def check_secrets(name: str, content: bytes) -> None:
    """No key, token or password, which everyone who may read the bucket would see.

    Raises:
        ConfigError: there is one; it is not repeated.
    """
    if (what := secret_in(content)) is not None:
        raise ConfigError(
            f"Expected nothing secret in what is sent to the job, found {what} in {name!a}. Take it out, and withdraw "
            "it if it was sent before; a job gets its rights from its role."
        )


def _walk(folder: Path, without: Path | None) -> Iterator[Path]:
    """Every file and every link, to a folder too; what the system compiled is not looked at."""
    for parent, folders, files in os.walk(folder, onerror=_unreadable):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(n for n in folders if n not in links and n not in COMPILED and Path(parent, n) != without)
        yield from (Path(parent, name) for name in sorted([*files, *links]))


def _unreadable(error: OSError) -> None:
    raise ConfigError(f"Expected to read {error.filename} to send it to the job, but: {error.strerror}.") from error


def _is_wanted(name: str, path: Path) -> bool:
    if is_secret_name(name):
        raise _refused(path, "whose name is that of a secret")
    if any(part.startswith(".") for part in name.split("/")) or name.endswith(COMPILED):
        return False
    if not name.isprintable() or "\\" in name:
        raise _refused(path, "whose name an archive cannot hold everywhere")
    if path.is_symlink() or not path.is_file():
        raise _refused(path, "which is a link or another special file")
    return True


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _refused(path, f"which cannot be read ({error.strerror})") from error
    if len(content) > MAX_FILE_BYTES:
        raise _refused(path, f"which is larger than {MAX_FILE_BYTES >> 20} MiB")
    check_secrets(str(path), content)
    return content


def _refused(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"Expected plain source files to send to the job, found {str(path)!a}, {why}. Move it out of this folder."
    )
