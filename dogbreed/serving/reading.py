"""The body of a request as photos, or as images that were preprocessed elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from dogbreed.serving.bodies.images import Images
from dogbreed.serving.bodies.json_body import photo_files
from dogbreed.serving.bodies.npy_body import read_array
from dogbreed.serving.bodies.photo_body import read_photos
from dogbreed.serving.error import RequestError
from dogbreed.serving.fetching.allowance import Allowance
from dogbreed.serving.fetching.fetcher import Fetcher, fetcher_of
from dogbreed.serving.settings import Settings, process_settings

__all__ = ["Images", "read_request"]

FETCH_SECONDS = 5.0  # for all URLs of a request


@dataclass(frozen=True)
class Reader:
    """Reads bodies of each kind, within what `settings` allow; `smallest_side` as in `read_photos`."""

    settings: Settings
    fetcher: Fetcher | None
    smallest_side: int | None

    def photo(self, body: bytes) -> Images:
        """A file, of any format that can be trained on."""
        return read_photos([body], self.settings.max_pixels, smallest_side=self.smallest_side)

    def json(self, body: bytes) -> Images:
        """Photos in base64, or where they are."""
        fetch = partial(self._fetch, Allowance(self.settings.max_bytes, FETCH_SECONDS))
        files = photo_files(body, self.settings.max_photos, fetch)
        return read_photos(files, self.settings.max_pixels, smallest_side=self.smallest_side)

    def npy(self, body: bytes) -> Images:
        """An array of NumPy's."""
        found = read_array(body, self.settings.max_photos, self.settings.max_pixels)
        return found if isinstance(found, Tensor) else read_photos(found, self.settings.max_pixels)

    def _fetch(self, allowance: Allowance, url: str) -> bytes:
        if not (self.fetcher or self.settings.fetch_hosts):
            raise RequestError(400, "Expected the photo itself, in base64: this endpoint fetches no URL.")
        return (self.fetcher or fetcher_of(self.settings.fetch_hosts)).fetch(url, allowance)


# A photo says itself of what format it is, and clients' defaults say less.
READERS: dict[str, Callable[[Reader, bytes], Images]] = {
    **dict.fromkeys(("image/jpeg", "image/png", "image/webp", "application/x-image"), Reader.photo),
    **dict.fromkeys(("image/jpg", "image/gif", "image/bmp", "image/tiff", "application/octet-stream"), Reader.photo),
    "application/json": Reader.json,
    "application/x-npy": Reader.npy,
}


def read_request(
    body: bytes | bytearray | str,
    content_type: str | None,
    settings: Settings | None = None,
    *,
    fetcher: Fetcher | None = None,
    smallest_side: int | None = None,
) -> Images:
    """What the body of a request holds.

    Args:
        body: as it came.
        content_type: its media type, with parameters or without; None where the request names none.
        settings: what is allowed; those of the process if None.
        fetcher: of photos that a URL stands for; None for the one of the hosts in `settings`.
        smallest_side: below which the sides of a JPEG must not come; None for all of its pixels.

    Raises:
        RequestError: an unknown type, a body that is not of it, or one that is too large.
    """
    settings = settings or process_settings()
    media = (content_type or "").partition(";")[0].strip().lower()
    if media not in READERS:
        raise RequestError(415, f"Expected a content type of {', '.join(READERS)}, got {media[:80]!r}.")
    # A lone surrogate is no text: it becomes bytes that are none either, and is refused as such.
    content = body.encode(errors="surrogatepass") if isinstance(body, str) else bytes(body)
    if len(content) > settings.max_bytes:
        most = settings.max_bytes / 2**20
        raise RequestError(413, f"Expected at most {most:.4g} MiB, got {len(content) / 2**20:.1f}.")
    return READERS[media](Reader(settings, fetcher, smallest_side), content)
