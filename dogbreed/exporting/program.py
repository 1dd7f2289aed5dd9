"""The graph of a network as torch.export sees it: where both formats begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.export import ExportedProgram

from dogbreed.exporting.error import ExportError
from dogbreed.exporting.graph import Graph
from dogbreed.models.any_batch import any_batch_program


@dataclass(frozen=True)
class Program:
    """A graph ready to be written in any format: its operations and weights, the output's name, texts to go with it."""

    exported: ExportedProgram
    output: str
    metadata: Mapping[str, str]


def build_program(graph: Graph) -> Program:
    """The graph with a batch of any size.

    Raises:
        ExportError: the network's code follows the values of its images, or their number.
    """
    example = graph.prepared(torch.zeros(2, 3, *[graph.artifact.preprocessing.crop] * 2, dtype=torch.uint8))
    try:
        exported = any_batch_program(graph.module, example)
    except Exception as error:
        # What the exporter raises is not documented.
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
        raise ExportError(f"torch.export does not take this network: {reason}") from error
    _forget_places(exported)
    return Program(exported, graph.output, graph.metadata())


def _forget_places(exported: ExportedProgram) -> None:
    """Take the paths of the source files off the nodes: they would tell whose machine a file was made on."""
    for module in exported.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                node.meta.pop("stack_trace", None)
