"""The graph of a network: what it computes, step by step, whether it trains or not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

import torchvision
from torch import nn
from torch.fx import Graph, Tracer
from typing_extensions import override

from dogbreed.errors import ConfigError


class ModeTracer(Tracer):
    """Steps into every module that has children, but those of PyTorch itself and those of the classes `opaque`."""

    # A step of the graph like any other: tracing a network in training must not count batches.
    proxy_buffer_attributes = True

    def __init__(self, opaque: Sequence[type[nn.Module]] = ()) -> None:
        # Releases of torch annotate them differently: as one module, or as any number.
        modules: Any = (math, torchvision.ops)
        super().__init__(autowrap_modules=modules)
        self._opaque = tuple(opaque)

    @override
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if not any(m.children()) or isinstance(m, self._opaque):
            return True
        return super().is_leaf_module(m, module_qualified_name)


class _ObstacleError(Exception):
    """A module that the tracer stepped into, by the names on the way to it, and that it had better left whole."""

    def __init__(self, names: Sequence[str], reason: str) -> None:
        super().__init__(reason)
        self.names = names


def traced(network: nn.Module) -> Graph:
    """The graph of a network, the same in training and in evaluation: its modules ask for the mode when they are run.

    Modules whose way depends on the mode, or on a number they compute, are one step of the graph.

    Raises:
        ConfigError: the network itself is such a module.
    """
    opaque: list[type[nn.Module]] = []
    while True:
        try:
            return _common(*(_trace(network, opaque, training) for training in (True, False)))
        except _ObstacleError as error:
            tracer = ModeTracer(opaque)
            entered = [m for name in error.names if not tracer.is_leaf_module(m := network.get_submodule(name), name)]
            if not entered:
                raise ConfigError(f"the graph of {type(network).__name__} is not clear: {error}") from error
            opaque.append(type(entered[-1]))


def _common(in_training: Graph, in_evaluation: Graph) -> Graph:
    """Both graphs, if they are one: a mode that is written into a graph ("training=True") would be there for good."""
    pairs = zip_longest(in_training.nodes, in_evaluation.nodes)
    different = next((a or b for a, b in pairs if a is None or b is None or a.format_node() != b.format_node()), None)
    if different is not None:
        stack = different.meta.get("nn_module_stack", {})
        raise _ObstacleError([name for name, _ in stack.values()], "it computes otherwise in training")
    return in_evaluation


def _trace(network: nn.Module, opaque: Sequence[type[nn.Module]], training: bool) -> Graph:
    tracer = ModeTracer(opaque)
    with mode(network, training):
        try:
            return tracer.trace(network)
        # Whatever the network's own code meets when its tensors have no numbers.
        except Exception as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise _ObstacleError([name for name, _ in tracer.module_stack.values()], reason) from error


@contextmanager
def mode(network: nn.Module, training: bool) -> Iterator[None]:
    """Every module in one mode, frozen or not, and then each in its own again."""
    before = {module: module.training for module in network.modules()}
    try:
        for module in before:
            module.training = training
        yield
    finally:
        for module, was_training in before.items():
            module.training = was_training
