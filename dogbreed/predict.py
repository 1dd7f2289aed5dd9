"""`python -m dogbreed.predict`: which breeds photos show."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dogbreed.allocator import keep_freed_memory
from dogbreed.command_line import fail, run_command, shows_help
from dogbreed.errors import DataError
from dogbreed.options import parse_options

if TYPE_CHECKING:
    from PIL import Image

    from dogbreed.explaining.sheet_folder import SheetFolder
    from dogbreed.predictor import BreedPredictor, Prediction

HELP = """Say which breeds photos show.

  python -m dogbreed.predict model=DIR PHOTO [PHOTO or FOLDER ...] [key=value ...]

  model=DIR       the model folder that a run left: OUTPUT_DIR/model
  top_k=5         how many breeds a photo, the most probable first
  format=text     text, csv or json (a line a photo)
  device=cpu      cpu, cuda, cuda:1, mps; auto for the accelerator of this machine, if it has one
  batch_size=32   photos at once
  calibrate=true  probabilities divided by the temperature that the run found; false for the network's own
  tta=false       test-time augmentation: the mean of the answers for a photo and its mirror image, in twice the time
  explain=FOLDER  leave a picture for each photo there: what the network sees, the places that speak for the first
                  breed (Grad-CAM), and the answers

  python -m dogbreed.predict model=outputs/2026-11-20/10-00-00/model photo.jpg
  python -m dogbreed.predict model=outputs/2026-11-20/10-00-00/model photos/ format=csv > answers.csv
  python -m dogbreed.predict model=outputs/2026-11-20/10-00-00/model photos/ explain=explanations

A photo that cannot be read is named on stderr and the others are answered; the exit status is then 1."""


NO_MODEL = "Expected model=DIR, the model folder that a run left (OUTPUT_DIR/model)."


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments; a field's name is its key."""

    model: str = field(default="", metadata={"needed": NO_MODEL})
    top_k: int = field(default=5, metadata={"least": 1})
    format: str = field(default="text", metadata={"choices": ("text", "json", "csv")})
    device: str = "cpu"
    batch_size: int = field(default=32, metadata={"least": 1})
    calibrate: bool = True
    tta: bool = False
    explain: str = ""


def parse(arguments: Sequence[str]) -> tuple[Options, list[Path]]:
    """Options, and the photos: folders are replaced by the photos below them.

    Raises:
        ConfigError: an unknown key or a value that cannot be used.
        DataError: there is no such photo, or no photo at all.
    """
    from dogbreed.data.folder import photo_files

    options, rest = parse_options(Options, arguments)
    photos: list[Path] = []
    for path in map(Path, rest):
        if not path.exists():
            raise DataError(f"Expected a photo or a folder of photos, found nothing at {path}.")
        photos += photo_files(path) if path.is_dir() else [path]
    if not photos:
        raise DataError("Expected at least one photo: python -m dogbreed.predict model=DIR photo.jpg")
    return options, photos


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
    predictor: BreedPredictor,
    photos: Sequence[Path],
    options: Options,
    unreadable: list[str],
    sheets: SheetFolder | None = None,
) -> Iterator[Answer]:
    """What the predictor says of each photo that can be read, with a sheet in the folder; the others are noted."""
    from dogbreed.data.photos import open_photo

    for start in range(0, len(photos), options.batch_size):
        opened = []
        for photo in photos[start : start + options.batch_size]:
            try:
                opened.append((photo, open_photo(photo)))
            except DataError as error:
                unreadable.append(str(error))
        predictions = predictor.predict_many([image for _, image in opened], options.top_k, options.batch_size)
        for (photo, image), answer in zip(opened, predictions, strict=True):
            if sheets:
                sheets.write(photo, _sheet(predictor, image, answer))
            yield photo, answer


def _sheet(predictor: BreedPredictor, image: Image.Image, predictions: Sequence[Prediction]) -> Image.Image:
    from dogbreed.explaining.answer_sheet import answer_sheet
    from dogbreed.explaining.overlay import cropped

    seen, explained = cropped(image, predictor.artifact.preprocessing), predictor.explain(image, predictions[0].index)
    return answer_sheet(seen, explained, [(prediction.name, prediction.probability) for prediction in predictions])


def main() -> int:
    """Answer, then name what could not be read."""
    if (status := shows_help(HELP)) is not None:
        return status
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name need not be text in any encoding.
        sys.stdout.reconfigure(errors="backslashreplace")
    options, photos = parse(sys.argv[1:])
    keep_freed_memory()
    from dogbreed.explaining.sheet_folder import SheetFolder
    from dogbreed.predictor import BreedPredictor

    sheets = SheetFolder(options.explain, kept=photos) if options.explain else None
    predictor = BreedPredictor.load(options.model, options.device, calibrate=options.calibrate, tta=options.tta)
    unreadable: list[str] = []
    for line in FORMATS[options.format](answers(predictor, photos, options, unreadable, sheets)):
        print(line)
    for message in unreadable:
        fail(message)
    return 1 if unreadable else 0


if __name__ == "__main__":
    run_command(main)
