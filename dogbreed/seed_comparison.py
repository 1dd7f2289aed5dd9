"""The same settings over several seeds: what a difference between settings has to be larger than."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from dogbreed.composed_study import Runs
from dogbreed.errors import TrialError
from dogbreed.tuning.progress import short
from dogbreed.tuning.trials import ended
from dogbreed.tuning.trying import add_default

if TYPE_CHECKING:
    import optuna

# The folder of the run's own settings, of which the first run is a trial too.
DEFAULT = "default"


def over_seeds(study: optuna.Study, runs: Runs, settings: Mapping[str, Any], folder: str) -> dict[int, float]:
    """The metric of some settings by seed, from the run's own seed on; a seed whose run fails is left out.

    Args:
        study: keeps what is found, and is not asked for it again.
        runs: of the study.
        settings: that differ from the run's own.
        folder: of the trial that has tried them, or `DEFAULT`.

    Raises:
        Interrupted: a signal asked to stop.
    """
    first = int(runs.cfg.seed)
    known = {f"{trial.folder} seed {first}": trial.value for trial in ended(study, runs.search)} | study.user_attrs
    values: dict[int, float] = {}
    for seed in range(first, first + runs.search.seeds):
        note = f"{folder} seed {seed}"
        value = known[note] if known.get(note) is not None else _run(study, runs, {**settings, "seed": seed}, folder)
        if value is not None:
            study.set_user_attr(note, value)
            values[seed] = value
    return values


def _run(study: optuna.Study, runs: Runs, settings: Mapping[str, Any], folder: str) -> float | None:
    seed = settings["seed"]
    # It looks at the photos, which can be seen.
    first_of_all = folder == DEFAULT and seed == runs.cfg.seed
    said = f"{'default' if folder == DEFAULT else 'best settings'}, seed {seed}: "
    try:
        outcome = runs(settings, f"{folder}/seed-{seed}", quietly=not first_of_all)
    except TrialError as error:
        print(f"{said}{error}", flush=True)
        return None
    if first_of_all:
        own = {name: _plain(OmegaConf.select(runs.cfg, name)) for name in runs.search.space}
        add_default(study, runs.search, own, outcome)
    print(f"{said}{runs.search.metric} {short(outcome.value)}  {outcome.seconds:.1f} s", flush=True)
    return outcome.value


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
