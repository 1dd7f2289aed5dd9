"""The parts of the page in their order: which of them a report has, and why another is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from dogbreed.reporting.contents import ReportContents


class Contents(Protocol):
    """What any page shows."""

    @property
    def absences(self) -> Mapping[str, str]:
        """Why parts are missing, by the keys of their sections."""


C = TypeVar("C", bound=Contents)
C_contra = TypeVar("C_contra", bound=Contents, contravariant=True)


@dataclass(frozen=True)
class Section(Generic[C_contra]):
    """A part of the page; its template is `sections/KEY.html.jinja`.

    `absence` says why the part is missing, where that helps; without it nothing is said.
    """

    key: str
    title: str
    present: Callable[[C_contra], bool]
    absence: str = ""


SECTIONS: tuple[Section[ReportContents], ...] = (
    Section("weaknesses", "Weaknesses", lambda _: True),
    Section("figures", "Headline figures", lambda contents: bool(contents.figures)),
    Section("commands", "Run it again", lambda contents: bool(contents.commands or contents.settings)),
    Section(
        "learning_curves",
        "Learning curves",
        lambda contents: bool(contents.history),
        "This is an evaluation of a model: its training is in the report of its run.",
    ),
    Section("schedule", "Learning rates", lambda contents: any(contents.learning_rates.values())),
    Section(
        "rate_search",
        "Learning-rate finder",
        lambda contents: bool(contents.rate_search and len(contents.rate_search.rates)),
    ),
    Section("variants", "Variants", lambda contents: bool(contents.variants)),
    Section(
        "reliability", "Calibration", lambda contents: bool(contents.reliability or contents.calibrated_reliability)
    ),
    Section(
        "confusion",
        "Confusion matrix",
        lambda contents: bool(contents.confusion.size and contents.confusion.any()),
        "No photo was evaluated.",
    ),
    Section(
        "confused_pairs",
        "Most confused pairs",
        lambda contents: bool(contents.confused_pairs),
        "No photo was taken for another class.",
    ),
    Section("classes", "Classes", lambda contents: bool(contents.classes)),
    Section("top_losses", "Top losses", lambda contents: bool(contents.top_losses)),
    Section("least_certain", "Least certain photos", lambda contents: bool(contents.least_certain)),
    Section("label_errors", "Likely label errors", lambda contents: bool(contents.label_errors), "None were found."),
    Section("duplicates", "Duplicates", lambda contents: bool(contents.duplicates), "None were found."),
    Section("facts", "Facts", lambda contents: bool(contents.facts)),
)


@dataclass(frozen=True)
class Part:
    """A section of one page: there, or missing for a reason."""

    key: str
    title: str
    missing: str | None = None


def outline(contents: C, sections: Sequence[Section[C]]) -> list[Part]:
    """The parts of a page, those left out that are missing without a word."""
    parts = [_part(section, contents) for section in sections]
    return [part for part in parts if part.missing != ""]


def _part(section: Section[C], contents: C) -> Part:
    if section.present(contents):
        return Part(section.key, section.title)
    return Part(section.key, section.title, contents.absences.get(section.key, section.absence))
