from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from dogbreed.debugging.finding import Status
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rule import Mode
from dogbreed.debugging.rule_table import RULES

Array = NDArray[Any]
SHAPES: dict[str, tuple[int, ...]] = {
    "losses": (),
    "wall_time": (),
    "weights": (4, 3),
    "biases": (4,),
    "gradients": (4, 3),
    "frozen_statistics": (4,),
    "relu_input": (8, 4, 3, 3),
    "relu_output": (8, 4, 3, 3),
    "tanh_input": (8, 4),
    "sigmoid_input": (8, 4),
    "input_image": (8, 3, 4, 4),
    "predictions": (8, 5),
}
FILLS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "random": lambda random, shape: random.normal(size=shape),
    "zeros": lambda _, shape: np.zeros(shape),
    "ones": lambda _, shape: np.ones(shape),
    "NaN": lambda _, shape: np.full(shape, np.nan),
    "infinite": lambda _, shape: np.full(shape, np.inf),
    "of either infinity": lambda random, shape: random.choice([-np.inf, np.inf], shape),
    "anything": lambda random, shape: random.choice([-np.inf, np.inf, np.nan, 0.0, 1.0, 3e38, -1e-40], shape),
    "empty": lambda _, shape: np.zeros((0, *shape[1:])),
    "ragged": lambda random, shape: random.normal(size=shape[: int(random.integers(len(shape) + 1))]),
    "scalar": lambda random, _: random.normal(),
}


def steps(fill: str, count: int, seed: int, dtype: type) -> Iterator[tuple[str, str, Mode, int, Array, int]]:
    random = np.random.default_rng(seed)
    for at in range(count):
        mode: Mode = "EVAL" if at % 6 >= 4 else "TRAIN"
        for collection, shape in SHAPES.items():
            value = FILLS[fill](random, shape)
            yield f"layer/{collection}", collection, mode, at, np.asarray(value).astype(dtype), at
        target = random.integers(-1, 5, 8) if fill in ("random", "ragged") else FILLS[fill](random, (8,))
        yield "labels", "labels", mode, at, np.asarray(target), at


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("count", [0, 1, 2, 40])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_every_rule_answers_whatever_was_recorded(fill: str, count: int, dtype: type) -> None:
    settings: dict[str, dict[str, Any]] = {name: {} for name in RULES}
    settings["TensorVariance"] = {"max_threshold": 1.0}
    for low in (settings, settings | {"ClassImbalance": {"samples": 0}, "NotLearning": {"warmup": 0}}):
        recorded = Recorded(low)
        for entry in steps(fill, count, seed=count, dtype=dtype):
            recorded.record(*entry)
        for finding in recorded.check():
            assert finding.status in get_args(Status)
            assert finding.status != "Error", finding
            assert finding.reason.endswith("."), finding
            assert count or finding.status == "NotApplicable", finding


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_cannot_compute_says_so_and_stops_nothing(rule: str) -> None:
    given = {kind: {"x": None} for kind in Recorded({rule: {}}).series(rule)}
    found = RULES[rule](rule, given, RULES[rule].parameters)  # type: ignore[arg-type]
    assert found.rule == rule
    assert found.status in ("Error", "NotApplicable")
