"""What a check can find in a folder of photos: rules over the files' names and the photos' facts, no file opened."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dogbreed.data.folder import SPLIT_FOLDERS, SPLITS, WHOLE, Listing, PhotoFolder, class_name, class_names
from dogbreed.data.quality import quality_hints, usual_sizes
from dogbreed.data.scan import PhotoFacts

Severity = Literal["refuse", "skip", "warning", "hint"]
Facts = Mapping[Path, PhotoFacts]
Row = tuple[str, str, Path]

FEW = 5  # training photos of a class below which its figures are chance
JPEG = ("JPEG", "MPO")
FORMATS = {
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".png": ("PNG",),
    ".webp": ("WEBP",),
    ".bmp": ("BMP",),
    ".gif": ("GIF",),
    ".tif": ("TIFF",),
    ".tiff": ("TIFF",),
}
SPLIT_LIKE = {name for names in SPLIT_FOLDERS.values() for name in names} | {"training", "testing"}

# Every kind of finding, in the order of the report: how much it weighs, and what mends it.
KINDS: dict[str, tuple[Severity, str]] = {
    "no photos": ("refuse", "Put the photos into one folder a class."),
    "no training folder": ("refuse", "Call the folder to train on `train`."),
    "splits as classes": ("refuse", "Call the split folders train, valid and test, in small letters."),
    "one class": ("refuse", "Put the photos into one folder a class, two classes or more."),
    "unknown class": ("refuse", "Give the class a folder in train, or delete it here."),
    "empty class": ("refuse", "Put photos into the folder, or delete it."),
    "mostly unreadable": ("refuse", "Fetch the photos of the class again, or delete its folder."),
    "empty split": ("refuse", "Add photos: three different ones of a class are the least that can be split."),
    "empty file": ("skip", "Fetch it again, or delete it."),
    "not a photo": ("skip", "Fetch it again, convert it to JPEG, or delete it."),
    "truncated": ("skip", "Fetch it again, or delete it."),
    "too large": ("skip", "Save it smaller."),
    "unreadable": ("skip", "Fetch it again, save it anew with an image editor, or delete it."),
    "in two classes": ("skip", "One of the classes is wrong, and nothing says which: delete the wrong copy."),
    "in two splits": ("skip", "Left out of the earlier split, so that the figures are of photos never trained on."),
    "same name": ("warning", "The classes go by their folders' full names."),
    "few photos": ("warning", f"Add photos: {FEW} of a class are few already."),
    "missing class": ("warning", "There will be no figures for the class in this split."),
    "taken from train": ("warning", "The figures come from a part of the training folder."),
    "copies": ("warning", "Used all the same; the photo counts more than others."),
    "wrong suffix": ("warning", "Used all the same; rename it."),
    "other file": ("warning", "Ignored: not called like a photo. Convert it to JPEG, or delete it."),
    "no class": ("warning", "Ignored: move it into the folder of its class."),
    "ignored folder": ("warning", "Ignored: neither a split nor a class."),
    "split here": ("hint", "Add the folders train, valid and test to choose the split yourself."),
    "dark": ("hint", "Look whether anything can be made out."),
    "light": ("hint", "Look whether anything can be made out."),
    "blank": ("hint", "Look whether anything is in it."),
    "blurred": ("hint", "Look whether anything can be made out."),
    "grey": ("hint", "Find it in colour, or look whether its class can be told without: most photos have colour."),
    "odd shape": ("hint", "Cut it: of a long photo the network sees the middle alone."),
    "odd size": (
        "hint",
        "Look whether it is a photo like the others, and not a thumbnail, an icon or a scan.",
    ),
    "tiny": ("hint", "Find it larger: it is blown up before the network sees it."),
}


@dataclass(frozen=True)
class Finding:
    """One thing found, and the photos or folders it is about; of a `skip`, the photos left out."""

    kind: str
    severity: Severity
    message: str
    paths: tuple[Path, ...]


def skips(listing: Listing, facts: Facts) -> list[Finding]:
    """Name the photos that cannot be used, or not honestly."""
    return [finding for finding in [*_faults(listing, facts), *_copies(listing, facts)] if finding.severity == "skip"]


def findings(
    listing: Listing, facts: Facts, folder: PhotoFolder, left_out: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Name everything there is to say, most severe first.

    Args:
        listing: of the folder.
        facts: of its photos.
        folder: what is left to train on and to measure.
        left_out: splits that are not expected here.
    """
    refused = list(_structure(listing)) or list(_counts(listing, facts, folder, left_out))
    found = [
        *refused,
        *_faults(listing, facts),
        *_copies(listing, facts),
        *_strays(listing),
        *_photos(listing, facts, folder),
    ]
    order = list(KINDS)
    return tuple(sorted(found, key=lambda finding: order.index(finding.kind)))


def _finding(kind: str, message: str, *paths: Path) -> Finding:
    return Finding(kind, KINDS[kind][0], message, paths)


def _structure(listing: Listing) -> Iterator[Finding]:
    """What makes the folder no data set at all: nothing else is worth counting then."""
    if not any(True for _ in listing.rows()):
        yield _finding("no photos", f"There is no photo in any class folder of {listing.root}.", listing.root)
    elif not listing.training_classes:
        there = "train" if "train" in listing.folders else ", ".join(listing.folders)
        lacks = "it has no class folder" if there == "train" else "no folder called train"
        yield _finding("no training folder", f"There is {there}, but {lacks}.", listing.root)
    elif WHOLE in listing.folders and (found := [n for n in listing.photos[WHOLE] if n.lower() in SPLIT_LIKE]):
        message = f"{', '.join(found)} would be taken for classes."
        yield _finding("splits as classes", message, *(listing.root / name for name in found))
    elif len(listing.training_classes) == 1:
        yield _one_class(listing, *listing.training_classes)


def _one_class(listing: Listing, only: str) -> Finding:
    path = listing.folders.get("train", listing.root) / only
    below = {photo.relative_to(path).parts[0].lower() for photo in listing.training_classes[only]}
    meant = f"the folder meant may be {path}" if below & SPLIT_LIKE else "two classes are the least"
    return _finding("one class", f"There is one class folder, {only}: {meant}.", path)


def _counts(listing: Listing, facts: Facts, folder: PhotoFolder, left_out: Collection[str]) -> Iterator[Finding]:
    yield from _unknown_classes(listing)
    yield from _class_counts(listing, facts, folder)
    yield from _split_counts(listing, folder, [split for split in SPLITS[1:] if split not in left_out])
    names = class_names(listing.training_classes)
    for full in (name for name in names if names[name] == name != class_name(name)):
        yield _finding("same name", f"{full} would be called {class_name(full)} like another class.")


def _unknown_classes(listing: Listing) -> Iterator[Finding]:
    for split, classes in listing.photos.items():
        for name in sorted(classes.keys() - listing.training_classes.keys()):
            path = listing.folders[split] / name
            yield _finding("unknown class", f"{listing.name(path)} is of a class that train does not have.", path)


def _class_counts(listing: Listing, facts: Facts, folder: PhotoFolder) -> Iterator[Finding]:
    photos = Counter(name for _, name, _ in listing.rows())
    faulty = Counter(name for _, name, path in listing.rows() if facts[path].fault)
    usable = Counter(folder.splits["train"].targets)
    training = listing.folders.get("train", listing.root)
    for target, (name, paths) in enumerate(sorted(listing.training_classes.items())):
        path = training / name
        if 2 * faulty[name] > photos[name]:
            message = f"{faulty[name]} of the {photos[name]} photos of {name} cannot be used."
            yield _finding("mostly unreadable", message, path)
        elif not usable[target]:
            left = f"no photo that can be used: {len(paths)} are left out" if paths else "no photo"
            yield _finding("empty class", f"{listing.name(path)} has {left}.", path)
        elif usable[target] < FEW:
            message = f"{folder.class_names[target]} has {usable[target]} for training."
            yield _finding("few photos", message, path)


def _split_counts(listing: Listing, folder: PhotoFolder, judged: Sequence[str]) -> Iterator[Finding]:
    if WHOLE in listing.folders:
        sizes = ", ".join(f"{len(folder.splits[split])} {split}" for split in SPLITS)
        yield _finding("split here", f"There are no split folders: the photos are split into {sizes}.", listing.root)
    for split in judged:
        photos = folder.splits[split]
        if not photos:
            yield _finding("empty split", f"No photo is left for {split}.", listing.root)
        elif _is_taken_from_train(listing, split, photos.paths):
            lacking = "has no photo that can be used" if split in listing.folders else "is not there"
            message = f"The {split} folder {lacking}: {len(photos)} photos of train take its place."
            yield _finding("taken from train", message, listing.root)
        for target in sorted(set(range(len(folder.class_names))) - set(photos.targets)) if photos else ():
            yield _finding("missing class", f"{folder.class_names[target]} has no photo in {split}.")


def _is_taken_from_train(listing: Listing, split: str, paths: tuple[Path, ...]) -> bool:
    if WHOLE in listing.folders:
        return False
    return split not in listing.folders or not paths[0].is_relative_to(listing.folders[split])


def _faults(listing: Listing, facts: Facts) -> Iterator[Finding]:
    for _, _, path in listing.rows():
        fault = facts[path].fault
        if fault:
            yield _finding(fault, f"{listing.name(path)} {facts[path].error}", path)


def _copies(listing: Listing, facts: Facts) -> Iterator[Finding]:
    """What there is to say of photos whose files are the same, byte for byte."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in listing.rows():
        if not facts[row[2]].fault:
            groups[facts[row[2]].content].append(row)
    for rows in groups.values():
        if len(rows) > 1:
            yield from _about_copies(listing, rows)


def _about_copies(listing: Listing, rows: list[Row]) -> Iterator[Finding]:
    if len({name for _, name, _ in rows}) > 1:
        paths = [path for _, _, path in rows]
        yield _finding("in two classes", f"{_names(listing, paths)} are the same photo.", *paths)
        return
    last = max((split for split, _, _ in rows), key=[*SPLITS, WHOLE].index)
    earlier = [path for split, _, path in rows if split != last]
    kept = [path for split, _, path in rows if split == last]
    if earlier:
        message = f"{_names(listing, earlier)} is also in {last}, as {_names(listing, kept)}."
        yield _finding("in two splits", message, *earlier)
    if len(kept) > 1:
        yield _finding("copies", f"{_names(listing, kept)} are the same photo.", *kept)


def _names(listing: Listing, paths: list[Path]) -> str:
    return ", ".join(listing.name(path) for path in paths)


def _strays(listing: Listing) -> Iterator[Finding]:
    strays = {
        "other file": listing.other_files,
        "no class": listing.classless_photos,
        "ignored folder": listing.ignored_folders,
    }
    for kind, paths in strays.items():
        yield from (_finding(kind, listing.name(path), path) for path in paths)


def _photos(listing: Listing, facts: Facts, folder: PhotoFolder) -> Iterator[Finding]:
    photos = {path: facts[path] for split in folder.splits.values() for path in split.paths}
    for path, photo in photos.items():
        if photo.format not in FORMATS[path.suffix.lower()]:
            yield _finding("wrong suffix", f"{listing.name(path)} is a {photo.format}.", path)
    for path, hint in _hints(photos):
        yield _finding(hint, f"{listing.name(path)} ({photos[path].width} x {photos[path].height})", path)


def _hints(photos: Facts) -> Iterator[tuple[Path, str]]:
    """What a photo deserves by itself, and what it deserves among the others."""
    smallest, largest = usual_sizes([(photo.width, photo.height) for photo in photos.values()])
    hints = [(p, h) for p, f in photos.items() if f.pixels for h in quality_hints(f.width, f.height, f.pixels)]
    # Where most photos are grey, a grey one is like the others.
    grey_is_usual = 2 * sum(hint == "grey" for _, hint in hints) > len(photos)
    yield from ((path, hint) for path, hint in hints if not (hint == "grey" and grey_is_usual))
    tiny = {path for path, hint in hints if hint == "tiny"}
    for path, photo in photos.items():
        if path not in tiny and not smallest <= math.sqrt(photo.width * photo.height) <= largest:
            yield path, "odd size"
