from __future__ import annotations

from pathlib import Path

import pytest

from dogbreed.evaluation.scratch import scratch_folder


def test_the_folder_is_gone_after_the_work_and_after_a_failure(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "run") as folder:
        (folder / "logits.npy").touch()
    with pytest.raises(ValueError, match="bad"), scratch_folder(tmp_path / "run"):
        raise ValueError("bad")
    assert list((tmp_path / "run").iterdir()) == []


def test_what_a_killed_process_left_is_not_there_any_more(tmp_path: Path) -> None:
    (tmp_path / ".answers").mkdir()
    (tmp_path / ".answers" / "old.npy").touch()
    with scratch_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
