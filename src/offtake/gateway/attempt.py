"""One attempt at serving a request: an outlet, the body for its wire, what is held for it, and how it ended.

A request that is tried at a second outlet is a second attempt, with an intent, a hold and an end of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from offtake.gateway import headers as ours
from offtake.gateway.admit.admission import Admitted
from offtake.gateway.admit.budget import Purse, settle
from offtake.gateway.admit.evaluation import ends_soon
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
from offtake.gateway.settle import Costs, costs_of, with_others
from offtake.gateway.translate import Exchange

Headers = dict[bytes, bytes]
DAY = 86_400_000_000
"""Microseconds."""
ENDED_MAX = 64
"""Letters of the vendor's word, or the status, for how a failed request ended."""
LEARNED_WHOLE, LEARNED_EACH = 4_096, 8
"""A worker learns from all of its first requests, and then from each so many."""


class Prepared(Struct, frozen=True):
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
        return self.candidate.question.outlet

    @property
    def model(self) -> str:
        """The catalogue's id of the model that serves."""
        return self.candidate.question.model


class Attempt(Struct):
    """See the module. `sent` and the like are nanoseconds of a clock that never goes back; `at` is microseconds."""

    id: str
    parent: str
    caller: Caller
    prepared: Prepared
    admitted: Admitted
    purses: Sequence[Purse]
    at: int = field(default_factory=microseconds)
    sent_ns: int = field(default_factory=time.monotonic_ns)
    first_ns: int = 0
    written_bytes: int = 0
    edits: tuple[str, ...] = ()
    traceparent: str = ""
    reserved: tuple[Reservation, Ticket] | None = None
    standing: Standing | None = None
    costs: Costs | None = None

    def stand(self, routing: RouteState) -> None:
        """Note where its contract stands, and take its part of reserved capacity where that is what serves it."""
        candidate = self.prepared.candidate
        standing = self.standing = routing.standings.get(self.prepared.outlet.contract)
        if candidate.cost.from_reserved and standing and standing.reservation:
            use = candidate.use
            ticket = standing.reservation.take(use.input + use.cache_read, use.output, self.sent_ns)
            self.reserved = standing.reservation, ticket

    def begin(self, desk: Desk) -> None:
        """Write the intent. JournalError: nothing was dispatched, and nothing may be."""
        desk.journal.append(self._intent(self.id, self.prepared.model))

    def give_back(self) -> None:
        """Nothing was sent: what was held and counted is free again."""
        settle(self.purses, self.admitted.hold, 0)
        self._give_back_rates(0, 0)

    def release(self, desk: Desk, why: str) -> None:
        """Its intent is written, and it was never dispatched: nothing is owed."""
        self.give_back()
        desk.journal.append(Release(self.id, microseconds(), list(self._holds()), why))

    async def settle(self, desk: Desk, served: Served) -> Costs:
        """Write down what it has cost, before anybody is told that it is done. Once: later calls change nothing."""
        if self.costs is not None:
            return self.costs
        prepared = self.prepared
        at = instant(self.at)
        costs = costs_of(
            prepared.outlet, prepared.model, prepared.ask, self.caller.rules, served, at,
            written_bytes=self.written_bytes, reserved=self.reserved is not None, hold_pico=self.admitted.hold.pico,
        )  # fmt: skip
        if served.others:
            costs = with_others(
                costs, prepared.outlet, prepared.ask, self.caller.rules, served, at, self.admitted.hold.pico
            )
        # One line for all of it. Where that fails, the hold stays, as the books have it.
        desk.journal.append(self._settled(costs, served), *self._settled_others(costs))
        self.costs = costs
        quantities = costs.record.quantities
        settle(self.purses, self.admitted.hold, costs.total_pico)
        self._give_back_rates(costs.record.context_tokens or 0, quantities.get("output_tokens", 0))
        self._learn(desk, costs)
        if prepared.prefixes is not None and desk.caching is not None and costs.record.usage_known:
            workload = self.caller.key.workload
            kept = prepared.ask.cache_writes[0] if WHOLE in prepared.edits else ""
            desk.caching.served(workload, prepared.outlet, prepared.model, prepared.prefixes, self.at, kept)
        self._count(desk, costs)
        if desk.telemetry is not None:
            desk.telemetry.settled(self, costs, served)
        if desk.settings.log != "none":
            self._log(desk, costs)
        if desk.durable is not None:
            await desk.durable.appended()
        return costs

    def headers(self) -> Headers:
        """What a client is told of it; the cost only once it is known."""
        prepared = self.prepared
        costs = self.costs
        found = {ours.REQUEST_ID: self.id.encode()} | _named(prepared.outlet, prepared.model, self.at // DAY)
        if costs is not None:
            found[ours.COST] = ours.dollars(costs.total_pico)
            found[ours.CLAUSE] = _line("; ".join((*costs.clauses, costs.verdict) if costs.verdict else costs.clauses))
            if self.standing is not None and self.standing.drawdowns:
                found[ours.COMMITMENT] = _left(self.standing.drawdowns, costs.total_pico)
        found[ours.ROUTE] = _line(prepared.candidate.clause)
        if self.edits:
            found[ours.EDITS] = _line(", ".join(self.edits))
        if prepared.exchange is not None and prepared.exchange.dropped:
            found[ours.DROPPED] = _line(", ".join(prepared.exchange.dropped))
        if self.admitted.observed:
            found[ours.OBSERVED] = _line("; ".join(refusal.text for refusal in self.admitted.observed))
        return found

    def _give_back_rates(self, input_tokens: int, output_tokens: int) -> None:
        now_ns = time.monotonic_ns()
        for limits, ticket in self.admitted.tickets:
            limits.settle(ticket, input_tokens, output_tokens, now_ns)
        if self.reserved is not None:
            self.reserved[0].settle(self.reserved[1], input_tokens, output_tokens, now_ns)

    def _learn(self, desk: Desk, costs: Costs) -> None:
        """What such requests use, for holds that may be learned and for comparing outlets."""
        record, ceiling, ask = costs.record, self.admitted.ceiling, self.prepared.ask
        if not record.usage_known or record.outcome != "ok":
            return
        if ask.session:
            where = self.prepared.outlet.id, self.prepared.model
            sessions = desk.in_force.routing.sessions
            sessions.remember(ask.session, *where, record.context_tokens or 0, time.monotonic_ns())
        if desk.ids.number > LEARNED_WHOLE and desk.ids.number % LEARNED_EACH:
            return
        input_max = ask.input_tokens_max if ask.input_tokens_max is not None else ceiling.context_window or 0
        output_tokens = record.quantities.get("output_tokens", 0)
        written = ceiling.expected(record.context_tokens or 0, 0, output_tokens) - ceiling.expected(
            record.context_tokens or 0, 0, 0
        )
        desk.learned.add(
            self.caller.key.id, self.prepared.model, output_tokens, record.context_tokens or 0, input_max,
            max(costs.total_pico - written, 0), ceiling.pico(input_max, 0),
        )  # fmt: skip

    def _count(self, desk: Desk, costs: Costs) -> None:
        outlet, counts = self.prepared.outlet, desk.counts
        took = (time.monotonic_ns() - self.sent_ns) // 1_000_000
        first = (self.first_ns - self.sent_ns) // 1_000_000 if self.first_ns else 0
        counts.settled(outlet.contract, outlet.name, costs, took, first)
        for other in costs.others:
            counts.settled(outlet.contract, outlet.name, other, took, 0)
        if self.admitted.observed:
            counts.observed(refusal.code for refusal in self.admitted.observed)

    def _log(self, desk: Desk, costs: Costs) -> None:
        """The line of the access log."""
        record, prepared = costs.record, self.prepared
        if desk.settings.log == "errors" and record.outcome in ("", "ok") and record.usage_known:
            return
        say(
            "request", id=self.id, key=self.caller.key.id, workload=self.caller.key.workload,
            contract=prepared.outlet.contract, vendor=prepared.outlet.name, model=prepared.model,
            dialect=prepared.ask.dialect, stream=prepared.ask.stream, outcome=record.outcome or "ok",
            usage_known=record.usage_known, quantities=dict(record.quantities), cost_pico=costs.total_pico,
            ms=(time.monotonic_ns() - self.sent_ns) // 1_000_000, edits=list(self.edits),
        )  # fmt: skip

    def _intent(self, id: str, model: str) -> Intent:
        prepared, key = self.prepared, self.caller.key
        outlet = prepared.outlet
        return Intent(
            id, self.at, key.id, self._holds(), outlet.contract, outlet.vendor, model,
            access=outlet.access, region=outlet.region, workload=key.workload, customer=key.customer,
            tags=dict(self.caller.tags), tier_requested=prepared.ask.tier, parent=self.parent,
        )  # fmt: skip

    def _holds(self) -> dict[str, int]:
        return {purse.lease.budget: self.admitted.hold.pico for purse in self.purses}

    def _settled(self, costs: Costs, served: Served) -> Settle:
        prepared = self.prepared
        evidence = dict(costs.evidence or {})
        if self.admitted.observed:
            evidence["observed"] = ",".join(refusal.code for refusal in self.admitted.observed)
        if costs.record.outcome != "ok" and served.finish:
            evidence["ended"] = served.finish[:ENDED_MAX]
        if served.region:
            evidence["served_region"] = served.region
        if served.model and served.model != prepared.ask.model:
            evidence["served_model"] = served.model
        evidence |= proofs(prepared.outlet, self.caller.rules, prepared.model, served, instant(self.at))
        line = self._line(self.id, costs, evidence)
        if prepared.prefixes is not None:
            line.prefixes = [(block.id, block.bytes) for block in prepared.prefixes.blocks]
        return line

    def _settled_others(self, costs: Costs) -> Iterator[Event]:
        """Other models that worked inside the answer: requests of their own, on the hold of this one."""
        for number, other in enumerate(costs.others, 1):
            id = f"{self.id}.m{number}"
            yield replace(self._intent(id, other.record.model), holds={}, parent=self.id)
            yield self._line(id, other, dict(other.evidence or {}))

    def _line(self, id: str, costs: Costs, evidence: dict[str, str]) -> Settle:
        key, record = self.caller.key, costs.record
        now_ns = time.monotonic_ns()
        return Settle(
            id, microseconds(), self.at, key.id, list(self._holds()), costs.cost_pico,
            self.prepared.outlet.contract, record.vendor, record.model, dict(record.quantities), record.outcome or "ok",
            record.usage_known, key.customer, record.channel, record.access, record.region, key.workload, key.customer,
            dict(self.caller.tags), record.context_tokens, (now_ns - self.sent_ns) // 1_000_000,
            (self.first_ns - self.sent_ns) // 1_000_000 if self.first_ns else None,
            record.tier_requested, record.tier_served, record.vendor_request_id, costs.list_pico, list(costs.clauses),
            costs.verdict, evidence,
        )  # fmt: skip


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


def _left(drawdowns: Sequence[Drawdown], cost_pico: int) -> bytes:
    """What is left of each commitment after this call, as far as the worker knew a second ago."""
    return b"; ".join(
        b"%b %b left" % (each.path.encode(), ours.dollars(max(each.left_pico - cost_pico, 0))) for each in drawdowns
    )


@lru_cache(maxsize=1_024)
def _line(text: str) -> bytes:
    """Words as a header's value: one line of visible Latin letters."""
    return " ".join(text.split()).encode("ascii", "replace")[:1_000]
