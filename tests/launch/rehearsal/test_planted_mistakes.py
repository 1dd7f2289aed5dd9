"""What would have failed on AWS, planted: each ends a rehearsal in one line that says what to mend."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from dogbreed.epoch_line import METRICS, epoch_line
from dogbreed.errors import ArtifactError, ConfigError
from launch.rehearsal import Rehearsed, rehearse
from launch.rehearsal.fault_lines import fault_line
from launch.rehearsal.running import Ended
from launch.rehearsal.serving import ask_model, check_artifact
from launch.requests.request import Request
from tests.drawn_photos import draw_folder
from tests.launch.rehearsal.jobs import (
    channels_of,
    project_archive,
    script_archive,
    training_parameters,
    training_request,
    tuning_request,
)

FIGURES = dict.fromkeys(METRICS, 0.25)
HANDLER = """
def model_fn(folder): return None
def input_fn(body, media): return body
def predict_fn(body, model): return body
def output_fn(answers, accept): return {answer}, accept
"""
EPOCH = f"print({epoch_line(1, 2, FIGURES, kept=FIGURES, seconds=1.0)!r})\n"
FILL = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
MISTAKES = {
    "code that raises": (
        "def work():\n    raise ValueError('no such breed')\nwork()\n",
        ["ValueError: no such breed (container_entry.py:2)"],
    ),
    "a full disk": (FILL + "open('large', 'wb').write(bytes(200_000))\n", ["The disk is full: "]),
    "no memory": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
        ["killed, as it is where memory runs out"],
    ),
    "a metric that never appears and no artifact": (
        "print('val loss: 0.5')\n",
        [*(f"The metric {name} never appeared" for name in METRICS), "left no model in SM_MODEL_DIR"],
    ),
}
# Of a log, as it arrives.
LOGS = {
    "a syntax error": (
        [
            '  File "/base/code/container_entry.py", line 1',
            "    def work(:",
            "             ^",
            "SyntaxError: invalid syntax",
        ],
        "SyntaxError: invalid syntax (container_entry.py:1)",
    ),
    "a name that is not imported": (
        [
            "Traceback (most recent call last):",
            '  File "/base/code/dogbreed/train.py", line 3, in <module>',
            '  File "/environment/lib/python3.11/site-packages/other/code/there.py", line 9, in <module>',
            "ModuleNotFoundError",
            ":",
            "No module named 'dogbred'",
        ],
        "ModuleNotFoundError: No module named 'dogbred' (dogbreed/train.py:3)",
    ),
    "a status without a word": (
        ["Machine: CPU", "2026-11-28 toolkit ERROR"],
        "with status 3 without saying why; its last line: Machine: CPU",
    ),
    "nothing at all": ([], "with status 3 without saying why"),
}
# What stands in SM_MODEL_DIR.
ARTIFACTS = {
    "no model": ([], "a model without model.json"),
    "no code": (["model.json"], "a model without code/inference.py"),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"), classes=2, counts={"train": 3, "valid": 1, "test": 1})


def rehearsed(request: Request, archive: bytes, photos: Path, cache_dir: Path, seconds: float = 60) -> Rehearsed:
    return rehearse(request, archive, channels_of(photos), cache_dir=cache_dir, show=lambda _: None, seconds=seconds)


def only_fault(found: Rehearsed) -> str:
    (fault,) = found.faults
    assert "\n" not in fault
    assert "Traceback" not in fault
    return fault


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_job_is_one_line(mistake: str, photos: Path, tmp_path: Path, given_toolkit: Path) -> None:
    script, expected = MISTAKES[mistake]
    found = rehearsed(training_request(), script_archive(script), photos, tmp_path)
    assert len(found.faults) == len(expected)
    for fault, part in zip(found.faults, expected, strict=True):
        assert part in fault
        assert "\n" not in fault
    assert found.artifact is None


@pytest.mark.parametrize("mistake", LOGS)
def test_a_log_comes_to_one_line(mistake: str) -> None:
    lines, expected = LOGS[mistake]
    failure = 'ExecuteUserScriptError:\nExitCode 3\nErrorMessage ""\nCommand "python"'
    line = fault_line(Ended(lines, failure, succeeded=False, timed_out=False, seconds=1.0))
    assert expected in line
    assert "\n" not in line


def test_the_jobs_own_line_is_the_fault_word_for_word() -> None:
    failure = "Expected a folder of photos at /opt/ml/input/data/photos, found nothing. Check data.root.\n"
    ended = Ended(["error: another"], failure, succeeded=False, timed_out=False, seconds=1.0)
    assert fault_line(ended) == failure.strip()


@pytest.mark.parametrize("mistake", ARTIFACTS)
def test_an_artifact_that_could_not_be_deployed_is_named(mistake: str, tmp_path: Path) -> None:
    files, expected = ARTIFACTS[mistake]
    for name in ["weights", *files]:
        (tmp_path / name).touch()
    with pytest.raises(ArtifactError, match=expected):
        check_artifact(tmp_path)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import nowhere", "fails on a photo: ModuleNotFoundError: No module named 'nowhere'"),
        (HANDLER.format(answer="b'no JSON'"), "answered with b'no JSON', expected predictions"),
    ],
)
def test_code_that_cannot_answer_is_named(code: str, expected: str, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/inference.py").write_text(code)
    photo = next(photos.rglob("*.png"))
    with pytest.raises(ArtifactError, match=re.escape(expected)):
        ask_model(tmp_path, photo, Path(sys.executable), {})


def test_a_requirement_that_does_not_exist_is_named(photos: Path, tmp_path: Path, given_toolkit: Path) -> None:
    archive = script_archive("", {"requirements.txt": "torch==0.0.0.1\n"})
    fault = only_fault(rehearsed(training_request(), archive, photos, tmp_path))
    assert "torch==0.0.0.1" in fault
    assert fault.endswith("Mend job.requirements.")


def test_a_job_that_hangs_is_ended(photos: Path, tmp_path: Path, given_toolkit: Path) -> None:
    archive = script_archive("import time\nprint('waiting', flush=True)\ntime.sleep(600)\n")
    fault = only_fault(rehearsed(training_request(), archive, photos, tmp_path, seconds=6))
    assert fault.startswith("The job was ended after 6 seconds")


def test_a_channel_without_a_folder_is_named_before_anything_runs(
    photos: Path, tmp_path: Path, given_toolkit: Path
) -> None:
    with pytest.raises(ConfigError, match="a channel 'weights' and this machine no folder"):
        rehearsed(training_request(splits=("train", "weights")), script_archive(""), photos, tmp_path)


@pytest.mark.exhaustive
def test_a_missing_channel_is_the_jobs_own_line(photos: Path, tmp_path: Path, given_toolkit: Path) -> None:
    found = rehearsed(training_request(splits=("valid", "test")), project_archive(), photos, tmp_path)
    assert "Expected a channel train" in only_fault(found)


@pytest.mark.exhaustive
def test_a_setting_that_does_not_exist_is_the_jobs_own_line(photos: Path, tmp_path: Path, given_toolkit: Path) -> None:
    found = rehearsed(training_request(), project_archive("model.learning_rat=1"), photos, tmp_path)
    assert "did you mean model.learning_rate" in only_fault(found)


def test_an_objective_that_never_appears_is_named_first(photos: Path, tmp_path: Path, given_toolkit: Path) -> None:
    request = tuning_request(max_jobs=1)
    other = tmp_path / "rehearsal" / "dogbreed-of-other-settings"
    other.mkdir(parents=True)
    found = rehearse(
        request,
        script_archive("print('val loss 0.5')"),
        channels_of(photos, ("train", "valid")),
        cache_dir=tmp_path,
        show=print,
    )
    assert found.faults[0].startswith("The metric val/loss never appeared in the log, and the search goes by it")
    # One rehearsal is kept, not one of every setting that was ever tried.
    assert not other.exists()


@pytest.mark.slow
def test_trials_get_the_values_of_the_ranges_and_their_objective_is_read_back(
    photos: Path, tmp_path: Path, given_toolkit: Path
) -> None:
    script = "import os, json\nhps = json.loads(os.environ['SM_HPS'])\nprint(json.dumps(hps))\n" + EPOCH
    shown: list[str] = []
    found = rehearse(
        tuning_request(),
        script_archive(script),
        channels_of(photos, ("train", "valid")),
        cache_dir=tmp_path,
        show=shown.append,
    )
    assert found.faults == []
    assert found.metrics == {f"val/loss of trial {number}": 0.25 for number in (1, 2, 3)}
    hps = [json.loads(line) for line in shown if line.startswith('{"')]
    assert [values["data__batch_size"] for values in hps] == [4, 8, 4]
    assert all(1e-4 <= values["model__learning_rate"] <= 1e-2 for values in hps)
    assert len({values["model__learning_rate"] for values in hps}) == 3
    assert {values["trainer__max_epochs"] for values in hps} == {2}


def test_no_key_of_yours_is_in_the_environment_of_a_job(
    photos: Path, tmp_path: Path, given_toolkit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "HF_TOKEN"):
        monkeypatch.setenv(name, "a secret")
    script = (
        "import os\nprint('seen ' + str(sorted(name for name, text in os.environ.items() if text == 'a secret')))\n"
    )
    shown: list[str] = []
    parameters = training_parameters() | {"Environment": {"GREETING": "hello"}}
    script += "print('greeting ' + os.environ['GREETING'])\n"
    request = Request("CreateTrainingJob", parameters)
    rehearse(request, script_archive(script), channels_of(photos), cache_dir=tmp_path, show=shown.append)
    assert "seen []" in shown
    assert "greeting hello" in shown
