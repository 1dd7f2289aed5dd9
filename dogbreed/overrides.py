"""What is wrong with a `key=value` of the command line, in one line, with the nearest real key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from dogbreed.errors import ConfigError

# Configurations that choose no data.
WITHOUT_PHOTOS = ("deploy",)


def with_data_choice(overrides: Sequence[str]) -> list[str]:
    """`data.root=PATH` without a choice of data means that folder, not the sample at another place.

    >>> with_data_choice(["data.root=photos"])
    ['data=folder', 'data.root=photos']
    >>> with_data_choice(["experiment=finetune", "data.root=photos"])
    ['data=folder', 'experiment=finetune', 'data.root=photos']
    """
    chosen = any(o.startswith("data=") for o in overrides)
    rooted = any(o.startswith("data.root=") for o in overrides)
    return ["data=folder", *overrides] if rooted and not chosen else list(overrides)


def check_overrides(conf: Path, config_name: str, overrides: Sequence[str]) -> DictConfig:
    """Compose the configuration once, to say in one line what is wrong with it; the configuration.

    Raises:
        ConfigError: an unknown key or choice (the nearest is offered), or bad grammar.
    """
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf), version_base="1.3"):
        try:
            return compose(config_name, list(overrides))
        except Exception as error:
            defaults = compose(config_name, [] if config_name in WITHOUT_PHOTOS else ["data=folder", "data.root=."])
            raise ConfigError(_explain(conf, defaults, overrides, error)) from error


def _explain(conf: Path, defaults: DictConfig, overrides: Sequence[str], error: Exception) -> str:
    groups = _groups(conf, defaults)
    known = [*_keys(defaults), *groups]
    for override in overrides:
        key, equals, value = override.partition("=")
        name = key.lstrip("+~").split("@")[0]
        if not equals and not key.startswith("~"):
            return f"Expected key=value, got {override!r}. All keys: --help"
        if name in groups:
            options = sorted(path.stem for path in (conf / name).glob("*.yaml"))
            if value not in [*options, "null"]:
                return f"Unknown {name}={value!r}: {_nearest(value, options)}"
        elif not key.startswith(("+", "hydra.")) and name not in known and not _is_node(defaults, name):
            return f"Unknown setting {name!r}: {_nearest(name, known)} All settings: --help"
    return str(error).splitlines()[0]


def _nearest(word: str, known: Sequence[str]) -> str:
    part = word.rpartition(".")[2]
    # `lr` is nowhere near `learning_rate` by its letters; `backbone` is right, in another group.
    near = [key for key in known if part in (key.rpartition(".")[2], _initials(key))]
    near = near or difflib.get_close_matches(word, known, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}."


def _initials(key: str) -> str:
    return "".join(part[:1] for part in key.rpartition(".")[2].split("_"))


def _groups(conf: Path, config: DictConfig) -> list[str]:
    """Those that the configuration chooses from; an experiment has no node of its own."""
    return sorted(
        path.name for path in conf.iterdir() if path.is_dir() and (path.name in config or path.name == "experiment")
    )


def _is_node(config: DictConfig, key: str) -> bool:
    return OmegaConf.select(config, key) is not None


def _keys(config: DictConfig, prefix: str = "") -> Iterator[str]:
    for name in map(str, config):
        node = OmegaConf.select(config, name, throw_on_resolution_failure=False, throw_on_missing=False)
        yield from _keys(node, f"{prefix}{name}.") if isinstance(node, DictConfig) else [f"{prefix}{name}"]
