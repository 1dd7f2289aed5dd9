from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.housekeeping.iam_actions import ACTIONS
from launch.rehearsal.environment import toolkit_environment
from tests.launch.recorded_calls import recorded_calls


@pytest.fixture(autouse=True)
def _calls_are_known() -> Iterator[None]:
    """Whatever a test makes launch/ ask of AWS, the table of permissions knows what it needs."""
    with recorded_calls() as calls:
        yield
    assert calls <= ACTIONS.keys(), "a call that launch/housekeeping/ does not know: iam_actions.py and policies.py"


@pytest.fixture(scope="session")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SageMaker's training toolkit, installed once for all processes of a test session."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    return toolkit_environment(shared / "toolkit-cache", print)


@pytest.fixture
def given_toolkit(toolkit: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """For what asks for the toolkit itself."""
    monkeypatch.setenv("DOGBREED_TOOLKIT_ENVIRONMENT", str(toolkit))
    return toolkit
