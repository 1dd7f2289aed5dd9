from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator

import pytest

from dogbreed.epoch_line import METRICS, OBJECTIVES, epoch_line, fixed_point, metric_regex, objective_regex

VALUES = [
    0.0,
    *(sign * digits * 10.0**power for sign in (1, -1) for digits in (1, 9.99996) for power in range(-9, 10)),
]
NO_NUMBERS = [math.nan, math.inf, -math.inf]


def line(metrics: dict[str, float], *, best: bool = True, epoch: int = 1, kept: dict[str, float] | None = None) -> str:
    return epoch_line(epoch, 12, metrics, kept=metrics if best else kept, seconds=2.4)


def figures(value: float) -> dict[str, float]:
    return dict.fromkeys(METRICS, value)


def runs() -> Iterator[tuple[list[str], list[dict[str, float]]]]:
    """The lines of made-up runs among other output, and their figures."""
    generator = random.Random(0)
    for _ in range(200):
        epochs, lines, kept = [], ["Model: resnet18, val loss unknown."], None
        for epoch in range(1, generator.randrange(2, 20)):
            metrics = {name: generator.choice([*VALUES, *NO_NUMBERS]) for name in METRICS}
            metrics["val/loss"] = generator.choice([math.nan, math.inf, *(abs(value) for value in VALUES)])
            epochs.append(metrics)
            if metrics["val/loss"] < (kept or {"val/loss": math.inf})["val/loss"]:
                kept = metrics
            lines += [line(metrics, best=kept is metrics, epoch=epoch, kept=kept), "a notice"]
        yield lines, epochs


def test_a_number_has_five_significant_digits_and_no_exponent() -> None:
    shown = {
        2.629: "2.6290",
        1e-9: "0.0000000010000",
        1e9: "1000000000",
        0.0: "0.0000",
        -1.5: "-1.5000",
        1: "1.0000",
        0.999999: "1.0000",
        123456.0: "123460",
        math.nan: "nan",
        math.inf: "inf",
        -math.inf: "-inf",
    }
    assert {value: fixed_point(value) for value in shown} == shown
    assert fixed_point(0.123456, 2) == "0.12"


@pytest.mark.parametrize("value", VALUES)
def test_the_text_of_a_number_is_near_the_number(value: float) -> None:
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", fixed_point(value))
    assert float(fixed_point(value)) == pytest.approx(value, rel=5e-5)


def test_a_line_reads_well() -> None:
    metrics = {"train/loss": 1.819, "train/acc": 0.285, "val/loss": 2.629, "val/acc": 0.31, "val/acc5": 0.87}
    shown = (
        "epoch   1/12* train loss 1.8190 acc 0.28500   val loss 2.6290 acc 0.31000 top-5 0.87000   2.4 s",
        "epoch  11/12  train loss 1.8190 acc 0.28500   val loss 2.6290 acc 0.31000 top-5 0.87000   2.4 s",
    )
    assert (line(metrics), line(metrics, best=False, epoch=11)) == shown
    kept = metrics | {"val/loss": 2.5}
    assert line(metrics, best=False, epoch=11, kept=kept) == shown[1].replace(
        "   2.4", "   kept 2.5000 0.31000 0.87000   2.4"
    )


@pytest.mark.parametrize("best", [True, False])
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_read_off_its_own_place(name: str, best: bool) -> None:
    for value, epoch in zip(VALUES, range(1, 2000, 49), strict=False):
        metrics = figures(0.5) | {name: value}
        (found,) = re.findall(metric_regex(name), line(metrics, best=best, epoch=epoch))
        assert found == fixed_point(value)
        for other in METRICS.keys() - {name}:
            assert re.findall(metric_regex(other), line(metrics, best=best, epoch=epoch)) == ["0.50000"]


@pytest.mark.parametrize("name", METRICS)
def test_what_is_no_number_is_not_read_and_hides_no_other_figure(name: str) -> None:
    for value in NO_NUMBERS:
        text = line(figures(0.5) | {name: value})
        assert re.search(metric_regex(name), text) is None
        assert all(re.search(metric_regex(other), text) for other in METRICS.keys() - {name})


# fault 8
@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("number", ["1e-05", "1.5e-05", "1E5", "1.", "1,5", "1.5.1", "--1", "1_0", "0x1", "1nan"])
def test_a_number_is_read_whole_or_not_at_all(name: str, number: str) -> None:
    text = line(figures(0.5) | {name: 777.0}).replace("777.00", number)
    assert number in text
    assert re.search(metric_regex(name), text) is None


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_objective_of_every_epoch_is_that_of_the_weights_kept_so_far(name: str) -> None:
    assert re.findall(objective_regex(name), line(figures(0.5))) == ["0.50000"]
    assert re.findall(objective_regex(name), line(figures(0.5), best=False)) == []
    kept = {metric: value for value, metric in enumerate(METRICS, start=3)}
    assert re.findall(objective_regex(name), line(figures(0.5), best=False, kept=kept)) == [fixed_point(kept[name])]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_last_objective_of_a_run_is_that_of_the_epoch_with_the_lowest_validation_loss(name: str) -> None:
    compared = 0
    for lines, epochs in runs():
        finite = [metrics for metrics in epochs if math.isfinite(metrics["val/loss"])]
        if not finite:
            assert not re.findall(objective_regex(name), "\n".join(lines))
            continue
        kept = min(finite, key=lambda metrics: metrics["val/loss"])
        if math.isfinite(kept[name]):
            kept_from = epochs.index(kept)
            assert len(re.findall(objective_regex(name), "\n".join(lines))) >= len(epochs) - kept_from
            assert re.findall(objective_regex(name), "\n".join(lines))[-1] == fixed_point(kept[name])
            compared += 1
    assert compared > 100


def test_what_stands_before_a_line_does_not_hide_it() -> None:
    assert re.search(objective_regex("val/acc"), "[1,0]<stdout>:" + line(figures(0.5)))


@pytest.mark.parametrize("name", METRICS)
def test_an_expression_has_one_group_and_nothing_that_another_dialect_lacks(name: str) -> None:
    for regex in (metric_regex(name), *([objective_regex(name)] if name in OBJECTIVES else [])):
        assert re.compile(regex).groups == 1
        assert "(?" not in regex.replace("(?:", "")
        assert "\\" not in regex.replace("\\.", "")


def test_every_metric_of_validation_is_an_objective() -> None:
    assert list(OBJECTIVES) == [name for name in METRICS if name.startswith("val/")]
    assert {name: direction for name, direction in OBJECTIVES.items() if "loss" in name} == {"val/loss": "minimize"}
