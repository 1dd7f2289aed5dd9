"""What a report shows, as plain data: numbers, names and pictures, with no model and no file behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Figure:
    """One figure of the evaluated photos, in [0, 1] unless `unit` is empty, with its 95 % interval where it has one."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    meaning: str = ""
    unit: str = "%"


@dataclass(frozen=True)
class Variant:
    """The figures of one way of asking the model: plain, calibrated, with test-time augmentation, or both."""

    name: str
    acc: float
    acc5: float
    loss: float
    calibration_error: float


@dataclass(frozen=True)
class Gain:
    """A difference of two shares on the same photos, in [-1, 1], with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Picture:
    """A photo on the page: its name below the root, a data URI, and the URI of the same with its Grad-CAM overlay."""

    name: str
    image: str
    overlay: str | None = None


@dataclass(frozen=True)
class NotedPhoto:
    """A photo worth a look: what its folder says it is, its best answers with probabilities, and why it is here."""

    picture: Picture
    split: str
    target: str
    answers: tuple[tuple[str, float], ...]
    note: str = ""


@dataclass(frozen=True)
class ConfusedPair:
    """Photos of `target` taken for `answered`: how many of how many, with a photo of each class."""

    target: str
    answered: str
    count: int
    support: int
    pictures: tuple[Picture | None, Picture | None]


@dataclass(frozen=True)
class DuplicatePair:
    """Two photos that are the same or nearly so; `similarity` is a cosine, 1.0 for the same file."""

    first: Picture
    second: Picture
    splits: tuple[str, str]
    classes: tuple[str, str]
    kind: str
    similarity: float


@dataclass(frozen=True)
class ClassFigures:
    """One class: photos, precision, recall with its 95 % interval, F1; None where there is nothing to divide by."""

    name: str
    support: int
    precision: float | None
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    f1: float | None


@dataclass(frozen=True)
class ReliabilityBin:
    """Photos whose highest probability lies in (low, high]: how many, its mean, and the share that is right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class RateSearch:
    """What the learning-rate finder saw: a loss for each rate, and the rate it suggests, if any."""

    rates: Sequence[float]
    losses: Sequence[float]
    suggestion: float | None


@dataclass(frozen=True)
class ReportContents:
    """Everything on the page. Parts that are empty or None are left out of it, with a word on why where it helps.

    `facts` are rows of the first table (model, weights, data, machine, versions, date). `commands` are the commands
    that make the run or evaluation again. `settings` is the resolved configuration as YAML. `history` has a row an
    epoch with `epoch`, `train/loss`, `train/acc`, `val/loss`, `val/acc`, … . `learning_rates` maps the name of a part
    ("head", "backbone") to (step, rate) points. Rows of `confusion` are targets, columns are answers, both in the
    order of `class_names`. `absences` says why a part is missing where the page's own words would be wrong; its keys
    are those of `outline.SECTIONS`, and an empty text says nothing.
    """

    title: str
    summary: str
    class_names: tuple[str, ...]
    confusion: npt.NDArray[np.int64]
    weaknesses: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()
    settings: str = ""
    figures: Sequence[Figure] = ()
    variants: Sequence[Variant] = ()
    augmentation_gain: Gain | None = None
    temperature: float | None = None
    history: Sequence[Mapping[str, float]] = ()
    best_epoch: int | None = None
    learning_rates: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    rate_search: RateSearch | None = None
    classes: Sequence[ClassFigures] = ()
    confused_pairs: Sequence[ConfusedPair] = ()
    reliability: Sequence[ReliabilityBin] = ()
    calibrated_reliability: Sequence[ReliabilityBin] = ()
    top_losses: Sequence[NotedPhoto] = ()
    least_certain: Sequence[NotedPhoto] = ()
    label_errors: Sequence[NotedPhoto] = ()
    duplicates: Sequence[DuplicatePair] = ()
    absences: Mapping[str, str] = field(default_factory=dict)
