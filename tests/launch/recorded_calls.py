"""Every call of AWS that the code under `launch/` makes, as botocore names service and operation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient


@contextmanager
def recorded_calls(*, everything: bool = False) -> Iterator[set[str]]:
    """The calls made within the block, for instance `s3:PutObject`.

    Args:
        everything: whether calls of the test itself count too.
    """
    calls: set[str] = set()
    make = BaseClient._make_api_call

    def recorded(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if everything or _is_of_launch():
            calls.add(f"{client.meta.service_model.service_name}:{operation}")
        return make(client, operation, parameters)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", recorded)
        yield calls


def _is_of_launch() -> bool:
    """Whether a function of `launch/` is calling, by itself or through a thread of its own."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        if str(frame.f_globals.get("__name__", "")).startswith("launch."):
            return True
    return False
