"""The same work as programs for this job usually do it: a process that answers questions on its standard input.

A process of its own, because `keep_freed_memory` cannot be taken back. The first line it is given is a `PublicWork`
in JSON; every other one names what to measure, and for how many seconds; the answer to each line is a list of
samples, to the first an empty one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import transforms

from dogbreed.benchmarking.made_up_weights import FITTED, fit_statistics
from dogbreed.benchmarking.rounds import Side, latencies, on_one_core, rate
from dogbreed.models.backbones import build_backbone


@dataclass
class PublicWork:
    """Eager float32, images in the usual layout, all of the network in train mode, one process.

    Args:
        backbone: as in `build_backbone`; its weights are random.
        num_classes: of the head.
        resize: shorter side of a photo before the crop, in pixels.
        crop: side of what the network sees, in pixels.
        mean: of each channel.
        std: of each channel.
        batch_size: of forward and step.
        device: that computes.
        photos: paths of files.
        most: latencies a question, at most.
    """

    backbone: str
    num_classes: int
    resize: int
    crop: int
    mean: list[float]
    std: list[float]
    batch_size: int
    device: str
    photos: list[str]
    most: int
    _sides: dict[str, Side] = field(default_factory=dict)

    def side(self, name: str) -> Side:
        """What measures "loading", "forward", "step" or "serving"; kept from its first question on."""
        made: dict[str, Callable[[], Side]] = {
            "loading": self._loading,
            "forward": self._forward,
            "step": self._step,
            "serving": self._serving,
        }
        return self._sides.setdefault(name, made[name]())

    def _loading(self) -> Side:
        crop, flip = transforms.RandomResizedCrop(self.crop), transforms.RandomHorizontalFlip()
        transform = transforms.Compose([crop, flip, *self._to_tensor()])
        photos = cycle(self.photos)
        return on_one_core(rate(lambda: transform(_open(next(photos))), 1, torch.device("cpu")))

    def _forward(self) -> Side:
        images = self._images(self.batch_size)
        return self._in_mode(rate(lambda: self._network(images), self.batch_size, self._device), gradient=False)

    def _step(self) -> Side:
        images, criterion = self._images(self.batch_size), nn.CrossEntropyLoss()
        targets = torch.randint(self.num_classes, (self.batch_size,), device=self._device)
        # So slow that nothing grows beyond what floats hold, however many steps are measured.
        optimizer = torch.optim.Adam(self._network.parameters(), lr=1e-6)

        def step() -> None:
            optimizer.zero_grad()
            criterion(self._network(images), targets).backward()
            optimizer.step()

        return self._in_mode(rate(step, self.batch_size, self._device), gradient=True)

    def _serving(self) -> Side:
        sizes = [transforms.Resize(self.resize), transforms.CenterCrop(self.crop)]
        transform = transforms.Compose([*sizes, *self._to_tensor()])
        photos, top_k = cycle(self.photos), min(5, self.num_classes)

        @torch.no_grad()
        def top() -> None:
            images = transform(_open(next(photos)))[None].to(self._device)
            self._network.eval()(images).softmax(1).topk(top_k).indices.tolist()

        return latencies(top, self.most)

    def _in_mode(self, measured: Side, *, gradient: bool) -> Side:
        def in_train_mode(seconds: float) -> list[float]:
            self._network.requires_grad_(gradient).train()
            return list(measured(seconds))

        return in_train_mode

    def _to_tensor(self) -> list[Callable[..., Tensor]]:
        return [transforms.ToTensor(), transforms.Normalize(self.mean, self.std)]

    def _images(self, count: int) -> Tensor:
        return torch.randn(count, 3, self.crop, self.crop).to(self._device)

    @property
    def _device(self) -> torch.device:
        return torch.device(self.device)

    @cached_property
    def _network(self) -> nn.Module:
        body = build_backbone(self.backbone, None)
        network = nn.Sequential(body.network, nn.Flatten(1), nn.Linear(body.num_features, self.num_classes))
        fit_statistics(network.to(self._device), self._images(FITTED))
        return network


def _open(path: str) -> Image.Image:
    with Image.open(path) as photo:
        return photo.convert("RGB")


def main() -> None:
    """Answer until the input ends."""
    work = PublicWork(**json.loads(sys.stdin.readline()))
    answer([])
    for line in sys.stdin:
        name, seconds = json.loads(line)
        answer(work.side(name)(seconds))


def answer(samples: Sequence[float]) -> None:
    """Samples in a line of JSON."""
    sys.stdout.write(json.dumps(list(samples)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
