"""`python -m dogbreed.cache`: what is kept between runs, and making room."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dogbreed.command_line import run_command, shows_help
from dogbreed.errors import CacheError
from dogbreed.options import only_options

if TYPE_CHECKING:
    from dogbreed.caching.entries import Entry

HELP = """Show what is kept between runs: features of photos, prepared photos.

  python -m dogbreed.cache [key=value ...]

  cache_dir=PATH   another cache folder than $DOGBREED_CACHE, or ~/.cache/dogbreed
  clear=false      true removes what is shown: it is computed again when it is needed
  older_than=DAYS  only what was not used for so many days

  python -m dogbreed.cache clear=true older_than=30

Downloads and the checks of photo folders in the same place are left alone."""

DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    cache_dir: str = ""
    clear: bool = False
    older_than: float = field(default=0.0, metadata={"least": 0})


def table(found: Sequence[Entry]) -> list[str]:
    """A line for each row store between a heading and the total."""
    from dogbreed.caching.sizes import size

    counts = [entry.row_count() for entry in found]
    cells = [
        ("what", "rows", "size", "last used"),
        *((_what(e), f"{n:,}", size(e.bytes), _date(e.last_used)) for e, n in zip(found, counts, strict=True)),
        ("total", f"{sum(counts):,}", size(sum(entry.bytes for entry in found)), ""),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        f"{what:{widths[0]}}  {rows:>{widths[1]}}  {taken:>{widths[2]}}  {used}".rstrip()
        for what, rows, taken, used in cells
    ]


def clear(found: Sequence[Entry]) -> str:
    """Remove row stores, and say what that freed.

    Raises:
        CacheError: something could not be removed; the others are gone all the same.
    """
    from dogbreed.caching.entries import remove
    from dogbreed.caching.sizes import size

    freed = size(sum(map(remove, found)))
    left = [entry.folder for entry in found if entry.folder.exists()]
    if left:
        raise CacheError(
            f"Expected to remove {left[0]}, but it is still there: make it writable, or wait until no run writes to "
            f"it; {freed} were freed."
        )
    return f"Removed {len(found):,}, {freed} freed."


def lines(options: Options) -> list[str]:
    """What the command says, and does.

    Raises:
        CacheError: the cache cannot be read, or not be cleared.
    """
    from dogbreed.caching.layout import cache_folder

    cache_dir = cache_folder(options.cache_dir)
    found = _found(cache_dir, options.older_than)
    if not found:
        unused = f" that was not used for {options.older_than:g} days" if options.older_than else ""
        return [f"Nothing is kept in {cache_dir}{unused}."]
    return [f"{cache_dir}:", *([clear(found)] if options.clear else table(found))]


def main() -> int:
    """Show, or clear and say what was freed."""
    if sys.argv[1:] and (status := shows_help(HELP)) is not None:
        return status
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A folder's name need not be text in any encoding.
        sys.stdout.reconfigure(errors="backslashreplace")
    print("\n".join(lines(only_options(Options, sys.argv[1:]))))
    return 0


def _found(cache_dir: Path, older_than: float) -> list[Entry]:
    from dogbreed.caching.entries import entries

    try:
        found = entries(cache_dir)
    except OSError as error:
        raise CacheError(f"Expected to read {cache_dir}, but: {error.strerror or error}.") from error
    # A clock may have been set back since: without a bound everything is shown.
    return [entry for entry in found if not older_than or entry.last_used < time.time() - older_than * DAY]


def _what(entry: Entry) -> str:
    """What the store calls itself, in one line, else its folder's name."""
    return " ".join(str(entry.about.get("what") or entry.name).split())


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


if __name__ == "__main__":
    run_command(main)
