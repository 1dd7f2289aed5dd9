from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dogbreed.debugging.collections import KNOWN
from tests.debugging.recorded_run import (
    ALL,
    LOSS,
    SMDEBUG_WARNING,
    Run,
    Seen,
    assert_recorded,
    recorded_run,
    recorded_values,
)

# The head alone, with photos that are looked at in every epoch.
HEAD: dict[str, Any] = {"frozen": True, "cache": False}
pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ({}, {}),
        ({"frozen": True, "cache": False}, {"max_epochs": 2}),
        ({"frozen": "stage4", "cache": False, "label_smoothing": 0.1, "class_weights": [1.0, 2.0, 3.0, 4.0]}, {}),
        ({"frozen": "conv5", "cache": False}, {"precision": "bf16-mixed"}),
    ],
    ids=["fine-tuned", "frozen", "half frozen, weighted loss", "bf16"],
)
def test_a_trial_holds_what_was_seen_to_the_last_bit(
    photos: Path, tmp_path: Path, model: dict[str, Any], settings: dict[str, Any]
) -> None:
    seen = Seen()
    run = recorded_run(
        photos,
        tmp_path / "run",
        debugger={"trial": True, "collections": ALL},
        model=model,
        callbacks=(seen,),
        **settings,
    )
    assert_recorded(run, seen)


def test_with_live_rules_beside_it_and_a_rehearsal_before_it_a_trial_records_each_loss_once(
    photos: Path, tmp_path: Path
) -> None:
    seen = Seen()
    debugger = {"trial": True, "collections": ALL, "rules": {"NotLearning": {}}}
    run = recorded_run(
        photos, tmp_path / "run", debugger=debugger, model=HEAD, callbacks=(seen,), num_sanity_val_steps=2
    )
    assert_recorded(run, seen)
    assert run.trial.tensor_names(collection="losses") == [LOSS]


def test_when_gradients_are_added_up_each_batch_is_a_step_with_its_own(photos: Path, tmp_path: Path) -> None:
    seen = Seen()
    debugger = {"trial": True, "collections": ALL, "rules": {"NotLearning": {}}}
    run = recorded_run(
        photos, tmp_path / "run", debugger=debugger, model=HEAD, callbacks=(seen,), accumulate_grad_batches=3
    )
    found = recorded_values(run.trial, "TRAIN")
    assert sorted(found) == [0, 1, 2]
    for step, tensors in found.items():
        assert tensors[LOSS] == pytest.approx(seen.values["TRAIN", step][LOSS].item(), rel=1e-6)
    name = next(n for n in found[0] if n.startswith("gradient/BreedNetwork_head") and n.endswith("weight"))
    added = sum(found[step][name] for step in found)
    torch.testing.assert_close(torch.from_numpy(added), seen.values["TRAIN", 2][name])


def test_what_is_unfrozen_later_is_recorded_from_then_on(photos: Path, tmp_path: Path) -> None:
    seen = Seen()
    run = recorded_run(
        photos,
        tmp_path / "run",
        debugger={"trial": True, "collections": ALL},
        regime={"unfreeze_epoch": 1},
        callbacks=(seen,),
        max_epochs=2,
    )
    assert_recorded(run, seen)
    found = recorded_values(run.trial, "TRAIN")
    late = "gradient/BreedNetwork_backbone.conv1.0.weight"
    assert [late in found[step] for step in sorted(found)] == [False] * 3 + [True] * 3


def test_a_run_from_kept_features_has_the_same_names_and_losses(photos: Path, tmp_path: Path) -> None:
    trials = {}
    for name, cache in {"kept": True, "looked": False}.items():
        run = recorded_run(
            photos,
            tmp_path / name,
            debugger={"trial": True, "collections": ALL},
            model={"frozen": True, "cache": cache},
            data={"augmentation": "none"},
            max_epochs=2,
        )
        assert (run.data.features is not None) == cache
        trials[name] = recorded_values(run.trial, "TRAIN") | {
            -1 - step: values for step, values in recorded_values(run.trial, "EVAL").items()
        }
    assert trials["kept"].keys() == trials["looked"].keys()
    for step, kept in trials["kept"].items():
        looked = {n: v for n, v in trials["looked"][step].items() if "backbone" not in n and n != "input_image"}
        assert looked.keys() == kept.keys()
        assert kept[LOSS] == pytest.approx(looked[LOSS], rel=1e-4)
        assert (kept["labels"] == looked["labels"]).all()


@pytest.fixture(scope="module")
def sparse(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Twelve training steps and eight of evaluation, of which some are recorded."""
    collections = {
        "losses": {"train": {"save_interval": 3}, "eval": {"save_interval": 2}},
        "gradients": {"train": {"save_interval": 5}, "eval": {"save_interval": 1}},
        "weights": {"train": {"save_steps": [1, 4], "start_step": 6}, "eval": {"save_interval": 3}},
        "biases": {"save_interval": 2, "end_step": 5},
        "labels": {"train": {"save_interval": 4}},
        "whole_layer": {"include_regex": "backbone.conv5_output,^gradient.*fc", "save_interval": 6},
    }
    output_dir = tmp_path_factory.mktemp("sparse") / "run"
    return recorded_run(
        photos, output_dir, debugger={"trial": True, "collections": collections, "rules": {}}, max_epochs=4
    )


def steps_of(run: Run, name: str) -> tuple[list[int], list[int]]:
    from smdebug import modes

    tensor = run.trial.tensor(name)
    return tensor.steps(mode=modes.TRAIN), tensor.steps(mode=modes.EVAL)


def test_each_collection_is_recorded_at_its_own_steps(sparse: Run) -> None:
    trial = sparse.trial
    assert steps_of(sparse, LOSS) == ([0, 3, 6, 9], [0, 2, 4, 6])
    assert steps_of(sparse, "labels") == ([0, 4, 8], [0])
    assert steps_of(sparse, "wall_time") == (list(range(12)), list(range(8)))
    (gradient, *_) = trial.tensor_names(collection="gradients")
    assert steps_of(sparse, gradient) == ([0, 5, 10], [])
    (weight, *_) = trial.tensor_names(collection="weights")
    assert steps_of(sparse, weight) == ([1, 4], [0, 3, 6])
    (bias, *_) = trial.tensor_names(collection="biases")
    assert steps_of(sparse, bias) == ([0, 2, 4], [0, 2, 4])
    (layer, *_) = [name for name in trial.tensor_names(collection="whole_layer") if name.endswith("_output_0")]
    assert steps_of(sparse, layer) == ([0, 6], [0, 6])


def test_collections_have_the_tensors_that_their_names_say(sparse: Run) -> None:
    trial = sparse.trial
    trained = dict(sparse.module.network.named_parameters())
    assert trial.tensor_names(collection="losses") == [LOSS]
    for collection, ending, prefix in (
        ("weights", "weight", ""),
        ("biases", "bias", ""),
        ("gradients", "", "gradient/"),
    ):
        expected = {f"{prefix}BreedNetwork_{name}" for name in trained if name.endswith(ending)}
        assert set(trial.tensor_names(collection=collection)) == expected


def test_a_layer_that_is_called_twice_is_recorded_twice(photos: Path, tmp_path: Path) -> None:
    debugger = {"trial": True, "collections": {"relu_output": {"save_interval": 1}}}
    model = HEAD | {"backbone": "resnet18"}
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, model=model, limit_train_batches=1)
    names = run.trial.tensor_names(collection="relu_output")
    assert {"backbone.layer1.0.relu/relu_output", "backbone.layer1.0.relu/relu_output_1"} <= set(names)


def test_every_known_collection_holds_something_or_is_named(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    debugger = {"trial": True, "collections": ALL}
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, limit_train_batches=1, limit_val_batches=1)
    empty = [name for name in KNOWN if not run.trial.tensor_names(collection=name)]
    assert empty == ["frozen_statistics"]
    assert "nothing was recorded in frozen_statistics:" in capsys.readouterr().out
