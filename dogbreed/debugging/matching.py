"""Whether a collection can record anything at all: asked before the first step, not after the last."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from torch import nn

from dogbreed.debugging.collections import KNOWN, Collection
from dogbreed.errors import ConfigError


def possible_names(network: nn.Module, criterion: nn.Module) -> Iterator[str]:
    """The names that smdebug can give to tensors of a network and its loss."""
    top = type(network).__name__
    for name, parameter in network.named_parameters():
        yield f"{top}_{name}"
        if parameter.requires_grad:
            yield f"gradient/{top}_{name}"
    for name in (top, type(criterion).__name__, *(name for name, _ in network.named_modules() if name)):
        yield from (f"{name}_{side}_0" for side in ("input", "output"))


def check_matches(collections: Iterable[Collection], network: nn.Module, criterion: nn.Module) -> None:
    """See that each regex matches a tensor.

    Raises:
        ConfigError: one matches none, or is no regular expression; the nearest names are offered.
    """
    names = list(possible_names(network, criterion))
    for collection in collections:
        if collection.name in KNOWN or "include_regex" not in collection.parameters:
            continue
        regex = collection.parameters["include_regex"]
        try:
            for part in regex.split(","):
                re.compile(part)
            found = any(collection.holds(name) for name in names)
        except re.error as error:
            raise ConfigError(f"{regex!r} of debugger collection {collection.name} is no regex: {error}.") from error
        if not found:
            near = difflib.get_close_matches(regex, names, n=2, cutoff=0.3)
            raise ConfigError(
                f"Debugger collection {collection.name} would stay empty: no tensor's name matches {regex!r}; the "
                f"nearest are {', '.join(near or names[:2])}."
            )
