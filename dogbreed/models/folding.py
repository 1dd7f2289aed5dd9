"""Batch norm that is computed with the convolution before it, for a network that only evaluates."""

from __future__ import annotations

import copy

from torch import nn
from torch.fx.experimental.optimization import fuse

from dogbreed.models.freezing import batch_norms


def folded(module: nn.Module) -> nn.Module:
    """A copy in eval mode, its batch norm folded into the convolutions where its graph can be traced.

    The copy has no gradients; nothing of the module is changed, and nothing is shared with it.

    >>> from torch import nn
    >>> folded(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()))
    GraphModule(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
      (2): ReLU()
    )
    """
    evaluating = copy.deepcopy(module).eval().requires_grad_(False)
    if not batch_norms(evaluating):
        return evaluating
    try:
        fused: nn.Module = fuse(evaluating)
    # Whatever the network's own code meets when its tensors have no numbers: unfolded it computes the same.
    except Exception:
        return evaluating
    return fused.eval().requires_grad_(False)
