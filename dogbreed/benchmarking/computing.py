"""How fast the network computes: the frozen part of it forward, and a training step of all of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn
from torch.optim import AdamW

from dogbreed.benchmarking.machine_rates import MachineRates
from dogbreed.benchmarking.public_process import PublicProcess
from dogbreed.benchmarking.rounds import Side, in_turn, rate
from dogbreed.benchmarking.setting import Setting
from dogbreed.benchmarking.stage import FLOOR, OURS, PUBLIC, RATE, Stage
from dogbreed.bfloat16 import has_bfloat16
from dogbreed.errors import ConfigError
from dogbreed.models.cut import cut
from dogbreed.models.forward_paths import Forward, build_path, choose_path

FROZEN, STEP = "frozen forward", "training step of everything"
# A forward pass, the gradient of each layer's input, and that of its weights.
PASSES = 3
# So small that nothing grows beyond what floats hold, however many steps are measured.
LEARNING_RATE = 1e-6


def frozen_forward(setting: Setting, public: PublicProcess, operations: int, rates: MachineRates) -> tuple[Stage, str]:
    """Images a second through the frozen backbone, and the name of the path that computed.

    Args:
        setting: what is measured.
        public: asked for its side.
        operations: of the forward pass of one image.
        rates: of the machine.
    """
    images, size = setting.images(setting.data.batch_size), setting.data.batch_size
    path, forward = _path(setting)
    sides = {OURS: rate(lambda: forward(images), size, setting.device), PUBLIC: public.side("forward")}
    if path != "float32":
        exact = _build(setting, "float32")
        sides["torch in float32"] = rate(lambda: exact(images), size, setting.device)
    number_format = "bfloat16" if path.endswith("bfloat16") else "float32"
    return _stage(FROZEN, setting, sides, operations, number_format, rates), path


def training_step(setting: Setting, public: PublicProcess, operations: int, rates: MachineRates) -> Stage:
    """Images a second in steps of AdamW that train the whole network; arguments as in `frozen_forward`."""
    number_format = "bfloat16" if has_bfloat16(setting.device.type) else "float32"
    sides = {OURS: _ours(setting, number_format), PUBLIC: public.side("step")}
    return _stage(STEP, setting, sides, PASSES * operations, number_format, rates)


def _stage(
    name: str, setting: Setting, sides: Mapping[str, Side], operations: int, number_format: str, rates: MachineRates
) -> Stage:
    floor = rates.operations[number_format] / operations
    return Stage(
        name,
        RATE,
        {**in_turn(sides, setting.seconds), FLOOR: (floor,)},
        f"{operations / 1e9:.2f} billion operations an image at the measured {number_format} rate of the machine",
    )


def _path(setting: Setting) -> tuple[str, Forward]:
    """The fastest path that takes this network."""
    chosen = choose_path(setting.device)
    try:
        return chosen, _build(setting, chosen)
    # OpenVINO does not know every operation.
    except ConfigError:
        return "float32", _build(setting, "float32")


def _build(setting: Setting, path: str) -> Forward:
    lower = cut(setting.module.network, True).lower
    size = setting.module.preprocessing.crop
    return build_path(path, lower, batch_size=setting.data.batch_size, image_size=size)


def _ours(setting: Setting, number_format: str) -> Side:
    network = copy.deepcopy(setting.module.network)
    # As with pretrained weights, whatever the weights are here.
    network.freeze(False, train_batch_norm=False)
    network.train()
    images, targets = setting.images(setting.data.batch_size), setting.targets
    images = images.contiguous(memory_format=torch.channels_last)
    optimizer, criterion = AdamW(network.parameters(), lr=LEARNING_RATE), nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(setting.device.type, torch.bfloat16, enabled=number_format == "bfloat16"):
            loss = criterion(network(images), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    return rate(step, setting.data.batch_size, setting.device)
