"""Grad-CAM: which places of an image speak for a class."""

from __future__ import annotations

import copy
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from dogbreed.explaining.layouts import layout_of
from dogbreed.explaining.spatial_layer import Hook, spatial_layer
from dogbreed.models.network import BreedNetwork


def grad_cam(network: BreedNetwork, images: Tensor, classes: Tensor) -> Tensor:
    """How much each place of each image speaks for a class (Selvaraju et al., 2017), by captum.

    The layer is that of `spatial_layer`. In a vision transformer, where attention has mixed the places before it, the
    map is rougher than in a convolutional network. The network computes as in eval mode and is left as it was: no
    hook is ever on it, so that other threads may use it meanwhile.

    Args:
        network: any mode and device, with or without frozen parameters.
        images: at least one, normalised, shape (batch, 3, size, size), on the network's device.
        classes: the position of a class for each image, shape (batch,).

    Returns:
        Float32 maps of shape (batch, size, size) in [0, 1], each divided by its maximum: they say where, not how
        much. Zero where nothing speaks for the class.

    Raises:
        ConfigError: the network has no layer with more than one place for images of this size.
    """
    with torch.inference_mode(False), torch.enable_grad():
        twin, images = _twin(network), images.detach().clone()
        heat = _coarse_maps(twin, images, classes.clone())
    upsampled = functional.interpolate(heat.float(), images.shape[-2:], mode="bilinear")[:, 0]
    peak = upsampled.amax((1, 2), keepdim=True)
    return upsampled / peak.where(peak > 0, 1)


def _coarse_maps(twin: BreedNetwork, images: Tensor, classes: Tensor) -> Tensor:
    """At the layer's own resolution, shape (batch, 1, height, width), at least 0."""
    # Seconds of imports, matplotlib among them.
    from captum.attr import LayerGradCam

    layer, maps = twin.backbone.get_submodule(spatial_layer(twin.backbone, images[:1])), nn.Identity()
    layer.register_forward_hook(_through(maps))
    heat: Tensor = LayerGradCam(twin, maps).attribute(images, classes, relu_attributions=True)
    return heat.detach()


def _through(module: nn.Module) -> Hook:
    """A hook that sends a layer's output through a module as maps, whatever its layout; gradients begin there."""

    def hook(_: nn.Module, __: tuple[Any, ...], output: Tensor) -> Tensor:
        layout = layout_of(output)
        if layout is None:
            return output
        return layout.to_output(module(layout.to_maps(output).detach().requires_grad_()), output)

    return hook


def _twin(network: BreedNetwork) -> BreedNetwork:
    """The network in eval mode, nothing asking for gradients: modules of its own, the tensors' memory shared."""
    tensors = chain(network.parameters(), network.buffers())
    # Autograd does not take tensors that were made in inference mode.
    shared: dict[int, Any] = {id(one): one.clone() if one.is_inference() else one.detach() for one in tensors}
    return copy.deepcopy(network, shared).eval()
