from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

from dogbreed.data.transforms import Preprocessing
from dogbreed.exporting import onnx_answers
from dogbreed.exporting.comparison import drawn_batches, largest_difference
from dogbreed.exporting.error import ExportError


def test_the_difference_is_the_largest_of_all_batches() -> None:
    expected, answered = [torch.zeros(1, 3), torch.zeros(2, 3)], [torch.zeros(1, 3), torch.zeros(2, 3)]
    answered[1][1, 2] = -5e-5
    assert largest_difference(expected, answered) == pytest.approx(5e-5)


@pytest.mark.parametrize(("largest", "difference", "kept"), [(1, 9e-5, True), (0.1, 2e-4, False), (20, 1e-3, True)])
def test_the_bound_follows_the_largest_logit_above_1(largest: float, difference: float, kept: bool) -> None:
    expected = torch.tensor([[largest, 0.0]])
    if kept:
        assert largest_difference([expected], [expected + torch.tensor([[0.0, difference]])]) > 0
    else:
        with pytest.raises(ExportError, match=r"by up to 0\.0002 where 0\.0001 is allowed"):
            largest_difference([expected], [expected + torch.tensor([[0.0, difference]])])


@pytest.mark.parametrize("answered", [torch.full((1, 2), torch.nan), torch.tensor([[torch.inf, 0.0]])])
def test_answers_that_are_no_numbers_are_refused(answered: torch.Tensor) -> None:
    with pytest.raises(ExportError, match="answers otherwise"):
        largest_difference([torch.zeros(1, 2)], [answered])


def test_answers_of_another_shape_are_refused() -> None:
    with pytest.raises(ExportError, match=r"shapes \[\(2, 3\)\], got \[\(1, 3\)\]"):
        largest_difference([torch.zeros(2, 3)], [torch.zeros(1, 3)])


def test_the_photos_are_drawn_all_different_in_batches_of_1_2_and_5_and_always_the_same() -> None:
    batches = drawn_batches(Preprocessing(40, 32))
    assert [tuple(batch.shape) for batch in batches] == [(n, 3, 32, 32) for n in (1, 2, 5)]
    assert len(torch.cat(batches).unique(dim=0)) == 8
    assert all(map(torch.equal, batches, drawn_batches(Preprocessing(40, 32))))


def test_the_program_that_runs_onnx_files_knows_nothing_but_numpy_and_onnx_runtime() -> None:
    nodes = list(ast.walk(ast.parse(Path(onnx_answers.__file__).read_text())))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported == {"sys", "pathlib", "numpy", "onnxruntime"}
