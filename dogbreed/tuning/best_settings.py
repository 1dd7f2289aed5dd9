"""The best settings to take away: as a command to paste, and as a file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from dogbreed.override_text import override_text

# Arguments of the search that a training run does not have.
OF_THE_SEARCH = ("search", "n_trials", "n_jobs", "paths.output_dir")


def train_command(arguments: Sequence[str], settings: Mapping[str, Any], experiment: str | None = None) -> list[str]:
    """The training run with the best settings.

    Args:
        arguments: of the search's command.
        settings: that are the best.
        experiment: that the search has chosen, where the arguments do not.

    >>> train_command(["data=folder", "n_trials=5", "model.dropout=0"], {"model.dropout": 0.5})
    ['python', '-m', 'dogbreed.train', 'data=folder', 'model.dropout=0.5']
    """
    names = [argument.partition("=")[0].lstrip("+~").partition("@")[0] for argument in arguments]
    kept = [
        argument
        for argument, name in zip(arguments, names, strict=True)
        if name not in settings and not any(name == own or name.startswith(f"{own}.") for own in OF_THE_SEARCH)
    ]
    chosen = [f"experiment={experiment}"] if experiment and "experiment" not in names else []
    overrides = [override_text(name, value) for name, value in settings.items()]
    return ["python", "-m", "dogbreed.train", *chosen, *kept, *overrides]


def pasted(command: Sequence[str]) -> str:
    """A command as a shell takes it."""
    return shlex.join(command)


def experiment_file(settings: Mapping[str, Any], comment: str, experiment: str | None = None) -> str:
    """The settings as a file of `conf/experiment`.

    Args:
        settings: by their full names.
        comment: a line.
        experiment: of which it is a variant.

    >>> print(experiment_file({"model.dropout": 0.5, "model.hidden": [512]}, "The best of 20 trials."), end="")
    # @package _global_
    # The best of 20 trials.
    model:
      dropout: 0.5
      hidden: [512]
    """
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        *groups, key = name.split(".")
        node = nested
        for group in groups:
            node = node.setdefault(group, {})
        node[key] = value
    base = yaml.safe_dump({"defaults": [experiment]}) if experiment else ""
    text = yaml.safe_dump(nested, sort_keys=False, default_flow_style=None, allow_unicode=True)
    return f"# @package _global_\n# {comment}\n{base}{text}"
