"""What is wrong with a file that would cost too much."""

from __future__ import annotations


class CostlyError(Exception):
    """Decoding would cost far more than a photo's does; says why, as the end of a sentence that names the photo."""
