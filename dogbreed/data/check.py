"""Whether a folder of photos can be trained on: `python -m dogbreed.data.check PATH`."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import NoReturn, TextIO

from dogbreed.atomic import write_text
from dogbreed.data.findings import KINDS, Facts, Finding, Severity, findings, skips
from dogbreed.data.folder import (
    SPLITS,
    WHOLE,
    Listing,
    PhotoFolder,
    Split,
    class_names,
    existing_folder,
    list_folder,
)
from dogbreed.data.scan import scan
from dogbreed.data.splits import FRACTIONS, stratified_split
from dogbreed.errors import ConfigError, DataError, DogbreedError

SHOWN = 5
HEADINGS: dict[Severity, str] = {
    "refuse": "REFUSED, until it is mended",
    "skip": "SKIPPED, neither trained on nor measured on",
    "warning": "WARNINGS",
    "hint": "HINTS, worth a look",
}


@dataclass(frozen=True)
class CheckedFolder:
    """A folder of photos less those that must be skipped, and everything found in it, most severe first.

    `contents` has the SHA-256 of each photo's file.
    """

    folder: PhotoFolder
    findings: tuple[Finding, ...]
    contents: Mapping[Path, str] = field(default_factory=dict)

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Choose the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """What forbids training; none in a folder that can be trained on."""
        return self.of("refuse")

    @property
    def skipped(self) -> frozenset[Path]:
        """The photos left out of `folder`."""
        return frozenset(path for finding in self.of("skip") for path in finding.paths)


def usable_folder(
    root: str | Path, *, seed: int = 0, cache_dir: Path | None = None, left_out: Collection[str] = ()
) -> CheckedFolder:
    """As `check_folder`, for a folder that has to be trained on.

    Raises:
        DataError: it cannot be.
    """
    checked = check_folder(root, seed=seed, cache_dir=cache_dir, left_out=left_out)
    if checked.refusals:
        reasons = " ".join(finding.message for finding in checked.refusals[:3])
        raise DataError(f"{reasons} For all of it: python -m dogbreed.data.check {root}")
    return checked


def check_folder(
    root: str | Path, *, seed: int = 0, cache_dir: Path | None = None, left_out: Collection[str] = ()
) -> CheckedFolder:
    """Read a folder of class folders, or of train, valid and test folders of them, and open every photo once.

    Where a split has no folder, its photos are drawn from the training folder by `seed`. What is in the photos is
    kept in `cache_dir` (default: `$DOGBREED_CACHE`, or `~/.cache/dogbreed`) until they change.

    Args:
        root: of the photos.
        seed: of the splits that are drawn.
        cache_dir: what is in the photos is kept there.
        left_out: splits that the folder has at another place: here they stay empty.

    Raises:
        DataError: there is no folder, it is empty, or it may not be read.
    """
    listing, facts = scan_folder(root, cache_dir)
    skipped = frozenset(path for finding in skips(listing, facts) for path in finding.paths)
    folder = photo_folder(listing, facts, skipped, seed, left_out)
    contents = {path: facts[path].content for split in folder.splits.values() for path in split.paths}
    return CheckedFolder(folder, findings(listing, facts, folder, left_out), contents)


def scan_folder(root: str | Path, cache_dir: Path | None = None) -> tuple[Listing, Facts]:
    """What lies in a folder and what is in each of its photos, with no judgement on either.

    Raises:
        DataError: as `check_folder`.
    """
    listing = _listing(root)
    return listing, scan((path for _, _, path in listing.rows()), cache=_cache_file(listing.root, cache_dir))


def describe(checked: CheckedFolder, *, every: bool = False) -> str:
    """Tell of the splits and of the findings in lines of text; of each kind the first few, unless `every`."""
    refused = len(checked.refusals)
    problems = f"{refused} problem{'s' if refused > 1 else ''}"
    closing = f"cannot be trained on: {problems}." if refused else "can be trained on."
    lines = [*_split_lines(checked.folder), *_finding_lines(checked, every), "", f"This folder {closing}"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the answer is its exit status."""
    try:
        options = _options(arguments)
        checked = check_folder(options.path)
        _write_line(sys.stdout, describe(checked, every=options.all))
        if options.json:
            _write_json(checked, options.json)
    except (DogbreedError, OSError) as error:
        _write_line(sys.stderr, f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _write_line(sys.stderr, "Interrupted: what was checked is remembered.")
        return 130
    return 1 if checked.refusals else 0


def _listing(root: str | Path) -> Listing:
    try:
        folder = existing_folder(root)
        if not any(folder.iterdir()):
            raise DataError(f"Expected photos in {folder}, but the folder is empty. Check data.root.")
        return list_folder(folder)
    except OSError as error:
        raise DataError(f"Expected to read {error.filename or root}, but: {error.strerror}.") from error


def _cache_file(root: Path, cache_dir: Path | None) -> Path | None:
    chosen = cache_dir or Path(os.environ.get("DOGBREED_CACHE") or "~/.cache/dogbreed")
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    try:
        return chosen.expanduser() / f"photos-{name}.json"
    # A container can run as a user without a home.
    except RuntimeError:
        return None


def photo_folder(
    listing: Listing, facts: Facts, skipped: frozenset[Path], seed: int, left_out: Collection[str] = ()
) -> PhotoFolder:
    """Number the classes by their training folders and draw the splits that have no folder from the training photos."""
    names = class_names(listing.training_classes)
    targets = {folder: target for target, folder in enumerate(names)}
    rows = [(s, targets[f], p) for s, f, p in listing.rows() if f in targets and p not in skipped]
    given = {split for split, _, _ in rows} | set(left_out)
    drawn = [row for row in rows if row[0] in ("train", WHOLE)]
    contents = [facts[path].content for _, _, path in drawn]
    fractions = _fractions_without(given)
    parts = stratified_split([target for _, target, _ in drawn], contents, fractions=fractions, seed=seed)
    split_of = dict(zip((path for _, _, path in drawn), parts, strict=True))
    placed = [(split_of.get(path, split), target, path) for split, target, path in rows]
    return PhotoFolder(listing.root, tuple(names.values()), {split: _split(placed, split) for split in SPLITS})


def _fractions_without(given: set[str]) -> tuple[float, ...]:
    """What each split takes of the training folder: nothing where it has a folder of its own."""
    _, *taken = (0.0 if split in given else fraction for split, fraction in zip(SPLITS, FRACTIONS, strict=True))
    return (1 - sum(taken), *taken)


def _split(placed: list[tuple[str, int, Path]], split: str) -> Split:
    chosen = [(path, target) for name, target, path in placed if name == split]
    return Split(tuple(path for path, _ in chosen), tuple(target for _, target in chosen))


def _split_lines(folder: PhotoFolder) -> Iterator[str]:
    total = sum(len(split) for split in folder.splits.values())
    yield f"{folder.root}: {total:,} photos of {len(folder.class_names)} classes"
    for name, split in folder.splits.items():
        counts = Counter(split.targets)
        smallest = min(range(len(folder.class_names)), key=lambda target: counts[target], default=None)
        least = "" if smallest is None else f", smallest: {folder.class_names[smallest]} ({counts[smallest]})"
        yield f"  {name:5} {len(split):7,} photos, {len(counts)} classes{least}"


def _finding_lines(checked: CheckedFolder, every: bool) -> Iterator[str]:
    for severity, heading in HEADINGS.items():
        found = checked.of(severity)
        if found:
            yield from ("", heading)
        for kind, members in groupby(found, key=lambda finding: finding.kind):
            yield from _kind_lines(kind, [finding.message for finding in members], every)


def _kind_lines(kind: str, messages: list[str], every: bool) -> Iterator[str]:
    yield f"  {kind} ({len(messages):,}): {KINDS[kind][1]}"
    shown = messages if every else messages[:SHOWN]
    yield from (f"    {message}" for message in shown)
    if len(shown) < len(messages):
        yield f"    … and {len(messages) - len(shown):,} more: --all"


def _write_line(stream: TextIO, text: str) -> None:
    # The name of a file can be bytes that are no text.
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, errors="backslashreplace").decode(encoding) + "\n")


def _write_json(checked: CheckedFolder, path: Path) -> None:
    names = checked.folder.class_names
    splits = {
        name: {names[target]: count for target, count in sorted(Counter(split.targets).items())}
        for name, split in checked.folder.splits.items()
    }
    found = [
        {"kind": f.kind, "severity": f.severity, "message": f.message, "paths": [str(p) for p in f.paths]}
        for f in checked.findings
    ]
    report = {
        "root": str(checked.folder.root),
        "can_be_trained_on": not checked.refusals,
        "class_names": names,
        "photos": splits,
        "findings": found,
    }
    write_text(path, json.dumps(report, indent=2))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[0].upper()}{message[1:]}. All arguments: --help")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        name = next((argument for argument in unknown if argument.startswith("-")), unknown[0])
        near = get_close_matches(name.partition("=")[0], ["--all", "--json"], n=1)
        hint = f"did you mean {near[0]}?" if near else "expected PATH, --all or --json FILE."
        raise ConfigError(f"Unknown argument {name!r}: {hint} All arguments: --help")
    return options


def _parser() -> _Parser:
    parser = _Parser(
        allow_abbrev=False,
        prog="python -m dogbreed.data.check",
        description="Say whether a folder of photos can be trained on: open every photo once, and name what is "
        "damaged, copied, in the wrong place or of poor quality. Nothing in the folder is changed.",
        epilog="The exit status is 0 if the folder can be trained on, 1 if it cannot. A second check opens only the "
        "photos that have changed; DOGBREED_CACHE says where the first is remembered (~/.cache/dogbreed).",
    )
    parser.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="a folder with one folder a class, or with folders train, valid and test of them",
    )
    parser.add_argument("--all", action="store_true", help=f"name every finding, not the first {SHOWN} of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything found to FILE as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
