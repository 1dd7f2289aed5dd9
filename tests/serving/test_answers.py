from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from dogbreed.serving.answers import Answers, write_answer
from dogbreed.thresholds import Thresholds

LOGITS = torch.tensor([[6.0, 0.0, -2.0], [0.4, 0.1, 0.2]])
ANSWERS = Answers(LOGITS, ("Akita", "Beagle", "Löwchen"), 2.0, "abc", Thresholds(0.7, -1.5))


def details(answers: Answers) -> list[dict[str, Any]]:
    body, media = write_answer(answers, "application/json;verbose")
    assert media == "application/json"
    found = json.loads(body)
    plain = json.loads(write_answer(answers, "application/json")[0])
    assert {name: value for name, value in found.items() if name != "details"} == plain
    return found["details"]  # type: ignore[no-any-return]


def test_a_verbose_answer_adds_all_logits_and_probabilities() -> None:
    for row, detail in zip(LOGITS.tolist(), details(ANSWERS), strict=True):
        assert detail["logits"] == pytest.approx(row)
        shares = [math.exp(logit / 2) for logit in row]
        assert detail["probabilities"] == pytest.approx([share / sum(shares) for share in shares], abs=1e-6)


def test_an_answer_is_sure_from_the_threshold_on_and_a_photo_familiar_up_to_its_energy() -> None:
    first, second = details(ANSWERS)
    assert (first["sure"], first["unsure_below"]) == (True, 0.7)
    assert second["sure"] is False
    for row, detail, familiar in zip(LOGITS.tolist(), (first, second), (True, False), strict=True):
        # The temperature changes what an answer is worth, not what a photo is like.
        assert detail["energy"] == pytest.approx(-math.log(sum(map(math.exp, row))), abs=1e-5)
        assert (detail["familiar"], detail["unfamiliar_above"]) == (familiar, -1.5)


def test_a_model_without_thresholds_says_neither() -> None:
    for detail in details(replace(ANSWERS, thresholds=None)):
        assert [detail[name] for name in ("sure", "unsure_below", "familiar", "unfamiliar_above")] == [None] * 4


def test_a_model_that_was_never_shown_to_be_right_is_never_sure() -> None:
    for detail in details(replace(ANSWERS, thresholds=Thresholds(None, None))):
        assert (detail["sure"], detail["unsure_below"], detail["familiar"]) == (False, None, None)


@pytest.mark.parametrize("accept", ["a/b, application/json; Verbose", "*/*;verbose", "application/json;q=1;verbose"])
def test_verbose_answers_are_asked_for_by_a_parameter(accept: str) -> None:
    assert "details" in json.loads(write_answer(ANSWERS, accept)[0])


def test_what_has_no_verbose_form_is_written_as_ever() -> None:
    assert write_answer(ANSWERS, "text/csv;verbose") == write_answer(ANSWERS, "text/csv")


def test_an_answer_has_as_many_breeds_as_are_asked_for() -> None:
    assert [len(breeds) for breeds in replace(ANSWERS, top_k=2).best()] == [2, 2]
