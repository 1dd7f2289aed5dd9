"""One photo's answer as a picture: what the network sees, where the evidence lies, and the most probable classes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

# In pixels.
SIDE, MARGIN, TEXT, ROW, BAR = 320, 16, 15, 45, 6
BACKGROUND, INK, TRACK, FILL = "#ffffff", "#1c1c28", "#e6e6ee", "#5b3fa8"


def answer_sheet(seen: Image.Image, explained: Image.Image, answers: Sequence[tuple[str, float]]) -> Image.Image:
    """The two images side by side, and beside them the answers with a bar each.

    Args:
        seen: what the network sees, square.
        explained: the same with its overlay.
        answers: names with probabilities in [0, 1], the most probable first; seven are drawn, there is room for no
            more.

    >>> image = Image.new("RGB", (224, 224))
    >>> answer_sheet(image, image, [("Akita", 0.9)]).size
    (1024, 352)
    """
    sheet = Image.new("RGB", (3 * SIDE + 4 * MARGIN, SIDE + 2 * MARGIN), BACKGROUND)
    columns = [MARGIN + column * (SIDE + MARGIN) for column in range(3)]
    for left, image in zip(columns, (seen, explained), strict=False):
        sheet.paste(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, MARGIN))
    for row, (name, probability) in enumerate(answers[: SIDE // ROW]):
        _draw_answer(ImageDraw.Draw(sheet), columns[2], MARGIN + row * ROW, name, probability)
    return sheet


def _draw_answer(draw: ImageDraw.ImageDraw, left: int, top: int, name: str, probability: float) -> None:
    font, share, right, bar = _font(), f"{probability:.1%}", left + SIDE - 1, top + TEXT + BAR
    draw.text((left, top), _shortened(name, SIDE - MARGIN - font.getlength(share)), INK, font)
    draw.text((right, top), share, INK, font, anchor="ra")
    draw.rectangle((left, bar, right, bar + BAR), TRACK)
    if filled := round(SIDE * probability):
        draw.rectangle((left, bar, left + filled - 1, bar + BAR), FILL)


def _shortened(name: str, room: float) -> str:
    """The name in one line, its end left out where it is wider than there is room."""
    line, length = " ".join(name.split()), _font().getlength
    if length(line) <= room:
        return line
    return next(short for end in range(len(line), -1, -1) if length(short := f"{line[:end]}…") <= room)


@functools.cache
def _font() -> ImageFont.FreeTypeFont:
    # Pillow's own font has no letter with an accent. matplotlib comes with captum.
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), TEXT)
