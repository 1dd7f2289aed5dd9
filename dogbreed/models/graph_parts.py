"""Parts of a network's graph as modules of their own, which share their layers with the network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Graph, GraphModule, Interpreter, Node
from typing_extensions import override

# Functions that write into their first argument, besides those whose name ends in "_".
WRITING = ("iadd", "isub", "imul", "itruediv", "setitem")


class Shapes(Interpreter):
    """Runs a graph and keeps in `shapes` what each node gave: a tensor's shape, or None for anything else."""

    def __init__(self, network: nn.Module, graph: Graph) -> None:
        super().__init__(GraphModule(network, graph))
        self.shapes: dict[str, torch.Size | None] = {}

    @override
    def run_node(self, n: Node) -> Any:
        value = super().run_node(n)
        self.shapes[n.name] = value.shape if isinstance(value, Tensor) else None
        return value


def part(network: nn.Module, graph: Graph, start: Node, end: Node) -> GraphModule:
    """From what the node `start` gives to what `end` gives; what is given to it is never written into."""
    needed, found = {end}, [end]
    while found:
        inputs = [node for node in found.pop().all_input_nodes if node not in needed]
        needed.update(inputs)
        found += [node for node in inputs if node is not start]
    own = Graph()
    copied = {start: own.placeholder("activations")}
    for node in graph.nodes:
        if node in needed and node is not start:
            copied[node] = own.node_copy(node, copied.__getitem__)
    own.output(copied[end])
    if _is_written_into(network, copied[start]):
        _clone_first(own, copied[start])
    return GraphModule(network, own)


def _is_written_into(network: nn.Module, given: Node) -> bool:
    """Whether a step may write into the memory of `given`; views share it, layers with parameters have their own."""
    shared = {given}
    for node in given.graph.nodes:
        if node.args and node.args[0] in shared and not _has_parameters(network, node):
            if _writes(network, node):
                return True
            shared.add(node)
    return False


def _has_parameters(network: nn.Module, node: Node) -> bool:
    return node.op == "call_module" and any(True for _ in network.get_submodule(str(node.target)).parameters())


def _writes(network: nn.Module, node: Node) -> bool:
    if node.op == "call_module":
        return any(getattr(module, "inplace", False) for module in network.get_submodule(str(node.target)).modules())
    name = getattr(node.target, "__name__", str(node.target))
    # `relu(x, inplace=True)`; any other True costs a copy and no more.
    return name.endswith("_") or name in WRITING or any(a is True for a in (*node.args, *node.kwargs.values()))


def _clone_first(graph: Graph, given: Node) -> None:
    with graph.inserting_after(given):
        clone = graph.call_method("clone", (given,))
    given.replace_all_uses_with(clone, delete_user_cb=lambda user: user is not clone)
