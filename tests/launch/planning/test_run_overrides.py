from __future__ import annotations

from launch.planning.run_overrides import run_overrides


def test_what_belongs_to_the_launcher_stays_at_home() -> None:
    given = ["dry_run=true", "+hpo=true", "n_trials=3", "search=frozen", "search.metric=val/acc", "job=public_a"]
    given += ["job.spot=true", "paths.output_dir=here", "hydra.verbose=true", "debugger.hosted=true", "yes=true"]
    assert run_overrides(given) == []


def test_what_belongs_to_the_run_travels_as_it_was_typed() -> None:
    given = [
        "data=folder",
        "+trainer.limit_train_batches=2",
        "~callbacks.patience",
        "model.hidden=[512]",
        "debugger=rules",
    ]
    assert run_overrides(given) == given


def test_the_root_of_the_photos_is_the_containers_to_know() -> None:
    assert run_overrides(["data=folder", "data.root=photos", "data.cache_dir=here"]) == ["data=folder"]


def test_a_choice_that_a_preset_has_made_travels_unless_another_was_typed() -> None:
    assert run_overrides(["seed=7"], choices={"experiment": "finetune"}) == ["experiment=finetune", "seed=7"]
    assert run_overrides(["experiment=mine"], choices={"experiment": "finetune"}) == ["experiment=mine"]
    assert run_overrides(["seed=7"], choices={"experiment": None}) == ["seed=7"]


def test_the_best_settings_take_the_place_of_those_typed() -> None:
    given = ["model.dropout=0.1", "model.eps=1e-6"]
    assert run_overrides(given, changed=["model.dropout=0.5"]) == ["model.eps=1e-6", "model.dropout=0.5"]


def test_a_setting_that_begins_alike_is_another() -> None:
    assert run_overrides(["jobs=1", "model.paths=x"]) == ["jobs=1", "model.paths=x"]
