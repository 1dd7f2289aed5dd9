from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import VisionTransformer

from dogbreed.data.transforms import Preprocessing
from dogbreed.errors import ConfigError
from dogbreed.explaining.grad_cam import grad_cam
from dogbreed.explaining.spatial_layer import spatial_layer
from dogbreed.models.backbones import Backbone
from dogbreed.models.heads import build_head
from dogbreed.models.network import BreedNetwork, build_network

# The smallest network of each kind, the side of its images, and the layer that Grad-CAM is for there.
FAMILIES = {
    "alexnet": (128, "features"),
    "convnext_tiny": (64, "features"),
    "densenet121": (64, "features"),
    "efficientnet_b0": (64, "features"),
    "googlenet": (64, "inception5b"),
    "inception_v3": (128, "Mixed_7c"),
    "maxvit_t": (224, "blocks.3"),
    "mnasnet0_5": (64, "layers"),
    "mobilenet_v2": (64, "features"),
    "mobilenet_v3_small": (64, "features"),
    "regnet_y_400mf": (64, "trunk_output"),
    "resnet18": (64, "layer4"),
    "shufflenet_v2_x0_5": (64, "conv5"),
    "squeezenet1_1": (64, "features"),
    "swin_t": (64, "permute"),
    "swin_v2_t": (64, "permute"),
    "vgg11": (64, "features"),
    "vit_b_32": (224, "encoder.layers.encoder_layer_11.ln_1"),
    "timm/test_efficientnet": (160, "bn2"),
    "timm/test_resnet": (160, "layer4"),
    "timm/test_vit": (160, "blocks.5.norm1"),
    "timm/test_vit2": (160, "blocks"),
    # Its channels come last.
    "timm/test_mambaout": (160, "stages"),
}


def random_network(backbone: str, size: int | None = None) -> BreedNetwork:
    torch.manual_seed(0)
    return build_network(4, backbone=backbone, image_size=size).eval().requires_grad_(False)


def random_images(size: int, batch: int = 2) -> Tensor:
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(0))


def answers(network: BreedNetwork, images: Tensor) -> Tensor:
    with torch.no_grad():
        return network(images).argmax(1)


def state_of(network: BreedNetwork) -> list[Any]:
    modules = [
        (name, module.training, len(module._forward_hooks), len(module._backward_hooks), list(vars(module)))
        for name, module in network.named_modules()
    ]
    tensors = [
        (name, id(tensor), tensor.data_ptr(), tensor.sum().item(), tensor.requires_grad, tensor.grad)
        for name, tensor in network.state_dict(keep_vars=True).items()
    ]
    return [modules, tensors]


@pytest.mark.parametrize("backbone", FAMILIES)
def test_networks_of_every_kind_have_maps_and_are_left_as_they_were(backbone: str) -> None:
    size, layer = FAMILIES[backbone]
    network = random_network(backbone, None if backbone.startswith("timm/") else size)
    images = random_images(size, 1)
    before, classes = state_of(network), answers(network, images)
    assert spatial_layer(network.backbone, images[:1]) == layer
    maps = grad_cam(network, images, classes)
    assert (maps.shape, maps.dtype, maps.requires_grad) == ((1, size, size), torch.float32, False)
    assert maps.isfinite().all()
    assert maps.min() >= 0
    assert maps.max() == 1
    assert torch.equal(grad_cam(network, images, classes), maps)
    assert state_of(network) == before


def scaled(heat: Tensor, size: int) -> Tensor:
    """Maps of a layer as the paper and captum define them, in the form that `grad_cam` gives them."""
    maps = functional.interpolate(heat.detach(), (size, size), mode="bilinear")[:, 0]
    return maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-30)


# An in-place ReLU comes after that of DenseNet.
@pytest.mark.parametrize("backbone", ["resnet18", "densenet121", "shufflenet_v2_x0_5", "swin_t"])
def test_the_maps_of_a_network_with_maps_are_those_of_captum_on_it(backbone: str) -> None:
    network, images, classes = random_network(backbone, 64), random_images(64, 4), torch.tensor([0, 1, 2, 3])
    layer = network.backbone.get_submodule(FAMILIES[backbone][1])
    theirs = LayerGradCam(network, layer).attribute(images.requires_grad_(), classes, relu_attributions=True)
    assert torch.allclose(grad_cam(network, images, classes), scaled(theirs, 64), atol=1e-5)


def test_a_network_that_uses_a_module_more_than_once_has_the_map_of_its_last_layer() -> None:
    relu, last = nn.ReLU(inplace=True), nn.Conv2d(8, 32, 3, 2, 1)
    network, images = small_network(nn.Conv2d(3, 8, 3, 2, 1), relu, last, relu).eval(), random_images(SIDE, 3)
    theirs = LayerGradCam(network, last).attribute(images, torch.tensor([0, 1, 2]), relu_attributions=True)
    assert torch.allclose(grad_cam(network, images, torch.tensor([0, 1, 2])), scaled(theirs, SIDE), atol=1e-5)


def small_transformer() -> BreedNetwork:
    torch.manual_seed(0)
    body = VisionTransformer(image_size=32, patch_size=8, num_layers=3, num_heads=2, hidden_dim=16, mlp_dim=32)
    body.heads = nn.Identity()
    return BreedNetwork(Backbone(body, 16, Preprocessing(32, 32)), build_head(16, 4)).eval()


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        (small_transformer, "encoder.layers.encoder_layer_2.ln_1"),
        (lambda: random_network("timm/test_vit"), "blocks.5.norm1"),
    ],
)
def test_the_map_of_a_vision_transformer_is_grad_cam_on_the_patches_that_the_last_attention_reads(
    network: Callable[[], BreedNetwork], layer: str
) -> None:
    model, classes, kept = network(), torch.tensor([0, 1, 2, 3]), list[Tensor]()
    size = model.preprocessing.crop
    images = random_images(size, 4)
    maps = grad_cam(model, images, classes)
    model.backbone.get_submodule(layer).register_forward_hook(lambda *call: kept.append(call[2]))
    logits = model(images.requires_grad_())
    (gradient,) = torch.autograd.grad(logits[range(4), classes].sum(), kept)
    patches, weights = kept[0][:, 1:], gradient[:, 1:].mean(1, keepdim=True)
    side = int(patches.shape[1] ** 0.5)
    heat = (weights * patches).sum(2).relu().reshape(4, 1, side, side)
    assert torch.allclose(maps, scaled(heat, size), atol=1e-5)


SIDE, PATCH = 32, 8


def small_network(*layers: nn.Module) -> BreedNetwork:
    body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))
    return BreedNetwork(Backbone(body, 32, Preprocessing(SIDE, SIDE)), build_head(32, 3))


def convolutions() -> list[nn.Module]:
    return [
        nn.Conv2d(3, 16, 3, 2, 1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1),
        nn.ReLU(inplace=True),
    ]


def with_patches(patches: list[list[tuple[int, int]]], generator: torch.Generator) -> Tensor:
    """Grey noise with bright patches: each a channel and a corner (0 and 1 above, 2 and 3 below)."""
    images = torch.rand(len(patches), 3, SIDE, SIDE, generator=generator) / 2 - 0.25
    for image, inside in zip(images, patches, strict=True):
        for channel, corner in inside:
            top, left = (2 + (SIDE - PATCH - 4) * place for place in divmod(corner, 2))
            image[channel, top : top + PATCH, left : left + PATCH] += 1.5
    return images


@pytest.fixture(scope="module")
def trained() -> BreedNetwork:
    """Knows the colour of the patch, wherever it is."""
    torch.manual_seed(0)
    network, generator = small_network(*convolutions()), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    for _ in range(60):
        colours, corners = (torch.randint(most, (32,), generator=generator).tolist() for most in (3, 4))
        images = with_patches([[patch] for patch in zip(colours, corners, strict=True)], generator)
        loss = functional.cross_entropy(network(images), torch.tensor(colours))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def shares(maps: Tensor) -> Tensor:
    """Of each corner, shape (batch, 4)."""
    corners = functional.adaptive_avg_pool2d(maps[:, None], 2).flatten(1)
    return corners / corners.sum(1, keepdim=True)


@pytest.mark.parametrize("colour", [0, 1])
def test_of_two_patches_the_map_points_to_that_of_the_class_it_is_for(trained: BreedNetwork, colour: int) -> None:
    patches = [[(0, red), (1, green)] for red in range(4) for green in range(4) if red != green]
    images = with_patches(patches, torch.Generator().manual_seed(1))
    corners = shares(grad_cam(trained, images, torch.full((len(images),), colour)))
    expected = torch.tensor([inside[colour][1] for inside in patches])
    assert corners.gather(1, expected[:, None]).min() > 0.7


def test_the_mirror_image_has_the_mirrored_map() -> None:
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(16, 32, 3, 1, 1)]
    with torch.no_grad():
        for layer in (layers[0], layers[3]):
            layer.weight.copy_((layer.weight + layer.weight.flip(-1)) / 2)
    network, images = small_network(*layers), random_images(SIDE, 3)
    maps = grad_cam(network, images, torch.tensor([0, 1, 2]))
    assert not torch.allclose(maps.flip(-1), maps, atol=0.1)
    assert torch.allclose(grad_cam(network, images.flip(-1), torch.tensor([0, 1, 2])), maps.flip(-1), atol=1e-4)


CHANGES: dict[str, Callable[[BreedNetwork], Any]] = {
    "in training": lambda network: network.train(),
    "frozen": lambda network: network.requires_grad_(False),
    "partly frozen": lambda network: network.freeze("3"),
    "channels last": lambda network: network.to(memory_format=torch.channels_last),
}
CALLERS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "gradients": nullcontext,
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("change", CHANGES)
def test_the_map_does_not_depend_on_the_state_of_network_and_caller(
    trained: BreedNetwork, change: str, caller: str
) -> None:
    images, classes = random_images(SIDE, 3), torch.tensor([0, 1, 2])
    expected = grad_cam(trained, images, classes)
    network = small_network(*convolutions()).eval()
    network.load_state_dict(trained.state_dict())
    CHANGES[change](network)
    before = state_of(network)
    with CALLERS[caller]():
        maps = grad_cam(network, images + 0, classes + 0)
    assert state_of(network) == before
    assert torch.allclose(maps, expected, atol=1e-5)


def test_a_network_that_was_made_in_inference_mode_is_explained_too(trained: BreedNetwork) -> None:
    images, classes = random_images(SIDE, 3), torch.tensor([0, 1, 2])
    with torch.inference_mode():
        network = small_network(*convolutions())
        network.load_state_dict(trained.state_dict())
    assert torch.equal(grad_cam(network, images, classes), grad_cam(trained, images, classes))


def test_images_in_channels_last_have_the_same_maps(trained: BreedNetwork) -> None:
    images, classes = random_images(SIDE, 3), torch.tensor([0, 1, 2])
    maps = grad_cam(trained, images.to(memory_format=torch.channels_last), classes)
    assert torch.allclose(maps, grad_cam(trained, images, classes), atol=1e-5)


def test_threads_do_not_disturb_one_another(trained: BreedNetwork) -> None:
    images, classes, found = random_images(SIDE, 8), torch.arange(8) % 3, dict[int, Tensor]()
    expected, logits = grad_cam(trained, images, classes), trained(images)

    def explain(number: int) -> None:
        for _ in range(5):
            found[number] = grad_cam(trained, images[number : number + 1], classes[number : number + 1])

    threads = [threading.Thread(target=explain, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert torch.allclose(trained(images), logits, atol=1e-5)
    assert torch.allclose(torch.cat([found[number] for number in range(8)]), expected, atol=1e-4)


def test_where_nothing_speaks_for_a_class_the_map_is_zero(trained: BreedNetwork) -> None:
    network = copy.deepcopy(trained)
    with torch.no_grad():
        network.head[-1].weight[1] = -network.head[-1].weight[1].abs()
    maps = grad_cam(network, random_images(SIDE, 2), torch.tensor([1, 0]))
    assert maps[0].max() == 0
    assert maps[1].max() == 1


def test_images_without_places_are_refused(trained: BreedNetwork) -> None:
    with pytest.raises(ConfigError, match="more than one place"):
        grad_cam(trained, random_images(2), torch.tensor([0, 1]))
