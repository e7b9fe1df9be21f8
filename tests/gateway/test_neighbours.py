"""Workers ask each other for what lies free of a budget: all answers are waited for, and a dead worker not for long."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from offtake.gateway import neighbours
from offtake.gateway.neighbours import Neighbours, Pipes


class Worker:
    """One that gives back what it has free, once."""

    def __init__(self, index: int, pipes: Pipes, free_pico: int, held_pico: int = 0) -> None:
        self.neighbours = Neighbours(index, pipes)
        self.free_pico, self.held_pico = free_pico, held_pico
        self.asked: list[str] = []
        self.neighbours.listen(self.give)

    async def give(self, budget: str) -> tuple[int, int]:
        await asyncio.sleep(0.01)
        self.asked.append(budget)
        given, self.free_pico = self.free_pico, 0
        return given, self.held_pico


def test_what_all_others_have_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "WAIT_SECONDS", 10)

    async def run() -> None:
        pipes = Pipes(3)
        first, second, third = (Worker(index, pipes, free) for index, free in enumerate((5, 7, 10**30)))
        second.held_pico = 4

        assert (7 + 10**30, 4) == await first.neighbours.ask("team:süd\n/total")
        assert [[], ["team:süd\n/total"], ["team:süd\n/total"]] == [first.asked, second.asked, third.asked]
        both = await asyncio.gather(second.neighbours.ask("b"), third.neighbours.ask("b"))
        assert 5 == sum(gave for gave, _ in both), "what is free is given once"

    asyncio.run(run())


def test_a_worker_that_is_dead_is_not_waited_for_long() -> None:
    async def run() -> None:
        pipes = Pipes(3)
        first, second = Worker(0, pipes, 0), Worker(1, pipes, 7)
        began = time.monotonic()

        assert (7, 0) == await first.neighbours.ask("b")
        assert 0.4 < time.monotonic() - began < 5
        assert ["b"] == second.asked

    asyncio.run(run())


def test_what_a_dead_predecessor_left_in_the_pipe_is_read_over() -> None:
    async def run() -> None:
        pipes = Pipes(2)
        os.write(pipes.ends[0][1], b'udget"]\n["gave", 12, 1, 1]\n')
        first, _ = Worker(0, pipes, 0), Worker(1, pipes, 7)

        assert (7, 0) == await first.neighbours.ask("b")

    asyncio.run(run())


def test_a_full_pipe_stops_nobody() -> None:
    async def run() -> None:
        pipes = Pipes(2)
        with pytest.raises(BlockingIOError):
            while True:
                os.write(pipes.ends[1][1], b"x" * 4_096)

        assert (0, 0) == await Neighbours(0, pipes).ask("b")

    asyncio.run(run())


def test_who_is_alone_asks_nobody() -> None:
    assert (0, 0) == asyncio.run(Neighbours().ask("b"))
    assert (0, 0) == asyncio.run(Neighbours(0, Pipes(1)).ask("b"))
