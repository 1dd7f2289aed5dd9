"""One pass of a network over the photos of a split, or over what is known of them already."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from dogbreed.data.folder import Split
from dogbreed.data.loading import loader_settings
from dogbreed.data.photo_views import MIRRORED, PLAIN, PhotoView, ViewDataset, collated, photo_views
from dogbreed.data.transforms import normalise
from dogbreed.evaluation.answers import BLOCK, AnswerRows, Answers
from dogbreed.features.frozen_features import FrozenFeatures
from dogbreed.models.network import BreedNetwork
from dogbreed.models.probabilities import mirrored


def ask(
    network: BreedNetwork,
    split: Split,
    folder: Path,
    *,
    name: str,
    mirror: bool = False,
    mixed_precision: bool = False,
    batch_size: int = 32,
    num_workers: int = 0,
) -> Answers:
    """Ask the network about every photo of a split, as prediction does; the network is in eval mode meanwhile.

    Args:
        network: on the device that computes.
        split: the photos; one that can no longer be read is left out and named in `unreadable`.
        folder: gets the arrays.
        name: of the split, on the progress bar.
        mirror: whether to ask about the mirror image of each photo as well.
        mixed_precision: whether bfloat16 may compute: faster, for what needs no last digit.
        batch_size: photos at once.
        num_workers: processes that open photos.
    """
    rows = AnswerRows(folder, name, len(split), mirror)
    views = [PhotoView(path, "", PLAIN) for path in split.paths]
    loader = DataLoader(
        ViewDataset(views, network.preprocessing),
        collate_fn=collated,
        **loader_settings(batch_size, num_workers, seed=0),
    )
    device, was_training = next(network.parameters()).device, network.training
    network.eval()
    bar = tqdm(total=len(split), desc=f"Looking at {name}", unit=" photos", disable=None, leave=False, file=sys.stderr)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=mixed_precision), bar:
        for positions, images, faults in loader:
            rows.unreadable.update(faults)
            bar.update(len(positions) + len(faults))
            if positions:
                _ask_batch(network, normalise(images.to(device), network.preprocessing), positions, rows)
    network.train(was_training)
    return rows.answers(split)


def _ask_batch(network: BreedNetwork, images: Tensor, positions: list[int], rows: AnswerRows) -> None:
    for view, seen in enumerate([images, mirrored(images)] if rows.mirror else [images]):
        # An image in another layout than the weights' takes a slower path.
        features = network.features(seen.contiguous(memory_format=torch.channels_last))
        rows.write(view, positions, network.head(features).float().cpu(), features.float().cpu())


def ask_head(
    network: BreedNetwork,
    split: Split,
    folder: Path,
    features: FrozenFeatures,
    contents: Mapping[Path, str],
    *,
    name: str,
    mirror: bool = False,
) -> Answers:
    """As `ask`, where the features are known, or found out now and kept: only the head is asked.

    Args:
        network: whose backbone is frozen.
        split: the photos.
        folder: gets the arrays.
        features: of the network's backbone.
        contents: SHA-256 of each file.
        name: of the split, on the progress bar.
        mirror: whether to ask about the mirror image of each photo as well.
    """
    ways = [PLAIN, MIRRORED] if mirror else [PLAIN]
    views = {way: photo_views(split, contents, way) for way in ways}
    features.look([view for way in ways for view in views[way]], name)
    rows, was_training = AnswerRows(folder, name, len(split), mirror), network.training
    network.eval()
    with torch.inference_mode():
        for number, way in enumerate(ways):
            for positions in _readable(views[way], features):
                values = torch.stack([features[views[way][position].key] for position in positions]).float()
                rows.write(number, positions, network.head(values.to(features.device)).cpu(), values)
    network.train(was_training)
    features.release()
    rows.unreadable.update({p: features.faults[view] for p, view in enumerate(views[PLAIN]) if view in features.faults})
    return rows.answers(split)


def _readable(views: Sequence[PhotoView], features: FrozenFeatures) -> Iterator[list[int]]:
    """The positions of photos that have features, in parts that are small enough for memory."""
    positions = [position for position, view in enumerate(views) if view not in features.faults]
    return (positions[start : start + BLOCK] for start in range(0, len(positions), BLOCK))
