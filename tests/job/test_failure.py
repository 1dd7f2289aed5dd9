from __future__ import annotations

from pathlib import Path

import pytest

from dogbreed.errors import DataError
from dogbreed.job.failure import status_of


def test_a_fault_of_the_program_keeps_its_traceback_and_begins_the_reason_with_its_message(tmp_path: Path) -> None:
    def work() -> None:
        raise RuntimeError("the network has no head")

    with pytest.raises(RuntimeError, match="no head"):
        status_of(work, tmp_path / "failure")
    reason = (tmp_path / "failure").read_text()
    assert reason.startswith("RuntimeError: the network has no head\n")
    assert "Traceback" in reason


def test_of_several_processes_the_first_to_fail_gives_the_reason(tmp_path: Path) -> None:
    def work() -> None:
        raise DataError("and the others follow")

    (tmp_path / "failure").write_text("one fails\n")
    assert status_of(work, tmp_path / "failure") == 1
    assert (tmp_path / "failure").read_text() == "one fails\n"


def test_a_full_disk_is_told_with_the_file(tmp_path: Path) -> None:
    def work() -> None:
        raise OSError(28, "No space left on device", "/opt/ml/model/model.safetensors")

    assert status_of(work, tmp_path / "failure") == 1
    assert (tmp_path / "failure").read_text() == "No space left on device: /opt/ml/model/model.safetensors\n"
