from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dogbreed.data.transforms import normalise
from dogbreed.exporting.run import export_model
from tests.exporting.drawn_artifacts import drawn_artifact, seen
from tests.exporting.exported_files import ASK, SUFFIXES

# What differs in how it is computed: depthwise convolutions and squeeze-and-excitation. With the sizes of images.
# All of torchvision's, attention among them: benchmarks/export_every_backbone.py
CASES = [("timm/test_efficientnet", 64, "onnx"), ("timm/test_efficientnet", 64, "torch_export")]


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "size", "kind"), CASES)
def test_a_backbone_answers_the_same_from_the_file_in_batches_of_1_2_and_5(
    tmp_path: Path, backbone: str, size: int | None, kind: str
) -> None:
    artifact = drawn_artifact(backbone, size)
    file = export_model(artifact, tmp_path / f"model{SUFFIXES[kind]}", format=kind).files[0]
    images = normalise(seen(artifact), artifact.preprocessing)
    with torch.inference_mode():
        expected = artifact.network(images)
    allowed = 1e-4 * max(1.0, expected.abs().max().item())
    assert len(expected.unique(dim=0)) == len(images)
    answers = ASK[kind](file, *images.split([1, 2, 5]))
    torch.testing.assert_close(answers, expected, rtol=0, atol=allowed)
