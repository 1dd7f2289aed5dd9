from __future__ import annotations

import math
import time

import pytest
import torch
from torch import nn

from dogbreed.benchmarking.machine_rates import forward_operations
from dogbreed.benchmarking.made_up_weights import fit_statistics
from dogbreed.benchmarking.public_process import public_process
from dogbreed.benchmarking.rounds import ROUNDS, in_turn
from dogbreed.benchmarking.stage import FLOOR, LATENCY, OURS, PUBLIC, RATE, Stage
from dogbreed.benchmarking.wording import table
from dogbreed.models.freezing import batch_norms
from dogbreed.models.network import build_network


def test_sides_take_turns_after_each_has_warmed_up() -> None:
    asked: list[str] = []

    def side(name: str) -> list[float]:
        asked.append(name)
        return [float(len(asked))]

    samples = in_turn({"a": lambda _: side("a"), "b": lambda _: side("b")}, seconds=60.0)
    assert asked == ["a", "b"] * (ROUNDS + 1)
    assert samples == {"a": (3.0, 5.0, 7.0), "b": (4.0, 6.0, 8.0)}


def test_a_side_that_is_too_slow_to_be_asked_again_counts_its_first_answer() -> None:
    def slow(_: float) -> list[float]:
        time.sleep(0.02)
        return [1.0]

    assert in_turn({"slow": slow}, seconds=0.01) == {"slow": (1.0,)}


def test_the_operations_of_a_convolution_are_its_multiplications_and_additions() -> None:
    layer = nn.Conv2d(3, 8, 3, padding=1, bias=False)
    assert forward_operations(layer, torch.zeros(1, 3, 10, 10)) == 2 * 10 * 10 * 8 * 3 * 9


def test_a_random_network_keeps_activations_of_ordinary_size() -> None:
    network = build_network(3, backbone="mobilenet_v2", image_size=64).eval()
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    fit_statistics(network, images)
    assert not any(module.training for module in network.modules())
    assert {layer.momentum for layer in batch_norms(network)} == {0.1}
    assert network.features(images).std() > 0.1


def test_a_public_process_that_ended_has_no_samples() -> None:
    with public_process({"no": "such argument"}) as public:
        assert public.side("forward")(0.1) == []


def test_a_side_that_was_not_measured_leaves_gaps_and_no_figures_that_are_none() -> None:
    stage = Stage("forward", RATE, {OURS: (2.0, 4.0, 3.0), FLOOR: (6.0,), PUBLIC: ()}, "")
    assert math.isnan(stage.times_as_fast(OURS, PUBLIC))
    found = stage.to_dict()
    assert found["share_of_floor"] == pytest.approx(0.5)
    assert found["times_as_fast_as_public_method"] is None
    assert set(found["sides"]) == {OURS, FLOOR}
    heading, row = table([stage])
    assert row.split() == ["forward", "3", "images/s", "6", "images/s", "50", "%", "-", "images/s", "-"]
    assert len(heading) == len(row)


def test_less_is_more_where_times_are_compared() -> None:
    stage = Stage("serving", LATENCY, {OURS: (10.0,), FLOOR: (5.0,), PUBLIC: (40.0,)}, "")
    assert stage.times_as_fast(OURS, FLOOR) == 0.5
    assert stage.times_as_fast(OURS, PUBLIC) == 4.0
