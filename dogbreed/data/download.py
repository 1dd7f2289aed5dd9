"""One file from a URL, whole and verified: goes on where an earlier try broke off."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit

from tqdm import tqdm

from dogbreed.atomic import replace_durably
from dogbreed.data.lock import locked
from dogbreed.data.partial_file import PartialFile
from dogbreed.data.web import web_opener
from dogbreed.errors import DownloadError

TIMEOUT_SECONDS = 60
CHUNK_BYTES = 1 << 20
LONGEST_WAIT_SECONDS = 60
_NETWORK_FAULTS = (
    OSError,
    http.client.HTTPException,
)  # URLError, timeouts, TLS and broken connections are OSErrors


def download(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    attempts: int = 5,
    wait: Callable[[float], object] = time.sleep,
) -> Path:
    """Bring what `url` names to `path`, which is there whole and verified or not at all.

    What has come when a try breaks off stays in `<path>.partial`; the next try, or the next call, goes on from
    there if the server still has the same object. A file already at `path` is verified too, without any request.

    Args:
        url: http or https; a redirect may not leave these, nor lead from https to http.
        path: the file to be written; its folder is made.
        size: in bytes, where known.
        sha256: hexadecimal, where known.
        attempts: how many tries in a row may bring nothing new before it is given up.
        wait: called with the seconds to wait before the next try.

    Raises:
        DownloadError: the file could not be fetched or written, or is not the one expected.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "answer.txt"
    >>> path.write_text("42")
    2
    >>> download("https://localhost/answer.txt", path, size=2) == path
    True
    """
    wanted = _Wanted(url, path, size, sha256)
    try:
        if not path.exists():
            with locked(path):
                if not path.exists():
                    _fetch(wanted, attempts, wait)
        wanted.verify(path, f"Remove {path} and run again.")
    except OSError as error:
        raise DownloadError(
            f"Expected to write {path} from {url}, got: {error.strerror or error}. What has come is kept: make "
            f"room (or make the folder writable) and run again, or choose another folder with data.root=FOLDER."
        ) from error
    return path


class _BrokenOffError(Exception):
    """A try that failed in a way that another one may mend; says what came."""


@dataclass(frozen=True)
class _Wanted:
    """What is expected of a download, and the errors that say so."""

    url: str
    path: Path
    size: int | None
    sha256: str | None

    def error(self, came: str, remedy: str = "") -> DownloadError:
        expected = "a file" if self.size is None else f"a file of {self.size} bytes"
        remedy = remedy or (
            f"Run again to go on; or, without a network, download it elsewhere and put it at {self.path}, or "
            f"unpack it and pass data.root=FOLDER, or train on the sample: `python -m dogbreed.train`."
        )
        return DownloadError(" ".join(f"Expected {expected} from {self.url}, got {came}. {remedy}".split()))

    def too_long(self, length: int) -> bool:
        return self.size is not None and length > self.size

    def verify(self, file: Path, remedy: str = "") -> None:
        """Raise DownloadError where `file` has another size or another checksum than expected."""
        if not file.is_file():
            raise self.error(f"no file at {file}", remedy)
        length = file.stat().st_size
        if self.size not in (None, length):
            raise self.error(f"{length} bytes at {file}", remedy)
        if self.sha256 is not None and (came := _sha256(file)) != self.sha256.lower():
            raise self.error(f"one with SHA-256 {came} instead of {self.sha256.lower()}", remedy)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _fetch(wanted: _Wanted, attempts: int, wait: Callable[[float], object]) -> None:
    partial = PartialFile(wanted.path.with_name(wanted.path.name + ".partial"), wanted.url)
    _try_until_complete(wanted, partial, attempts, wait)
    try:
        wanted.verify(partial.file)
    except DownloadError:
        partial.discard()  # or every later call would go on with the damaged bytes
        raise
    with partial.file.open("rb+") as file:
        os.fsync(file.fileno())
    replace_durably(partial.file, wanted.path)
    partial.discard()


def _try_until_complete(wanted: _Wanted, partial: PartialFile, attempts: int, wait: Callable[[float], object]) -> None:
    furthest, failures = partial.offset(), 0
    while True:
        try:
            return _try_once(wanted, partial)
        except _BrokenOffError as fault:
            failures = 1 if partial.length() > furthest else failures + 1
            furthest = max(furthest, partial.length())
            if failures >= attempts:
                raise wanted.error(f"{fault} ({failures} tries without progress)") from fault
            wait(min(2.0**failures, LONGEST_WAIT_SECONDS))


def _try_once(wanted: _Wanted, partial: PartialFile) -> None:
    offset, validator = partial.offset(), partial.validator()
    if offset and offset == wanted.size:
        return  # complete, but ended before it was put in its place
    with _opened(wanted, partial, offset, validator) as response:
        total = _begin(wanted, partial, response, offset, validator)
        _append(wanted, partial, response, total)
    expected = wanted.size if wanted.size is not None else total
    if expected not in (None, partial.length()):
        raise _BrokenOffError(f"{partial.length()} of {expected} bytes")


def _opened(wanted: _Wanted, partial: PartialFile, offset: int, validator: str) -> http.client.HTTPResponse:
    headers = {"User-Agent": "dogbreed", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
    try:
        if urlsplit(wanted.url).scheme not in ("http", "https"):
            raise wanted.error("a URL that is not http or https")
        response: http.client.HTTPResponse = web_opener().open(
            request.Request(wanted.url, headers=headers),  # noqa: S310 (its scheme has just been looked at)
            timeout=TIMEOUT_SECONDS,
        )
    except HTTPError as error:
        raise _fault_of_status(wanted, partial, error, offset) from error
    except (ValueError, http.client.InvalidURL) as error:
        raise wanted.error(f"a URL that cannot be used ({error})") from error
    except _NETWORK_FAULTS as error:
        raise _BrokenOffError(f"no answer ({error})") from error
    return response


def _fault_of_status(wanted: _Wanted, partial: PartialFile, error: HTTPError, offset: int) -> Exception:
    with error:
        came = f"HTTP status {error.code} ({error.msg})"
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
        partial.discard()
        return _BrokenOffError(came)
    return _BrokenOffError(came) if error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR else wanted.error(came)


def _begin(
    wanted: _Wanted, partial: PartialFile, response: http.client.HTTPResponse, offset: int, validator: str
) -> int | None:
    """Make the partial file ready for the body of `response`; return the length of the whole, where known."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        total = _total_of_range(response, offset)
        if not offset or total is None or wanted.size not in (None, total) or _replaced(response, validator):
            partial.discard()
            raise _BrokenOffError(f"a wrong range ({response.headers['Content-Range']})")
        return total
    if response.status != http.HTTPStatus.OK:
        raise _BrokenOffError(f"HTTP status {response.status}")
    partial.start(_validator(response))
    if response.length is not None and wanted.too_long(response.length):
        partial.discard()
        raise wanted.error(f"one of {response.length} bytes")
    return response.length


def _total_of_range(response: http.client.HTTPResponse, offset: int) -> int | None:
    """Return the length of the whole object, if the answer is the range of it from `offset` on."""
    match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", response.headers["Content-Range"] or "")
    if match is None:
        return None
    first, last, total = map(int, match.groups())
    fits = first == offset <= last < total and response.length in (None, last - first + 1)
    return total if fits else None


def _replaced(response: http.client.HTTPResponse, validator: str) -> bool:
    return response.headers["ETag" if validator.startswith('"') else "Last-Modified"] not in (None, validator)


def _validator(response: http.client.HTTPResponse) -> str:
    """Return the strong ETag, or the date; a weak ETag promises less than the same bytes (RFC 9110, 13.1.5)."""
    tag = response.headers["ETag"] or ""
    return tag if tag.startswith('"') else response.headers["Last-Modified"] or ""


def _append(wanted: _Wanted, partial: PartialFile, response: http.client.HTTPResponse, total: int | None) -> None:
    came = partial.length()
    with (
        partial.file.open("ab") as file,
        tqdm(
            desc=wanted.path.name,
            total=total or wanted.size,
            initial=came,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            disable=None,
        ) as progress,
    ):
        for chunk in _chunks(response):
            came += len(chunk)
            if wanted.too_long(came):
                partial.discard()
                raise wanted.error("one that is longer")
            file.write(chunk)
            progress.update(len(chunk))


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Read the body as it comes; `read1`, because `read` would lose what came before the connection broke."""
    try:
        while chunk := response.read1(CHUNK_BYTES):
            yield chunk
    except _NETWORK_FAULTS as error:
        raise _BrokenOffError(f"a connection that broke off ({error})") from error
