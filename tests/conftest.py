from __future__ import annotations

import os
from pathlib import Path

import pytest

# Two test processes share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Converting a network for another library takes seconds: what is served is computed as it is stored, except where that
# is looked at.
os.environ.setdefault("DOGBREED_BACKEND", "float32")


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: many tests wait for processes of their own."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the cache of whoever runs it."""
    cache = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("DOGBREED_CACHE", str(cache))
    return cache
