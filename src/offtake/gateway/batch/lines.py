"""The lines of a batch: read from its file, one request each, and refused by number where they are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from offtake.gateway.ask import Refusal

LINES_MAX = 50_000
REQUESTS_MAX = 100_000
FILE_BYTES_MAX = 200_000_000
CUSTOM_ID_MAX = 512
ENDPOINTS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")
MESSAGES = "/v1/messages"


class _OpenAI(msgspec.Struct):
    custom_id: str
    method: str
    url: str
    body: msgspec.Raw


class _Anthropic(msgspec.Struct):
    custom_id: str
    params: msgspec.Raw


_OPENAI = msgspec.json.Decoder(_OpenAI).decode
_ANTHROPIC = msgspec.json.Decoder(_Anthropic).decode


@dataclass(frozen=True, slots=True)
class Line:
    """One request: its place in the file (`number` from 1, bytes), its client's name for it, and its body."""

    number: int
    start: int
    size_bytes: int
    custom_id: str
    url: str
    body: bytes


def lines_of(path: Path, wire: str) -> Iterator[Line | Refusal]:
    """The lines of a file in their order, each as a request or as what is wrong with it. OSError: no such file."""
    seen: set[str] = set()
    url, place, count = "", 0, 0
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            start, place = place, place + len(text)
            if not text.strip():
                continue
            count += 1
            found = read_line(text, number, start, wire)
            if isinstance(found, Line):
                url = url or found.url
                found = _fitting(found, url, seen)
            yield found
    most = REQUESTS_MAX if wire == "anthropic" else LINES_MAX
    if not count or count > most:
        yield Refusal("bad_request", "G901", f"a batch has 1 to {most:,} requests, and this one has {count:,}")


def read_line(text: bytes, number: int, start: int, wire: str) -> Line | Refusal:
    """One line by itself."""
    try:
        if wire == "anthropic":
            inline = _ANTHROPIC(text)
            return Line(number, start, len(text), inline.custom_id, MESSAGES, bytes(inline.params))
        row = _OPENAI(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return refused(number, f"it is no request: {error}")
    if row.method != "POST" or row.url not in ENDPOINTS:
        return refused(number, f"method and url are POST and one of {', '.join(ENDPOINTS)}")
    return Line(number, start, len(text), row.custom_id, row.url, bytes(row.body))


def refused(number: int, why: str, said: Refusal | None = None) -> Refusal:
    """Why a line cannot be part of a batch, in the words of `said` where those exist."""
    if said is None:
        return Refusal("bad_request", "G902", f"line {number}: {why}")
    return Refusal(said.kind, said.code, f"line {number}: {said.message}", said.clause, said.hint)


def _fitting(line: Line, url: str, seen: set[str]) -> Line | Refusal:
    """The line, if it fits those before it."""
    if not 0 < len(line.custom_id) <= CUSTOM_ID_MAX:
        return refused(line.number, f"custom_id has 1 to {CUSTOM_ID_MAX} characters")
    if line.custom_id in seen:
        return refused(line.number, "its custom_id stands twice")
    if line.url != url:
        return refused(line.number, f"all lines go to one url, and the first goes to {url}")
    seen.add(line.custom_id)
    return line
