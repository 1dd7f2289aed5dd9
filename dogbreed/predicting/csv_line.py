"""A row of a CSV table, which every reader takes for one row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

END = "\r\n"


def csv_line(cells: Iterable[object]) -> str:
    r"""Without its end.

    >>> csv_line(["a.jpg", "b\r.jpg", "c\n.jpg", 1])
    'a.jpg,"b\r.jpg","c\n.jpg",1'
    """
    line = io.StringIO()
    # The writer quotes the letters of its own end of a row, and both of these can be a reader's.
    csv.writer(line, lineterminator=END).writerow(cells)
    return line.getvalue().removesuffix(END)
