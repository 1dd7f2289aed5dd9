"""A study as a search leaves it: complete trials, pruned ones and a failed one, with settings of every kind."""

from __future__ import annotations

import json
import math
import warnings

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

HIDDEN = [json.dumps(value) for value in ([], [256], [512])]
SPACE: dict[str, BaseDistribution] = {
    "model.learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    "model.dropout": FloatDistribution(0.0, 0.5),
    "trainer.max_epochs": IntDistribution(5, 20),
    "model.hidden": CategoricalDistribution(HIDDEN),
    "data.batch_size": CategoricalDistribution([json.dumps(size) for size in (16, 32, 64)]),
}


def drawn_study(
    trials: int = 12, direction: str = "minimize", space: dict[str, BaseDistribution] = SPACE
) -> optuna.Study:
    """Every fifth trial is pruned, the eighth fails; the best learning rate is 0.001."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed=0))
    for number in range(trials):
        trial = study.ask(space)
        rate = trial.params.get("model.learning_rate", 1e-3)
        loss = 0.4 + 0.3 * abs(math.log10(rate) + 3) + 0.02 * HIDDEN.index(trial.params.get("model.hidden", "[]"))
        trial.report(loss + 0.2, step=0)
        if number == 7:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif number % 5 == 4:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, loss if direction == "minimize" else 1 - loss)
    return study
