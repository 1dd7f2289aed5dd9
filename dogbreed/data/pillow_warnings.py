"""What Pillow warns of while it opens a photo."""

from __future__ import annotations

import threading
import warnings

from PIL import Image


class PillowWarnings:
    """Makes an error of Pillow's warning of a bomb, and silences its others, while any thread is inside.

    `warnings.catch_warnings` puts back the filters it found, and they belong to the whole process: of two threads
    that overlap, the one that leaves last would put back the filters of the other for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._found = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._found = warnings.catch_warnings()
                self._found.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.|dogbreed\.data\.")
                warnings.simplefilter("error", Image.DecompressionBombWarning)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._found.__exit__(None, None, None)


PILLOW_WARNINGS = PillowWarnings()
