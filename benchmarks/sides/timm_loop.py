"""timm: its network, its data loaders, its optimiser and schedule, in a plain loop, with the body frozen.

    PYTHONPATH=benchmarks python -m sides.timm_loop PHOTOS --weights WEIGHTS --epochs 5

`pip install timm torch torchvision` in an environment of its own. Its loader's training transforms (RandomResizedCrop
from 0.08 of the area, flip, colour jitter 0.4), its networks' evaluation settings, label smoothing 0.1, AdamW with
1e-3 on a cosine, its `freeze` for the body (batch norm with it), float32, the last epoch tested. As its loader does,
an incomplete last training batch is left out. As many workers as there are cores.

The file of weights is torchvision's. timm's mobilenetv2_100 is the same network under other names, in the same order,
so its weights are taken by order; its resnet50 has the same names. A shape that differs is an error.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from sides.plain_loop import accuracy, train_epoch
from sides.protocol import SPLITS, Measured, asked, run_epochs

# timm's own annotations are partial: under strict checking none of these could be called.
timm: Any = import_module("timm")
data: Any = import_module("timm.data")
loss: Any = import_module("timm.loss")
optim: Any = import_module("timm.optim")
scheduler: Any = import_module("timm.scheduler")
utils: Any = import_module("timm.utils")

NAMES = {"mobilenet_v2": "mobilenetv2_100", "resnet50": "resnet50"}


def by_order(weights: dict[str, torch.Tensor], network: Any) -> dict[str, torch.Tensor]:
    """A state dict of torchvision's under the names of timm's.

    Raises:
        ValueError: the two do not agree in number and shape.
    """
    own = network.state_dict()
    if [w.shape for w in weights.values()] != [w.shape for w in own.values()]:
        raise ValueError(f"Expected weights of the shapes of {type(network).__name__}, got others.")
    return dict(zip(own, weights.values(), strict=True))


def frozen_network(backbone: str, weights: Path | None, num_classes: int) -> Any:
    """The network with a new classifier, all else frozen."""
    network = timm.create_model(NAMES[backbone])
    if weights:
        network.load_state_dict(by_order(torch.load(weights, weights_only=True), network))
    network.reset_classifier(num_classes)
    classifier = network.pretrained_cfg["classifier"]
    utils.freeze(network, [name for name, _ in network.named_children() if name != classifier])
    return network


def loaders(root: Path, network: Any, batch_size: int, num_workers: int) -> dict[str, Any]:
    """A loader for each split folder, on the CPU."""
    # Of a subset some classes may lack in a split: numbered by the training folders, as everywhere.
    numbers = {name: number for number, name in enumerate(sorted(p.name for p in (root / "train").iterdir()))}
    return {
        split: data.create_loader(
            data.ImageDataset(str(root / split), class_map=numbers),
            batch_size=batch_size,
            is_training=split == "train",
            num_workers=num_workers,
            device=torch.device("cpu"),
            **data.resolve_model_data_config(network),
        )
        for split in SPLITS
    }


def main() -> None:
    """Train, validate after every epoch, test, print."""
    cores = str(os.cpu_count() or 1)
    with asked(
        __doc__,
        ("--workers", cores, "processes that open photos, of each loader"),
        ("--opt", "adamw", "a name of timm's optimiser factory"),
        ("--lr", "1e-3", "its highest learning rate"),
    ) as options:
        torch.manual_seed(options.seed)
        num_classes = sum(path.is_dir() for path in (options.photos / "train").iterdir())
        network = frozen_network(options.backbone, options.weights, num_classes)
        batches = loaders(options.photos, network, options.batch_size, int(options.workers))
        optimizer = optim.create_optimizer_v2(network, opt=options.opt, lr=float(options.lr))
        updates = len(batches["train"])
        schedule, _ = scheduler.create_scheduler_v2(
            optimizer, "cosine", num_epochs=options.epochs, step_on_epochs=False, updates_per_epoch=updates
        )
        criterion = loss.LabelSmoothingCrossEntropy(0.1)
        steps = 0

        def train() -> None:
            nonlocal steps
            network.train()
            for batch in batches["train"]:
                train_epoch(network, [batch], criterion, optimizer)
                steps += 1
                schedule.step_update(steps)

        measured = Measured("timm", options.epochs, {split: len(found.dataset) for split, found in batches.items()})
        measured.settings = {"optimizer": options.opt, "learning_rate": float(options.lr)}
        measured.settings["num_workers"] = int(options.workers)
        run_epochs(measured, train, lambda split: accuracy(network, batches[split]))
    measured.print()


if __name__ == "__main__":
    main()
