"""The answers that a batch transform has left in S3, an object for each photo, as rows of a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from dogbreed.errors import CloudError
from dogbreed.predicting.answer import Answer
from dogbreed.prediction import Prediction
from launch.accounts.cloud_errors import is_missing
from launch.shipping.s3_objects import bucket_errors, split_uri
from launch.shipping.uploading import WORKERS
from launch.transforms.photo_place import PhotoPlace

END = ".out"
# Answers that are fetched before they are kept.
BATCH = 200
SHOWN = 80
# Of what is there instead of answers.
NAMED = 3
# What is there instead of breeds.
FAULTS = (ValueError, LookupError, TypeError, RecursionError, csv.Error)


def of_json(content: bytes) -> list[Prediction]:
    """The breeds of an answer's first photo.

    >>> of_json(b'{"predictions": [[{"label": "Beagle", "index": 1, "probability": 0.75}]]}')
    [Prediction(name='Beagle', index=1, probability=0.75)]
    """
    return _predictions(json.loads(content)["predictions"][0])


def of_csv(content: bytes) -> list[Prediction]:
    r"""As `of_json`.

    >>> of_csv(b"photo,rank,label,index,probability\n0,1,Beagle,1,0.75\n")
    [Prediction(name='Beagle', index=1, probability=0.75)]
    """
    return _predictions(csv.DictReader(io.StringIO(content.decode(), newline="")))


def _predictions(breeds: Iterable[Any]) -> list[Prediction]:
    found = [Prediction(str(one["label"]), int(one["index"]), float(one["probability"])) for one in breeds]
    if not found:
        raise ValueError("no breeds")
    return found


READERS: dict[str, Callable[[bytes], list[Prediction]]] = {"application/json": of_json, "text/csv": of_csv}


def _root(key: str, wanted: Collection[str]) -> str | None:
    """What stands in a key before the longest end that is wanted; None where no end is.

    >>> _root("dogbreed/t/a/1.jpg.out", {"a/1.jpg.out", "1.jpg.out"})
    'dogbreed/t/'
    """
    parts = key.split("/")
    starts = ["/".join([*parts[:count], ""]) if count else "" for count in range(len(parts))]
    return next((start for start in starts if key.removeprefix(start) in wanted), None)


@dataclass(frozen=True)
class LeftAnswers:
    """Of a job.

    Attributes:
        s3: client.
        output: prefix in S3 that the job was given, a slash at its end.
        accept: form of the answers.
        top_k: breeds of a photo.
    """

    s3: Any
    output: str
    accept: str
    top_k: int

    def found(self, place: PhotoPlace) -> LeftAnswers:
        """The same, with the prefix below which answers are: SageMaker's own place, or wherever their names end alike.

        Raises:
            CloudError: there is none, and what is there; or S3 could not be asked.
        """
        bucket, prefix = split_uri(self.output)
        with bucket_errors(bucket):
            page = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        keys = [one["Key"] for one in page.get("Contents", ())]
        wanted = {f"{name}{END}" for name in place.names.values()}
        root = next((root for key in keys if (root := _root(key, wanted)) is not None), None)
        if root is None:
            there = ", ".join(f"s3://{bucket}/{key}" for key in keys[:NAMED]) or "nothing"
            raise CloudError(f"Expected answers below {self.output}, objects like {min(wanted)!a}, found {there}.")
        return replace(self, output=f"s3://{bucket}/{root}")

    def about(self, place: PhotoPlace, photos: Iterable[Path | str]) -> Iterator[list[Answer]]:
        """The answers about photos of a place, batch after batch; why there is none, where there is none.

        Raises:
            CloudError: S3 could not be asked.
        """
        left = iter(photos)
        with ThreadPoolExecutor(WORKERS) as pool:
            while batch := list(islice(left, BATCH)):
                yield list(pool.map(lambda photo: self._about(place, photo), batch))

    def _about(self, place: PhotoPlace, photo: Path | str) -> Answer:
        if photo in place.faults:
            return Answer(photo, error=place.faults[photo])
        content = self._content(f"{self.output}{place.names[photo]}{END}")
        if content is None:
            return Answer(photo, error=f"{photo} was not answered.")
        try:
            return Answer(photo, READERS[self.accept](content)[: self.top_k])
        except FAULTS:
            return Answer(photo, error=f"{photo} was answered with something else than breeds: {content[:SHOWN]!r}")

    def _content(self, uri: str) -> bytes | None:
        from botocore.exceptions import ClientError

        bucket, key = split_uri(uri)
        with bucket_errors(bucket):
            try:
                content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            except ClientError as error:
                if is_missing(error):
                    return None
                raise
        return content
