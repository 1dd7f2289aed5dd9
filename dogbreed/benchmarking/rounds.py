"""Measurements that take turns: what else happens on the machine meanwhile hits all sides alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import torch

# About so many seconds of a measurement, at least one call of what is measured, to its samples.
Side = Callable[[float], Sequence[float]]
ROUNDS = 3


def in_turn(sides: Mapping[str, Side], seconds: float) -> dict[str, tuple[float, ...]]:
    """The samples of each side, from rounds in which all take their turns after a call that warms them up.

    Args:
        sides: by name.
        seconds: for each side, all rounds together. A side whose first call takes longer is not asked again.
    """
    samples: dict[str, list[float]] = {}
    spent: dict[str, float] = {}
    for name, side in sides.items():
        samples[name], spent[name] = _timed(side, 0.0)
        if spent[name] < seconds:
            samples[name], spent[name] = [], 0.0
    for _ in range(ROUNDS):
        for name in [name for name in sides if spent[name] < seconds]:
            found, taken = _timed(sides[name], seconds / ROUNDS)
            samples[name] += found
            spent[name] += taken
    return {name: tuple(found) for name, found in samples.items()}


def rate(work: Callable[[], object], items: int, device: torch.device) -> Side:
    """What measures how many items a second are done where each call does `items` of them."""

    def measured(seconds: float) -> list[float]:
        done, began = 0, time.perf_counter()
        while not done or time.perf_counter() - began < seconds:
            work()
            wait(device)
            done += items
        return [done / (time.perf_counter() - began)]

    return measured


def latencies(work: Callable[[], object], most: int) -> Side:
    """What measures how many milliseconds each call takes, for up to `most` calls."""

    def measured(seconds: float) -> list[float]:
        found: list[float] = []
        end = time.perf_counter() + seconds
        while not found or (len(found) < most and time.perf_counter() < end):
            began = time.perf_counter()
            work()
            found.append(1000 * (time.perf_counter() - began))
        return found

    return measured


def on_one_core(side: Side) -> Side:
    """A side while torch computes on one core, as in a process that loads photos."""

    def measured(seconds: float) -> Sequence[float]:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return side(seconds)
        finally:
            torch.set_num_threads(threads)

    return measured


def wait(device: torch.device) -> None:
    """Until a device has done what it was given; a processor has, when the call returns."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _timed(side: Side, seconds: float) -> tuple[list[float], float]:
    began = time.perf_counter()
    return list(side(seconds)), time.perf_counter() - began
