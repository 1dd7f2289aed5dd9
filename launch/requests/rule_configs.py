"""The rules of SageMaker's Debugger and profiler as AWS's own package has them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dogbreed.errors import ConfigError


def rule_configs() -> Any:
    """The package `smdebug_rulesconfig`, which comes with sagemaker-core and imports nothing of it.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module("smdebug_rulesconfig")
    except ImportError as error:
        raise ConfigError(
            'SageMaker\'s rules are known to smdebug-rulesconfig, which is not installed: pip install -e ".[launch]"'
        ) from error
