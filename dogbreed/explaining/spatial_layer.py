"""The layer that Grad-CAM looks at, found in a network of any kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from dogbreed.errors import ConfigError
from dogbreed.explaining.layouts import layout_of

# So many of the last layers are asked for gradients: the last block and more in all networks known, and little memory.
TAIL = 64
# What passes on what came before: inside attention it may be square and yet no map, and a pool to a given size may
# repeat one place many times.
NO_LAYERS = (nn.Identity, nn.Dropout, nn.Softmax, nn.AdaptiveAvgPool2d)

Hook = Callable[[nn.Module, tuple[Any, ...], Any], Tensor | None]


def spatial_layer(backbone: nn.Module, image: Tensor) -> str:
    """The name of the last layer whose output still has places, more than one, that the features depend on.

    In convolutional networks that is what is pooled. In a vision transformer the features are those of the class
    token, and what the last block makes of the patches is lost: the last that matters is what its attention reads.

    Args:
        backbone: in eval mode, no parameter asking for a gradient; gradients are enabled.
        image: normalised, shape (1, 3, size, size).

    Raises:
        ConfigError: no layer has more than one place.
    """
    names = _layers_with_places(backbone, image)
    if not names:
        raise ConfigError(f"Expected a layer with more than one place, found none for images of {image.shape[-1]}.")
    return _last_that_matters(backbone, image, names[-TAIL:])


def _layers_with_places(backbone: nn.Module, image: Tensor) -> list[str]:
    """In the order in which they end; one that is called more than once stands where it ends first."""
    found: dict[str, None] = {}

    def note(name: str) -> Hook:
        def hook(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if _has_places(inputs, output):
                found[name] = None

        return hook

    layers = [name for name, module in backbone.named_modules() if not isinstance(module, NO_LAYERS)]
    _forward(backbone, image, ((name, note(name)) for name in layers))
    return list(found)


def _has_places(inputs: tuple[Any, ...], output: Any) -> bool:
    if not isinstance(output, Tensor) or not output.is_floating_point() or layout_of(output) is None:
        return False
    # Tokens of another width than they came in are an intermediate result, such as attention's keys and values.
    return output.ndim == 4 or any(isinstance(one, Tensor) and one.shape == output.shape for one in inputs)


def _last_that_matters(backbone: nn.Module, image: Tensor, names: list[str]) -> str:
    outputs: dict[str, Tensor] = {}

    def record(name: str) -> Hook:
        def hook(_: nn.Module, __: tuple[Any, ...], output: Tensor) -> Tensor:
            outputs[name] = output if output.requires_grad else output.detach().requires_grad_()
            # What follows may write into its input.
            return outputs[name].clone()

        return hook

    features = _forward(backbone, image, ((name, record(name)) for name in names)).flatten().float()
    # Not their plain sum: after a layer norm that does not depend on anything.
    total = features @ torch.linspace(1, 2, len(features), device=features.device)
    gradients = torch.autograd.grad(total, list(outputs.values()), allow_unused=True)
    matters = [name for name, gradient in zip(outputs, gradients, strict=True) if _reaches_places(gradient)]
    return (matters or names)[-1]


def _reaches_places(gradient: Tensor | None) -> bool:
    layout = None if gradient is None else layout_of(gradient)
    return gradient is not None and layout is not None and bool(layout.to_maps(gradient).any())


def _forward(backbone: nn.Module, image: Tensor, hooks: Iterable[tuple[str, Hook]]) -> Tensor:
    with ExitStack() as stack:
        for name, hook in hooks:
            stack.enter_context(backbone.get_submodule(name).register_forward_hook(hook))
        features: Tensor = backbone(image)
        return features
