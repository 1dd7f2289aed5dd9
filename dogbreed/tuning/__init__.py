"""Search for settings: the space as plain values, and the study that searches it."""

from dogbreed.tuning.space import Choice, Integers, LogUniform, Space, Uniform

__all__ = ["Choice", "Integers", "LogUniform", "Space", "Uniform"]
