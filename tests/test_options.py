from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dogbreed.errors import ConfigError
from dogbreed.options import parse_options


@dataclass
class Options:
    model: str = field(default="", metadata={"needed": "Expected model=DIR."})
    root: str = field(default="photos", metadata={"key": "data.root"})
    top_k: int = field(default=5, metadata={"least": 1})
    rate: float = 0.1
    tta: bool = False
    format: str = field(default="text", metadata={"choices": ("text", "csv")})


def test_values_have_the_kinds_of_their_fields_and_the_rest_is_left_alone() -> None:
    options, rest = parse_options(
        Options, ["model=m", "data.root=a=b", "top_k=3", "rate=1e-3", "tta=True", "photo.jpg", "--explain"]
    )
    assert options == Options("m", "a=b", 3, 1e-3, True, "text")
    assert rest == ["photo.jpg", "--explain"]


def test_dashes_before_a_key_say_the_same() -> None:
    said = parse_options(Options, ["--model", "m", "--data.root=a=b", "a.jpg", "--top-k", "3", "--tta", "--top_k=4"])
    assert said == (Options("m", "a=b", 4, tta=True), ["a.jpg"])
    with pytest.raises(ConfigError, match="Expected a value after --model"):
        parse_options(Options, ["--model"])


def test_a_path_with_an_equals_sign_is_no_option(tmp_path: Path) -> None:
    photo = tmp_path / "model=1.jpg"
    photo.touch()
    assert parse_options(Options, ["model=m", str(photo)])[1] == [str(photo)]


def test_a_value_may_be_longer_than_a_path() -> None:
    assert parse_options(Options, ["model=" + "m" * 10_000])[0].model == "m" * 10_000


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("topk=3", "Unknown setting 'topk': did you mean top_k?"),
        ("root=x", "Unknown setting 'root': did you mean data.root?"),
        ("zebra=x", "Unknown setting 'zebra': did you mean model, data.root"),
        ("top_k=three", "Expected top_k to be a whole number, got 'three'."),
        ("top_k=0", "Expected top_k to be at least 1, got 0."),
        ("rate=fast", "Expected rate to be a number, got 'fast'."),
        ("tta=yes", "Expected tta to be true or false, got 'yes'."),
        ("format=xml", "Expected format to be one of text, csv, got 'xml'."),
        ("model=", "Expected model=DIR."),
    ],
)
def test_what_cannot_be_used_is_told_with_what_was_expected(argument: str, message: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse_options(Options, ["model=m", argument])
    assert message in str(told.value)
