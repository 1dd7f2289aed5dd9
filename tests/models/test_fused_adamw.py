from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import AdamW
from torch.utils.data import DataLoader

from dogbreed.models.fused_adamw import fused_adamw
from dogbreed.models.network import build_network
from dogbreed.models.parameter_groups import parameter_groups
from dogbreed.train import quiet
from dogbreed.training.trainer import build_trainer

IMAGES = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
TARGET = torch.arange(8) % 3


def groups_of(network: Any) -> list[dict[str, Any]]:
    rates = {"learning_rate": 1e-3, "backbone_rate": 0.5, "layer_decay": 0.5, "weight_decay": 0.1}
    return parameter_groups(network, frozen=set(), **rates)


def trained(optimizer_of: Callable[[list[dict[str, Any]]], torch.optim.Optimizer], steps: int = 5) -> list[Tensor]:
    torch.manual_seed(0)
    network = build_network(3, backbone="resnet18")
    optimizer = optimizer_of(groups_of(network))
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(IMAGES), TARGET).backward()
        optimizer.step()
    return [parameter.detach() for parameter in network.parameters()]


def test_a_network_whose_weights_lie_in_channels_last_order_learns_what_torchs_own_loop_teaches_it() -> None:
    plain = trained(lambda groups: AdamW(groups, lr=1e-3, eps=1e-8, foreach=False, fused=False), steps=1)
    fused = trained(lambda groups: fused_adamw(groups, learning_rate=1e-3, eps=1e-8), steps=1)
    # The first step of Adam is the sign of the gradient: where that is zero but for rounding, the sides may differ.
    off = [float(((a - b).abs() > 1e-6).float().mean()) for a, b in zip(plain, fused, strict=True)]
    assert max(off) < 0.01


class Steps(LightningModule):
    """Notes how large the gradients were that its optimizer was given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.norms: list[float] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        loss: Tensor = self.layer(batch).square().sum() * 100
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return fused_adamw([{"params": list(self.parameters())}], learning_rate=1e-3, eps=1e-8)

    def on_before_zero_grad(self, optimizer: torch.optim.Optimizer) -> None:
        found = [parameter.grad for parameter in self.parameters() if parameter.grad is not None]
        if found:
            self.norms.append(float(torch.stack([gradient.norm() for gradient in found]).norm()))


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_trainer_clips_its_gradients(precision: str, tmp_path: Path) -> None:
    quiet()
    module = Steps()
    settings = {"logger": False, "enable_checkpointing": False, "progress_bar": False, "gradient_clip_val": 0.5}
    trainer = build_trainer(tmp_path, max_epochs=2, precision=precision, accelerator="cpu", **settings)
    trainer.fit(module, DataLoader(torch.ones(8, 4), batch_size=4))
    assert module.norms == pytest.approx([0.5] * len(module.norms), rel=1e-4)
    assert module.norms


def test_float16s_scaled_gradients_are_scaled_back_before_they_are_clipped_and_used() -> None:
    def stepped(scale: float | None) -> Tensor:
        layer = nn.Linear(4, 2)
        nn.init.constant_(layer.weight, 0.5)
        nn.init.constant_(layer.bias, 0.0)
        optimizer = fused_adamw([{"params": list(layer.parameters())}], learning_rate=1e-3, eps=1e-2)
        scaler = torch.amp.GradScaler("cpu", init_scale=scale or 1.0, enabled=scale is not None)
        scaler.scale(layer(torch.ones(3, 4)).square().mean()).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(layer.parameters(), 0.01)
        scaler.step(optimizer)
        return layer.weight.detach()

    torch.testing.assert_close(stepped(1024.0), stepped(None))
