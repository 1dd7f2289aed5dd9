"""What AWS says itself, to compare with: its SDK, imported once since that takes seconds, and its API's description."""

from __future__ import annotations

import logging
import warnings
from functools import cache
from importlib import import_module
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel


@cache
def sdk(module: str) -> Any:
    """A module of sagemaker-core, whose import warns of what it will no longer have."""
    logging.getLogger("sagemaker.config").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(f"sagemaker.core.{module}")


@cache
def instance_types() -> list[str]:
    """All that SageMaker trains on."""
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    types: list[str] = model.shape_for("TrainingInstanceType").enum
    return types
