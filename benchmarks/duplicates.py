"""Which copies of photos are found, and which different photos are taken for copies.

    python benchmarks/duplicates.py PHOTOS WEIGHTS --sheet pairs.png

PHOTOS is a folder of photos; WEIGHTS a state dict of torchvision's mobilenet_v2, or of a network of this project with
that backbone. The photos are shared out to train, val and test, and changed copies of some are planted, half of them in
the split of the photo and half in another. Prints for each change the share of copies that is found. Pairs of photos
that were not planted are wrong, or copies that were there before: they are drawn side by side, to be looked at.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image, ImageEnhance, ImageOps

from dogbreed.data.folder import SPLITS, Split, photo_files
from dogbreed.data.photos import open_photo
from dogbreed.evaluation.asking import ask
from dogbreed.evaluation.duplicates import Duplicate, PhotoFeatures, near_duplicates
from dogbreed.models.network import BreedNetwork, build_network

Change = Callable[[Image.Image], Image.Image]


def cut(share: float) -> Change:
    """The photo without a share of each side, more of it on the one or the other end."""

    def change(image: Image.Image) -> Image.Image:
        left, top = (random.Random(f"{image.tobytes()[:99]!r}{side}").uniform(0, share * side) for side in image.size)
        width, height = ((1 - share) * side for side in image.size)
        return image.crop((round(left), round(top), round(left + width), round(top + height)))

    return change


def scaled(across: float, down: float) -> Change:
    """The sides of the photo times a factor each."""
    return lambda image: image.resize((round(image.width * across), round(image.height * down)))


def lit(factor: float) -> Change:
    """The brightness times a factor."""
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


# The suffix and the JPEG quality of the copy, and what is done to it before.
PLANTED: dict[str, tuple[str, int, Change | None]] = {
    "same file": ("", 0, None),
    "JPEG 90": (".jpg", 90, lambda image: image),
    "JPEG 75": (".jpg", 75, lambda image: image),
    "JPEG 50": (".jpg", 50, lambda image: image),
    "PNG": (".png", 0, lambda image: image),
    "mirrored": (".jpg", 90, ImageOps.mirror),
    "half the sides": (".jpg", 90, scaled(0.5, 0.5)),
    "squashed to 0.8 of the height": (".jpg", 90, scaled(1, 0.8)),
    "brightness 0.7": (".jpg", 90, lit(0.7)),
    "brightness 1.3": (".jpg", 90, lit(1.3)),
    "grey": (".jpg", 90, lambda image: image.convert("L").convert("RGB")),
    "cut by 10 %": (".jpg", 90, cut(0.1)),
    "cut by 20 %": (".jpg", 90, cut(0.2)),
    "cut by 30 %": (".jpg", 90, cut(0.3)),
    "mirrored and cut by 10 %": (".jpg", 90, lambda image: ImageOps.mirror(cut(0.1)(image))),
}
TOGETHER = {
    "re-encoded": ("JPEG 90", "JPEG 75", "JPEG 50", "PNG"),
    "mirrored, cut or re-encoded": (
        *("JPEG 90", "JPEG 75", "JPEG 50", "PNG", "mirrored"),
        *("cut by 10 %", "cut by 20 %", "cut by 30 %", "mirrored and cut by 10 %"),
    ),
}


@dataclass
class Copies:
    """The photos of each split, and of each planted copy its original, its change and whether both share a split."""

    paths: dict[str, list[Path]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    planted: dict[Path, tuple[Path, str, bool]] = field(default_factory=dict)


def plant(photos: list[Path], folder: Path, each: int) -> Copies:
    """Share out the photos, and make `each` copies with every change, of photos of its own."""
    drawn, copies = random.Random(0), Copies()
    split_of = {photo: drawn.choices(SPLITS, (8, 1, 1))[0] for photo in photos}
    for photo, split in split_of.items():
        copies.paths[split].append(photo)
    originals = iter(drawn.sample(photos, len(PLANTED) * each))
    for change in PLANTED:
        for number, photo in zip(range(each), originals, strict=False):
            path = changed(photo, folder / f"{list(PLANTED).index(change)}-{number}", change)
            within = number % 2 == 0
            others = [split for split in SPLITS if split != split_of[photo]]
            copies.paths[split_of[photo] if within else drawn.choice(others)].append(path)
            copies.planted[path] = (photo, change, within)
    return copies


def changed(photo: Path, target: Path, change: str) -> Path:
    """A changed copy of a photo."""
    suffix, quality, function = PLANTED[change]
    path = target.with_suffix(suffix or photo.suffix)
    if function is None:
        shutil.copy(photo, path)
    else:
        function(open_photo(photo)).save(path, quality=quality)
    return path


def network_with(weights: Path) -> BreedNetwork:
    """MobileNet V2 with the weights of a file, whichever head they have."""
    state = torch.load(weights, weights_only=True)
    network = build_network(2, backbone="mobilenet_v2")
    features = {name.removeprefix("backbone."): tensor for name, tensor in state.items()}
    network.backbone.load_state_dict({name: features[name] for name in network.backbone.state_dict()})
    return network.eval()


def found_pairs(network: BreedNetwork, copies: Copies, scratch: Path) -> list[tuple[Path, Path, Duplicate]]:
    """What is found among the photos; of training photos without a look at their mirror images."""
    features = []
    for name, paths in copies.paths.items():
        split = Split(tuple(paths), (0,) * len(paths))
        answers = ask(network, split, scratch, name=name, mirror=name != "train", num_workers=2)
        features.append(PhotoFeatures(paths, answers.features, answers.mirrored_features))
    paths = [path for part in copies.paths.values() for path in part]
    contents = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return [(paths[d.first], paths[d.second], d) for d in near_duplicates(features, contents)]


def groups(pairs: list[tuple[Path, Path, Duplicate]]) -> dict[Path, Path]:
    """One photo of its group for each photo that is in a pair."""
    group: dict[Path, Path] = {}
    for first, second, _ in pairs:
        old, new = group.setdefault(second, second), group.setdefault(first, first)
        group |= {path: new for path, of in group.items() if of == old}
    return group


def shares(found: dict[Path, Path], copies: Copies, changes: tuple[str, ...]) -> str:
    """Recall within a split, across splits, and in all, as cells of a row."""
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for path, (photo, change, within) in copies.planted.items():
        if change in changes:
            hits[within].append(path in found and found[path] == found.get(photo))
    cells = [hits[True], hits[False], hits[True] + hits[False]]
    return " | ".join(f"{sum(cell) / len(cell):.3f}" for cell in cells)


def draw(pairs: list[tuple[Path, Path, Duplicate]], sheet: Path) -> None:
    """Pairs of photos side by side, eight pairs a row."""
    picture = Image.new("RGB", (8 * 230, 120 * -(-len(pairs) // 8) or 1))
    for number, (first, second, _) in enumerate(pairs):
        for side, path in enumerate((first, second)):
            place = (number % 8 * 230 + side * 112, number // 8 * 120)
            picture.paste(open_photo(path).resize((110, 110)), place)
    picture.save(sheet)


def main() -> None:
    """Plant, look, and print a row for each change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--most", type=int, default=2000, help="photos looked at, drawn from all")
    parser.add_argument("--each", type=int, default=40, help="copies planted with each change")
    parser.add_argument("--sheet", type=Path, default=Path("pairs.png"))
    options = parser.parse_args()
    photos = sorted(photo_files(options.photos))
    photos = sorted(random.Random(1).sample(photos, min(options.most, len(photos))))
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "copies").mkdir()
        copies = plant(photos, Path(name) / "copies", options.each)
        pairs = found_pairs(network_with(options.weights), copies, Path(name))
        original = {path: path for path in photos} | {path: photo for path, (photo, _, _) in copies.planted.items()}
        others = [pair for pair in pairs if original[pair[0]] != original[pair[1]]]
        draw(others, options.sheet)
    found = groups(pairs)
    print(f"{len(photos)} photos, {options.each} copies with each change\n")
    print("| copy | within a split | across splits | all |\n|---|---|---|---|")
    for row, changes in ({change: (change,) for change in PLANTED} | TOGETHER).items():
        print(f"| {row} | {shares(found, copies, changes)} |")
    print(f"\n{len(pairs)} pairs, {len(others)} of them not planted: look at {options.sheet}")


if __name__ == "__main__":
    main()
