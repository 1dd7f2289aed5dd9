"""The hyperparameters of a SageMaker job as the settings of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dogbreed.override_text import override_text

# What SageMaker's training toolkit keeps to itself, and the tuning job's own.
RESERVED = ("sagemaker_", "_tuning_objective_metric")


def hyperparameters(texts: Mapping[str, str]) -> dict[str, Any]:
    """The content of `hyperparameters.json` as SageMaker's training toolkit decodes it: what is no JSON stays a text.

    >>> hyperparameters({"model__learning_rate": "1e-05", "model__schedule": "cosine"})
    {'model__learning_rate': 1e-05, 'model__schedule': 'cosine'}
    """
    return {name: _decoded(text) for name, text in texts.items()}


def overrides(hyperparameters: Mapping[str, Any]) -> list[str]:
    """The settings of a run, in Hydra's words.

    Args:
        hyperparameters: decoded, as `SM_HPS` holds them. Two underscores stand for a dot; the toolkit's own are left
            out.

    Raises:
        ConfigError: a name or value that Hydra's grammar cannot write.

    >>> overrides({"model__hidden": [512], "sagemaker_program": "container.py"})
    ['model.hidden=[512]']
    """
    chosen = {name: value for name, value in hyperparameters.items() if not name.startswith(RESERVED)}
    return [override_text(name.replace("__", "."), value) for name, value in chosen.items()]


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    # Already decoded is how local runs of the toolkit may have it.
    except (TypeError, ValueError):
        return text
