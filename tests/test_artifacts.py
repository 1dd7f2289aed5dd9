from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import pickle
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dogbreed.artifacts import JSON_FILE, NEXT_FILE, WEIGHTS_FILE, load_artifact, save_artifact
from dogbreed.errors import ArtifactError
from tests.trained_models import ARCHITECTURE, CLASS_NAMES, save_small, small_network

IMAGES = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def logits_of(network: torch.nn.Module) -> Tensor:
    with torch.inference_mode():
        logits: Tensor = network.eval()(IMAGES)
    return logits


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    save_small(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "model"))


def refused(folder: Path) -> str:
    with pytest.raises(ArtifactError) as error:
        load_artifact(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any], name: str = JSON_FILE) -> None:
    """Change the JSON as someone would who knows how its digest is made."""
    card = json.loads((folder / name).read_text())
    card = change(card) or card
    if isinstance(card, dict):
        content = {key: value for key, value in card.items() if key != "digest"}
        card["digest"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    (folder / name).write_text(json.dumps(card))


def rewrite_weights(folder: Path, change: Callable[[dict[str, Tensor]], Any]) -> None:
    state = load_file(folder / WEIGHTS_FILE)
    change(state)
    save_file(state, folder / WEIGHTS_FILE)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    rewrite(folder, lambda card: card["weights"].update(sha256=digest))


def test_a_loaded_model_answers_bit_for_bit_as_the_trained_one(tmp_path: Path) -> None:
    network = save_small(tmp_path)
    artifact = load_artifact(tmp_path)
    assert torch.equal(logits_of(artifact.network), logits_of(network))
    assert artifact.class_names == CLASS_NAMES
    assert artifact.preprocessing == network.preprocessing
    assert artifact.card["metrics"] == {"test/acc": 0.5}
    assert artifact.card["versions"]["torch"] == torch.__version__.split("+")[0]
    assert not artifact.network.training
    assert not any(parameter.requires_grad for parameter in artifact.network.parameters())
    assert sorted(path.name for path in tmp_path.iterdir()) == [JSON_FILE, WEIGHTS_FILE]


@pytest.mark.parametrize("training", [True, False])
def test_saving_leaves_the_network_as_it_was(tmp_path: Path, training: bool) -> None:
    network = small_network().train(training)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    save_artifact(tmp_path, network, architecture=ARCHITECTURE, class_names=CLASS_NAMES)
    assert network.training is training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("backbone", ["googlenet", "timm/test_vit", "efficientnet_b0"])
def test_networks_of_every_kind_are_built_again_as_they_were(tmp_path: Path, backbone: str) -> None:
    changes = {"backbone": backbone, "image_size": None, "hidden": []}
    network = small_network_without_batch_statistics(**changes)
    save_artifact(tmp_path, network, architecture={**ARCHITECTURE, **changes}, class_names=CLASS_NAMES)
    assert load_artifact(tmp_path).preprocessing == network.preprocessing


def small_network_without_batch_statistics(**changes: Any) -> Any:
    from dogbreed.models.network import build_network

    return build_network(**{**ARCHITECTURE, **changes})


ELSEWHERE = """
import pickle, socket, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        absent = ("hydra", "omegaconf", "pytorch_lightning", "lightning_fabric", "torchmetrics", "timm")
        if name.split(".")[0] in absent:
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Blocker())
def refuse(*arguments, **settings):
    raise AssertionError("a connection, or a pickle")
import torch
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
pickle.load = pickle.loads = torch.load = refuse
from dogbreed.artifacts import load_artifact
torch.set_num_threads(1)
network = load_artifact(sys.argv[1]).network
images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
with torch.inference_mode():
    print([value.hex() for value in network(images).flatten().tolist()])
"""


def test_another_process_without_hydra_lightning_network_or_pickle_gives_the_same_logits(original: Path) -> None:
    run = subprocess.run([sys.executable, "-c", ELSEWHERE, original], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    torch.set_num_threads(1)
    expected = [value.hex() for value in logits_of(small_network()).flatten().tolist()]
    assert run.stdout.strip() == str(expected)


def test_loading_reads_no_pickle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a pickle was read")

    for module, name in ((pickle, "load"), (pickle, "loads"), (torch, "load")):
        monkeypatch.setattr(module, name, refuse)
    load_artifact(folder)


def test_every_changed_byte_of_the_json_is_noticed(folder: Path) -> None:
    path, rng = folder / JSON_FILE, random.Random(0)
    content = path.read_bytes()
    card = json.loads(content)
    for index, byte in enumerate(content):
        changed = bytes([byte ^ 1 << rng.randrange(8)])
        path.write_bytes(content[:index] + changed + content[index + 1 :])
        try:
            # The only harmless change: an escape like \\u00f6 written with another letter case.
            assert load_artifact(folder).card == card, index
            assert b"\\u" in content[max(0, index - 5) : index], index
        except ArtifactError as error:
            assert "\n" not in str(error), index


def test_changed_bytes_of_the_weights_are_noticed(folder: Path) -> None:
    path, rng = folder / WEIGHTS_FILE, random.Random(0)
    content = path.read_bytes()
    for index in rng.sample(range(len(content)), 200):
        path.write_bytes(content[:index] + bytes([content[index] ^ 1 << rng.randrange(8)]) + content[index + 1 :])
        assert "SHA-256" in refused(folder)


@pytest.mark.parametrize("name", [JSON_FILE, WEIGHTS_FILE])
def test_a_truncated_file_is_noticed(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    for part in range(20):
        (folder / name).write_bytes(content[: len(content) * part // 20])
        assert str(folder) in refused(folder)


@pytest.mark.parametrize("name", [JSON_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name}: No such file" in refused(folder)


def test_a_folder_that_is_none_says_where_a_model_lies(tmp_path: Path) -> None:
    assert "OUTPUT_DIR/model" in refused(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    assert "OUTPUT_DIR/model" in refused(tmp_path / "file")


def test_a_permuted_class_list_is_noticed(folder: Path) -> None:
    card = json.loads((folder / JSON_FILE).read_text())
    card["class_names"].reverse()
    (folder / JSON_FILE).write_text(json.dumps(card))
    assert "was changed after it was written" in refused(folder)


def test_a_newer_format_says_how_to_upgrade(folder: Path) -> None:
    rewrite(folder, lambda card: card.update(format_version=2))
    assert "pip install --upgrade dogbreed" in refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.update(format_version="2"),
        lambda card: card.pop("format_version"),
        lambda card: card.update(format="another"),
        lambda card: card.pop("architecture"),
        lambda card: card.update(architecture=7),
        lambda card: card["architecture"].update(weights="imagenet"),
        lambda card: card["architecture"].update(unknown=1),
        lambda card: card["architecture"].update(backbone="no_such_network"),
        lambda card: card["architecture"].update(hidden=[5]),
        lambda card: card["architecture"].update(num_classes=4),
        lambda card: card["architecture"].pop("num_classes"),
        lambda card: card.pop("class_names"),
        lambda card: card.update(class_names=3),
        lambda card: card.update(class_names=["Akita"]),
        lambda card: card.update(class_names=[1, 2, 3]),
        lambda card: card.pop("preprocessing"),
        lambda card: card["preprocessing"].update(crop=0),
        lambda card: card["preprocessing"].update(resize="large"),
        lambda card: card["preprocessing"].update(unknown=1),
        lambda card: card["preprocessing"].update(interpolation="sharp"),
        lambda card: card["preprocessing"].update(mean=[0.5]),
        lambda card: card["preprocessing"].update(std=[0.0, 1.0, 1.0]),
        lambda card: card.pop("weights"),
        lambda card: card.update(weights="none"),
        lambda card: [card],
    ],
)
def test_values_that_do_not_belong_to_the_weights_are_refused(folder: Path, change: Callable[[Any], Any]) -> None:
    rewrite(folder, lambda card: value if isinstance(value := change(card), list) else None)
    refused(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "null",
        '"text"',
        "[]",
        "{}",
        "{",
        "NaN",
        "[" * 100_000,
        '{"a":' * 900 + "1" + "}" * 900,
        "9" * 5000,
        "\0",
    ],
    ids=lambda text: text[:8],
)
def test_json_that_is_no_card_is_refused(folder: Path, text: str) -> None:
    (folder / JSON_FILE).write_text(text)
    refused(folder)


@pytest.mark.parametrize("depth", [500, 900, 980, 3000])
def test_a_deeply_nested_card_is_refused(folder: Path, depth: int) -> None:
    nested = '{"format": "dogbreed-model", "format_version": 1, "a": ' + "[" * depth + "]" * depth + "}"
    (folder / JSON_FILE).write_text(nested)
    refused(folder)


def test_json_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / JSON_FILE).write_bytes(b"\xff\xfe{}")
    assert "is not JSON" in refused(folder)


def test_a_head_of_another_width_is_refused(folder: Path) -> None:
    rewrite_weights(
        folder, lambda state: state.update({"head.3.weight": torch.zeros(5, 4), "head.3.bias": torch.zeros(5)})
    )
    refused(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_not_finite_is_refused_at_loading_and_at_saving(
    folder: Path, tmp_path: Path, value: float
) -> None:
    rewrite_weights(folder, lambda state: state["head.3.bias"].fill_(value))
    assert "not finite, in head.3.bias" in refused(folder)
    network = small_network()
    with torch.no_grad():
        network.head[3].bias[1] = value
    with pytest.raises(ArtifactError, match=r"not finite, in head\.3\.bias"):
        save_artifact(tmp_path / "new", network, architecture=ARCHITECTURE, class_names=CLASS_NAMES)
    assert not (tmp_path / "new").exists()


def test_a_figure_that_is_not_finite_is_refused_at_saving_and_the_old_model_stays(folder: Path) -> None:
    with pytest.raises(ArtifactError, match="finite"):
        save_small(folder, seed=1, metrics={"test/loss": float("nan")})
    assert torch.equal(logits_of(load_artifact(folder).network), logits_of(small_network()))


NO_TEMPERATURES: list[Any] = [0, 0.0, -1.5, True, "1.5", None, [1.5], float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("value", NO_TEMPERATURES, ids=lambda value: str(value)[:8])
def test_a_temperature_that_is_none_is_refused_at_loading_and_at_saving(folder: Path, value: Any) -> None:
    with pytest.raises(ArtifactError, match=r"^Expected calibration\.temperature to be a finite number above 0"):
        save_small(folder, seed=1, calibration={"temperature": value})
    assert torch.equal(logits_of(load_artifact(folder).network), logits_of(small_network()))
    rewrite(folder, lambda card: card.update(calibration={"temperature": value}))
    assert "cannot be built: Expected calibration.temperature to be a finite number above 0" in refused(folder)


@pytest.mark.parametrize("calibration", [1.5, "none", [1.5]])
def test_a_calibration_of_another_kind_is_refused(folder: Path, calibration: Any) -> None:
    rewrite(folder, lambda card: card.update(calibration=calibration))
    assert "calibration.temperature" in refused(folder)


@pytest.mark.parametrize(
    ("details", "temperature"),
    [
        ({}, 1.0),
        ({"calibration": None}, 1.0),
        ({"calibration": {}}, 1.0),
        ({"calibration": {"temperature": 2}}, 2.0),
        ({"calibration": {"temperature": 0.75, "photos": 3}}, 0.75),
    ],
)
def test_the_temperature_is_that_of_the_card_or_1_where_it_has_none(
    tmp_path: Path, details: dict[str, Any], temperature: float
) -> None:
    save_small(tmp_path, **details)
    found = load_artifact(tmp_path).temperature
    assert (found, type(found)) == (temperature, float)


def test_an_architecture_that_is_not_the_networks_is_noticed_at_saving(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be built"):
        save_artifact(tmp_path, small_network(), architecture={**ARCHITECTURE, "hidden": []}, class_names=CLASS_NAMES)


def test_too_few_class_names_are_noticed_at_saving(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="Expected 3 class names"):
        save_artifact(tmp_path, small_network(), architecture=ARCHITECTURE, class_names=CLASS_NAMES[:2])


def test_loading_leaves_the_random_numbers_of_its_caller_alone(folder: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    load_artifact(folder)
    assert torch.equal(torch.rand(3), expected)


# --- what interrupts the writing ---

# The new model differs in its weights, or in its JSON alone.
NEW = {"weights": {"seed": 1}, "figures": {"seed": 0, "metrics": {"test/acc": 0.75}}}
OPERATIONS = ((os, "fsync"), (Path, "replace"), (os, "open"), (Path, "unlink"))


def identity(folder: Path) -> tuple[str, str]:
    artifact = load_artifact(folder)
    logits = logits_of(artifact.network)
    return hashlib.sha256(logits.numpy().tobytes()).hexdigest(), json.dumps(artifact.card["metrics"])


def failing(
    number: int, owner: Any, name: str, error: BaseException, patch: pytest.MonkeyPatch, after: bool
) -> list[int]:
    real, calls = getattr(owner, name), [0]

    def operation(*arguments: Any, **settings: Any) -> Any:
        calls[0] += 1
        if calls[0] == number and not after:
            raise error
        result = real(*arguments, **settings)
        if calls[0] == number:
            raise error
        return result

    patch.setattr(owner, name, operation)
    return calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", NEW)
@pytest.mark.parametrize(("owner", "name"), OPERATIONS, ids=[name for _, name in OPERATIONS])
@pytest.mark.parametrize(
    ("earlier", "error"),
    [(True, OSError(28, "No space left on device")), (True, KeyboardInterrupt()), (False, KeyboardInterrupt())],
    ids=["old model, full disk", "old model, ctrl-c", "empty folder, ctrl-c"],
)
def test_a_write_that_fails_at_any_operation_leaves_the_old_model_or_the_new_one(
    original: Path, tmp_path: Path, owner: Any, name: str, error: BaseException, kind: str, after: bool, earlier: bool
) -> None:
    save_small(tmp_path / "new", **NEW[kind])
    whole = {identity(original), identity(tmp_path / "new")}
    for number in range(1, 100):
        target = tmp_path / f"model{number}"
        if earlier:
            shutil.copytree(original, target)
        with pytest.MonkeyPatch.context() as patch:
            calls = failing(number, owner, name, error, patch, after)
            try:
                save_small(target, **NEW[kind])
                completed = True
            except (ArtifactError, KeyboardInterrupt) as raised:
                completed = False
                assert "\n" not in str(raised)
        if calls[0] < number:
            assert completed
            break
        if earlier or (target / WEIGHTS_FILE).exists():
            assert identity(target) in whole
        shutil.rmtree(target, ignore_errors=True)
    else:
        raise AssertionError("more operations than expected")


@pytest.mark.parametrize("kind", NEW)
def test_a_process_that_is_killed_at_any_moment_leaves_the_old_model_or_the_new_one(
    original: Path, tmp_path: Path, kind: str
) -> None:
    save_small(tmp_path / "new", **NEW[kind])
    old, new = identity(original), identity(tmp_path / "new")
    seen = []
    for number in range(1, 8):
        target = Path(shutil.copytree(original, tmp_path / f"model{number}"))
        status = in_child(save_until_killed, target, number, NEW[kind])
        assert status in (0, -signal.SIGKILL)
        seen.append(identity(target))
        if status == 0:
            break
    assert set(seen) == {old, new}
    assert seen == sorted(seen, key=lambda one: one == new)


def in_child(function: Callable[..., None], *arguments: Any) -> int | None:
    """The exit status of a process forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dogbreed.training.run", "dogbreed.training.trainer"])
    child = context.Process(target=function, args=arguments)
    child.start()
    child.join()
    return child.exitcode


def save_until_killed(folder: Path, number: int, model: dict[str, Any]) -> None:
    real, calls = os.fsync, [0]

    def fsync(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)
        real(descriptor)

    os.fsync = fsync
    save_small(folder, **model)


def test_a_later_saving_succeeds_over_what_an_interrupted_one_left(original: Path, tmp_path: Path) -> None:
    target = Path(shutil.copytree(original, tmp_path / "model"))
    with pytest.MonkeyPatch.context() as patch:
        failing(4, os, "fsync", OSError(28, "No space left on device"), patch, False)
        with pytest.raises(ArtifactError):
            save_small(target, seed=1)
    network = save_small(target, seed=2)
    assert torch.equal(logits_of(load_artifact(target).network), logits_of(network))
    assert not (target / NEXT_FILE).exists()


def save_with_little_room(folder: Path, size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        save_small(folder, seed=1)
    except ArtifactError as error:
        sys.exit(0 if str(error) == f"Cannot write the model to {folder}: File too large." else 1)


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_disk_without_room_is_told_in_one_line_and_the_old_model_stays(folder: Path, size: int) -> None:
    assert in_child(save_with_little_room, folder, size) == 0
    assert torch.equal(logits_of(load_artifact(folder).network), logits_of(small_network()))
    assert not list(folder.glob(".*"))


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match=r"Cannot write the model to .*/file/model: Not a directory\."):
        save_small(tmp_path / "file" / "model")
