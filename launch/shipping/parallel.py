"""Several files at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from tqdm import tqdm

Result = TypeVar("Result")


def each_file(
    action: Callable[[str], Result], names: Sequence[str], *, sizes: Mapping[str, int], workers: int, what: str
) -> dict[str, Result]:
    """What an action gives for every file; the first error ends it, once what has begun is done.

    Args:
        action: on a file's name, called from several threads.
        names: of the files.
        sizes: in bytes, for the bar that a terminal shows.
        workers: files at a time.
        what: is done, for the bar.

    >>> sorted(each_file(len, ["a", "bcd"], sizes={"a": 1, "bcd": 3}, workers=2, what="Counting").items())
    [('a', 1), ('bcd', 3)]
    """
    results = {}
    total = sum(sizes[name] for name in names)
    with (
        tqdm(total=total, desc=what, unit="B", unit_scale=True, disable=None) as bar,
        ThreadPoolExecutor(workers) as pool,
    ):
        waiting = {pool.submit(action, name): name for name in names}
        try:
            for done in as_completed(waiting):
                results[waiting[done]] = done.result()
                bar.update(sizes[waiting[done]])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results
