from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from dogbreed.serving.server.batching import Batcher


class Sums:
    """A network that adds up each image; fails for a batch with a negative one, and computes when it is let."""

    def __init__(self) -> None:
        self.free, self.batches = threading.Event(), list[list[int]]()

    def __call__(self, images: Tensor) -> Tensor:
        assert self.free.wait(30)
        self.batches.append([int(image[0, 0, 0]) for image in images])
        if (images < 0).any():
            raise RuntimeError("a negative image")
        return images.flatten(1).sum(1, keepdim=True)


def images(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None].expand(-1, 3, 2, 2)


async def together(batcher: Batcher, network: Sums, requests: Sequence[Tensor]) -> list[Tensor | BaseException]:
    """The answers to requests that wait while another is computed."""
    first = asyncio.create_task(batcher.logits(images(100)))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(batcher.logits(one)) for one in requests]
    await asyncio.sleep(0)
    network.free.set()
    assert (await first).tolist() == [[1200.0]]
    return await asyncio.gather(*waiting, return_exceptions=True)


def batcher_of(network: Sums, most: int = 4) -> Batcher:
    return Batcher(network, most, 1, lambda _: None)


def test_what_comes_while_one_is_computed_is_computed_together_each_with_its_own_answer() -> None:
    network = Sums()
    answers = asyncio.run(together(batcher_of(network), network, [images(1), images(2, 3), images(4)]))
    assert network.batches == [[100], [1, 2, 3, 4]]
    assert [one.tolist() for one in answers if isinstance(one, Tensor)] == [[[12.0]], [[24.0], [36.0]], [[48.0]]]


def test_no_batch_is_larger_than_allowed_and_a_larger_request_is_answered_in_parts() -> None:
    network = Sums()
    answers = asyncio.run(together(batcher_of(network), network, [images(*range(10)), images(7)]))
    assert max(map(len, network.batches)) <= 4
    assert [len(one) for one in answers if isinstance(one, Tensor)] == [10, 1]
    assert torch.equal(torch.as_tensor(answers[0])[:, 0], torch.arange(10) * 12.0)


def test_a_request_that_fails_does_not_fail_its_neighbours() -> None:
    network = Sums()
    answers = asyncio.run(together(batcher_of(network), network, [images(1), images(-1), images(2)]))
    assert isinstance(answers[1], RuntimeError)
    assert [one.tolist() for one in answers if isinstance(one, Tensor)] == [[[12.0]], [[24.0]]]


def test_a_network_that_answers_of_too_few_images_fails_these_requests_and_not_the_next() -> None:
    class Short(Sums):
        def __call__(self, images: Tensor) -> Tensor:
            found = super().__call__(images)
            return found[1:] if 7 in self.batches[-1] else found

    async def check() -> None:
        network = Short()
        batcher = batcher_of(network)
        answers = await together(batcher, network, [images(7), images(7, 8), images(1)])
        assert [type(one) for one in answers] == [RuntimeError, RuntimeError, Tensor]
        assert (await batcher.logits(images(5))).tolist() == [[60.0]]

    asyncio.run(asyncio.wait_for(check(), 20))


def test_a_request_that_is_cancelled_is_not_computed_and_one_that_waits_for_room_goes_on() -> None:
    async def check() -> None:
        network = Sums()
        batcher = batcher_of(network, most=1)
        first = asyncio.create_task(batcher.logits(images(1)))
        await asyncio.sleep(0)
        others = [asyncio.create_task(batcher.logits(images(2))) for _ in range(4)]
        await asyncio.sleep(0)
        waits = asyncio.create_task(batcher.room())
        await asyncio.sleep(0.01)
        assert not waits.done()
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        network.free.set()
        await first
        await asyncio.wait_for(waits, 10)
        assert network.batches == [[1]]
        assert batcher.waiting == 0
        assert (await batcher.logits(images(5))).tolist() == [[60.0]]

    asyncio.run(check())


@pytest.mark.parametrize("requests", [1, 50])
def test_one_request_is_computed_at_once_and_many_in_few_batches(requests: int) -> None:
    async def check() -> None:
        network = Sums()
        network.free.set()
        batcher = batcher_of(network, most=16)
        answers = await asyncio.gather(*(batcher.logits(images(number)) for number in range(requests)))
        assert [one.item() for one in answers] == [12.0 * number for number in range(requests)]
        assert len(network.batches) <= 1 + requests // 10

    asyncio.run(check())
