"""A network judged on one split: its figures in every way of asking, and what is worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from dogbreed.data.folder import Split
from dogbreed.evaluation.answers import Answers
from dogbreed.evaluation.asking import ask, ask_head
from dogbreed.evaluation.calibration import fit_temperature
from dogbreed.evaluation.copies import Copy, find_copies
from dogbreed.evaluation.figures import Figures, figures, log_blocks
from dogbreed.evaluation.label_errors import LabelError, likely_label_errors
from dogbreed.evaluation.notable import Notable, notable_photos
from dogbreed.features.frozen_features import FrozenFeatures
from dogbreed.intervals import gain_interval
from dogbreed.models.network import BreedNetwork
from dogbreed.reporting.contents import Gain

# Ways of asking: calibrated or not, with test-time augmentation or not.
VARIANTS: dict[str, tuple[bool, bool]] = {
    "plain": (False, False),
    "calibrated": (True, False),
    "augmented": (False, True),
    "calibrated and augmented": (True, True),
}
# What training has seen can neither calibrate nor show label errors: the model has learnt those.
HELD_OUT = ("val", "test", "all")


@dataclass(frozen=True)
class Settings:
    """How a network is asked.

    `calibrate` and `tta` choose the way whose figures are reported; the other ways stand beside it. Without `mirror`
    nothing is known of test-time augmentation, without `duplicates` the photos that are not judged are not looked at.
    """

    calibrate: bool = True
    tta: bool = False
    mirror: bool = True
    duplicates: bool = True
    notable: int = 24
    batch_size: int = 32
    num_workers: int = 0
    mixed_precision: bool = False


@dataclass(frozen=True)
class Evaluation:
    """What is known of a network after it was judged on the split `judged`.

    `answers` holds the splits that were looked at; `figures` those of the way that `settings` choose, `variants` those
    of every way that was computed; rows of `notable` are those of the judged split, `label_errors` are pairs of a split
    and what is wrong there; `copies` are pairs of photos that are nearly the same.
    """

    class_names: tuple[str, ...]
    root: Path
    judged: str
    settings: Settings
    answers: Mapping[str, Answers]
    temperature: float
    variants: Mapping[str, Figures]
    gain: Gain | None
    notable: Notable
    label_errors: tuple[tuple[str, LabelError], ...]
    copies: tuple[Copy, ...]

    @property
    def figures(self) -> Figures:
        """Of the way of asking that was chosen."""
        way = self.settings.calibrate, self.settings.tta
        return next(self.variants[name] for name, ways in VARIANTS.items() if ways == way)

    @property
    def temperature_used(self) -> float:
        """Of the way of asking that was chosen: 1 where it is not calibrated."""
        return self.temperature if self.settings.calibrate else 1.0

    @property
    def unreadable(self) -> tuple[str, ...]:
        """What is wrong with photos that could no longer be read."""
        return tuple(message for answers in self.answers.values() for message in answers.unreadable)


def evaluate(
    network: BreedNetwork,
    class_names: tuple[str, ...],
    splits: Mapping[str, Split],
    *,
    root: Path,
    scratch: Path,
    judged: str = "test",
    temperature: float | None = None,
    contents: Mapping[Path, str] | None = None,
    settings: Settings | None = None,
    features: FrozenFeatures | None = None,
) -> Evaluation:
    """Judge a network.

    Args:
        network: on the device that computes; its mode is left as it was.
        class_names: in the order of its logits.
        splits: the photos; `judged` is one of them.
        root: of the photos.
        scratch: gets the answers, which the evaluation reads until it is no longer needed.
        judged: whose figures are wanted.
        temperature: of the calibration; None to fit it on the split "val", where there is one.
        contents: SHA-256 of each file, to tell copies of a file.
        settings: how to ask.
        features: of the network's backbone, where photos that were looked at need not be looked at again; only with
            `contents` of all photos.

    Raises:
        DataError: no photo of the judged split can be read.
    """
    settings = settings or Settings()
    asked = partial(_asked, network, scratch=scratch, judged=judged, contents=contents or {}, settings=settings)
    wanted = _wanted(splits, judged, temperature is None, settings)
    answers = {name: asked(splits[name], name=name, features=features) for name in wanted}
    if temperature is None:
        fitted = answers.get("val")
        temperature = 1.0 if fitted is None else fit_temperature(fitted.logits, fitted.targets)
    ways = {name: way for name, way in VARIANTS.items() if settings.mirror or settings.tta or not way[1]}
    variants = {
        name: figures(answers[judged], temperature=temperature if calibrated else 1.0, tta=tta)
        for name, (calibrated, tta) in ways.items()
    }
    blocks = log_blocks(answers[judged], temperature=temperature if settings.calibrate else 1.0, tta=settings.tta)
    return Evaluation(
        class_names,
        root,
        judged,
        settings,
        answers,
        temperature,
        variants,
        _gain(answers[judged]),
        notable_photos(blocks, settings.notable),
        tuple(_label_errors(answers, temperature)),
        tuple(find_copies(answers, contents or {})) if settings.duplicates else (),
    )


def _wanted(splits: Mapping[str, Split], judged: str, fitting: bool, settings: Settings) -> list[str]:
    """The splits that have to be looked at, the judged one first."""
    needed = {judged} | ({"val"} if fitting else set()) | (set(splits) if settings.duplicates else set())
    return [name for name in sorted(needed & set(splits), key=lambda name: name != judged) if len(splits[name])]


def _mirrors(name: str, judged: str, settings: Settings) -> bool:
    """Whether mirror images are looked at: for what augmentation gives, and for copies that are mirrored."""
    return (settings.mirror or settings.tta) and (name == judged or (name in HELD_OUT and settings.duplicates))


def _asked(
    network: BreedNetwork,
    split: Split,
    *,
    scratch: Path,
    name: str,
    judged: str,
    contents: Mapping[Path, str],
    settings: Settings,
    features: FrozenFeatures | None,
) -> Answers:
    mirror = _mirrors(name, judged, settings)
    if features is not None:
        # Figures are those of the network as it is stored.
        chosen = (features.exact or features) if name == judged else features
        return ask_head(network, split, scratch, chosen, contents, name=name, mirror=mirror)
    return ask(
        network,
        split,
        scratch,
        name=name,
        mirror=mirror,
        # Of photos that are not held out only the direction of the features is wanted.
        mixed_precision=settings.mixed_precision and name not in HELD_OUT and name != judged,
        batch_size=settings.batch_size,
        num_workers=settings.num_workers,
    )


def _gain(answers: Answers) -> Gain | None:
    """What test-time augmentation adds to the accuracy."""
    if answers.mirrored_logits is None:
        return None
    gained = lost = 0
    for (plain, target), (augmented, _) in zip(
        log_blocks(answers, temperature=1.0, tta=False), log_blocks(answers, temperature=1.0, tta=True), strict=True
    ):
        before, after = plain.argmax(1) == target, augmented.argmax(1) == target
        gained, lost = gained + int((after & ~before).sum()), lost + int((before & ~after).sum())
    return Gain(*gain_interval(gained, lost, len(answers.split)))


def _label_errors(answers: Mapping[str, Answers], temperature: float) -> Iterator[tuple[str, LabelError]]:
    """Likely label errors of all held-out photos together, the likeliest first; rows count within their split."""
    held_out = {name: found for name, found in answers.items() if name in HELD_OUT}
    if not held_out:
        return
    blocks = [logs for found in held_out.values() for logs, _ in log_blocks(found, temperature=temperature, tta=False)]
    targets = np.concatenate([found.targets for found in held_out.values()])
    places = [(name, row) for name, found in held_out.items() for row in range(len(found.split))]
    for error in likely_label_errors(torch.cat(blocks).exp().numpy(), targets):
        name, row = places[error.position]
        yield name, replace(error, position=row)
