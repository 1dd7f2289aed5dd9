from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dogbreed.explaining.answer_sheet import BAR, FILL, MARGIN, ROW, SIDE, TEXT, answer_sheet
from tests.data.photo_folders import noise

BLANK = Image.new("RGB", (32, 32))


def sheet(*answers: tuple[str, float]) -> Image.Image:
    return answer_sheet(BLANK, BLANK, answers)


def words(*answers: tuple[str, float]) -> np.ndarray:
    """The part of the sheet where the answers stand."""
    return np.asarray(sheet(*answers))[:, 2 * SIDE + 3 * MARGIN :]


def filled(image: Image.Image, row: int) -> int:
    """How many pixels of an answer's bar have its colour."""
    y = MARGIN + row * ROW + TEXT + BAR + 1
    colour = tuple(bytes.fromhex(FILL[1:]))
    return sum(image.getpixel((x, y)) == colour for x in range(2 * SIDE + 3 * MARGIN, image.width))


def test_both_images_stand_beside_one_another() -> None:
    first, second = noise(SIDE, SIDE, seed=0), noise(SIDE, SIDE, seed=1)
    drawn = answer_sheet(first, second, [("Akita", 0.5)])
    for number, image in enumerate((first, second)):
        left = MARGIN + number * (SIDE + MARGIN)
        assert drawn.crop((left, MARGIN, left + SIDE, MARGIN + SIDE)) == image


@pytest.mark.parametrize("probability", [0.0, 0.001, 0.25, 0.5, 0.999, 1.0])
def test_a_bar_is_as_long_as_its_probability(probability: float) -> None:
    assert filled(sheet(("Akita", probability)), 0) == round(SIDE * probability)


def test_every_answer_has_its_bar_until_there_is_no_more_room() -> None:
    drawn = sheet(*[(f"breed {number}", 0.1) for number in range(100)])
    assert [filled(drawn, row) for row in range(SIDE // ROW)] == [32] * 7
    assert drawn.size == sheet(("Akita", 0.9)).size


@pytest.mark.parametrize("pair", ["öó", "ßø", "жщ", "αβ"])
def test_letters_of_other_alphabets_can_be_told_apart(pair: str) -> None:
    first, second = (words((f"L{letter}wchen", 0.5)) for letter in pair)
    assert (first != second).any()


@pytest.mark.parametrize(
    "name", ["retriever " * 30, "x" * 255, "", " ", "a\nb\tc", "\x00\x07", "柴犬", "\ud800", "e\u0301" * 80]
)
def test_a_name_of_any_length_and_letters_leaves_room_for_its_probability(name: str) -> None:
    drawn, without = words((name, 0.5)), words(("", 0.5))
    share = slice(SIDE - 50, None)
    assert (drawn[:, share] == without[:, share]).all()
    assert (drawn[MARGIN + TEXT + BAR :] == without[MARGIN + TEXT + BAR :]).all()
