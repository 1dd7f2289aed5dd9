"""A search for settings as its page shows it."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from dogbreed.reporting.tuning_contents import TuningContents
from dogbreed.tuning.trials import Trial

VALUES = (0.512, 0.431, None, 0.478, 0.655, None)
STATES = ("complete", "complete", "failed", "complete", "pruned", "failed")
YAML = "# @package _global_\nmodel:\n  learning_rate: 0.00123\n  hidden: [512]\n"


def drawn_trial(number: int, **changes: Any) -> Trial:
    row: dict[str, Any] = {
        "number": number,
        "state": STATES[number],
        "value": VALUES[number],
        "settings": {
            "model.learning_rate": 0.00123456 * (number + 1),
            "model.hidden": ([], [512], None)[number % 3],
            "data.batch_size": 32,
        },
        "epochs": 3 + number,
        "seconds": 12.3,
        "default": number == 0,
    }
    return Trial(**row | changes)


def drawn_tuning(**changes: Any) -> TuningContents:
    contents: dict[str, Any] = {
        "title": "Search: resnet50 on 133 breeds of dogs",
        "metric": "val/loss",
        "direction": "minimize",
        "insight": "Over 3 seeds the best settings lower the validation loss by 0.031 (0.012 to 0.050).",
        "trials": [drawn_trial(number) for number in range(6)],
        "best": 1,
        "command": "python -m dogbreed.train data.root=photos model.learning_rate=0.00123 model.hidden='[512]'",
        "yaml": YAML,
        "default_seeds": {0: 0.455, 1: 0.463, 2: 0.449},
        "best_seeds": {0: 0.421, 1: 0.428, 2: 0.418},
        "test": ["Accuracy on the test photos: 84.2 % (81.6 to 86.5)"],
        "page": "best-report.html",
        "plots": {
            "history": go.Figure(),
            "importances": go.Figure(go.Bar(y=[0, 1])),
            "parallel": go.Figure(layout={"xaxis": {"tickvals": [0, 1, 2]}}),
            "slices": go.Figure(layout={"meta": {"rows": 1, "columns": 2}}),
        },
        "facts": {"Strategy": "Bayesian (TPE)"},
    }
    return TuningContents(**contents | changes)
