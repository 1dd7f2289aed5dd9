from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR, LRScheduler, SequentialLR

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.models.schedule import schedule, total_steps
from dogbreed.train import quiet
from tests.drawn_photos import draw_folder


def optimizer() -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def rates(scheduler: LRScheduler, steps: int) -> list[float]:
    seen = []
    for _ in range(steps):
        seen.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return seen


@pytest.mark.parametrize(("total", "warmup_steps"), [(100, 10), (40, 3), (10, 0), (10, 1)])
@pytest.mark.parametrize("name", ["cosine", "constant"])
@pytest.mark.filterwarnings("ignore:The epoch parameter in:UserWarning")
def test_the_schedule_is_that_of_torchs_own_schedulers(name: str, total: int, warmup_steps: int) -> None:
    inner = optimizer()
    after = {
        "cosine": CosineAnnealingLR(inner, T_max=total - warmup_steps),
        "constant": LinearLR(inner, start_factor=1.0, total_iters=1),
    }[name]
    if warmup_steps:
        rise = LinearLR(inner, start_factor=1 / warmup_steps, total_iters=max(1, warmup_steps - 1))
        after = SequentialLR(inner, [rise, after], milestones=[warmup_steps])
    own = LambdaLR(optimizer(), schedule(name, warmup=warmup_steps / total, total_steps=total))
    assert rates(own, total) == pytest.approx(rates(after, total), abs=1e-9)


@pytest.mark.parametrize("name", ["cosine", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("total", [1, 2, 7])
def test_factors_stay_between_zero_and_one_even_after_the_end(name: str, warmup: float, total: int) -> None:
    factor = schedule(name, warmup=warmup, total_steps=total)
    assert all(0 <= factor(step) <= 1 for step in range(total + 3))
    assert factor(0) > 0


@pytest.mark.parametrize(
    ("name", "warmup", "message"),
    [
        ("step", 0.1, "cosine, constant, got 'step'"),
        ("cosine", 1.5, "model.warmup"),
        ("cosine", float("nan"), "model.warmup"),
    ],
)
def test_an_unknown_schedule_or_a_share_out_of_range_is_refused(name: str, warmup: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        schedule(name, warmup=warmup, total_steps=10)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DogBreedDataModule:
    folder = draw_folder(tmp_path_factory.mktemp("photos"), counts={"train": 9, "valid": 1, "test": 1})
    return DogBreedDataModule(folder, batch_size=4, num_workers=0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"accumulate_grad_batches": 2},
        {"accumulate_grad_batches": 100},
        {"limit_train_batches": 3},
        {"limit_train_batches": 0.5},
        {"limit_train_batches": 100},
        {"overfit_batches": 2},
        {"max_steps": 5},
        {"max_epochs": -1, "max_steps": 5},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:You requested to overfit:UserWarning")
def test_the_number_of_steps_is_the_trainers_own_and_the_number_taken(
    settings: dict[str, Any], data: DogBreedDataModule, tmp_path: Path
) -> None:
    quiet()
    seen: list[tuple[int, int]] = []

    class Comparing(BreedClassifier):
        def on_train_start(self) -> None:
            seen.append((total_steps(self.trainer), int(self.trainer.estimated_stepping_batches)))

        def validation_step(self, *_: Any) -> None: ...
        def on_validation_epoch_end(self) -> None: ...

    module = Comparing(4, backbone="shufflenet_v2_x0_5", weights=None, image_size=32)
    trainer = Trainer(
        **{"max_epochs": 2, **settings},
        default_root_dir=tmp_path,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(module, data)
    assert seen == [(trainer.global_step, trainer.global_step)]
