"""Which settings of the launcher's command line belong to the run in the container."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

# The launcher's own, and what a container knows better.
OWN = (
    *("job", "dry_run", "rehearse", "attach", "yes", "hpo", "train_best", "search", "n_trials", "n_jobs"),
    *("hydra", "paths", "debugger.hosted", "data.root", "data.cache_dir"),
)


def setting(override: str) -> str:
    """The name of the setting, or of the group of choices, that an override changes.

    >>> setting("+model.dropout=0.5"), setting("data@other=folder"), setting("~callbacks.patience")
    ('model.dropout', 'data', 'callbacks.patience')
    """
    return override.partition("=")[0].lstrip("+~").partition("@")[0]


def run_overrides(
    given: Sequence[str], *, choices: Mapping[str, str | None] = {}, changed: Iterable[str] = ()
) -> list[str]:
    """The overrides of `python -m dogbreed.train` in the container.

    Args:
        given: of the launcher's command line.
        choices: of groups, which the composition has made where the command line does not.
        changed: overrides that take the place of those of the same settings.

    >>> run_overrides(["data=folder", "data.root=photos", "job.spot=true", "model.dropout=0.1"], choices={"data": "x"})
    ['data=folder', 'model.dropout=0.1']
    """
    changed = list(changed)
    replaced = {setting(override) for override in changed}
    kept = [override for override in given if not is_own(setting(override)) and setting(override) not in replaced]
    named = {setting(override) for override in kept}
    chosen = [f"{group}={choice}" for group, choice in choices.items() if choice and group not in named]
    return [*chosen, *kept, *changed]


def is_own(name: str) -> bool:
    """Whether a setting is the launcher's own."""
    return any(name == own or name.startswith(f"{own}.") for own in OWN)
