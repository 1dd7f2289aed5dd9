"""`report.html` of a study: what was tried, what is best, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dogbreed.atomic import write_text
from dogbreed.reporting.tuning_contents import TuningContents
from dogbreed.tuning.insight import insight
from dogbreed.tuning.plots import study_plots
from dogbreed.tuning.search import Search
from dogbreed.tuning.trials import Trial, ended

if TYPE_CHECKING:
    import optuna


def write_page(
    output_dir: Path,
    study: optuna.Study,
    search: Search,
    winner: Trial,
    *,
    command: str,
    file: str,
    default: Mapping[int, float],
    again: Mapping[int, float],
    test: Sequence[str],
    limits: Sequence[str],
) -> str:
    """Draw the page.

    Args:
        output_dir: of the study.
        study: whose plots are drawn.
        search: of the study.
        winner: the best trial.
        command: that trains with its settings.
        file: the same settings as a file.
        default: the metric of the default settings, by seed.
        again: of the best.
        test: lines on the test photos.
        limits: sentences on what was left out.

    Returns:
        What the figures over seeds allow to be said.

    Raises:
        OSError: the page could not be written.
    """
    from dogbreed.reporting.tuning_page import render_tuning_page

    said = insight(search.metric, search.direction, default, {} if winner.default else again)
    if winner.default:
        said = "The default settings themselves are the best of the trials."
    contents = TuningContents(
        title=f"{output_dir.name}: a search of {len(search.space)} settings",
        metric=search.metric,
        direction=search.direction,
        insight=said,
        trials=ended(study, search),
        best=winner.number,
        command=command,
        yaml=file,
        default_seeds=default,
        best_seeds=again,
        test=test,
        page=_page(output_dir, winner),
        plots=study_plots(study, search.metric),
        facts={
            "Strategy": search.strategy,
            "Early stopping": "on" if search.early_stopping else "off",
            **({"Limited": " ".join(limits)} if limits else {}),
        },
    )
    write_text(output_dir / "report.html", render_tuning_page(contents))
    return said


def _page(output_dir: Path, winner: Trial) -> str | None:
    page = Path(winner.folder) / "report.html"
    return page.as_posix() if (output_dir / page).exists() else None
