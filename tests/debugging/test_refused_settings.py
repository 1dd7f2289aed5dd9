from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dogbreed.debugging.debugger import build_debugger
from dogbreed.debugging.hooks import smdebug_pytorch
from dogbreed.errors import ConfigError
from tests.debugging.recorded_run import FEW, SMDEBUG_WARNING, recorded_run

pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"collections": {"wieghts": {}}}, "'wieghts'.* nearest is weights"),
        ({"collections": {"losses": {"save_interval": 0}}}, "save_interval .*losses to be at least 1, got 0"),
        ({"collections": {"losses": {"train": {"save_interval": -5}}}}, "train.save_interval"),
        ({"collections": {"losses": {"train": {"save_interval": "often"}}}}, "got often"),
        ({"collections": {"losses": {"train": {"save_steps": [1, "x"]}}}}, "whole numbers, got 1,x"),
        ({"collections": {"losses": {"trian": {"save_interval": 5}}}}, "'trian.save_interval'; .* train.save_interval"),
        ({"collections": {"losses": {"save_intervall": 5}}}, "nearest is save_interval"),
        ({"rules": {"NotLerning": {}}}, "Unknown rule 'NotLerning'"),
        ({"rules": {"Overfit": {"patiense": 1}}}, "no parameter 'patiense'"),
        ({"rules": {"Overfit": {}}, "stop_on": ["NotLearning"]}, r"stop_on names 'NotLearning'.*\(Overfit\)"),
        ({"stop_on": ["NotLearning"]}, r"\(none\)"),
    ],
)
@pytest.mark.parametrize("trial", [True, False])
def test_a_wrong_setting_is_named_before_anything_is_computed(
    tmp_path: Path, settings: dict[str, Any], named: str, trial: bool
) -> None:
    with pytest.raises(ConfigError, match=named):
        build_debugger(tmp_path, trial=trial, **settings)


@pytest.mark.parametrize(
    ("regex", "named"),
    [
        ("CrossEntopyLoss_output_0", "nearest are CrossEntropyLoss_output_0"),
        ("backbone.conv6_output", "nearest are backbone.conv"),
        ("(", "no regex"),
    ],
)
@pytest.mark.parametrize("trial", [True, False])
def test_a_collection_that_would_stay_empty_is_named_before_the_first_step(
    photos: Path, tmp_path: Path, regex: str, named: str, trial: bool
) -> None:
    collections = {**FEW, "own": {"include_regex": regex}}
    debugger = {"trial": trial, "collections": collections, "rules": {"NotLearning": {}}}
    with pytest.raises(ConfigError, match=named):
        recorded_run(photos, tmp_path / "run", debugger=debugger)
    assert not (tmp_path / "run" / "debugger").exists()
    assert not (tmp_path / "run" / "rules.json").exists()


@pytest.mark.parametrize("part", ["", "network", "network.backbone.conv1"])
@pytest.mark.parametrize("trial", [True, False])
def test_a_compiled_network_is_refused(photos: Path, tmp_path: Path, part: str, trial: bool) -> None:
    debugger = {"trial": trial, "collections": FEW, "rules": {"NotLearning": {}}}
    with pytest.raises(ConfigError, match=r"torch\.compile takes apart.*debugger=off"):
        recorded_run(
            photos, tmp_path / "run", debugger=debugger, before=lambda module: module.get_submodule(part).compile()
        )


def test_where_smdebug_is_missing_the_install_line_is_shown_and_rules_need_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smdebug_pytorch.cache_clear()
    for name in ("smdebug", "smdebug.pytorch"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[debugger\]"'):
        build_debugger(tmp_path, trial=True, collections=FEW)
    assert len(build_debugger(tmp_path, collections=FEW, rules={"Overfit": {}})) == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"LocalPath": 3})])
def test_a_job_configuration_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "debughookconfig.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="job_configuration"):
        build_debugger(tmp_path, trial=True, job_configuration=str(path))
