"""Classes' names as people read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

# What data sets put before a breed to sort or to identify it.
NUMBER = re.compile(r"^(?:\d{1,4}|n\d{8})[._\- ]+(?=\S)")


def readable_names(names: Sequence[str]) -> list[str]:
    """The names without their numbers, words apart, the first letter large; as they are where two would be the same.

    >>> readable_names(["001.Affenpinscher", "n02099601-golden_retriever", "Synthetic_spotted_pointer"])
    ['Affenpinscher', 'Golden retriever', 'Synthetic spotted pointer']
    >>> readable_names(["1.Akita", "2.Akita"])
    ['1.Akita', '2.Akita']
    """
    found = [_readable(name) for name in names]
    times = Counter(found)
    return [new if times[new] == 1 else name for name, new in zip(names, found, strict=True)]


def _readable(name: str) -> str:
    words = " ".join(NUMBER.sub("", name).replace("_", " ").split())
    return words[:1].upper() + words[1:] or name
