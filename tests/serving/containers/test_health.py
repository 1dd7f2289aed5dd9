"""What a container says of its health when its model cannot be loaded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dogbreed.serving.code_folder import write_code
from tests.serving.containers.sides import SECONDS, ray, torchserve
from tests.trained_models import save_small


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    model = tmp_path / "ml" / "model"
    save_small(model)
    write_code(model / "code", "shufflenet_v2_x0_5")
    (model / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes()[:-4])
    return model


def test_ray_serve_is_healthy_only_when_a_photo_has_been_answered(damaged: Path, tmp_path: Path) -> None:
    statuses, until = set[int](), time.monotonic() + SECONDS
    with ray(damaged, tmp_path / "server") as (side, process):
        while process.poll() is None and time.monotonic() < until:
            statuses.add(side.ping())
    assert "ArtifactError" in (tmp_path / "server" / "log.txt").read_text(errors="replace")
    assert 200 not in statuses


def test_torchserve_ends_when_no_photo_can_be_answered_and_says_why(damaged: Path, tmp_path: Path) -> None:
    with torchserve(damaged, tmp_path / "server") as (side, process):
        process.wait(SECONDS)
        assert side.ping() == 0
    assert "its SHA-256 differs" in (tmp_path / "server" / "log.txt").read_text(errors="replace")
