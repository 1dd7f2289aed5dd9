"""Hooks on a network that say what goes through it, at the steps at which somebody wants to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from dogbreed.debugging import observed
from dogbreed.debugging.collections import KNOWN, Collection
from dogbreed.debugging.rule import Mode

ENDINGS = {"weight": "weights", "bias": "biases"}  # of a parameter's name, and its collection
# Name, collections, mode, step, value, step of all modes.
Sink = Callable[[str, tuple[str, ...], Mode, int, Tensor, int], None]


class Taps:
    """Gives a sink each tensor of each collection that is due, under the names that smdebug gives them.

    A step is a forward of the network, as smdebug counts.

    Args:
        network: whose parameters, layers and outputs are recorded.
        collections: what is recorded, and when.
        sink: takes what is seen.
    """

    def __init__(
        self,
        network: nn.Module,
        collections: Iterable[Collection],
        sink: Sink,
    ) -> None:
        self._network = network
        self._sink = sink
        self._collections = {c.name: c for c in collections}
        self._handles: list[Any] = []
        self._followed: set[str] = set()
        self._due: set[str] = set()
        self._calls: Counter[str] = Counter()
        self._held: dict[tuple[str, str], tuple[str, ...]] = {}
        self.mode: Mode = "TRAIN"
        self.steps: dict[Mode, int] = {"TRAIN": -1, "EVAL": -1}
        self.logits: Tensor | None = None

    @property
    def at(self) -> int:
        """The step among those of all modes."""
        return self.steps["TRAIN"] + self.steps["EVAL"] + 1

    def attach(self) -> None:
        """Begin to listen."""
        self._handles = [
            self._network.register_forward_pre_hook(self._before_forward),
            self._network.register_forward_hook(self._after_forward),
        ]
        for name, kind, module in observed.activations(self._network):
            if {f"{kind}_input", f"{kind}_output"} & set(self._collections):
                self._handles.append(module.register_forward_pre_hook(self._input_of(name, kind)))
                self._handles.append(module.register_forward_hook(self._output_of(name, kind)))
        for name, module in self._network.named_modules():
            name = name or type(self._network).__name__
            if any(self._collections_of(f"{name}_{side}_0", "") for side in ("input", "output")):
                self._handles.append(module.register_forward_hook(self._both_of(name)))
        self.follow_trained()

    def follow_trained(self) -> None:
        """Listen to the gradients of parameters that are trained since the last call, too."""
        for name, parameter in self._network.named_parameters():
            tensor = f"gradient/{self.name_of(name)}"
            if parameter.requires_grad and name not in self._followed and self._collections_of(tensor, "gradients"):
                self._followed.add(name)
                hook = self._gradient_of(tensor)
                self._handles.append(parameter.register_hook(hook))  # type: ignore[no-untyped-call]

    def detach(self) -> None:
        """Leave the network as it was."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._followed.clear()
        self.logits = None

    def name_of(self, parameter: str) -> str:
        """A parameter's name in a trial."""
        return f"{type(self._network).__name__}_{parameter}"

    def due(self, collection: str) -> bool:
        """Whether a collection is recorded at the present step."""
        return collection in self._due

    def tell(self, name: str, collection: str, value: Tensor) -> None:
        """Give the sink a value of the present step, where a collection that holds it is due."""
        held = self._collections_of(name, collection) if self._due else ()
        if not self._due.isdisjoint(held):
            self._sink(name, held, self.mode, self.steps[self.mode], value.detach(), self.at)

    def _collections_of(self, name: str, collection: str) -> tuple[str, ...]:
        """The collection of a tensor, where it is recorded, and those by regex that hold it too."""
        key = (name, collection)
        if key not in self._held:
            own = (collection,) if collection in self._collections else ()
            self._held[key] = (*own, *(found for found, c in self._collections.items() if c.holds(name)))
        return self._held[key]

    def _numbered(self, name: str) -> str:
        """A layer that is called more than once in a step gives a tensor of its own each time."""
        self._calls[name] += 1
        return name if self._calls[name] == 1 else f"{name}_{self._calls[name] - 1}"

    def _before_forward(self, network: nn.Module, _: tuple[Tensor, ...]) -> None:
        self.steps[self.mode] += 1
        step = self.steps[self.mode]
        self._due = {name for name, c in self._collections.items() if c.due(self.mode, step)}
        self._calls.clear()
        if not self._due - KNOWN.keys() and self._due.isdisjoint(("weights", "biases")):
            return
        for name, parameter in network.named_parameters():
            kinds = (kind for ending, kind in ENDINGS.items() if name.endswith(ending) and parameter.requires_grad)
            self.tell(self.name_of(name), next(kinds, ""), parameter)

    def _after_forward(self, _: nn.Module, __: Any, logits: Tensor) -> None:
        self.logits = logits.detach()
        self.tell("predictions", "predictions", logits)

    def _input_of(self, name: str, kind: str) -> Callable[..., None]:
        def listen(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            tensor = self._numbered(f"{name}/{kind}_input")
            if self.due(f"{kind}_input"):
                kept = inputs[0].float().var(unbiased=False) if kind == "relu" else inputs[0]
                self.tell(tensor, f"{kind}_input", kept)

        return listen

    def _output_of(self, name: str, kind: str) -> Callable[..., None]:
        def listen(_: nn.Module, __: Any, output: Tensor) -> None:
            tensor = self._numbered(f"{name}/{kind}_output")
            if self.due(f"{kind}_output"):
                self.tell(tensor, f"{kind}_output", observed.active_share(output))

        return listen

    def _both_of(self, name: str) -> Callable[..., None]:
        """After the layer, as smdebug does: what an in-place layer was given is what it has made of it."""

        def listen(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            for side, given in (("input", inputs), ("output", output)):
                for tensor in given if isinstance(given, tuple | list) else (given,):
                    if isinstance(tensor, Tensor):
                        self._calls[f"{name}_{side}"] += 1
                        self.tell(f"{name}_{side}_{self._calls[f'{name}_{side}'] - 1}", "", tensor)

        return listen

    def _gradient_of(self, name: str) -> Callable[[Tensor], None]:
        def listen(gradient: Tensor) -> None:
            self.tell(name, "gradients", gradient)

        return listen


def as_array(tensor: Tensor) -> Any:
    """A NumPy array of its values; those formats that NumPy lacks become float32."""
    tensor = tensor.detach()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()
    return tensor.cpu().numpy()
