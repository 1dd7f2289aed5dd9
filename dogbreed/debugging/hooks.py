"""The real smdebug hook, working with the libraries of today; nothing else imports smdebug to record."""

from __future__ import annotations

import atexit
import logging
import os
import re
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from dogbreed.debugging.rule import Mode
from dogbreed.debugging.taps import as_array
from dogbreed.errors import ConfigError

INSTALL = 'pip install -e ".[debugger]"'


@cache
def smdebug_pytorch() -> Any:
    """The module `smdebug.pytorch`, with what it needs to work here.

    Raises:
        ConfigError: smdebug is not installed, or cannot be imported.
    """
    # Its generated code is older than protobuf's own; pure Python still reads it, where it is said in time.
    os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")
    os.environ.setdefault("SMDEBUG_LOG_LEVEL", "error")
    try:
        with warnings.catch_warnings():
            # Of its old generated code; nobody here can change that.
            warnings.simplefilter("ignore")
            import smdebug.pytorch as smd
            import smdebug.trials  # noqa: F401
    except Exception as error:
        raise ConfigError(f"debugger.trial needs smdebug, which cannot be imported ({error}): {INSTALL}") from error
    _mend()
    logging.getLogger("smdebug").setLevel(logging.ERROR)
    return smd


def _mend() -> None:
    """Two faults of smdebug 1.0.34, its last release, with NumPy 2.3 and with bfloat16."""
    import numpy as np
    import smdebug.core.writer
    from smdebug.core.tfevent import util
    from smdebug.pytorch.hook import Hook

    original = util.make_tensor_proto

    def make_tensor_proto(nparray_data: Any, tag: str) -> Any:
        """As smdebug's; it calls `ndarray.tostring`, which NumPy 2.3 has removed."""
        if nparray_data.dtype.kind in "USO":
            return original(nparray_data=nparray_data, tag=tag)
        _, dtype = util._get_proto_dtype(nparray_data.dtype)
        sides = [util.TensorShapeProto.Dim(size=d, name=f"{tag}_{d}") for d in nparray_data.shape]
        shape = util.TensorShapeProto(dim=sides)
        return util.TensorProto(dtype=dtype, tensor_content=nparray_data.tobytes(), tensor_shape=shape)

    def make_numpy_array(value: Any) -> Any:
        """As smdebug's; NumPy has no bfloat16."""
        return as_array(value) if isinstance(value, Tensor) else np.asarray(value)

    smdebug.core.writer.make_tensor_proto = make_tensor_proto
    Hook._make_numpy_array = staticmethod(make_numpy_array)


class TensorHook:
    """One smdebug hook for one fit.

    Args:
        configuration: path of a `debughookconfig.json`.

    Raises:
        ConfigError: smdebug cannot be imported, or refuses the configuration.
    """

    def __init__(self, configuration: Path) -> None:
        self._smd = smdebug_pytorch()
        self._agent = self._smd.hook.error_handling_agent
        self._agent.disable_smdebug = False
        self._modules: list[nn.Module] = []
        self._before: list[set[int]] = []
        self._gradients: dict[str, Any] = {}
        self._network: nn.Module | None = None
        self.nbytes = 0
        self.fault = ""
        try:
            self._hook = self._smd.Hook.create_from_json_file(str(configuration))
            self.folder = Path(self._hook.out_dir)
            self._count_bytes()
            for name in ("forward_pre_hook", "forward_hook", "_save_for_tensor"):
                setattr(self._hook, name, self._guarded(getattr(self._hook, name)))
        except Exception as error:
            raise ConfigError(f"smdebug refuses {configuration}: {error}") from error

    @property
    def disabled(self) -> bool:
        """Whether smdebug has met an error, which is `fault`, and records nothing more."""
        return bool(self._agent.disable_smdebug)

    def register(self, network: nn.Module, criterion: nn.Module) -> None:
        """Record a network and its loss, once; `close` leaves both as they were."""
        self._modules = [*network.modules(), criterion]
        self._before = [_hooks(module) for module in self._modules]
        self._network = network
        self._hook._backward_apply = lambda _: self.follow_trained()
        self._hook.register_module(network)
        self._hook.register_loss(criterion)
        self._only_trained(network)

    def follow_trained(self) -> None:
        """Record parameters that are trained since the last call, and their gradients, too."""
        network = self._network
        if network is None:
            return
        new = [(n, p) for n, p in network.named_parameters() if p.requires_grad and n not in self._gradients]
        for name, parameter in new:
            hook = self._hook.backward_hook(f"{type(network).__name__}_{name}")
            self._gradients[name] = parameter.register_hook(hook)  # type: ignore[no-untyped-call]
        if new:
            self._only_trained(network)

    def go_on(self, steps: Mapping[Mode, int]) -> None:
        """Count steps on from those of an interrupted fit."""
        modes = self._smd.modes
        self._hook.step = steps["TRAIN"] + steps["EVAL"] + 1
        self._hook.mode_steps = {modes.TRAIN: steps["TRAIN"], modes.EVAL: steps["EVAL"], modes.GLOBAL: self._hook.step}

    def set_mode(self, mode: str) -> None:
        """TRAIN or EVAL."""
        self._hook.set_mode(self._smd.modes[mode])

    def record(self, name: str, value: Tensor) -> None:
        """Record a tensor that is not the network's own, where its collection is due at the present step."""
        if not self.disabled and self._hook.writer is not None:
            self._hook._save_for_tensor(name, value)

    def tensor_names(self) -> dict[str, set[str]]:
        """The tensors that each collection holds so far."""
        return {name: set(c.tensor_names) for name, c in self._hook.get_collections().items()}

    def only_losses(self) -> None:
        """Record losses alone from here on."""
        self._hook._collections_to_save = {c for c in self._hook._collections_to_save if c.name == "losses"}
        self._hook.tensor_to_collections.clear()
        self._hook._collections_to_save_for_step = None

    def close(self) -> None:
        """Write what is left, mark the trial as complete, and take all hooks from the modules.

        What cannot be written any more is `fault`.
        """
        try:
            # Written once by itself, after the first step: what was recorded later is told now.
            self._hook.export_collections()
            self._hook.close()
        except Exception as error:
            self._give_up(error)
        atexit.unregister(self._hook._cleanup)
        for module, before in zip(self._modules, self._before, strict=True):
            _forget_hooks(module, before)
        for handle in self._gradients.values():
            handle.remove()
        self._gradients.clear()
        # smdebug keeps the last hook of a process for ever.
        self._hook.module_set.clear()
        self._modules, self._network = [], None

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A run does not end because what it says of itself cannot be written."""

        def guarded(*arguments: Any, **options: Any) -> Any:
            if self.disabled:
                return None
            try:
                return function(*arguments, **options)
            except Exception as error:
                return self._give_up(error)

        return guarded

    def _give_up(self, error: Exception) -> None:
        self.fault = self.fault or f"{type(error).__name__}: {error}"
        self._agent.disable_smdebug = True

    def _count_bytes(self) -> None:
        write = self._hook._write_raw_tensor_simple

        def counted(tensor_name: str, tensor_value: Any, **options: Any) -> None:
            self.nbytes += getattr(tensor_value, "nbytes", 0)
            write(tensor_name, tensor_value, **options)

        self._hook._write_raw_tensor_simple = counted

    def _only_trained(self, network: nn.Module) -> None:
        """A frozen weight is the same at every step: once on disk, in the model, is enough."""
        for collection, ending in (("weights", "weight"), ("biases", "bias")):
            found = self._hook.get_collection(collection)
            names = [n for n, p in network.named_parameters() if p.requires_grad and n.endswith(ending)]
            found.include_regex = [f"^{re.escape(f'{type(network).__name__}_{name}')}$" for name in names] or ["^$"]
        self._hook.tensor_to_collections.clear()
        # Told again at the next step: a run that is killed later leaves it.
        self._hook.exported_collections = False


def _hooks(module: nn.Module) -> set[int]:
    return set(module._forward_hooks) | set(module._forward_pre_hooks)


def _forget_hooks(module: nn.Module, before: set[int]) -> None:
    for hooks in (module._forward_hooks, module._forward_pre_hooks):
        for number in set(hooks) - before:
            del hooks[number]
    module.__dict__.pop("_module_name", None)
