"""`python -m dogbreed.predict`: which breeds photos show."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from dogbreed.allocator import keep_freed_memory
from dogbreed.command_line import fail, run_command
from dogbreed.errors import ConfigError, DataError

if TYPE_CHECKING:
    from dogbreed.predictor import BreedPredictor, Prediction

HELP = """Say which breeds photos show.

  python -m dogbreed.predict model=DIR PHOTO [PHOTO or FOLDER ...] [key=value ...]

  model=DIR       the model folder that a run left: OUTPUT_DIR/model
  top_k=5         how many breeds a photo, the most probable first
  format=text     text, csv or json (a line a photo)
  device=cpu      cpu, cuda, cuda:1, mps
  batch_size=32   photos at once

  python -m dogbreed.predict model=outputs/2026-11-20/10-00-00/model photo.jpg
  python -m dogbreed.predict model=outputs/2026-11-20/10-00-00/model photos/ format=csv > answers.csv

A photo that cannot be read is named on stderr and the others are answered; the exit status is then 1."""


@dataclass
class Options:
    """The `key=value` arguments; a field's name is its key."""

    model: str = ""
    top_k: int = 5
    format: str = "text"
    device: str = "cpu"
    batch_size: int = 32


def parse(arguments: Sequence[str]) -> tuple[Options, list[Path]]:
    """Options, and the photos: folders are replaced by the photos below them.

    Raises:
        ConfigError: an unknown key or a value that cannot be used.
        DataError: there is no such photo, or no photo at all.
    """
    from dogbreed.data.folder import photo_files

    options, photos = Options(), list[Path]()
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if equals and not Path(argument).exists():
            _set(options, key, value)
        elif Path(argument).is_dir():
            photos += photo_files(Path(argument))
        elif Path(argument).exists():
            photos.append(Path(argument))
        else:
            raise DataError(f"Expected a photo or a folder of photos, found nothing at {argument}.")
    if not options.model:
        raise ConfigError("Expected model=DIR, the model folder that a run left (OUTPUT_DIR/model).")
    if not photos:
        raise DataError("Expected at least one photo: python -m dogbreed.predict model=DIR photo.jpg")
    return options, photos


def _set(options: Options, key: str, value: str) -> None:
    known = asdict(options)
    if key not in known:
        near = get_close_matches(key, known, n=1) or [", ".join(known)]
        raise ConfigError(f"Unknown setting {key!r}: did you mean {near[0]}? All settings: --help")
    kind = type(known[key])
    try:
        setattr(options, key, kind(value))
    except ValueError as error:
        raise ConfigError(f"Expected {key} to be a whole number, got {value!r}.") from error
    if kind is int and getattr(options, key) < 1:
        raise ConfigError(f"Expected {key} to be at least 1, got {value}.")
    if key == "format" and value not in FORMATS:
        raise ConfigError(f"Expected format to be one of {', '.join(FORMATS)}, got {value!r}.")


Answer = tuple[Path, "list[Prediction]"]


def as_text(answers: Iterator[Answer]) -> Iterator[str]:
    """A block for each photo, its breeds below one another."""
    for photo, predictions in answers:
        yield str(photo)
        for prediction in predictions:
            bar = "█" * round(20 * prediction.probability)
            yield f"  {prediction.probability:7.2%}  {prediction.name} ({prediction.index})  {bar}".rstrip()


def as_json(answers: Iterator[Answer]) -> Iterator[str]:
    """A JSON object a photo, each on a line of its own."""
    for photo, predictions in answers:
        yield json.dumps({"file": str(photo), "predictions": [asdict(p) for p in predictions]}, ensure_ascii=False)


def as_csv(answers: Iterator[Answer]) -> Iterator[str]:
    """A row for each photo and breed."""
    yield _csv_row("file", "rank", "name", "index", "probability")
    for photo, predictions in answers:
        for rank, prediction in enumerate(predictions, 1):
            yield _csv_row(photo, rank, prediction.name, prediction.index, f"{prediction.probability:.6f}")


def _csv_row(*cells: object) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


FORMATS: dict[str, Callable[[Iterator[Answer]], Iterator[str]]] = {"text": as_text, "json": as_json, "csv": as_csv}


def answers(
    predictor: BreedPredictor, photos: Sequence[Path], options: Options, unreadable: list[str]
) -> Iterator[Answer]:
    """What the predictor says of each photo that can be read; the others are noted."""
    from dogbreed.data.photos import open_photo

    for start in range(0, len(photos), options.batch_size):
        opened = []
        for photo in photos[start : start + options.batch_size]:
            try:
                opened.append((photo, open_photo(photo)))
            except DataError as error:
                unreadable.append(str(error))
        predictions = predictor.predict_many([image for _, image in opened], options.top_k, options.batch_size)
        yield from zip([photo for photo, _ in opened], predictions, strict=True)


def main() -> int:
    """Answer, then name what could not be read."""
    if not sys.argv[1:] or {"-h", "--help"} & set(sys.argv[1:]):
        print(HELP)
        return 0 if sys.argv[1:] else 1
    options, photos = parse(sys.argv[1:])
    keep_freed_memory()
    from dogbreed.predictor import BreedPredictor

    predictor = BreedPredictor.load(options.model, options.device)
    unreadable: list[str] = []
    for line in FORMATS[options.format](answers(predictor, photos, options, unreadable)):
        print(line)
    for message in unreadable:
        fail(message)
    return 1 if unreadable else 0


if __name__ == "__main__":
    run_command(main)
