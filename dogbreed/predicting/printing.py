"""Answers as lines for a terminal or another program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from dogbreed.predicting.answer import Answer
from dogbreed.predicting.csv_line import csv_line


def as_text(answers: Iterator[Answer]) -> Iterator[str]:
    """A block for each photo, its breeds below one another."""
    for answer in answers:
        yield str(answer.photo)
        for one in answer.predictions:
            bar = "█" * round(20 * one.probability)
            yield f"  {one.probability:7.2%}  {one.name} ({one.index})  {bar}".rstrip()


def as_json(answers: Iterator[Answer]) -> Iterator[str]:
    """A JSON object a photo, each on a line of its own."""
    return (json.dumps(answer.as_row(), ensure_ascii=False) for answer in answers)


def as_csv(answers: Iterator[Answer]) -> Iterator[str]:
    """A row for each photo and breed."""
    yield csv_line(["file", "rank", "name", "index", "probability"])
    for answer in answers:
        for rank, one in enumerate(answer.predictions, 1):
            yield csv_line([answer.photo, rank, one.name, one.index, f"{one.probability:.6f}"])


FORMATS: dict[str, Callable[[Iterator[Answer]], Iterator[str]]] = {"text": as_text, "json": as_json, "csv": as_csv}
