"""What turns features into logits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from dogbreed.errors import ConfigError


def build_head(num_features: int, num_classes: int, *, hidden: Sequence[int] = (), dropout: float = 0.0) -> nn.Module:
    """Hidden layers with ReLU and dropout, then always a linear layer: a head ends in logits.

    Args:
        num_features: what the backbone gives.
        num_classes: how many logits.
        hidden: widths of the hidden layers; none for a linear head.
        dropout: share of the inputs of each linear layer after a ReLU that is dropped in training, in [0, 1); without
            hidden layers, of the features.

    Raises:
        ConfigError: a width or a share out of range.

    >>> build_head(2048, 133, hidden=[512], dropout=0.3)
    Sequential(
      (0): Linear(in_features=2048, out_features=512, bias=True)
      (1): ReLU()
      (2): Dropout(p=0.3, inplace=False)
      (3): Linear(in_features=512, out_features=133, bias=True)
    )
    """
    if any(width < 1 for width in hidden):
        raise ConfigError(f"Expected model.hidden to be widths of at least 1, got {list(hidden)}.")
    if not 0 <= dropout < 1:
        raise ConfigError(f"Expected model.dropout to be in [0, 1), got {dropout}.")
    widths = [num_features, *hidden]
    # Without a hidden layer the features themselves are dropped: a dropout that is set always acts.
    layers: list[nn.Module] = [nn.Dropout(dropout)] if dropout and not hidden else []
    for incoming, outgoing in pairwise(widths):
        layers += [nn.Linear(incoming, outgoing), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], num_classes))
