from __future__ import annotations

import math

import numpy as np
import pytest

from dogbreed.reporting.class_order import clustered_order
from dogbreed.reporting.confusion_matrix import confusion_matrix
from dogbreed.reporting.contents import ClassFigures, RateSearch, ReliabilityBin
from dogbreed.reporting.curves import learning_curve
from dogbreed.reporting.per_class import recall_bars, worst_first
from dogbreed.reporting.rate_curve import rate_curve
from dogbreed.reporting.reliability_diagram import reliability_diagram
from dogbreed.reporting.schedule import learning_rate_schedule

NAMES = ("Akita", "Beagle", "Husky", "Löwchen")
CONFUSION = np.array([[3, 0, 12, 0], [0, 9, 0, 1], [2, 0, 8, 0], [0, 0, 0, 0]])


def test_a_learning_curve_shows_both_splits_and_leaves_gaps() -> None:
    history = [
        {"epoch": 0, "val/acc": 0.25, "train/acc": math.nan},
        {"epoch": 1, "val/acc": 0.5, "train/acc": 0.75},
        {"epoch": 2, "val/acc": math.inf},
    ]
    training, validation = learning_curve(history, "acc", 1).data
    assert (training.name, training.y) == ("training", (None, 75.0, None))
    assert (validation.name, validation.y) == ("validation", (25.0, 50.0, None))


def test_the_best_epoch_is_marked_on_its_learning_curve() -> None:
    figure = learning_curve([{"epoch": epoch, "val/loss": 1.0} for epoch in range(5)], "loss", 3)
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 3
    assert figure.layout.annotations[0].text == "best epoch 3"


def test_a_long_schedule_is_thinned_and_keeps_its_ends() -> None:
    (line,) = learning_rate_schedule({"head": [(step, 1e-3 / (1 + step)) for step in range(100_000)]}).data
    assert len(line.x) <= 400
    assert (line.x[0], line.x[-1]) == (0, 99_999)


@pytest.mark.parametrize(("backbone", "kind"), [(1e-4, None), (1e-6, "log")])
def test_rates_far_apart_are_shown_on_a_logarithmic_axis(backbone: float, kind: str | None) -> None:
    figure = learning_rate_schedule({"head": [(0, 1e-3), (1, 0.0)], "backbone": [(0, backbone), (1, 0.0)]})
    assert figure.layout.yaxis.type == kind
    assert figure.data[0].y[1] == (None if kind == "log" else 0.0)


def test_the_suggested_rate_lies_on_the_curve() -> None:
    _, suggested = rate_curve(RateSearch([1e-4, 1e-3, 1e-2, 1e-1], [4.0, 3.0, 2.0, math.nan], 1.1e-3)).data
    assert (suggested.x, suggested.y) == ((1.1e-3,), (3.0,))


def test_a_search_without_suggestion_has_only_its_curve() -> None:
    assert len(rate_curve(RateSearch([1e-4, 1e-3], [4.0, 3.0], None)).data) == 1


def test_the_reliability_diagram_leaves_out_empty_bins_and_tells_the_counts() -> None:
    before = [ReliabilityBin(0.0, 0.5, 0, math.nan, math.nan), ReliabilityBin(0.5, 1.0, 54, 0.8, 0.6)]
    ideal, points, histogram = reliability_diagram(before, []).data
    assert ideal.x == ideal.y == (0, 100)
    assert (points.x, points.y) == ((80.0,), (60.0,))
    assert (histogram.x, histogram.y) == ((75.0,), (54,))
    assert "54 photos" in histogram.hovertext[0]


def test_a_cell_says_who_was_taken_for_whom() -> None:
    order = clustered_order(CONFUSION)
    (cells,) = confusion_matrix(CONFUSION, NAMES, order).data
    row, column = order.positions.index(0), order.positions.index(2)
    assert cells.hovertext[row][column].replace("<br>", " ") == (
        "12 of 15 photos of Akita were taken for Husky (80.0 %)"
    )
    assert cells.text[row][column] == "80 %"


@pytest.mark.parametrize("measure", ["share", "count"])
def test_errors_and_right_answers_have_colours_of_their_own_and_nothing_has_none(measure: str) -> None:
    order = clustered_order(CONFUSION)
    (cells,) = confusion_matrix(CONFUSION, NAMES, order, measure).data
    counts = CONFUSION[np.ix_(order.positions, order.positions)]
    places = np.array([[math.nan if place is None else place for place in row] for row in cells.z])
    right = np.eye(4, dtype=bool)
    assert np.array_equal(np.isnan(places), counts == 0)
    assert (places[right & (counts > 0)] > 0).all()
    assert (places[~right & (counts > 0)] < 0).all()
    assert np.nanmin(places) == -1


def test_a_rare_error_is_seen_beside_frequent_ones() -> None:
    confusion = np.array([[900, 100], [1, 999]])
    (cells,) = confusion_matrix(confusion, ("Akita", "Beagle"), clustered_order(confusion), "count").data
    assert min(abs(place) for row in cells.z for place in row if place < 0) == pytest.approx(0.1)


def test_the_matrix_begins_above_and_its_names_are_in_its_order() -> None:
    order = clustered_order(CONFUSION)
    layout = confusion_matrix(CONFUSION, NAMES, order).layout
    assert layout.yaxis.range == (3.5, -0.5)
    assert layout.xaxis.ticktext == tuple(NAMES[position] for position in order.positions)
    assert layout.shapes[0].x0 == layout.shapes[0].y0


def test_the_worst_class_comes_first_and_classes_without_photos_have_no_bar() -> None:
    classes = [
        ClassFigures("Akita", 10, 0.5, 0.9, 0.6, 1.0, 0.6),
        ClassFigures("Beagle", 0, None, None, None, None, None),
        ClassFigures("Husky", 10, 0.5, 0.0, 0.0, 0.3, 0.0),
    ]
    ordered = worst_first(classes)
    (bars,) = recall_bars(ordered).data
    assert [entry.name for entry in ordered] == ["Husky", "Akita", "Beagle"]
    assert (bars.x, bars.y) == (("0", "1"), (0.0, 90.0))
    assert bars.error_y.array == pytest.approx((30, 10))
    assert bars.error_y.arrayminus == pytest.approx((0, 30))
    assert bars.hovertext[1] == "Akita: 90.0 % (60.0 to 100.0) of 10 photos"
