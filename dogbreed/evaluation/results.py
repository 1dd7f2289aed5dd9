"""What an evaluation leaves in a folder: figures as JSON, tables, and lists of photos worth a look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dogbreed.evaluation.evaluation import Evaluation
from dogbreed.evaluation.figures import class_figures, log_blocks
from dogbreed.evaluation.tables import relative_name, write_classes, write_predictions, write_table


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """The figures as JSON holds them.

    `metrics` and `intervals` have names as `test/acc`; `variants` the same figures for every way of asking; `tta_gain`
    is the accuracy that test-time augmentation adds, with its 95 % interval, or None.
    """
    name, found, gain = evaluation.judged, evaluation.figures, evaluation.gain
    return {
        "metrics": {f"{name}/{figure}": value for figure, value in found.values.items()},
        "intervals": {f"{name}/{figure}": list(interval) for figure, interval in found.intervals.items()},
        "variants": {variant: figures.values for variant, figures in evaluation.variants.items()},
        "tta_gain": gain and {"value": gain.value, "low": gain.low, "high": gain.high},
        "judged": {"split": name, "photos": found.photos, "calibrated": evaluation.settings.calibrate}
        | {"tta": evaluation.settings.tta},
    }


def write_tables(output_dir: Path, evaluation: Evaluation) -> None:
    """`predictions.csv` and `per_class.csv` of the judged split, `label_errors.csv` and `duplicates.csv` of all."""
    answers = evaluation.answers[evaluation.judged]
    names, root = evaluation.class_names, evaluation.root
    blocks = log_blocks(answers, temperature=evaluation.temperature_used, tta=evaluation.settings.tta)
    write_predictions(output_dir / "predictions.csv", blocks, answers.split, names, root)
    write_classes(output_dir / "per_class.csv", class_figures(evaluation.figures.confusion, names))
    errors = [(evaluation.answers[split].split, error) for split, error in evaluation.label_errors]
    write_table(
        output_dir / "label_errors.csv",
        ["file", "target", "suggested", "score"],
        (
            [
                relative_name(split.paths[e.position], root),
                names[split.targets[e.position]],
                names[e.suggested],
                e.score,
            ]
            for split, e in errors
        ),
    )
    write_table(
        output_dir / "duplicates.csv",
        ["first", "second", "kind", "similarity"],
        ([*(relative_name(path, root) for path in c.paths), c.kind, f"{c.similarity:.4f}"] for c in evaluation.copies),
    )
