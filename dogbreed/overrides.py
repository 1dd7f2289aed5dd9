"""What is wrong with a `key=value` of the command line, in one line, with the nearest real key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from dogbreed.errors import ConfigError


def with_data_choice(overrides: Sequence[str]) -> list[str]:
    """`data.root=PATH` without a choice of data means that folder, not the sample at another place.

    >>> with_data_choice(["data.root=photos"])
    ['data=folder', 'data.root=photos']
    """
    chosen = any(o.startswith(("data=", "experiment=")) for o in overrides)
    rooted = any(o.startswith("data.root=") for o in overrides)
    return ["data=folder", *overrides] if rooted and not chosen else list(overrides)


def check_overrides(conf: Path, config_name: str, overrides: Sequence[str]) -> None:
    """Compose the configuration once, to say in one line what is wrong with it.

    Raises:
        ConfigError: an unknown key or choice (the nearest is offered), a value of another kind, or bad grammar.
    """
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf), version_base="1.3"):
        defaults = compose(config_name, ["data=folder", "data.root=."])
        try:
            config = compose(config_name, list(overrides))
        except Exception as error:
            raise ConfigError(_explain(conf, defaults, overrides, error)) from error
    _check_kinds(config, defaults)


def _explain(conf: Path, defaults: DictConfig, overrides: Sequence[str], error: Exception) -> str:
    known = [*(key for key, _ in _leaves(defaults)), *_groups(conf)]
    for override in overrides:
        key, equals, value = override.partition("=")
        name = key.lstrip("+~").split("@")[0]
        if not equals and not key.startswith("~"):
            return f"Expected key=value, got {override!r}. All keys: --help"
        if name in _groups(conf):
            options = sorted(path.stem for path in (conf / name).glob("*.yaml"))
            if value not in [*options, "null"]:
                return f"Unknown {name}={value!r}: {_nearest(value, options)}."
        elif not key.startswith(("+", "hydra.")) and name not in known and not _is_node(defaults, name):
            return f"Unknown setting {name!r}: {_nearest(name, known)}. All settings: --help"
    return str(error).splitlines()[0]


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=2, cutoff=0.5)
    # `lr` is nowhere near `learning_rate` by its letters, but its last part may stand in another group.
    near = near or [key for key in known if word.rpartition(".")[2] in key][:3]
    return f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"


def _groups(conf: Path) -> list[str]:
    return sorted(path.name for path in conf.iterdir() if path.is_dir())


def _is_node(config: DictConfig, key: str) -> bool:
    return OmegaConf.select(config, key) is not None


def _leaves(config: DictConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name in map(str, config):
        if OmegaConf.is_interpolation(config, name) or OmegaConf.is_missing(config, name):
            yield f"{prefix}{name}", None
        elif isinstance(config[name], DictConfig):
            yield from _leaves(config[name], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", config[name]


def _check_kinds(config: DictConfig, defaults: DictConfig) -> None:
    """A number stays a number, a truth value a truth value; where the default is null anything goes."""
    kinds = {bool: (bool,), int: (int, float), float: (int, float)}
    for key, default in _leaves(defaults):
        value = OmegaConf.select(config, key, throw_on_missing=False)
        expected = kinds.get(type(default))
        if expected is None or value is None or key in FREE or key.startswith("data.root"):
            continue
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            kind = "true or false" if expected == (bool,) else "a number"
            raise ConfigError(f"Expected {key} to be {kind}, got {value!r}.")


# Keys whose value may be of several kinds.
FREE = frozenset({"model.frozen"})
