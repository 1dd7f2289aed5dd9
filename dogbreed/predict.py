"""`python -m dogbreed.predict`: which breeds photos show."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dogbreed.allocator import keep_freed_memory
from dogbreed.command_line import fail, run_command, shows_help
from dogbreed.errors import ConfigError, DataError
from dogbreed.options import parse_options
from dogbreed.predicting.photo_list import PhotoList

if TYPE_CHECKING:
    from PIL import Image

    from dogbreed.artifacts import Artifact
    from dogbreed.explaining.sheet_folder import SheetFolder
    from dogbreed.predicting.answer import Answer
    from dogbreed.predicting.table_file import TableFile
    from dogbreed.predictor import BreedPredictor

HELP = """Say which breeds photos show.

  python -m dogbreed.predict model=DIR PHOTO [PHOTO or FOLDER ...] [key=value ...]

  model=DIR       the model folder that a run left: OUTPUT_DIR/model
  out=FILE        write a table, a row a photo, instead of printing: FILE.csv, FILE.jsonl or FILE.parquet
  overwrite=false true replaces a table that is there, and what another command has begun
  top_k=5         how many breeds a photo, the most probable first
  format=text     what is printed: text, csv or json (a line a photo)
  device=cpu      cpu, cuda, cuda:1, mps; auto for the accelerator of this machine, if it has one
  backend=auto    what computes: auto for the stored network, or, for many photos, the fastest library here that
                  answers as it does
  batch_size=32   photos at once
  calibrate=true  probabilities divided by the temperature that the run found; false for the network's own
  tta=false       test-time augmentation: the mean of the answers for a photo and its mirror image, in twice the time
  explain=FOLDER  leave a picture for each photo there: what the network sees, the places that speak for the first
                  breed (Grad-CAM), and the answers

  python -m dogbreed.predict model=outputs/2026-11-20/10-00-00/model photo.jpg
  python -m dogbreed.predict model=outputs/2026-11-20/10-00-00/model photos/ --out predictions.csv
  python -m dogbreed.predict model=outputs/2026-11-20/10-00-00/model photos/ explain=explanations

A photo that cannot be read is named on stderr, or in the table's column error, and the others are answered; the exit
status is then 1. A table of any number of photos goes on where it was when the same command is given again: what is
answered is kept in FILE.partial until all is."""


NO_MODEL = "Expected model=DIR, the model folder that a run left (OUTPUT_DIR/model)."
# Seconds in which another library reads the network are repaid by so many photos.
MANY = 2_000
PRINTED = ("text", "json", "csv")


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments; a field's name is its key."""

    model: str = field(default="", metadata={"needed": NO_MODEL})
    out: str = ""
    overwrite: bool = False
    top_k: int = field(default=5, metadata={"least": 1})
    format: str = field(default="text", metadata={"choices": PRINTED})
    device: str = "cpu"
    backend: str = "auto"
    batch_size: int = field(default=32, metadata={"least": 1})
    calibrate: bool = True
    tta: bool = False
    explain: str = ""

    def __post_init__(self) -> None:
        if self.out and (self.explain or self.format != "text"):
            raise ConfigError("format= and explain= go with answers that are printed: leave them out, or out=.")


def parse(arguments: Sequence[str]) -> tuple[Options, PhotoList]:
    """Options, and the photos: folders stand for the photos below them.

    Raises:
        ConfigError: an unknown key or a value that cannot be used.
        DataError: there is no such photo, or no photo at all.
    """
    options, rest = parse_options(Options, arguments)
    if "" in rest:
        raise DataError("Expected a photo or a folder of photos, got an empty argument.")
    photos = PhotoList([Path(path) for path in rest])
    if not photos.has(1):
        raise DataError("Expected at least one photo: python -m dogbreed.predict model=DIR photo.jpg")
    return options, photos


def backend(options: Options, photos: PhotoList) -> str:
    """What computes; for a few photos the stored network itself, which needs no preparation."""
    return "float32" if options.backend == "auto" and not photos.has(MANY) else options.backend


def command_of(options: Options, photos: PhotoList, artifact: Artifact) -> dict[str, object]:
    """All that the rows of a table depend on."""
    named = ("batch_size", "calibrate", "tta", "device", "backend")
    return {
        "model": artifact.card["digest"],
        "top_k": min(options.top_k, len(artifact.class_names)),
        **{name: getattr(options, name) for name in named},
        # As they are called in the table, and which those are: the same words mean others in another folder.
        "photos": [[str(path), str(path.resolve())] for path in photos.paths],
    }


def to_table(predictor: BreedPredictor, options: Options, photos: PhotoList, table: TableFile) -> int:
    """Write the answers to a table, or go on with it; the exit status."""
    from dogbreed.predicting.answering import answers

    asked = partial(answers, predictor, top_k=options.top_k, batch_size=options.batch_size)
    command = command_of(options, photos, predictor.artifact)
    written = table.write(photos, asked, command, show=partial(print, file=sys.stderr))
    print(f"{table.path}: {written.rows:,} photos")
    if written.unreadable:
        return fail(f"{written.unreadable:,} of {written.rows:,} photos could not be read; the column error says why.")
    return 0


def printed(predictor: BreedPredictor, options: Options, photos: Iterable[Path]) -> int:
    """Print the answers, then name what could not be read; the exit status."""
    from dogbreed.explaining.sheet_folder import SheetFolder
    from dogbreed.predicting.answering import answers
    from dogbreed.predicting.printing import FORMATS

    # All at once where sheets come into being: they may lie among the photos.
    photos = list(photos) if options.explain else photos
    sheets = SheetFolder(options.explain, kept=photos) if options.explain else None
    unreadable: list[str] = []
    batches = answers(predictor, photos, top_k=options.top_k, batch_size=options.batch_size)
    for line in FORMATS[options.format](_readable(predictor, batches, unreadable, sheets)):
        print(line)
    for message in unreadable:
        fail(message)
    return 1 if unreadable else 0


def _readable(
    predictor: BreedPredictor, batches: Iterable[list[Answer]], unreadable: list[str], sheets: SheetFolder | None
) -> Iterator[Answer]:
    """The answers about photos that can be read, with a sheet in the folder; the others are noted."""
    for answer in (answer for batch in batches for answer in batch):
        if answer.error:
            unreadable.append(answer.error)
            continue
        if sheets:
            sheets.write(Path(answer.photo), _sheet(predictor, answer))
        yield answer


def _sheet(predictor: BreedPredictor, answer: Answer) -> Image.Image:
    from dogbreed.explaining.answer_sheet import answer_sheet
    from dogbreed.explaining.overlay import cropped

    photo = predictor.opened(answer.photo)
    best, named = answer.predictions[0].index, [(one.name, one.probability) for one in answer.predictions]
    return answer_sheet(cropped(photo, predictor.artifact.preprocessing), predictor.explain(photo, best), named)


def main() -> int:
    """Answer."""
    if (status := shows_help(HELP)) is not None:
        return status
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name need not be text in any encoding.
        sys.stdout.reconfigure(errors="backslashreplace")
    options, photos = parse(sys.argv[1:])
    keep_freed_memory()
    from dogbreed.predicting.table_file import TableFile
    from dogbreed.predictor import BreedPredictor

    table = TableFile(Path(options.out).expanduser(), options.overwrite) if options.out else None
    predictor = BreedPredictor.load(
        options.model, options.device, calibrate=options.calibrate, tta=options.tta, backend=backend(options, photos)
    )
    return to_table(predictor, options, photos, table) if table else printed(predictor, options, photos)


if __name__ == "__main__":
    run_command(main)
