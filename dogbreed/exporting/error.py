"""What can go wrong with an export."""

from __future__ import annotations

from dogbreed.errors import DogbreedError


class ExportError(DogbreedError):
    """A model that an exporter does not take, a file that answers otherwise than it, or one that cannot be written."""
