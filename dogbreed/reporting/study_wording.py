"""How the settings and the metric of a search are written."""

from __future__ import annotations

import json
from typing import Any

from dogbreed.reporting.figure_style import label
from dogbreed.reporting.run_wording import quantity

WORDS = {"val": "validation", "acc": "accuracy", "acc5": "top-5 accuracy"}


def metric_name(metric: str) -> str:
    """A metric in words.

    >>> metric_name("val/loss"), metric_name("val/acc5")
    ('validation loss', 'validation top-5 accuracy')
    """
    return " ".join(WORDS.get(part, part) for part in metric.split("/"))


def setting(value: Any) -> str:
    """The value of a setting: numbers with three digits that count, texts as they are, anything else as in a command.

    >>> setting(0.00123456), setting(1024), setting([512]), setting(None), setting("adamw")
    ('0.00123', '1024', '[512]', 'null', 'adamw')
    """
    if isinstance(value, str):
        return value
    return quantity(value) if isinstance(value, float) else json.dumps(value, default=str, ensure_ascii=False)


def category(stored: Any) -> str:
    """A choice as Optuna stores it, a JSON text or a plain value.

    >>> category('"adamw"'), category("[512]"), category("adamw"), category(32)
    ('adamw', '[512]', 'adamw', '32')
    """
    try:
        return setting(json.loads(stored))
    except (TypeError, ValueError):
        return setting(stored)


def axis_name(parameter: str) -> str:
    """A setting's name beside a narrow axis, its group on a line of its own.

    >>> axis_name("model.learning_rate"), axis_name("seed")
    ('model.<br>learning_rate', 'seed')
    """
    group, dot, name = parameter.rpartition(".")
    return f"{label(group)}.<br>{label(name)}" if dot else label(name)
