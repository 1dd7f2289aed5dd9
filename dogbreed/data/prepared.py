"""Photos that are decoded once and read from then on, shared by runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import PIL
from torch import Tensor

from dogbreed.caching.layout import rows_folder
from dogbreed.caching.rows import RowStore, fill
from dogbreed.data.photos import PhotoError, decode, read
from dogbreed.data.prepared_rows import JPEG_QUALITY, MAX_ASPECT, PreparedPhoto, pack, unpack
from dogbreed.data.preparing import computed_blocks
from dogbreed.data.transforms import Preprocessing, evaluation_transform, smallest_side

# Count up when rows of the same photo come out otherwise.
VERSION = 2


@dataclass(frozen=True)
class PreparedPhotos:
    """Photos by the SHA-256 of their files, each decoded once, and resized as evaluation resizes it.

    Args:
        store: of their rows; see `open_prepared`.
        preprocessing: of the network.
        form: of the rows, a key of `dogbreed.data.prepared_rows.FORMS`.
    """

    store: RowStore
    preprocessing: Preprocessing
    form: str

    def serves(self, preprocessing: Preprocessing) -> bool:
        """Whether a network with this preprocessing can be given these photos."""
        return _resizing(preprocessing) == _resizing(self.preprocessing)

    def get(self, content: str) -> PreparedPhoto | None:
        """The photo of a file with this hash; None where its file has to be opened: a long photo, an unknown one."""
        return unpack(self.store[content], self.form) if content in self.store else None

    def row(self, content: str, path: Path) -> Tensor | None:
        """The row of a file; None where it is no longer what the hash says, or no photo."""
        try:
            file = read(path)
            if hashlib.sha256(file).hexdigest() != content:
                return None
            side = smallest_side(evaluation_transform(self.preprocessing))
            return pack(decode(file, smallest_side=side), self.preprocessing, self.form)
        # Whoever asks for the photo opens its file, and tells what is wrong with it.
        except PhotoError:
            return None

    def prepare(self, paths: Mapping[str, Path], *, before_photo: Callable[[], None] = lambda: None) -> None:
        """Prepare photos where that was not done yet.

        Args:
            paths: of the photos, by the hashes of the files.
            before_photo: is called before each photo, and may raise to stop: what is stored by then stays.

        Raises:
            OSError: the store cannot be written.
        """

        def compute(contents: list[str]) -> Iterator[dict[str, Tensor]]:
            return computed_blocks(contents, lambda content: self.row(content, paths[content]), before_photo)

        fill(self.store, paths, compute)


def open_prepared(cache_dir: Path, preprocessing: Preprocessing, form: str) -> PreparedPhotos:
    """The prepared photos of a cache folder; what resizes and encodes them names their folder there.

    Args:
        cache_dir: the cache folder.
        preprocessing: of the network.
        form: a key of `dogbreed.data.prepared_rows.FORMS`.
    """
    parts = [*_resizing(preprocessing), form, JPEG_QUALITY, MAX_ASPECT, PIL.__version__, VERSION]
    name = f"prepared-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]}"
    about = {"what": "prepared photos", "shorter side": preprocessing.resize, "form": form}
    return PreparedPhotos(RowStore(rows_folder(cache_dir) / name, about), preprocessing, form)


def _resizing(preprocessing: Preprocessing) -> tuple[int, str]:
    return preprocessing.resize, preprocessing.interpolation
