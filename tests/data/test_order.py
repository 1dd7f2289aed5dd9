from __future__ import annotations

import pytest

from dogbreed.data.order import EpochOrder, ResumableLoader


def visit(size: int = 20, *, epoch: int = 0, start: int = 0, **settings: int) -> list[tuple[int, int]]:
    order = EpochOrder(size, **{"seed": 1, **settings})
    order.set_epoch(epoch)
    order.start = start
    return list(order)


def test_an_epoch_visits_every_photo_once_in_another_order_than_the_folders() -> None:
    indices = [index for index, _ in visit()]
    assert sorted(indices) == list(range(20))
    assert indices != sorted(indices)


def test_the_order_and_the_seeds_are_a_function_of_the_seed_and_the_epoch() -> None:
    assert visit(epoch=3) == visit(epoch=3)
    assert visit(epoch=3) != visit(epoch=4)
    assert visit(epoch=3) != visit(epoch=3, seed=2)


def test_every_photo_of_every_epoch_has_a_seed_of_its_own() -> None:
    seeds = [seed for epoch in range(5) for _, seed in visit(epoch=epoch)]
    assert len(set(seeds)) == 100


def test_a_continued_epoch_visits_the_rest_of_the_same_order() -> None:
    assert visit(start=7) == visit()[7:]


def test_only_the_continued_epoch_begins_late() -> None:
    order = EpochOrder(20, seed=1)
    order.start = 7
    assert len(list(order)) == 13
    assert len(list(order)) == 20


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_an_epoch_without_overlap_and_take_the_same_number_of_steps(world_size: int) -> None:
    shares = [visit(rank=rank, world_size=world_size) for rank in range(world_size)]
    assert {len(share) for share in shares} == {20 // world_size}
    assert len({index for share in shares for index, _ in share}) == 20 // world_size * world_size
    assert {pair for share in shares for pair in share} <= set(visit())


def test_the_length_is_what_is_visited() -> None:
    order = EpochOrder(20, seed=1, rank=1, world_size=3)
    assert len(order) == len(list(order)) == 6


class Pairs:
    def __len__(self) -> int:
        return 10

    def __getitem__(self, pair: tuple[int, int]) -> int:
        return pair[0]


def test_a_loader_continues_at_the_batch_that_its_state_names() -> None:
    def loader(finished: int = 0) -> ResumableLoader:
        return ResumableLoader(Pairs(), sampler=EpochOrder(10, seed=1), position=lambda: finished, batch_size=3)

    whole = [batch.tolist() for batch in loader()]
    continued = loader()
    continued.load_state_dict(loader(finished=2).state_dict())
    assert [batch.tolist() for batch in continued] == whole[2:]
    assert [batch.tolist() for batch in continued] == whole
