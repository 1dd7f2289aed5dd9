"""`python launch/sagemaker.py dry_run=…` as a user types it: from any folder, without an account."""

from __future__ import annotations

import json
from pathlib import Path

from launch.requests.request import Request
from launch.requests.validation import check
from tests.launch.test_planned_mistakes import door


def test_the_requests_come_from_any_folder_without_an_account(tmp_path: Path) -> None:
    run = door(tmp_path, "+hpo=true", "dry_run=json")
    assert (run.returncode, run.stderr) == (0, "")
    (found,) = json.loads(run.stdout)
    assert set(found) == {"operation", "request"}
    assert found["operation"] == "CreateHyperParameterTuningJob"
    check(Request(found["operation"], found["request"]))
    assert list(tmp_path.iterdir()) == []


def test_it_says_what_it_would_cost_what_it_needs_and_what_it_does_not_know(tmp_path: Path) -> None:
    run = door(tmp_path, "dry_run=true", "job.instance_type=ml.g4dn.xlarge", "job.max_run_seconds=7200")
    assert (run.returncode, run.stderr) == (0, "")
    for part in ("at most 2 h", "an hour", "at most", "ml.g4dn.xlarge for training job usage", "job.role="):
        assert part in run.stdout, part
    assert "Nothing has been sent" in run.stdout


def test_help_names_what_can_be_done(tmp_path: Path) -> None:
    run = door(tmp_path, "--help")
    assert run.returncode == 0
    for way in ("dry_run=true", "rehearse=true", "+hpo=true", "+train_best=true", "attach=JOB", "s3://"):
        assert way in run.stdout
