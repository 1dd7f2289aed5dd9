"""Photos of one split, read from the store of prepared photos."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torchvision.transforms import v2

from dogbreed.data.dataset import PhotoDataset
from dogbreed.data.folder import Split
from dogbreed.data.prepared import PreparedPhotos
from dogbreed.data.prepared_views import PreparedTransform


class PreparedDataset(PhotoDataset):
    """As `PhotoDataset`, of prepared photos; of those that are not prepared the files are opened.

    Args:
        split: the photos.
        transform: from `evaluation_transform` or `training_transform`.
        prepared: the photos, prepared.
        contents: the hash of each photo's file, in the order of the split.
    """

    def __init__(self, split: Split, transform: v2.Compose, prepared: PreparedPhotos, contents: Sequence[str]) -> None:
        super().__init__(split, transform)
        self.prepared = prepared
        self.contents = contents
        self._prepared_transform = PreparedTransform(transform)

    def _load(self, index: int) -> tuple[Tensor, int]:
        photo = self.prepared.get(self.contents[index])
        if photo is None:
            return super()._load(index)
        return self._prepared_transform(photo).as_subclass(Tensor), self.split.targets[index]
