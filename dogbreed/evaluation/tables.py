"""Tables for other programs: `predictions.csv`, a row a photo, and `per_class.csv`, a row a class."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from dogbreed.atomic import atomic_write
from dogbreed.data.folder import Split
from dogbreed.models.probabilities import ranking
from dogbreed.reporting.contents import ClassFigures

BEST = 5


def write_predictions(
    path: Path, blocks: Iterable[tuple[Tensor, Tensor]], split: Split, class_names: Sequence[str], root: Path
) -> None:
    """A row a photo: file below `root`, target, loss, then the five most probable classes with their probabilities.

    Args:
        path: of the table.
        blocks: logarithms of probabilities and targets, in the order of the split.
        split: the photos.
        class_names: in the order of the probabilities.
        root: of the photos.
    """
    best = min(BEST, len(class_names))
    columns = [f"{kind}_{rank}" for rank in range(1, best + 1) for kind in ("prediction", "probability")]
    rows = _prediction_rows(blocks, split, class_names, root, best)
    write_table(path, ["file", "target", "loss", *columns], rows)


def _prediction_rows(
    blocks: Iterable[tuple[Tensor, Tensor]], split: Split, class_names: Sequence[str], root: Path, best: int
) -> Iterator[list[Any]]:
    files = iter(split.paths)
    for logs, target in blocks:
        order = ranking(logs, best)
        values = logs.gather(1, order).exp().tolist()
        losses = (-logs.gather(1, target[:, None])).squeeze(1).tolist()
        for file, truth, loss, classes, shares in zip(
            files, target.tolist(), losses, order.tolist(), values, strict=False
        ):
            pairs = zip(classes, shares, strict=True)
            answered = [cell for index, share in pairs for cell in (class_names[index], f"{share:.6f}")]
            yield [relative_name(file, root), class_names[truth], f"{loss:.6f}", *answered]


def write_classes(path: Path, classes: Sequence[ClassFigures]) -> None:
    """A row a class; cells are empty where there is nothing to divide by."""
    rows = [[_cell(value) for value in asdict(figures).values()] for figures in classes]
    write_table(path, ["class", *list(asdict(classes[0]))[1:]], rows)


def _cell(value: Any) -> Any:
    return f"{value:.6f}" if isinstance(value, float) else "" if value is None else value


def relative_name(path: Path, root: Path) -> str:
    """The path below the root with forward slashes, on every system the same."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A CSV file that appears whole or not at all, written a row at a time."""
    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        text.flush()
        text.detach()
