from __future__ import annotations

from dataclasses import replace

import pytest

from dogbreed.benchmarking.advice import NOTHING, Facts, advice
from dogbreed.benchmarking.run_time import Speeds, run_times

# A GPU whose four cores load faster than it computes; nothing to complain of but that the network takes the time.
GPU = Facts(
    speeds=Speeds(core=500.0, loading=900.0, forward=2000.0, step=800.0, head=50_000.0, cores=4, on_processor=False),
    workers=2,
    threads=4,
    device="cuda",
    has_openvino=False,
    has_bfloat16=True,
    shorter_side=300,
    resize=256,
    fine_tuning=600.0,
)
CPU = replace(
    GPU,
    device="cpu",
    has_openvino=True,
    speeds=replace(GPU.speeds, forward=1000.0, step=100.0, on_processor=True),
)


@pytest.mark.parametrize("facts", [GPU, CPU])
def test_a_machine_that_is_used_well_is_told_so(facts: Facts) -> None:
    assert advice(facts) == [NOTHING]


def test_a_loader_that_is_too_slow_is_given_as_many_workers_as_keep_up() -> None:
    facts = replace(GPU, speeds=replace(GPU.speeds, step=1900.0))
    (sentence,) = advice(facts)
    assert "data.num_workers=4" in sentence
    assert "900 images/s are loaded where a step takes 1,900" in sentence
    assert advice(replace(facts, workers=4)) == [NOTHING]


def test_workers_are_never_more_than_the_cores() -> None:
    facts = replace(GPU, speeds=replace(GPU.speeds, step=1e6))
    assert facts.enough_workers == 4
    on_processor = replace(facts, device="cpu", speeds=replace(facts.speeds, on_processor=True))
    assert on_processor.enough_workers <= 4


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(CPU, has_openvino=False), 'pip install -e ".[openvino]"'),
        (replace(CPU, has_bfloat16=False), "no bfloat16"),
        (replace(CPU, threads=1), "torch computes on 1 of 4 cores"),
        (replace(CPU, shorter_side=3000), "data.prepare=true"),
        (replace(CPU, fine_tuning=7200.0), "over an hour"),
        (replace(CPU, speeds=replace(CPU.speeds, forward=90.0)), "model.cache"),
        (replace(GPU, has_bfloat16=False), "This GPU has no bfloat16"),
    ],
)
def test_each_fault_of_a_machine_is_answered_by_what_to_change(facts: Facts, said: str) -> None:
    (sentence,) = advice(facts)
    assert said in sentence


def test_a_gpu_is_not_told_to_install_what_computes_on_processors() -> None:
    assert advice(replace(GPU, has_openvino=False, threads=1)) == [NOTHING]


def test_the_time_of_a_run_is_that_of_its_parts() -> None:
    speeds = Speeds(core=100.0, loading=100.0, forward=50.0, step=10.0, head=1000.0, cores=4, on_processor=False)
    times = run_times(speeds, train=1000, val=100, epochs=10)
    assert times == {
        "frozen backbone, the first run": pytest.approx(1100 / 50 + 11),
        "frozen backbone, again": pytest.approx(11),
        "everything trained": pytest.approx(10 * (100 + 2)),
    }


def test_loading_and_computing_on_one_processor_take_their_times_one_after_the_other() -> None:
    apart = Speeds(core=50.0, loading=100.0, forward=0.0, step=0.0, head=0.0, cores=2, on_processor=False)
    assert apart.together(100.0) == pytest.approx(100.0)
    assert replace(apart, on_processor=True).together(100.0) == pytest.approx(50.0)
