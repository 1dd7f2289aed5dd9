"""Text that others chose, as Markdown that shows it and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

# Whatever may begin a link, an emphasis, code, a formula, a table cell or HTML. An underscore between letters does not.
MARKUP = re.compile(r"[\\`*\[\]<>&|~$!{}#^]|(?<![^\W_])_|_(?![^\W_])")

NOT_RECORDED = "Not recorded."


def plain(text: object) -> str:
    r"""One line without control characters, whatever came.

    >>> plain("Two\n---\nlines")
    'Two --- lines'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def escaped(text: object) -> str:
    """One line in which nothing is markup, within a paragraph or a table's cell.

    Numeric references, not backslashes: these are read alike by every Markdown, and never taken for structure.

    >>> escaped("Old_English *Sheepdog*")
    'Old_English &#42;Sheepdog&#42;'
    """
    return MARKUP.sub(lambda found: f"&#{ord(found[0])};", plain(text))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already.

    >>> print(table(["Index", "Class"], [["0", "Akita"]]))
    | Index | Class |
    | --- | --- |
    | 0 | Akita |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def items(lines: Sequence[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def facts(values: Mapping[str, str]) -> str:
    """A list of names and values, both Markdown already.

    >>> print(facts({"Backbone": "resnet50"}))
    - **Backbone:** resnet50
    """
    return items([f"**{name}:** {value}" for name, value in values.items()])


def folded(summary: str, content: str) -> str:
    """Content that opens by a click."""
    return f"<details>\n<summary>{summary}</summary>\n\n{content}\n\n</details>"
