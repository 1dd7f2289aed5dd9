from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from dogbreed.artifacts import load_artifact
from dogbreed.evaluation.evaluation import Settings
from dogbreed.models.classifier import BreedClassifier
from dogbreed.predictor import BreedPredictor
from dogbreed.thresholds import Thresholds
from dogbreed.training.history import read_history
from dogbreed.training.results import write_results
from dogbreed.training.run_report import best_epoch, learning_rates, numbers
from tests.drawn_photos import draw_folder
from tests.public_faults.tiny_run import Run, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of which everything is known: the report, the mirror images, the duplicates."""
    photos = draw_folder(tmp_path_factory.mktemp("photos") / "dogs", counts={"train": 8, "valid": 4, "test": 4})
    # The model has seen one of the photos that it is tested on.
    leaked = min((photos / "train").rglob("*.png"))
    (photos / "test" / leaked.parent.name / "leaked.png").write_bytes(leaked.read_bytes() + b" ")
    run = tiny_run(
        photos,
        tmp_path_factory.mktemp("run") / "run",
        max_epochs=3,
        regime={"patience": None},
        before=tell_photos_apart,
    )
    settings = Settings(batch_size=8)
    command = ["python", "-m", "dogbreed.train", "data.root=my photos"]
    write_results(run.output_dir, run.trainer, run.module, run.data, {}, settings=settings, command=command)
    return run


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return (run.output_dir / "report.html").read_text()


def tell_photos_apart(module: BreedClassifier) -> None:
    """With the statistics of a new network, which few steps move a little, all photos have the same features."""
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0


def results(run: Run) -> dict[str, object]:
    found: dict[str, object] = json.loads((run.output_dir / "metrics.json").read_text())
    return found


def test_the_report_says_how_to_run_it_again(page: str) -> None:
    assert "python -m dogbreed.train &#39;data.root=my photos&#39;" in page


def test_what_weakens_the_figures_stands_before_the_figures(page: str) -> None:
    assert page.index("fewer than 10 photos") < page.index("Top-1 accuracy")


def test_a_photo_that_the_model_has_seen_is_named_in_the_table_and_in_the_report(run: Run, page: str) -> None:
    with (run.output_dir / "duplicates.csv").open(newline="") as file:
        [pair] = [row for row in csv.DictReader(file) if "leaked" in row["first"] + row["second"]]
    assert {Path(pair["first"]).parts[0], Path(pair["second"]).parts[0]} == {"train", "test"}
    assert "nearly the same photo" in page
    assert page.index("nearly the same photo") < page.index("Top-1 accuracy")


def test_the_best_epoch_of_the_report_is_the_one_whose_weights_were_kept(run: Run) -> None:
    history = [numbers(row) for row in read_history(run.output_dir / "history.csv")]
    losses = [row["val/loss"] for row in history]
    assert best_epoch(history) == losses.index(min(losses)) + 1
    assert run.metrics["val/loss"] == pytest.approx(min(losses))


def test_the_learning_rates_of_the_report_are_those_that_the_optimizer_had(run: Run) -> None:
    parts = learning_rates(run.trainer, run.module)
    assert set(parts) == {"head", "backbone, uppermost stage"}
    steps = [step for step, _ in parts["head"]]
    assert steps == list(range(run.trainer.global_step))
    assert max(rate for _, rate in parts["head"]) == pytest.approx(run.module.hparams["learning_rate"])


def test_the_temperature_is_stored_with_the_model(run: Run) -> None:
    stored = load_artifact(run.output_dir / "model")
    assert stored.temperature == stored.card["calibration"]["temperature"] > 0
    kept = {name: stored.card["calibration"][name] for name in ("temperature", "split", "photos")}
    assert kept == {"temperature": stored.temperature, "split": "val", "photos": 16}


def test_what_the_thresholds_can_be_is_stored_with_the_model(run: Run) -> None:
    # Sixteen photos are too few for either.
    assert load_artifact(run.output_dir / "model").thresholds == Thresholds(None, None)


def test_what_the_model_answers_is_what_was_judged(run: Run) -> None:
    predictor = BreedPredictor.load(run.output_dir / "model")
    test = run.data.folder.splits["test"]
    right = [
        answer[0].index == target
        for answer, target in zip(predictor.predict_many(test.paths), test.targets, strict=True)
    ]
    assert results(run)["metrics"]["test/acc"] == pytest.approx(sum(right) / len(right))  # type: ignore[index]


def test_the_model_folder_has_a_card_for_people(run: Run) -> None:
    text = (run.output_dir / "model" / "README.md").read_text()
    assert text.startswith("---\n")
    assert "shufflenet_v2_x0_5" in text


def test_no_working_file_is_left(run: Run) -> None:
    assert not [path for path in run.output_dir.rglob("*") if path.name.startswith(".")]
