"""`history.csv`: every epoch's figures, in one file however often the run was interrupted."""

from __future__ import annotations

import csv
import io
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning.loggers.logger import Logger
from typing_extensions import override

from dogbreed.atomic import write_text


class HistoryLogger(Logger):
    """A row an epoch; a row that is written again replaces the old one and all after it.

    Lightning's CSVLogger begins its file anew when a run resumes: the learning curve would lose its beginning.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.path = Path(path)

    @property
    @override
    def name(self) -> str:
        return "history"

    @property
    @override
    def version(self) -> str:
        return ""

    @override
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Stand in the resolved configuration."""

    @override
    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if "epoch" not in metrics or any(name.startswith("test/") for name in metrics):
            return
        epoch = int(metrics["epoch"])
        rows = {int(row["epoch"]): row for row in read_history(self.path)}
        row = rows.get(epoch, {}) if epoch == max(rows, default=-1) else {}
        kept = [rows[number] for number in sorted(rows) if number < epoch]
        self._write([*kept, row | {"epoch": epoch, "step": step} | {k: v for k, v in metrics.items() if k != "epoch"}])

    def _write(self, rows: list[dict[str, Any]]) -> None:
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path, text.getvalue())


def read_history(path: Path) -> list[dict[str, Any]]:
    """The rows of a history, as text; none where there is no file yet."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
