"""A network in two parts: the frozen one, which gives the same in every epoch, and the one that is trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.fx import Graph, Node

from dogbreed.errors import ConfigError
from dogbreed.models.freezing import frozen_modules, frozen_parameters
from dogbreed.models.graph_parts import Shapes, part
from dogbreed.models.network import BreedNetwork
from dogbreed.models.tracing import mode, traced


@dataclass(frozen=True)
class Cut:
    """Two modules whose composition is the network; their layers and parameters are the network's own.

    The mode of each layer is therefore what `network.train()` and `network.eval()` made it: `upper.train()` would wake
    batch norm that is to keep its statistics. Move the network to its device before it is cut, not after.

    Attributes:
        lower: normalised images, shape (batch, 3, size, size), to one tensor, shape (batch, ...): the frozen part.
        upper: that tensor, into which it never writes, to logits.
    """

    lower: nn.Module
    upper: nn.Module


def cut(network: BreedNetwork, frozen: bool | str) -> Cut:
    """Cut a network below the first stage that is trained, and compare both parts with the whole before returning.

    Args:
        network: any mode and device; it is left as it was.
        frozen: as in `BreedNetwork.freeze`, True or the name of a stage.

    Raises:
        ConfigError: nothing is frozen, there is no stage of that name, more than one tensor goes from the frozen part
            to the trained one, or the network's graph cannot be known.
    """
    if frozen is True:
        return Cut(nn.Sequential(network.backbone, nn.Flatten(1)), network.head)
    if frozen is False:
        raise ConfigError(
            "Expected model.frozen to be true or the name of a stage, for a network to be cut; got false."
        )
    modules, parameters = set(frozen_modules(network.backbone, frozen)), frozen_parameters(network.backbone, frozen)
    try:
        return _cut(network, modules, parameters)
    except ConfigError as error:
        raise ConfigError(f"{type(network.backbone).__name__} cannot be cut before {frozen}: {error}.") from error


def _cut(network: BreedNetwork, modules: set[nn.Module], parameters: set[nn.Parameter]) -> Cut:
    graph = traced(network)
    images = _noise(network)
    with mode(network, False), torch.no_grad():
        interpreter = Shapes(network, graph)
        expected = interpreter.run(images)
        trained = [node for node in graph.nodes if _is_trained(network, node, modules, parameters)]
        crossing = _crossing(graph, trained, interpreter.shapes)
        first, last = _ends(graph)
        parts = Cut(part(network, graph, first, crossing), part(network, graph, crossing, last))
        _check(parts, images, expected, interpreter.shapes[crossing.name])
    return parts


def _is_trained(network: nn.Module, node: Node, modules: set[nn.Module], parameters: set[nn.Parameter]) -> bool:
    """Whether a node is a layer, or a parameter, that is not frozen."""
    if node.op == "get_attr":
        owner, _, name = str(node.target).rpartition(".")
        value = getattr(network.get_submodule(owner), name)
        return isinstance(value, nn.Parameter) and value not in parameters
    if node.op != "call_module":
        return False
    module = network.get_submodule(str(node.target))
    leaves = [leaf for leaf in module.modules() if not any(leaf.children())]
    return any(leaf not in modules for leaf in leaves) or any(p not in parameters for p in module.parameters())


def _crossing(graph: Graph, trained: list[Node], shapes: dict[str, torch.Size | None]) -> Node:
    """The one node of the frozen part that the trained part is computed from."""
    from_images = _following(graph, [_ends(graph)[0]])
    above = _following(graph, trained)
    below = from_images - above
    nodes = crossing = {source for node in above for source in node.all_input_nodes if source in below}
    order = {node: position for position, node in enumerate(graph.nodes)}
    while len(nodes) > 1 or any(shapes[node.name] is None for node in nodes):
        # A view or a sum costs nothing: the trained part may compute it again from what it was made of.
        last = max(nodes, key=order.__getitem__)
        if last.op not in ("call_function", "call_method"):
            raise ConfigError(f"{sum(shapes[node.name] is not None for node in crossing)} tensors cross it")
        nodes = nodes - {last} | {source for source in last.all_input_nodes if source in from_images}
    return nodes.pop()


def _following(graph: Graph, sources: list[Node]) -> set[Node]:
    """The sources, and all that is computed from them."""
    following = set(sources)
    for node in graph.nodes:
        if not following.isdisjoint(node.all_input_nodes):
            following.add(node)
    return following


def _ends(graph: Graph) -> tuple[Node, Node]:
    """The images and the logits."""
    output = graph.output_node()
    return next(node for node in graph.nodes if node.op == "placeholder"), output.all_input_nodes[0]


def _noise(network: BreedNetwork) -> Tensor:
    size, parameter = network.preprocessing.crop, next(network.parameters())
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    return images.to(parameter.device, parameter.dtype)


def _check(parts: Cut, images: Tensor, expected: Tensor, shape: torch.Size | None) -> None:
    if not any(True for _ in parts.lower.parameters()):
        raise ConfigError("no frozen layer can be computed apart from what is trained")
    if shape is None or shape[:1] != images.shape[:1]:
        raise ConfigError("what crosses it is not in rows of one image each")
    if not torch.allclose(parts.upper(parts.lower(images)), expected, rtol=1e-3, atol=1e-5):
        raise ConfigError("its parts answer otherwise than the whole network")
