"""The method of public attempts (`public_method.py`), validated after every epoch.

PYTHONPATH=benchmarks python -m sides.public PHOTOS --weights WEIGHTS --epochs 5
"""

from __future__ import annotations

import torch
from public_method import accuracy, loaders, public_head, public_network, train_epoch
from torch.utils.data import DataLoader

from sides.protocol import Measured, asked, run_epochs


def main() -> None:
    """Train, validate after every epoch, test, print."""
    with asked(__doc__) as options:
        torch.manual_seed(options.seed)
        batches = loaders(options.photos, options.batch_size)
        num_classes = len(batches["train"].dataset.classes)  # type: ignore[attr-defined]
        network = public_network(options.weights, num_classes, options.backbone)
        optimizer = torch.optim.Adam(public_head(network).parameters(), lr=0.001)
        photos = {split: _photos(found) for split, found in batches.items()}
        measured = Measured("public method", options.epochs, photos)
        measured.settings = {"optimizer": "adam", "learning_rate": 1e-3, "num_workers": 0}
        run_epochs(
            measured,
            lambda: train_epoch(network, batches["train"], optimizer),
            lambda split: accuracy(network, batches[split]),
        )
    measured.print()


def _photos(loader: DataLoader[object]) -> int:
    return len(loader.dataset)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
