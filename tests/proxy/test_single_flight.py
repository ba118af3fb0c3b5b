"""What must not be done twice is done once, for everybody, to its end."""

from __future__ import annotations

import asyncio

import pytest

from proxy.single_flight import SingleFlight


class Work:
    """Something that takes until it is told to end."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def run(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        return self.begun


async def test_all_who_ask_meanwhile_get_the_same_answer() -> None:
    flights, work = SingleFlight(), Work()
    waiting = [flights.join("a", work.run) for _ in range(50)]
    await asyncio.sleep(0)
    work.may_end.set()
    assert await asyncio.gather(*waiting) == [1] * 50
    assert len(flights) == 0


async def test_who_asks_later_begins_anew() -> None:
    flights, work = SingleFlight(), Work()
    work.may_end.set()
    assert [await flights.join("a", work.run), await flights.join("a", work.run)] == [1, 2]


async def test_names_do_not_wait_for_each_other() -> None:
    flights, slow, quick = SingleFlight(), Work(), Work()
    quick.may_end.set()
    waiting = flights.join("slow", slow.run)
    assert await flights.join("quick", quick.run) == 1
    slow.may_end.set()
    await waiting


async def test_it_goes_on_when_everybody_has_gone() -> None:
    flights, work = SingleFlight(), Work()
    waiting = flights.join("a", work.run)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    again = flights.join("a", work.run)
    work.may_end.set()
    assert await again == 1


async def test_all_hear_of_a_failure_and_the_next_one_begins_anew() -> None:
    flights = SingleFlight()

    async def fail() -> None:
        raise KeyError("x")

    waiting = [flights.join("a", fail) for _ in range(3)]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [KeyError] * 3
    with pytest.raises(KeyError):
        await flights.join("a", fail)


async def test_a_stop_lets_it_come_to_its_end() -> None:
    flights, work = SingleFlight(), Work()
    waiting = flights.join("a", work.run)
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.01, work.may_end.set)
    await flights.close(5.0)
    assert waiting.result() == 1


async def test_a_stop_does_not_wait_for_ever() -> None:
    flights, work = SingleFlight(), Work()
    waiting = flights.join("a", work.run)
    await flights.close(0.01)
    with pytest.raises(asyncio.CancelledError):
        await waiting
