"""What a body is read as."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

# Photos as they are, or images that were preprocessed elsewhere: normalised float32, shape (N, 3, H, W).
Images = Sequence[Image.Image] | Tensor
