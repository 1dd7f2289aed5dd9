"""`rules.json`: what every rule says of a run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dogbreed.atomic import write_text
from dogbreed.debugging.finding import Finding


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Write findings, whole or not at all."""
    rows = [{key: _plain(value) for key, value in asdict(finding).items()} for finding in findings]
    write_text(path, json.dumps({"rules": rows}, indent=2))


def read_findings(path: Path) -> list[Finding]:
    """The findings of a `rules.json`."""
    return [Finding(**row) for row in json.loads(path.read_text())["rules"]]


def _plain(value: Any) -> Any:
    """JSON has no word for what is not finite."""
    if isinstance(value, str) or value is None or isinstance(value, int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
