from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from dogbreed.composed_run import CONF
from dogbreed.errors import ConfigError
from dogbreed.override_text import override_text

TEXTS = [
    "",
    " ",
    "cosine",
    "1e-05",
    "1",
    "-1",
    "+1",
    "0x10",
    "1_000",
    ".5",
    "5.",
    "True",
    "false",
    "TRUE",
    "null",
    "NULL",
    "None",
    "inf",
    "-inf",
    "NaN",
    "infinite",
    "two words",
    " padded ",
    "\ttab",
    "line\nbreak",
    "a,b",
    "[a,b]",
    "{a:b}",
    "a:b",
    "key=value",
    "choice(1,2)",
    "glob(*)",
    "${model.learning_rate}",
    "${",
    "$x",
    "~x",
    "+x",
    "???",
    "#1",
    "'",
    '"',
    "''",
    "it's",
    "'quoted'",
    '"quoted"',
    "\\",
    "\\\\",
    "\\'",
    "\\\\'",
    "C:\\photos\\",
    "a\\'b\\\\'c\\",
    "a\\,b",
    "/opt/ml/input/data/train",
    "../photos",
    "timm/vit_base.augreg",
    "ml-name_1",
    "Berner Sennenhund äöü",
    "犬",
    "🐕",
    "\x00",
    "\ud800",
    "x" * 1000,
]
NUMBERS = [
    0,
    -0.0,
    0.0,
    7,
    -7,
    10**30,
    -(10**30),
    0.1,
    1e-05,
    1e-300,
    5e-324,
    1e16,
    1e22,
    1.7976931348623157e308,
    1 / 3,
    -2.5e-07,
    math.inf,
    -math.inf,
    math.nan,
]
SINGLE = [None, True, False, *NUMBERS, *TEXTS]
NESTED: list[Any] = [
    [],
    [[]],
    [[], [512], [512, 256]],
    ["", ""],
    ["'", "'"],
    ["\\", "\\"],
    [None, True, 1, 1.0, "1", "1.0", "true", "null"],
    {},
    {"mean": [0.485, 0.456], "name": "a b", "inner": {"x": None}},
    [{"a": 1}, {"b": [2.0]}],
    *([text] for text in TEXTS),
    *([text, "x", text] for text in TEXTS),
    *({"key": text, "other": text} for text in TEXTS),
]


def read(text: str) -> tuple[str, Any]:
    read = OverridesParser.create().parse_override(text)
    assert not read.is_sweep_override()
    return read.key_or_group, read.value()


def same(one: Any, other: Any) -> bool:
    """Equal with the types, the sign of zero and what is no number."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return repr(one) == repr(other)


@pytest.mark.parametrize("value", [*SINGLE, *NESTED], ids=ascii)
def test_hydra_reads_the_value_that_was_written(value: Any) -> None:
    key, found = read(override_text("model.x", value))
    assert key == "model.x"
    assert same(found, value)


def test_hydra_reads_any_text_of_the_characters_that_mean_something() -> None:
    characters = ["\\", "'", '"', ",", "a", "1"]
    for length in range(1, 4):
        for chosen in itertools.product(characters, repeat=length):
            text = "".join(chosen)
            assert same(read(override_text("x", text))[1], text)


def test_hydra_reads_lists_of_any_texts() -> None:
    generator = random.Random(0)
    for _ in range(150):
        texts = ["".join(generator.choices("\\'\",[]{}:=$ ()a1.-é", k=generator.randrange(7))) for _ in range(4)]
        assert same(read(override_text("x", texts))[1], texts)


def test_a_tuple_is_read_as_a_list() -> None:
    assert read(override_text("x", (1, "a"))) == ("x", [1, "a"])


@pytest.mark.parametrize("name", ["seed", "model.learning_rate", "data", "hydra/job_logging"])
def test_the_name_of_a_setting_or_a_group_is_read_as_it_is(name: str) -> None:
    assert read(override_text(name, "x"))[0] == name


@pytest.mark.parametrize("name", ["", "+model.x", "~model", "model x", "a=b", "a@b", "1", "model.", ".x", "a..b", "é"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="Expected the name of a setting"):
        override_text(name, 1)


@pytest.mark.parametrize("value", [{"a b": 1}, {"": 1}, {"1": 1}, {1: 1}, {"null": 1}, [{"é": 1}]])
def test_a_key_that_the_grammar_cannot_write_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="Cannot set x: expected keys"):
        override_text("x", value)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", [1, object()]])
def test_a_value_that_is_no_setting_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="Cannot set x: expected a number"):
        override_text("x", value)


def test_settings_and_choices_reach_the_configuration() -> None:
    given = {"data": "folder", "data.root": "my photos/it's", "model.weights": None, "model.hidden": [512]}
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", [override_text(name, value) for name, value in given.items()])
    assert (config.data.root, config.model.weights, config.model.hidden) == ("my photos/it's", None, [512])
