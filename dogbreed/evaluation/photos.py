"""Which photos of a folder are judged, with the classes numbered as the model numbers them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dogbreed.data.check import photo_folder, scan_folder
from dogbreed.data.findings import Facts, skips
from dogbreed.data.folder import WHOLE, Listing, Split, class_name
from dogbreed.errors import DataError

ALL = "all"


@dataclass(frozen=True)
class FolderToJudge:
    """The photos of a folder by split, their targets those of a model; one of the splits is judged.

    `contents` are SHA-256 hashes of the files; `skipped` says in a line each which photos cannot be judged and why;
    `notes` what makes figures of these photos weaker.
    """

    root: Path
    splits: Mapping[str, Split]
    judged: str
    contents: Mapping[Path, str]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]


def folder_to_judge(
    root: str | Path,
    split: str,
    model_classes: Sequence[str],
    *,
    seed: int = 42,
    cache_dir: Path | None = None,
) -> FolderToJudge:
    """Open every photo of a folder once, and say which are judged.

    Args:
        root: with train, valid and test folders, or a folder of class folders, which is then split by `seed` as a
            training run splits it.
        split: "train", "val", "test", or "all" for every photo.
        model_classes: the class names of the model. The folder may have fewer, never others.
        seed: of the run that trained on this folder.
        cache_dir: see `check_folder`.

    Raises:
        DataError: the folder lacks the split, or has a class that the model does not know.
    """
    listing, facts = scan_folder(root, cache_dir)
    _check_split(listing, split)
    targets = _targets(listing, model_classes)
    split_of = _split_of(listing, facts, split, seed)
    placed = [(split_of[path], targets[folder], path) for _, folder, path in listing.rows() if path in split_of]
    splits = {name: _split(placed, name) for name in dict.fromkeys([split, *(name for name, _, _ in placed)])}
    if not len(splits[split]):
        raise DataError(f"Expected photos to judge in {split} of {listing.root}, found none that can be used.")
    contents = {path: facts[path].content for _, _, path in placed}
    skipped = tuple(f"{listing.name(p)} {found.error}" for p, found in facts.items() if found.fault)
    return FolderToJudge(listing.root, splits, split, contents, skipped, tuple(_notes(listing, split, seed)))


def _check_split(listing: Listing, split: str) -> None:
    if not any(True for _ in listing.rows()):
        raise DataError(f"Expected photos in class folders of {listing.root}, found none.")
    if split in (ALL, *listing.folders) or WHOLE in listing.folders:
        return
    there = ", ".join(listing.folders)
    raise DataError(
        f"Expected a {split} folder in {listing.root}, found {there}. Choose data.split={next(iter(listing.folders))}, "
        "or data.split=all for every photo."
    )


def _targets(listing: Listing, model_classes: Sequence[str]) -> dict[str, int]:
    """The model's number of every class folder."""
    number = {name: target for target, name in enumerate(model_classes)}
    folders = sorted({folder for _, folder, _ in listing.rows()})
    found = {folder: number.get(folder, number.get(class_name(folder))) for folder in folders}
    unknown = [folder for folder in folders if found[folder] is None]
    if unknown:
        names = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
        near = difflib.get_close_matches(class_name(unknown[0]), model_classes, n=1)
        hint = f" Its nearest to {unknown[0]} is {near[0]}." if near else ""
        raise DataError(
            f"Expected the classes of the model in {listing.root}, found {len(unknown)} of {len(folders)} that it does "
            f"not know: {names}. The model knows {len(model_classes)}, from {model_classes[0]} to "
            f"{model_classes[-1]}.{hint} Rename the folders, or choose the model of these classes."
        )
    return {folder: target for folder, target in found.items() if target is not None}


def _split_of(listing: Listing, facts: Facts, split: str, seed: int) -> dict[Path, str]:
    """The split of every photo that can be used."""
    if split == ALL:
        return {path: ALL for _, _, path in listing.rows() if not facts[path].fault}
    if not listing.training_classes:
        return {path: name for name, _, path in listing.rows() if not facts[path].fault}
    skipped = frozenset(path for finding in skips(listing, facts) for path in finding.paths)
    trained_on = photo_folder(listing, facts, skipped, seed)
    return {path: name for name, photos in trained_on.splits.items() for path in photos.paths}


def _split(placed: Sequence[tuple[str, int, Path]], split: str) -> Split:
    chosen = [(path, target) for name, target, path in placed if name == split]
    return Split(tuple(path for path, _ in chosen), tuple(target for _, target in chosen))


def _notes(listing: Listing, split: str, seed: int) -> list[str]:
    if split == "val":
        return ["If these photos chose the epoch and the temperature of the model, the figures are a little too good."]
    if split == "train":
        return ["These are training photos: the model has seen them, the figures say little about new ones."]
    if split == ALL and "train" in listing.folders:
        return ["Training photos are among these: the model may have seen them."]
    if WHOLE in listing.folders and split != ALL:
        return [
            f"The folder has no train, valid and test folders: judged is the {split} split that a run with seed={seed} "
            "draws from it. If the model never saw this folder, data.split=all judges every photo."
        ]
    return []
