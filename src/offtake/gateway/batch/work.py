"""One batch at work: its lines, what they are in their vendor's words, how each ended, and its cost.

`finish` is the one way in which a line ends: its answer is kept, then it is settled, then it is counted. Reading the
kept answers again does the same without keeping and, where the ledger has the line already, without settling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from offtake.gateway.admit.residency import keeps_nothing
from offtake.gateway.ask import BadAsk, Edits, Refusal, Served
from offtake.gateway.batch.books import Books, Held
from offtake.gateway.batch.documents import Batch, Part, encode, header_bytes
from offtake.gateway.batch.lines import Line, read_line
from offtake.gateway.batch.plan import Answered, Answers, Planned, input_name
from offtake.gateway.batch.weigh import Scales, read_ask, speak
from offtake.gateway.callers import Caller
from offtake.gateway.desk import instant
from offtake.gateway.outlet import Outlet
from offtake.gateway.prepare import Spoken
from offtake.store.batches import BatchStore


@dataclass(slots=True)
class Work:
    """A batch that was planned and held. `stop` is set when it shall go no further, now or for good (`cancelled`)."""

    store: BatchStore
    books: Books
    scales: Scales
    batch: Batch
    caller: Caller
    plan: Mapping[int, Planned]
    outlets: Mapping[str, Outlet]
    held: Held
    answers: Answers
    cancelled: bool = False
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    done: set[int] = field(default_factory=set)
    sent: set[int] = field(default_factory=set)

    def replay(self) -> None:
        """Count what was answered before this process began."""
        for answered in self.answers.each():
            if answered.state == "sent":
                self.sent.add(answered.number)
            elif answered.state == "unsent":
                self.sent.discard(answered.number)
            else:
                self._count(answered)

    def finish(self, answered: Answered) -> None:
        """A line has ended. A second end of the same line is none."""
        if answered.number in self.done or answered.number not in self.plan:
            return
        self.answers.add(answered)
        self._count(answered)

    def send(self, number: int) -> None:
        """A line is about to be dispatched by itself."""
        self.answers.add(Answered(number, "sent"))
        self.sent.add(number)

    def left(self, index: int) -> list[Planned]:
        """The lines of a part that have not ended."""
        return [line for line in self.plan.values() if line.part == index and line.number not in self.done]

    def end_rest(self, index: int, state: str) -> None:
        """All lines of a part that have no answer end so."""
        for line in self.left(index):
            self.finish(Answered(line.number, state))

    def requests(self, index: int) -> Iterator[tuple[str, bytes]]:
        """The lines of a part for the vendor: (name in our books, body)."""
        for line in self.left(index):
            yield self.batch.request_id(line.number), self.body(line)

    def body(self, line: Planned) -> bytes:
        """What goes to the vendor for a line."""
        spoken = self.spoken(line)
        outlet = self.outlet(line)
        zero = keeps_nothing(outlet.terms.contract, instant(self.batch.created_at))
        edits = Edits(self.name(line, spoken), vendor=outlet.vendor, keeps_nothing=zero)
        return spoken.dialect.edited(spoken.ask, edits)[0]

    def name(self, line: Planned, spoken: Spoken) -> str:
        """The endpoint's own name of a line's model, "" where it is the one that the client wrote."""
        names = self.scales.endpoints[self.outlet(line).name].models
        return names.get(line.model, names.get(spoken.ask.model, ""))

    def line(self, planned: Planned) -> Line:
        """A line as its client wrote it. ValueError where the input file is not what it was."""
        with self.store.path(input_name(self.batch.id)).open("rb") as file:
            file.seek(planned.start)
            found = read_line(file.read(planned.size_bytes), planned.number, planned.start, self.batch.wire)
        if isinstance(found, Refusal):
            raise ValueError(f"the input of {self.batch.id} has changed")
        return found

    def spoken(self, planned: Planned) -> Spoken:
        """A line in the words of its vendor. ValueError where it can no longer be said: the configuration changed."""
        try:
            dialect, ask = read_ask(self.line(planned), header_bytes(self.batch.headers), self.caller.rules)
        except BadAsk as error:
            raise ValueError(error.refusal.text) from error
        asked = replace(ask, tier="batch" if self.part(planned).native else "")
        found = speak(dialect, asked, self.outlet(planned), planned.model, self.scales, instant(self.batch.created_at))
        if isinstance(found, Refusal):
            raise ValueError(found.text)
        return found

    def part(self, line: Planned) -> Part:
        """The part of a line."""
        return self.batch.parts[line.part]

    def outlet(self, line: Planned) -> Outlet:
        """Where a line goes."""
        return self.outlets[self.part(line).outlet]

    def save(self) -> None:
        """Keep what is known of the batch now."""
        self.store.write(self.batch.id, encode(self.batch), open=True)

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until it shall go no further."""
        try:
            async with asyncio.timeout(seconds):
                await self.stop.wait()
        except TimeoutError:
            return

    def _count(self, answered: Answered) -> None:
        line = self.plan.get(answered.number)
        if line is None or answered.number in self.done:
            return
        self.done.add(answered.number)
        batch, state = self.batch, answered.state
        if state == "done":
            self._settle(line, answered)
            state = "done" if 200 <= answered.status < 300 else "failed"
        elif state != "lost":  # nobody knows whether the vendor has done it: its hold stays, and is listed
            self.books.release(batch, line, state, self.held)
        batch.counts[state] = batch.counts.get(state, 0) + 1

    def _settle(self, line: Planned, answered: Answered) -> None:
        spoken, native = self.spoken(line), self.part(line).native
        headers = dict.fromkeys((b"x-request-id", b"request-id"), answered.request_id.encode())
        if answered.status:
            served = spoken.dialect.served(answered.status, headers, bytes(answered.body), spoken.ask)
        else:
            served = Served(None, "timeout" if answered.request_id == "timeout" else "http_5xx")
        if native:
            ran = 200 <= answered.status < 300  # a vendor bills no request of a batch that failed
            served = replace(served, tier="batch", quantities=served.quantities if ran else {})
        costs = self.books.settle(self.batch, self.caller, line, self.outlet(line), spoken, served, self.held)
        self.batch.cost_pico += costs.total_pico
        if self.batch.deferred:
            self.batch.clauses = [*costs.clauses, *((costs.verdict,) if costs.verdict else ())]
        usage, quantities = self.batch.usage, costs.quantities
        for name, tokens in (
            ("input_tokens", costs.context_tokens or 0),
            ("cached_tokens", quantities.get("cache_read_tokens", 0)),
            ("output_tokens", quantities.get("output_tokens", 0)),
        ):
            usage[name] = usage.get(name, 0) + tokens


def planned_by_number(plan: Sequence[Planned]) -> dict[int, Planned]:
    """A plan to look lines up in."""
    return {line.number: line for line in plan}
