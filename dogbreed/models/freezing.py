"""Which part of a backbone is trained: a frozen part has no gradient and stays in eval mode."""

from __future__ import annotations

import difflib
from collections.abc import Container
from itertools import takewhile

from torch import nn

from dogbreed.errors import ConfigError


def frozen_modules(backbone: nn.Module, frozen: bool | str) -> list[nn.Module]:
    """The modules that are frozen, those without children in the order in which the backbone registered them.

    A module with children is frozen where all of those are: it may normalise or drop by itself.

    Args:
        backbone: any network.
        frozen: True for all, False for none, or the name of the first stage that is trained ("layer4").

    Raises:
        ConfigError: there is no stage of that name.
    """
    if frozen is False:
        return []
    leaves = [(name, module) for name, module in backbone.named_modules() if not any(module.children())]
    if frozen is True:
        return list(backbone.modules())
    inside = [name == frozen or name.startswith(f"{frozen}.") for name, _ in leaves]
    if True not in inside:
        raise ConfigError(_unknown_stage(backbone, str(frozen)))
    below = {module: None for _, module in leaves[: inside.index(True)]}
    return [*below, *(module for module in backbone.modules() if any(module.children()) and _within(module, below))]


def _within(module: nn.Module, modules: Container[nn.Module]) -> bool:
    """Whether all parts of a module that have no parts themselves are among `modules`."""
    return all(part in modules for part in module.modules() if not any(part.children()))


def batch_norms(backbone: nn.Module) -> list[nn.Module]:
    """The layers that keep running statistics of what they have seen."""
    return [module for module in backbone.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]


def frozen_parameters(backbone: nn.Module, frozen: bool | str) -> set[nn.Parameter]:
    """The parameters that are frozen, those that a backbone keeps outside its leaf modules among them.

    Raises:
        ConfigError: there is no stage of that name.
    """
    if isinstance(frozen, bool):
        return set(backbone.parameters()) if frozen else set()
    modules = set(frozen_modules(backbone, frozen))
    leaves = [module for module in backbone.modules() if not any(module.children())]
    trained = {parameter for module in leaves if module not in modules for parameter in module.parameters()}
    trained |= set(backbone.get_submodule(frozen).parameters())
    return set(takewhile(lambda parameter: parameter not in trained, backbone.parameters()))


def _unknown_stage(backbone: nn.Module, stage: str) -> str:
    names = [name for name, _ in backbone.named_modules() if name]
    top = [name for name, _ in backbone.named_children()]
    near = difflib.get_close_matches(stage, names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the stages are {', '.join(top)}"
    return f"Expected model.frozen to be true, false or the name of a stage, got {stage!r}: {hint}"
