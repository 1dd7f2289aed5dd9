"""The README's table of runs, made of the files that the runs left: `python benchmarks/measured_table.py`."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

RESULTS = Path(__file__).parent / "results"
# How the README calls each side of `compare_training.py`, in its order.
SIDES = {
    "public method": "public method: frozen network in train mode, hidden head, Adam, one rate",
    "dogbreed, frozen backbone": "`python -m dogbreed.train`",
    "dogbreed, fine-tuned": "`python -m dogbreed.train experiment=finetune`",
}


def measured_table(results: Path = RESULTS) -> str:
    """The table in Markdown: of several seeds the mean, and every one of them."""
    runs = [json.loads(path.read_text()) for path in sorted(results.glob("*-[0-9]*.json"))]
    by_side = {name: [run for run in runs if run["side"] == side] for side, name in SIDES.items()}
    rows = [_row(name, found) for name, found in by_side.items() if found]
    return "\n".join(["| | test accuracy | wall time | peak memory |", "|---|---|---|---|", *rows])


def _row(name: str, runs: list[dict[str, Any]]) -> str:
    # Runs of other seeds may have shared the machine: the first had it to itself.
    first = runs[0]
    peak = max(run["peak_mib"] for run in runs) / 1024
    return f"| {name} | {_accuracy(runs)} | {first['seconds']:,.0f} s | {peak:.2f} GiB |"


def _accuracy(runs: list[dict[str, Any]]) -> str:
    found = [accuracy(run["figures"]) for run in runs]
    if len(found) > 1:
        each = ", ".join(f"{value:.3f}" for value in found)
        return f"{mean(found):.3f} (mean of seeds {', '.join(str(run['seed']) for run in runs)}: {each})"
    interval = runs[0]["figures"].get("intervals", {}).get("test/acc")
    return f"{found[0]:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def accuracy(figures: dict[str, Any]) -> float:
    """Of our run by its metrics.json, of the public method by its last line."""
    value: float = figures["metrics"]["test/acc"] if "metrics" in figures else figures["test"]
    return value


if __name__ == "__main__":
    print(measured_table())
