"""One attempt at serving a request: an outlet, the body for its wire, what is held for it, and how it ended.

A request that is tried at a second outlet is a second attempt, with an intent, a hold and an end of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from offtake.gateway import headers as ours
from offtake.gateway.admit.admission import Admitted
from offtake.gateway.admit.budget import Purse, settle
from offtake.gateway.admit.evaluation import ends_soon
from offtake.gateway.admit.hold import Hold
from offtake.gateway.admit.limits import Ticket
from offtake.gateway.admit.proofs import proofs
from offtake.gateway.admit.reserved import Reservation
from offtake.gateway.ask import Ask, Served
from offtake.gateway.cache.prefixes import WHOLE, Prefixes
from offtake.gateway.callers import Caller
from offtake.gateway.desk import Desk, instant, microseconds
from offtake.gateway.dialects import Dialect
from offtake.gateway.journal.events import Event, Intent, Release, Settle
from offtake.gateway.log import say
from offtake.gateway.outlet import Outlet
from offtake.gateway.route.candidates import Candidate, RouteState
from offtake.gateway.route.standing import Drawdown, Standing
from offtake.gateway.settle import Costs, costs_of, settle_line, with_others
from offtake.gateway.translate import Exchange
from offtake.rating.ceiling import Ceiling

Headers = dict[bytes, bytes]
DAY = 86_400_000_000
"""Microseconds."""
PICO = 10**12
ENDED_MAX = 64
"""Letters of the vendor's word, or the status, for how a failed request ended."""
LEARNED_WHOLE, LEARNED_EACH = 4_096, 8
"""A worker learns from all of its first requests, and then from each so many."""


class Prepared(Struct):
    """A request as a candidate takes it. `exchange` translates where its wire does not speak the client's dialect.

    `ask` is what goes to the vendor, read in `dialect`, the vendor's. `prefixes` and `edits` are of a workload that
    opted in to caching.
    """

    candidate: Candidate
    dialect: Dialect
    ask: Ask
    exchange: Exchange | None = None
    prefixes: Prefixes | None = None
    edits: tuple[str, ...] = ()

    @property
    def outlet(self) -> Outlet:
        """Where it goes."""
        return self.candidate.outlet


class Attempt(Struct):
    """See the module. It began at `at` in microseconds, which is `now` in UTC; `model` is the catalogue's id.

    `served_model` is the vendor's own word. `sent_ns` and the like are of a clock that never goes back.
    """

    id: str
    parent: str
    caller: Caller
    outlet: Outlet
    model: str
    prepared: Prepared
    admitted: Admitted
    purses: Sequence[Purse]
    at: int
    now: datetime
    sent_ns: int = field(default_factory=time.monotonic_ns)
    first_ns: int = 0
    written_bytes: int = 0
    edits: tuple[str, ...] = ()
    traceparent: str = ""
    reserved: tuple[Reservation, Ticket] | None = None
    standing: Standing | None = None
    costs: Costs | None = None
    served_model: str = ""

    def stand(self, routing: RouteState) -> None:
        """Note where its contract stands, and take its part of reserved capacity where that is what serves it."""
        candidate = self.prepared.candidate
        standing = self.standing = routing.standings.get(self.outlet.contract)
        if candidate.cost.from_reserved and standing and standing.reservation:
            use = candidate.use
            ticket = standing.reservation.take(use.input + use.cache_read, use.output, self.sent_ns)
            self.reserved = standing.reservation, ticket

    def begin(self, desk: Desk) -> None:
        """Write the intent. JournalError: nothing was dispatched, and nothing may be."""
        desk.journal.append(self._intent(self.id, self.model))

    def give_back(self) -> None:
        """Nothing was sent: what was held and counted is free again."""
        settle(self.purses, self.admitted.hold, 0)
        self._give_back_rates(0, 0, time.monotonic_ns())

    def release(self, desk: Desk, why: str) -> None:
        """Its intent is written, and it was never dispatched: nothing is owed."""
        self.give_back()
        desk.journal.append(Release(self.id, microseconds(), self._accounts(), why))

    async def settle(self, desk: Desk, served: Served) -> Costs:
        """Write down what it has cost, before anybody is told that it is done. Once: later calls change nothing."""
        if self.costs is not None:
            return self.costs
        prepared, outlet, model, rules = self.prepared, self.outlet, self.model, self.caller.rules
        at, hold = self.now, self.admitted.hold
        costs = costs_of(
            outlet, model, prepared.ask, rules, served, at, written_bytes=self.written_bytes, hold_pico=hold.pico,
            reserved=self.reserved is not None,
        )  # fmt: skip
        if served.others:
            costs = with_others(costs, outlet, prepared.ask, rules, served, at, hold.pico)
        now_ns = time.monotonic_ns()
        # One line for all of it. Where that fails, the hold stays, as the books have it.
        desk.journal.append(self._settled(costs, served, at, now_ns), *self._settled_others(costs, now_ns))
        self.costs, self.served_model = costs, served.model
        settle(self.purses, hold, costs.total_pico)
        self._give_back_rates(costs.context_tokens, costs.quantities.get("output_tokens", 0), now_ns)
        if costs.usage_known and costs.outcome == "ok":
            self._learn(desk, costs)
        if prepared.prefixes is not None and desk.caching is not None and costs.usage_known:
            workload = self.caller.key.workload
            kept = prepared.ask.cache_writes[0] if WHOLE in prepared.edits else ""
            desk.caching.served(workload, outlet, model, prepared.prefixes, self.at, kept)
        self._count(desk, costs, now_ns)
        if desk.telemetry is not None:
            desk.telemetry.settled(self, costs, served)
        if desk.settings.log != "none":
            self._log(desk, costs)
        if desk.durable is not None:
            await desk.durable.appended()
        return costs

    def headers(self) -> Headers:
        """What a client is told of it; the cost only once it is known."""
        exchange = self.prepared.exchange
        clause = self.prepared.candidate.clause
        found = headers_of(self.id, self.outlet, self.model, self.at, clause, self.costs, self.standing)
        if self.edits:
            found[ours.EDITS] = _line(", ".join(self.edits))
        if exchange is not None and exchange.dropped:
            found[ours.DROPPED] = _line(", ".join(exchange.dropped))
        if self.admitted.observed:
            found[ours.OBSERVED] = _line("; ".join(refusal.text for refusal in self.admitted.observed))
        return found

    def _give_back_rates(self, input_tokens: int, output_tokens: int, now_ns: int) -> None:
        for ticket in self.admitted.tickets:
            ticket.limits.settle(ticket, input_tokens, output_tokens, now_ns)
        if self.reserved is not None:
            self.reserved[0].settle(self.reserved[1], input_tokens, output_tokens, now_ns)

    def _learn(self, desk: Desk, costs: Costs) -> None:
        """What such requests use, for holds that may be learned and for comparing outlets."""
        ask = self.prepared.ask
        if ask.session:
            sessions = desk.in_force.routing.sessions
            sessions.remember(ask.session, self.outlet.id, self.model, costs.context_tokens, time.monotonic_ns())
        if learns(desk.ids.number):
            learn(
                desk, self.caller.key.id, self.model, self.admitted.ceiling, ask.input_tokens_max,
                costs.context_tokens, costs.quantities.get("output_tokens", 0), costs.total_pico,
            )  # fmt: skip

    def _count(self, desk: Desk, costs: Costs, now_ns: int) -> None:
        outlet, counts = self.outlet, desk.counts
        took = (now_ns - self.sent_ns) // 1_000_000
        counts.settled(outlet.contract, outlet.name, costs, took, (self.first_ns - self.sent_ns) // 1_000_000)
        for other in costs.others:
            counts.settled(outlet.contract, outlet.name, other, took, 0)
        if self.admitted.observed:
            counts.observed(refusal.code for refusal in self.admitted.observed)

    def _log(self, desk: Desk, costs: Costs) -> None:
        """The line of the access log."""
        prepared = self.prepared
        if desk.settings.log == "errors" and costs.outcome in ("", "ok") and costs.usage_known:
            return
        say(
            "request", id=self.id, key=self.caller.key.id, workload=self.caller.key.workload,
            contract=self.outlet.contract, vendor=self.outlet.name, model=self.model,
            dialect=prepared.ask.dialect, stream=prepared.ask.stream, outcome=costs.outcome or "ok",
            usage_known=costs.usage_known, quantities=dict(costs.quantities), cost_pico=costs.total_pico,
            ms=(time.monotonic_ns() - self.sent_ns) // 1_000_000, edits=list(self.edits),
        )  # fmt: skip

    def _accounts(self) -> list[str]:
        return [purse.lease.budget for purse in self.purses]

    def _intent(self, id: str, model: str) -> Intent:
        return intent_of(
            id, self.at, self.caller, self.outlet, model, self.admitted.hold, self.purses, self.prepared.ask.tier,
            self.parent,
        )  # fmt: skip

    def _settled(self, costs: Costs, served: Served, at: datetime, now_ns: int) -> Settle:
        """How it ended, with what proves it."""
        evidence = costs.evidence
        if self.admitted.observed:
            evidence["observed"] = ",".join(refusal.code for refusal in self.admitted.observed)
        if costs.outcome != "ok" and served.finish:
            evidence["ended"] = served.finish[:ENDED_MAX]
        if served.region:
            evidence["served_region"] = served.region
        if served.model and served.model != self.prepared.ask.model:
            evidence["served_model"] = served.model
        evidence.update(proofs(self.outlet, self.caller.rules, self.model, served, at))
        line = self._line(self.id, costs, evidence, now_ns)
        if self.prepared.prefixes is not None:
            line.prefixes = [(block.id, block.bytes) for block in self.prepared.prefixes.blocks]
        return line

    def _settled_others(self, costs: Costs, now_ns: int) -> Iterator[Event]:
        """Other models that worked inside the answer: requests of their own, on the hold of this one."""
        for number, other in enumerate(costs.others, 1):
            id = f"{self.id}.m{number}"
            yield replace(self._intent(id, other.model), holds={}, parent=self.id)
            yield self._line(id, other, other.evidence, now_ns)

    def _line(self, id: str, costs: Costs, evidence: dict[str, str], now_ns: int) -> Settle:
        return settle_line(
            id, microseconds(), self.at, self.caller, self.outlet, self._accounts(), costs, evidence,
            (now_ns - self.sent_ns) // 1_000_000,
            (self.first_ns - self.sent_ns) // 1_000_000 if self.first_ns else None,
        )  # fmt: skip


def intent_of(
    id: str, at: int, caller: Caller, outlet: Outlet, model: str, hold: Hold, purses: Sequence[Purse], tier: str = "",
    parent: str = "",
) -> Intent:  # fmt: skip
    """The line of the journal for a request that is about to be sent."""
    key, holds = caller.key, {purse.lease.budget: hold.pico for purse in purses}
    return Intent(
        id, at, key.id, holds, outlet.contract, outlet.vendor, model, "realtime", outlet.access, outlet.region,
        key.workload, key.customer, caller.tags, tier, parent,
    )  # fmt: skip


def learns(number: int) -> bool:
    """Whether a worker learns from the request of this number."""
    return number <= LEARNED_WHOLE or number % LEARNED_EACH == 0


def learn(
    desk: Desk, key: str, model: str, ceiling: Ceiling, input_tokens_max: int | None, input_tokens: int,
    output_tokens: int, cost_pico: int,
) -> None:  # fmt: skip
    """What a request of a key on a model has used of what it might."""
    most = input_tokens_max if input_tokens_max is not None else ceiling.context_window or 0
    written = ceiling.expected(input_tokens, 0, output_tokens) - ceiling.expected(input_tokens, 0, 0)
    rest_pico = max(cost_pico - written, 0)
    desk.learned.add(key, model, output_tokens, input_tokens, most, rest_pico, ceiling.pico(most, 0))


def headers_of(
    id: str, outlet: Outlet, model: str, at: int, clause: str, costs: Costs | None, standing: Standing | None
) -> Headers:
    """What every answer tells: who served it under which clause, and once it is known, what it cost and what is left.

    `clause` decided where it went.
    """
    found = {ours.REQUEST_ID: id.encode(), **_named(outlet, model, at // DAY)}
    if costs is not None:
        found[ours.COST] = ours.dollars(costs.total_pico)
        found[ours.CLAUSE] = clauses_of(costs.clauses, costs.verdict)
        if standing is not None and standing.drawdowns:
            found[ours.COMMITMENT] = left_of(standing.drawdowns, costs.total_pico)
    found[ours.ROUTE] = _line(clause)
    return found


def cancelled(served: Served) -> Served:
    """What was served to a client that left before the end: the vendor bills it all the same."""
    return replace(served, outcome="client_cancel") if served.outcome == "ok" else served


@lru_cache(maxsize=1_024)
def _named(outlet: Outlet, model: str, day: int) -> Headers:
    """The headers that all answers of a model of an outlet have on a day; whoever needs more makes a new mapping."""
    contract, name = outlet.contract.encode(), outlet.name.encode()
    found = {ours.CONTRACT: contract, ours.VENDOR: name, ours.MODEL: model.encode()}
    terms = outlet.terms
    notice = ends_soon(terms.catalog.resolve(model, outlet.vendor, outlet.access), instant(day * DAY), terms.contract)
    return found | {ours.NOTICE: _line(notice)} if notice else found


@lru_cache(maxsize=1_024)
def clauses_of(clauses: tuple[str, ...], verdict: str = "") -> bytes:
    """The clauses that made the prices of a call, and the one that decided what a failed one costs."""
    return _line("; ".join((*clauses, verdict) if verdict else clauses))


def left_of(drawdowns: Sequence[Drawdown], cost_pico: int) -> bytes:
    """What is left of each commitment after this call, as far as the worker knew a second ago."""
    left = []
    for each in drawdowns:
        pico = each.left_pico - cost_pico
        left.append(b"%b %d.%012d USD left" % (each.path.encode(), *divmod(max(0, pico), PICO)))
    return b"; ".join(left)


@lru_cache(maxsize=1_024)
def _line(text: str) -> bytes:
    """Words as a header's value: one line of visible Latin letters."""
    return " ".join(text.split()).encode("ascii", "replace")[:1_000]
