"""A stored model judged on a folder, from photos to report: what `python -m dogbreed.evaluate` does."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dogbreed.artifacts import Artifact
from dogbreed.atomic import write_text
from dogbreed.evaluation.evaluation import Evaluation, Settings, evaluate
from dogbreed.evaluation.machine import machine_facts, weights_name
from dogbreed.evaluation.photos import FolderToJudge
from dogbreed.evaluation.report_contents import report_contents
from dogbreed.evaluation.results import summary, write_tables
from dogbreed.evaluation.scratch import scratch_folder
from dogbreed.evaluation.weaknesses import weaknesses
from dogbreed.reporting.page import render_report

DRAWN = "The model has learnt from drawn pictures only: of photographs it knows nothing."


def judge(
    artifact: Artifact,
    folder: FolderToJudge,
    output_dir: str | Path,
    *,
    settings: Settings | None = None,
    report: bool = True,
    command: Sequence[str] = (),
) -> dict[str, Any]:
    """Judge a model on photos and leave the figures, tables and the report in a folder.

    Args:
        artifact: the model, on the device that computes.
        folder: of `dogbreed.evaluation.photos.folder_to_judge`.
        output_dir: made if it is not there.
        settings: how the model is asked.
        report: whether to draw `report.html`.
        command: that asked for it, for the report.

    Returns:
        What `metrics.json` holds.
    """
    output_dir = Path(output_dir)
    with scratch_folder(output_dir) as scratch:
        found = evaluate(
            artifact.network,
            artifact.class_names,
            folder.splits,
            root=folder.root,
            scratch=scratch,
            judged=folder.judged,
            temperature=artifact.temperature,
            contents=folder.contents,
            settings=settings,
        )
        results = {**summary(found), "skipped": [*folder.skipped, *found.unreadable], "notes": list(folder.notes)}
        write_tables(output_dir, found)
        if report:
            page = page_of(found, artifact, folder, command)
            write_text(output_dir / "report.html", page)
    write_text(output_dir / "metrics.json", json.dumps(results, indent=2))
    return results


def page_of(found: Evaluation, artifact: Artifact, folder: FolderToJudge, command: Sequence[str]) -> str:
    """The report of an evaluation, as HTML."""
    card = artifact.card
    backbone, settings = card["architecture"]["backbone"], card.get("training", {}).get("settings", {})
    weights = settings.get("weights")
    notes = [*folder.notes, *([DRAWN] if card.get("data", {}).get("synthetic") else [])]
    return render_report(
        report_contents(
            found,
            artifact.network,
            title=f"{backbone} on {folder.root.name}",
            summary=f"A model of {len(artifact.class_names)} classes, judged on {found.figures.photos:,} photos "
            f"({folder.judged}).",
            weaknesses=weaknesses(
                found,
                limits=card.get("limits", []),
                data={"skipped": len(folder.skipped)},
                weights=weights,
                notes=notes,
            ),
            facts={
                "Backbone": f"{backbone}, weights {weights_name(weights)}",
                "Regime": str(card.get("training", {}).get("regime", "unknown")),
                "Photos": ", ".join(f"{len(split):,} {name}" for name, split in folder.splits.items()),
                **machine_facts(next(artifact.network.parameters()).device),
            },
            commands=[shlex.join(command)] if command else [],
        )
    )
