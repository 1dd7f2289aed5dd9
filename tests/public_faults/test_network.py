"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

The network: what it ends in, what of it learns, where it lies.
"""

from __future__ import annotations

import ast
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn

import dogbreed
from dogbreed.artifacts import load_artifact
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.models.network import BreedNetwork, build_network
from dogbreed.training.checkpoint_io import read_checkpoint
from dogbreed.training.interruption import Interrupted, Interruption
from tests.public_faults.conftest import WatchedRun
from tests.public_faults.tiny_run import MODEL, command_run, tiny_run

SMALL = "shufflenet_v2_x0_5"
NOISE = torch.randn(16, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def weights_and_statistics(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def changed(before: dict[str, Tensor], module: nn.Module) -> set[str]:
    return {name for name, tensor in module.state_dict().items() if not torch.equal(tensor, before[name])}


# fault 1
@pytest.mark.parametrize("backbone", [SMALL, "squeezenet1_0", "squeezenet1_1", "mobilenet_v3_small"])
@pytest.mark.parametrize("hidden", [(), (8,), (16, 8)])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_every_head_ends_in_logits_of_both_signs(backbone: str, hidden: tuple[int, ...], dropout: float) -> None:
    torch.manual_seed(0)
    network = build_network(9, backbone=backbone, hidden=hidden, dropout=dropout).eval()
    assert isinstance(list(network.modules())[-1], nn.Linear)
    with torch.inference_mode():
        logits = network(NOISE)
    assert logits.shape == (16, 9)
    assert logits.min() < 0 < logits.max()


# fault 2
@pytest.mark.parametrize("hidden", [[], [8]])
def test_the_loss_normalises_the_logits_and_nothing_did_before_it(hidden: list[int]) -> None:
    torch.manual_seed(0)
    module = BreedClassifier(9, **{**MODEL, "hidden": hidden}).eval()
    target = torch.arange(16) % 9
    logits = module(NOISE)
    assert (logits.logsumexp(1).abs() > 0.1).all()
    assert torch.equal(module.training_step((NOISE, target), 0), nn.functional.cross_entropy(logits, target))


class Gradients(Callback):
    """Keeps the names of the parameters that a step had a gradient for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, BreedClassifier)
        self.names |= {name for name, p in pl_module.network.named_parameters() if p.grad is not None}


# fault 14
def test_a_frozen_backbone_is_the_same_to_the_last_bit_after_training(photos: Path, tmp_path: Path) -> None:
    before: dict[str, Tensor] = {}
    gradients = Gradients()
    run = tiny_run(
        photos,
        tmp_path / "run",
        callbacks=(gradients,),
        model={"frozen": True},
        before=lambda module: before.update(weights_and_statistics(module.network)),
    )
    assert any(name.endswith("running_mean") for name in before)
    assert changed(before, run.module.network) == {name for name in before if name.startswith("head.")}
    assert gradients.names == {name for name in before if name.startswith("head.")}


# fault 14
def test_what_lies_below_a_stage_is_frozen_and_all_of_the_rest_learns(photos: Path, tmp_path: Path) -> None:
    before: dict[str, Tensor] = {}
    gradients = Gradients()
    run = tiny_run(
        photos,
        tmp_path / "run",
        callbacks=(gradients,),
        model={"frozen": "stage4"},
        before=lambda module: before.update(weights_and_statistics(module.network)),
    )
    learning = {name for name in before if name.startswith(("head.", "backbone.stage4", "backbone.conv5"))}
    assert changed(before, run.module.network) == learning
    assert gradients.names == learning & {name for name, _ in run.module.network.named_parameters()}


# fault 14
@pytest.mark.parametrize(("name", "near"), [("stage5", "stage4"), ("layer4", "stage2"), ("Stage4", "stage4")])
def test_the_name_of_a_stage_that_is_not_there_is_an_error_with_the_near_ones(name: str, near: str) -> None:
    with pytest.raises(ConfigError, match=f"got '{name}'.*{near}"):
        BreedClassifier(3, **{**MODEL, "frozen": name})


# fault 14
@pytest.mark.parametrize("frozen", [True, "stage4", False])
def test_a_run_begins_by_saying_how_many_parameters_learn(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], frozen: bool | str
) -> None:
    card = command_run(photos, tmp_path / "run", model__frozen=frozen, trainer__max_epochs=1)
    network = build_network(4, backbone=SMALL, hidden=[8])
    network.freeze(frozen)
    sizes = [(p.numel(), p.requires_grad) for p in network.parameters()]
    trained = sum(size for size, learns in sizes if learns)
    told = f"{trained:,} trainable and {sum(size for size, _ in sizes) - trained:,} frozen parameters."
    assert told in capsys.readouterr().out
    assert card["training"]["trainable_parameters"] == trained


class Stopping(Callback):
    """Asks the run to stop, as a signal does, after a number of steps."""

    def __init__(self, interruption: Interruption, step: int) -> None:
        self.interruption, self.step = interruption, step

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_step == self.step:
            self.interruption.signal = signal.SIGTERM


class Trained(Callback):
    """Notes at every step whether the backbone's last layers learn."""

    def __init__(self) -> None:
        self.steps: dict[int, bool] = {}

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        assert isinstance(pl_module.network, BreedNetwork)
        self.steps[trainer.global_step] = next(
            pl_module.network.backbone.get_submodule("conv5").parameters()
        ).requires_grad


# fault 15
@pytest.mark.parametrize("frozen", [False, "stage4"])
@pytest.mark.parametrize("step", [3, 7])
def test_a_resumed_run_has_unfrozen_what_the_whole_run_has(
    photos: Path, tmp_path: Path, frozen: bool | str, step: int
) -> None:
    settings: dict[str, Any] = {"model": {"frozen": frozen}, "regime": {"unfreeze_epoch": 1, "patience": None}}
    whole = tiny_run(photos, tmp_path / "whole", **settings)
    interruption, trained = Interruption(), Trained()
    with pytest.raises(Interrupted):
        tiny_run(
            photos,
            tmp_path / "run",
            callbacks=(Stopping(interruption, step), trained),
            interruption=interruption,
            **settings,
        )
    resumed = tiny_run(photos, tmp_path / "run", callbacks=(trained,), **settings)
    assert trained.steps == {number: number > 5 for number in range(1, 11)}
    assert changed(weights_and_statistics(whole.module.network), resumed.module.network) == set()
    assert resumed.metrics == whole.metrics


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(Path(dogbreed.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield f"{path.name}:{node.lineno}: {ast.unparse(node)}", node


# fault 23
def test_nothing_in_the_package_moves_itself_to_a_device_of_its_own_choice() -> None:
    texts = [text for text, _ in calls()]
    assert [text for text in texts if ".cuda(" in text or ".to('cuda" in text or "torch.device('cuda" in text] == []
    assert any("torch.load(" in text for text in texts)


# fault 23
def test_everything_that_is_read_by_torch_is_told_where_to_and_runs_no_code() -> None:
    for text, call in calls():
        if ast.unparse(call.func) == "torch.load":
            assert {"map_location", "weights_only"} <= {keyword.arg for keyword in call.keywords}, text


# fault 23
def test_what_a_run_leaves_opens_on_the_processor(watched: WatchedRun) -> None:
    checkpoint = read_checkpoint(watched.run.output_dir / "checkpoints" / "best.ckpt", "cpu")
    network = load_artifact(watched.run.output_dir / "model", "cpu").network
    tensors = [*checkpoint["state_dict"].values(), *network.parameters(), *network.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"cpu"}


# fault 23
def test_the_trainer_moves_the_module_and_its_metrics(watched: WatchedRun) -> None:
    module = watched.run.module
    assert {tensor.device for tensor in module.state_dict().values()} == {module.device}
    assert watched.run.trainer.strategy.root_device == module.device
