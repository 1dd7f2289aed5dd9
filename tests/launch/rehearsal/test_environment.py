from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dogbreed.errors import ConfigError
from launch.rehearsal.environment import job_environment, toolkit_environment

PATHS = "import sys, torch, sagemaker_training; print(sagemaker_training.__file__, torch.__file__, sep='\\n')"


def test_the_toolkit_is_there_beside_the_installed_torch_and_a_job_keeps_to_itself(
    toolkit: Path, tmp_path: Path
) -> None:
    import torch

    python = job_environment(tmp_path / "environment", toolkit)
    found = subprocess.run([python, "-I", "-c", PATHS], capture_output=True, text=True, check=True).stdout.split()
    assert Path(found[0]).is_relative_to(toolkit)
    assert found[1] == torch.__file__
    # What a job installs goes to its own folder.
    install = [python, "-I", "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    own = subprocess.run(install, capture_output=True, text=True, check=True).stdout.strip()
    assert Path(own).is_relative_to(tmp_path)


def test_without_an_index_one_line_says_so_and_nothing_half_made_is_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOGBREED_TOOLKIT_ENVIRONMENT", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    shown: list[str] = []
    with pytest.raises(ConfigError, match="the package index cannot be reached") as error:
        toolkit_environment(tmp_path / "cache", shown.append)
    assert "\n" not in str(error.value)
    assert len(shown) == 1
    assert not list((tmp_path / "cache").rglob("complete"))


def test_a_folder_with_blanks_in_its_name_starts_its_own_torchrun(tmp_path: Path, toolkit: Path) -> None:
    python = job_environment(tmp_path / "a folder" / "environment", toolkit)
    started = subprocess.run([python.parent / "torchrun", "--help"], capture_output=True, text=True, check=True)
    assert "nproc" in started.stdout
