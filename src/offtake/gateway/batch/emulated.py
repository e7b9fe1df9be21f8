"""A part of a batch as ordinary requests, a few at a time, where the vendor has no batches.

A line is marked as sent before it leaves. Where the process is killed in between, nobody knows whether the vendor has
served it: it is sent again only to a vendor that knows a repeated request by its key, and otherwise ends as `lost`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec

from offtake.gateway.batch.documents import header_bytes
from offtake.gateway.batch.plan import Answered, Planned
from offtake.gateway.batch.turns import Turns
from offtake.gateway.batch.work import Work
from offtake.gateway.desk import microseconds
from offtake.gateway.http.answer import TimedOutError, UpstreamError
from offtake.gateway.route.retry import UNSERVED, idempotency_key
from offtake.gateway.vendors.endpoint import Arriving

AT_ONCE = 4
"""Requests of a batch in flight: whoever waits for an answer comes first."""
ANSWER_BYTES_MAX = 64 * 2**20
WAIT_SECONDS, WAIT_SECONDS_MAX = 1.0, 60.0
JSON = {b"content-type": b"application/json"}


async def run_emulated(work: Work, index: int) -> None:
    """Run a part to its end, or as far as `work.stop` lets it: what was sent is waited for."""
    for line in work.left(index):
        if line.number in work.sent and not work.outlet(line).idempotent:
            work.finish(Answered(line.number, "lost"))
    waiting = iter(work.left(index))
    await asyncio.gather(*(_several(work, waiting) for _ in range(AT_ONCE)))
    if work.cancelled or microseconds() > work.batch.expires_at:
        work.end_rest(index, "canceled" if work.cancelled else "expired")
    work.batch.parts[index].ended = not work.left(index)


async def _several(work: Work, waiting: Iterator[Planned]) -> None:
    for line in waiting:
        answered = await _one(work, line)
        if answered is None:
            return
        work.finish(answered)


async def _one(work: Work, line: Planned) -> Answered | None:
    """The answer to a line, however long the vendor is busy; None where it shall not be sent any more."""
    outlet, spoken, body = work.outlet(line), work.spoken(line), work.body(line)
    model, turns = work.name(line, spoken) or spoken.ask.model, Turns(work, line, spoken.ask)
    if refusal := turns.never():
        return Answered(line.number, "failed", request_id=refusal.text)
    headers = JSON | header_bytes(work.batch.headers)
    if outlet.idempotent:
        headers[b"idempotency-key"] = idempotency_key(work.batch.request_id(line.number), outlet.id).encode()
    pause = WAIT_SECONDS
    while not work.stop.is_set() and microseconds() < work.batch.expires_at:
        if wait := turns.take():
            await work.pause(wait)
            continue
        if line.number not in work.sent:
            work.send(line.number)
        endpoint, served = work.scales.endpoints[outlet.name], None
        try:
            call = endpoint.wire.call(spoken.ask.dialect, model, False, body, headers, "")  # a signature ages
            answer: Arriving = await endpoint.pool.request("POST", call.target, call.headers, call.body)
            if call.unwrap is not None:
                answer = call.unwrap(answer)
            text = await answer.whole(ANSWER_BYTES_MAX)
        except UpstreamError as error:
            if error.dispatched:
                why = "timeout" if isinstance(error, TimedOutError) else "broken"
                return Answered(line.number, "done", request_id=why)
        else:
            served = spoken.dialect.served(answer.status, answer.headers, text, spoken.ask)
            if answer.status not in UNSERVED:
                return Answered(line.number, "done", answer.status, _request_id(answer.headers), _json(text))
        finally:
            turns.give_back(served)
        await work.pause(pause)
        pause = min(pause * 2, WAIT_SECONDS_MAX)
    if _final(work):
        return Answered(line.number, "canceled" if work.cancelled else "expired")
    if line.number in work.sent:  # we stop while the vendor is busy: it never ran, so the next process may send it
        work.answers.add(Answered(line.number, "unsent"))
    return None


def _final(work: Work) -> bool:
    return work.cancelled or microseconds() >= work.batch.expires_at


def _request_id(headers: dict[bytes, bytes]) -> str:
    return (headers.get(b"x-request-id") or headers.get(b"request-id") or b"").decode("latin-1")


def _json(text: bytes) -> msgspec.Raw:
    """A vendor's answer on one line; what is no JSON is kept as a text, so that the file stays whole."""
    try:
        return msgspec.Raw(msgspec.json.format(text, indent=-1))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.Raw(msgspec.json.encode(text.decode("latin-1")))
