from __future__ import annotations

import math

import numpy as np
import pytest

from dogbreed.reporting.loss_over_steps import loss_over_steps, smoothed
from dogbreed.reporting.machine_load import load_lines, load_over_time
from dogbreed.reporting.profiler_contents import MachineLoad, Phase, StepTime
from dogbreed.reporting.step_durations import step_durations
from dogbreed.reporting.tensors_over_steps import tensors_over_steps
from dogbreed.reporting.thinning import SHOWN, thinned
from dogbreed.reporting.time_axis import time_axis
from tests.reporting.drawn_run import layer_names


def test_a_thinned_curve_keeps_its_ends_its_peaks_and_what_is_no_number() -> None:
    points = [(step, 1.0) for step in range(100_000)]
    points[31_313], points[50_001], points[70_007] = (31_313, 99.0), (50_001, -99.0), (70_007, math.inf)
    shown = thinned(points)
    assert len(shown) <= SHOWN
    assert {points[0], points[31_313], points[50_001], points[70_007], points[-1]} <= set(shown)
    assert shown == sorted(shown)


def test_a_short_curve_is_shown_whole() -> None:
    assert thinned([(0, 1.0), (1, 2.0)]) == [(0, 1.0), (1, 2.0)]


def test_the_smoothed_loss_is_the_exponential_mean_without_bias() -> None:
    values = np.random.default_rng(0).random(30)
    decay = math.exp(-1 / 5)
    weights = decay ** np.arange(30)[::-1]
    step, last = smoothed(list(enumerate(values.tolist())))[-1]
    assert step == 29
    assert last == pytest.approx(float((weights * values).sum() / weights.sum()))


def test_the_smoothed_loss_leaps_over_what_is_no_number() -> None:
    found = smoothed([(0, 2.0), (1, math.nan), (2, 2.0)])
    assert [step for step, _ in found] == [0, 2]
    assert [value for _, value in found] == pytest.approx([2.0, 2.0])


def test_training_evaluations_and_gaps_are_drawn_over_the_training_step() -> None:
    train = [(step, math.nan if step == 7 else 2.0) for step in range(30)]
    raw, smooth, evaluation = loss_over_steps(train, [(10, 3.0), (20, 2.5)]).data
    assert raw.y[7] is None
    assert smooth.name == "training, smoothed"
    assert (evaluation.x, evaluation.y, evaluation.mode) == ((10, 20), (3.0, 2.5), "lines+markers")


@pytest.mark.parametrize(("peak", "kind"), [(3.0, None), (1e6, "log")])
def test_a_loss_that_explodes_is_shown_on_a_logarithmic_axis(peak: float, kind: str | None) -> None:
    assert loss_over_steps([(0, 2.0), (1, 2.0), (2, peak)], []).layout.yaxis.type == kind


def test_few_tensors_have_lines_and_many_a_map() -> None:
    points = [(0, 0.1), (10, 0.01)]
    lines = tensors_over_steps(dict.fromkeys(layer_names(3), points))
    (cells,) = tensors_over_steps(dict.fromkeys(layer_names(30), points)).data
    assert {line.type for line in lines.data} == {"scatter"}
    assert (cells.type, len(cells.z), cells.x) == ("heatmap", 30, (0, 10))
    assert cells.z[0] == [-1, -2]


def test_a_line_has_gaps_where_its_tensor_is_zero() -> None:
    (line,) = tensors_over_steps({"weight": [(0, 0.1), (1, 0.0), (2, math.nan), (3, 0.2)]}).data
    assert line.y == (0.1, None, None, 0.2)


def test_a_map_tells_zero_and_what_is_no_number_apart() -> None:
    tensors = {name: [(0, 0.1), (1, 0.1), (2, 0.1)] for name in layer_names(10)}
    tensors["zero"], tensors["broken"] = [(0, 0.0), (2, 0.1)], [(1, math.nan)]
    cells, apart = tensors_over_steps(tensors).data
    assert (cells.z[10], cells.z[11]) == ([None, None, -1], [None, None, None])
    assert (apart.z[10], apart.z[11]) == ([0, None, None], [None, 1, None])
    assert apart.text[11][1] == "step 1: NaN"


def test_a_large_map_is_bounded_and_keeps_a_single_bad_step() -> None:
    tensors = {name: [(step, 0.1) for step in range(1000)] for name in map(str, range(300))}
    tensors["7"][333], tensors["8"][444] = (333, 1e3), (444, math.inf)
    cells, apart = tensors_over_steps(tensors).data
    assert len(cells.z) * len(cells.z[0]) <= 40_000
    assert "step 333: 1,000" in cells.text[7]
    assert "step 444: infinite" in apart.text[8]


def test_the_usual_ratio_stands_in_the_middle_of_the_colours() -> None:
    tensors = {name: [(0, 1e-2), (1, 1e-5)] for name in layer_names(9)}
    (cells,) = tensors_over_steps(tensors, 1e-3).data
    assert (cells.zmin + cells.zmax) / 2 == pytest.approx(-3)


def test_steps_far_longer_than_their_kind_are_marked() -> None:
    training = [StepTime(n, n * 1.0, 5.0 if n == 30 else 0.4) for n in range(60)]
    validation = [StepTime(n, 60.0 + n, 2.0) for n in range(60)]
    *kinds, outliers = step_durations({"training": training, "validation": validation}, [], time_axis(120)).data
    assert [len(kind.x) for kind in kinds] == [60, 60]
    assert outliers.hovertext == ("training step 30: 5 s",)


def test_the_phases_of_a_run_are_shaded_in_the_unit_of_the_axis() -> None:
    phases = [Phase("training", 0, 300), Phase("validation", 300, 360), Phase("training", 360, 600)]
    figure = load_over_time({"memory": [(0, 10.0), (600, 20.0)]}, phases, time_axis(600))
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0, 5), (5, 6), (6, 10)]
    assert figure.layout.shapes[0].fillcolor == figure.layout.shapes[2].fillcolor != figure.layout.shapes[1].fillcolor
    assert figure.data[0].x == (0, 10)


def test_what_was_not_sampled_has_no_line() -> None:
    points = [(0.0, 1.0)]
    lines = load_lines(MachineLoad(cpu=points, gpus={"0": points}, gpu_memory={"GPU 0": points, "GPU 1": ()}))
    assert {name: list(figure) for name, figure in lines.items()} == {
        "processor": ["mean of cores"],
        "gpu": ["GPU 0", "memory of GPU 0"],
    }
