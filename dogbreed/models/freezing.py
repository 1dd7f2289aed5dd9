"""Which part of a backbone is trained: a frozen part has no gradient and stays in eval mode."""

from __future__ import annotations

import difflib

from torch import nn

from dogbreed.errors import ConfigError


def frozen_modules(backbone: nn.Module, frozen: bool | str) -> list[nn.Module]:
    """The modules without children that are frozen, in the order in which the backbone registered them.

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
        return [module for _, module in leaves]
    inside = [name == frozen or name.startswith(f"{frozen}.") for name, _ in leaves]
    if True not in inside:
        raise ConfigError(_unknown_stage(backbone, str(frozen)))
    return [module for _, module in leaves[: inside.index(True)]]


def frozen_parameters(backbone: nn.Module, frozen: bool | str) -> set[nn.Parameter]:
    """The parameters that are frozen, those that a backbone keeps outside its leaf modules among them.

    Raises:
        ConfigError: there is no stage of that name.
    """
    frozen_modules(backbone, frozen)
    names = [name for name, _ in backbone.named_parameters()]
    first = next((i for i, name in enumerate(names) if name.startswith(f"{frozen}.")), len(names))
    limit = {True: len(names), False: 0}.get(frozen, first) if isinstance(frozen, bool) else first
    return set(list(backbone.parameters())[:limit])


def _unknown_stage(backbone: nn.Module, stage: str) -> str:
    names = [name for name, _ in backbone.named_modules() if name]
    top = [name for name, _ in backbone.named_children()]
    near = difflib.get_close_matches(stage, names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the stages are {', '.join(top)}"
    return f"Expected model.frozen to be true, false or the name of a stage, got {stage!r}: {hint}"
