"""Calculations run beside the loop, as many at a time as there are cores."""

from __future__ import annotations

import asyncio
import threading

import pytest

from proxy.calculator import Calculator
from proxy.cores import usable_cores


async def test_a_result_comes_from_another_thread() -> None:
    calculator = Calculator()
    assert await calculator.run(threading.get_ident) != threading.get_ident()
    calculator.close()


async def test_what_it_raises_is_raised() -> None:
    calculator = Calculator()
    with pytest.raises(ZeroDivisionError):
        await calculator.run(lambda: 1 // 0)
    calculator.close()


async def test_no_more_run_at_a_time_than_there_are_cores() -> None:
    calculator = Calculator()
    lock, end = threading.Lock(), threading.Event()
    running = 0

    def work() -> int:
        nonlocal running
        with lock:
            running += 1
        end.wait(10)
        with lock:
            running -= 1
        return running

    waiting = [calculator.run(work) for _ in range(4 * usable_cores())]
    while running < usable_cores():  # noqa: ASYNC110 - threads change it
        await asyncio.sleep(0.001)
    assert running == usable_cores()
    end.set()
    await asyncio.gather(*waiting)
    calculator.close()


async def test_who_goes_away_takes_what_has_not_begun_along() -> None:
    calculator = Calculator()
    end = threading.Event()
    begun: list[int] = []
    busy = [calculator.run(lambda: end.wait(10)) for _ in range(usable_cores())]
    late = calculator.run(lambda: begun.append(1))
    late.cancel()
    await asyncio.sleep(0)
    end.set()
    await asyncio.gather(*busy)
    calculator.close()
    assert begun == []
