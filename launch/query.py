"""`python -m launch.query`: which breeds photos show, says an endpoint."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dogbreed.command_line import fail, run_command, shows_help
from dogbreed.data.folder import photo_files
from dogbreed.errors import DataError
from dogbreed.options import parse_options
from launch.accounts.account import open_session
from launch.accounts.session import client_options
from launch.endpoints.invocation import ask, open_clients
from launch.endpoints.model_reason import PhotoRefusedError
from launch.endpoints.photo_payload import photo_payload
from launch.endpoints.served_endpoint import served
from launch.requests.job_settings import JobSettings

HELP = """Ask an endpoint which breeds photos show.

  python -m launch.query endpoint=NAME PHOTO [PHOTO or FOLDER ...] [key=value ...]

  endpoint=NAME   as python -m launch.deploy has named it
  top_k=5         how many breeds a photo, the most probable first; an endpoint tells up to five
  format=text     text, csv or json (a line a photo)
  job.region=     of the endpoint; else that of AWS_REGION or your AWS configuration
  job.profile=    of your AWS configuration

  python -m launch.query endpoint=dogbreed-0123456789ab photo.jpg
  python -m launch.query endpoint=dogs photos/ format=csv > answers.csv

A photo that is too large for the endpoint is sent smaller, which is said. One that cannot be read, or that the model
refuses, is named on stderr and the others are answered; the exit status is then 1."""
NO_ENDPOINT = "Expected endpoint=NAME, as python -m launch.deploy has printed it; python -m launch.cleanup lists them."


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    endpoint: str = field(default="", metadata={"needed": NO_ENDPOINT})
    top_k: int = field(default=5, metadata={"least": 1})
    format: str = field(default="text", metadata={"choices": ("text", "json", "csv")})
    region: str = field(default="", metadata={"key": "job.region"})
    profile: str = field(default="", metadata={"key": "job.profile"})


Breeds = Sequence[Mapping[str, Any]]


def as_text(photo: Path, breeds: Breeds) -> Iterator[str]:
    """A block for each photo, as `python -m dogbreed.predict` writes it."""
    yield str(photo)
    for breed in breeds:
        bar = "█" * round(20 * breed["probability"])
        yield f"  {breed['probability']:7.2%}  {breed['label']} ({breed['index']})  {bar}".rstrip()


def as_json(photo: Path, breeds: Breeds) -> Iterator[str]:
    """A JSON object a photo."""
    named = [{"name": one["label"], "index": one["index"], "probability": one["probability"]} for one in breeds]
    yield json.dumps({"file": str(photo), "predictions": named}, ensure_ascii=False)


def as_csv(photo: Path, breeds: Breeds) -> Iterator[str]:
    """A row for each breed."""
    for rank, breed in enumerate(breeds, 1):
        yield _row(photo, rank, breed["label"], breed["index"], f"{breed['probability']:.6f}")


def _row(*cells: object) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


FORMATS: dict[str, Callable[[Path, Breeds], Iterator[str]]] = {"text": as_text, "json": as_json, "csv": as_csv}
HEADERS = {"csv": _row("file", "rank", "name", "index", "probability")}


def photos_of(paths: Sequence[str]) -> list[Path]:
    """The photos, those below folders among them.

    Raises:
        DataError: there is no such photo, or no photo at all.
    """
    photos: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise DataError(f"Expected a photo or a folder of photos, found nothing at {path}.")
        photos += photo_files(path) if path.is_dir() else [path]
    if not photos:
        raise DataError("Expected at least one photo: python -m launch.query endpoint=NAME photo.jpg")
    return photos


def main() -> int:
    """Answer, photo by photo."""
    if (status := shows_help(HELP)) is not None:
        return status
    options, rest = parse_options(Options, sys.argv[1:])
    photos = photos_of(rest)
    session, _ = open_session(JobSettings(region=options.region or None, profile=options.profile or None))
    endpoint = served(session.client("sagemaker", config=client_options()), options.endpoint)
    clients, status = open_clients(session), 0
    if options.format in HEADERS:
        print(HEADERS[options.format])
    for photo in photos:
        try:
            payload = photo_payload(photo, endpoint.largest)
            if payload.note:
                print(payload.note, file=sys.stderr)
            breeds = ask(clients, endpoint, payload)[: options.top_k]
        except (DataError, PhotoRefusedError) as error:
            status = fail(f"{photo}: {error}" if isinstance(error, PhotoRefusedError) else str(error))
            continue
        print("\n".join(FORMATS[options.format](photo, breeds)), flush=True)
    return status


if __name__ == "__main__":
    run_command(main)
