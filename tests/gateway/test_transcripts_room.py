"""What is kept of calls in a worker's memory is bounded: a copy that finds no room is given up whole, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="the extra `transcripts` is not installed")

from offtake.gateway.transcripts.listening import Listening
from offtake.gateway.transcripts.writer import Call, Room, Writer
from offtake.store.transcripts.folder import customers, files
from offtake.store.transcripts.seal import Master

COUNTED = list[str]


class Told:
    """A responder that notes what it is told."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.gone = False

    def start(self, status: int, headers: object) -> None:
        self.said.append(status)

    def write(self, chunk: bytes) -> None:
        self.said.append(chunk)

    def finish(self) -> None:
        self.said.append("end")


@pytest.fixture
def counted() -> COUNTED:
    return []


@pytest.fixture
def writer(tmp_path: Path, counted: COUNTED) -> Iterator[Writer]:
    made = Writer(tmp_path / "kept", Master(bytes(32)), "w0-1", counted.append)
    made.room = Room(100)
    yield made
    made.close()


def listening(writer: Writer, counted: COUNTED, request: bytes, at: int) -> tuple[Listening, Told]:
    told: Any = Told()
    key = SimpleNamespace(id="key", workload="", customer="acme")
    attempt: Any = SimpleNamespace(id="req_w0-1_1", at=at, costs=None, caller=SimpleNamespace(key=key), model="m")
    return Listening(told, attempt, request, 24, writer, counted.append), told


def now() -> int:
    from offtake.gateway.desk import microseconds

    return microseconds()


def calls(folder: Path) -> list[int]:
    return [call.length for place in customers(folder) for file in files(place) for call in file.calls()]


def test_a_copy_that_finds_no_room_costs_the_transcript_and_not_the_answer(
    writer: Writer, counted: COUNTED, tmp_path: Path
) -> None:
    heard, told = listening(writer, counted, b"r" * 40, now())
    other, other_told = listening(writer, counted, b"r" * 40, now())
    for each in (heard, other):
        each.start(200, {})
        each.write(b"a" * 15)
        each.finish()
        each.end()
    writer.close()

    assert [200, b"a" * 15, "end"] == told.said == other_told.said
    assert ["kept", "no_room"] == sorted(counted)
    assert [40 + 15 + 16] == calls(tmp_path / "kept")
    assert writer.room.take(100), "all of it is free again"


def test_what_waits_is_written_before_the_end(writer: Writer, counted: COUNTED, tmp_path: Path) -> None:
    for _ in range(50):
        writer.put(Call("acme", now(), 24, {"id": "req_w0-1_1", "at": now()}, b"request", [b"an", b"swer"], 0))
    writer.close()

    assert ["kept"] * 50 == counted
    assert [7 + 6 + 16] * 50 == calls(tmp_path / "kept")
