"""Features of photos that are computed where they are not known yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from dogbreed.caching.rows import RowStore, fill
from dogbreed.data.photo_views import PhotoView
from dogbreed.data.transforms import Preprocessing
from dogbreed.errors import ConfigError
from dogbreed.features.extraction import BATCH_SIZE, extract
from dogbreed.models.cut import Cut
from dogbreed.models.forward_paths import EXACT, Forward, build_path


@dataclass
class FrozenFeatures:
    """What the frozen part of a network says of photos: computed once, kept in a store.

    Args:
        cut: the two parts of the network.
        store: of this frozen part's features, computed in this way.
        path: how the frozen part is computed, a key of `dogbreed.models.forward_paths.PATHS`.
        preprocessing: of the network.
        device: that computes.
        dtype: of the stored features.
        num_workers: processes that open photos.
        before_batch: is called before each batch of photos, and may raise to stop.
        exact: the features to the last digits, for figures; None where these are.

    Attributes:
        faults: what is wrong with photos that could not be read; they have no features.
    """

    cut: Cut
    store: RowStore
    path: str
    preprocessing: Preprocessing
    device: torch.device
    dtype: torch.dtype = torch.float32
    num_workers: int = 0
    before_batch: Callable[[], None] = lambda: None
    exact: FrozenFeatures | None = None
    faults: dict[PhotoView, str] = field(default_factory=dict)

    @cached_property
    def forward(self) -> Forward:
        """Normalised images on the device to activations; built when it is first needed, which takes seconds.

        Raises:
            ConfigError: a library is missing, or cannot read the network.
        """
        size = self.preprocessing.crop
        try:
            return build_path(self.path, self.cut.lower, batch_size=BATCH_SIZE, image_size=size)
        except ConfigError:
            if self.path not in EXACT:
                raise
            return build_path("float32", self.cut.lower, batch_size=BATCH_SIZE, image_size=size)

    def release(self) -> None:
        """Give back the memory of what computes; it is built again when it is needed."""
        self.__dict__.pop("forward", None)

    def missing(self, views: Iterable[PhotoView]) -> int:
        """How many views would have to be looked at."""
        return len(self.store.missing(view.key for view in views))

    def look(self, views: Iterable[PhotoView], name: str) -> None:
        """Look at photos where that was not done yet.

        Args:
            views: the photos.
            name: of them, on the progress bar.

        Raises:
            OSError: the store cannot be written.
        """
        by_key = {view.key: view for view in views}

        def compute(keys: list[str]) -> Iterator[Mapping[str, Tensor]]:
            return extract(
                [by_key[key] for key in keys],
                self.forward,
                preprocessing=self.preprocessing,
                device=self.device,
                dtype=self.dtype,
                num_workers=self.num_workers,
                name=name,
                faults=self.faults,
                before_batch=self.before_batch,
            )

        fill(self.store, by_key, compute)

    def __getitem__(self, key: str) -> Tensor:
        """The features of a view that was looked at, by its key."""
        return self.store[key]
