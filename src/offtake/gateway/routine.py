"""Requests like the one before, in one pass: what most clients send most of the time.

A client's library repeats its head, and most calls are texts to one model that are answered whole (`openai_plain`).
What was decided for the first of them holds for the next, until a price, a date, a file, a key, a decision or a
standing changes. So the first goes the general way (`dispatch.py`) and leaves a `Routine`. From then on a call is read,
counted and held for, its intent written, sent, its usage read and priced, and its settlement written, with no step
between that only carries things about.

Nothing is decided here. What is out of the ordinary before the intent is written is left to the general way untouched;
what is out of the ordinary later goes on in it, as an attempt that has begun. A property test holds both ways to the
same journal, the same books and the same answers.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from offtake.gateway import headers as ours
from offtake.gateway.admit.admission import NOTHING_HELD, Admitted
from offtake.gateway.admit.budget import Purse, settle, take
from offtake.gateway.admit.hold import Hold
from offtake.gateway.admit.learned import HIGH
from offtake.gateway.admit.limits import Ticket
from offtake.gateway.attempt import Attempt, Prepared, clauses_of, headers_of, intent_of, learn, left_of
from offtake.gateway.desk import Desk, instant, microseconds
from offtake.gateway.dialects import openai_plain
from offtake.gateway.dialects.answered import header
from offtake.gateway.dialects.openai_chat import HEED_BOTH
from offtake.gateway.dialects.openai_plain import Plain, Told
from offtake.gateway.dispatch import Dispatch, RefusedError, unwritten
from offtake.gateway.http.answer import UpstreamError
from offtake.gateway.http.head import fields
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.http.upstream import Block
from offtake.gateway.journal.writer import JournalError
from offtake.gateway.relay import EVENTS, Relay, passed
from offtake.gateway.settle import STANDARD, Costs, named, settle_line
from offtake.gateway.vendors.endpoint import Arriving
from offtake.rating.request import cost_on
from offtake.values.errors import OfftakeError

if TYPE_CHECKING:
    from offtake.gateway.admit.quote import Said
    from offtake.gateway.route.standing import Standing

HEADS_MAX = 4_096
MODELS_MAX = 16
"""Of each head."""
OWN = frozenset((ours.REQUEST_ID, ours.COST, ours.CLAUSE, ours.COMMITMENT))
"""Headers that no two calls share."""


class Begun(Struct):
    """A call that is on its way: what it holds, and when it began in microseconds and on the clock of latencies."""

    id: str
    request: Request
    responder: Responder
    plain: Plain
    at: int
    sent_ns: int
    hold: Hold
    purses: tuple[Purse, ...]
    tickets: list[Ticket]
    first_ns: int = 0


class Routine:
    """What holds for plain calls with one head to one model, as the attempt that was answered last found it."""

    def __init__(self, desk: Desk, dispatch: Dispatch, attempt: Attempt, said: Said, block: Block) -> None:
        self._desk = desk
        self._in_force, self._callers, self._said = dispatch.in_force, desk.callers, said
        self._since = int(said.since.timestamp() * 1e6)
        self._until = min(int(said.until.timestamp() * 1e6), desk.callers.until(dispatch.request.headers))
        self._dialect = dispatch.dialect
        self._caller, self._outlet, self._model = attempt.caller, attempt.outlet, attempt.model
        self._candidate, self._standing = attempt.prepared.candidate, attempt.standing
        self._limits = (self._in_force.limits[self._outlet.contract], *self._caller.rates)
        self._breaker = self._in_force.routing.breaker(self._outlet.id, self._model)
        self._pool, self._block = desk.endpoints[self._outlet.name].pool, block
        terms, key = self._outlet.terms, self._caller.key
        self._lane = terms.lane_of(
            attempt.now, self._outlet.vendor, self._model, "realtime", self._outlet.access, self._outlet.region,
            key.workload, self._caller.rules.account,
        )  # fmt: skip
        told = headers_of("", self._outlet, self._model, attempt.at, self._candidate.clause, attempt.costs, None)
        self._lines = fields({name: value for name, value in told.items() if name not in OWN})
        self._paths: tuple[str, ...] = ()
        self._clauses: tuple[str, ...] = ()
        self._told_model, self._evidence = attempt.served_model, attempt.costs.evidence if attempt.costs else {}

    def holds(self, at: int) -> bool:
        """Whether all is as it was."""
        desk, standings = self._desk, self._in_force.routing.standings
        return (
            self._since <= at < self._until
            and desk.in_force is self._in_force
            and desk.callers is self._callers
            and self._said.version == self._in_force.policy.version
            and standings.get(self._outlet.contract) is self._standing
        )

    def begin(self, id: str, request: Request, responder: Responder, plain: Plain) -> Begun | None:
        """Count the call, hold for it and write its intent; None, and nothing done, where that is not routine.

        RefusedError where the journal does not take it.
        """
        desk, quote, body = self._desk, self._candidate.quote, request.body
        at, now_ns = microseconds(), time.monotonic_ns()
        if not self.holds(at) or self._breaker.wait_ns(now_ns):
            return None
        if quote.blocks is not None and quote.blocks.found_in(body) is not None:
            return None
        most, limit = plain.input_tokens_max, plain.output_tokens_max
        tokens = desk.learned.tokens(self._caller.rules.id, self._model, most, limit, HIGH)
        for limits in self._limits:
            if limits.refusal(*tokens, now_ns) is not None:
                return None
        purses, hold = desk.budgets.purses(self._caller, at), NOTHING_HELD
        if purses:
            try:
                pico = quote.ceiling.pico(most, limit)
            except OfftakeError:
                return None
            hold = Hold(pico, pico)
            if not take(purses, hold):
                return None
        tickets = [limits.admit(*tokens, now_ns) for limits in self._limits]
        begun = Begun(id, request, responder, plain, at, now_ns, hold, purses, tickets)
        try:
            desk.journal.append(intent_of(id, at, self._caller, self._outlet, self._model, hold, purses))
        except JournalError as error:
            self._settle(begun, 0, 0, 0)
            raise RefusedError(unwritten(error)) from error
        return begun

    async def end(self, begun: Begun) -> None:
        """Send a call that has begun, write down what it has cost, and answer."""
        self._breaker.begins(begun.sent_ns)
        try:
            answer = await self._pool.send(self._block, begun.request.body)
        except UpstreamError as error:
            await self._generally(begun, error)
            return
        begun.first_ns = time.monotonic_ns()
        if answer.status != 200 or answer.headers.get(b"content-type", b"").startswith(EVENTS):
            await self._generally(begun, answer)
            return
        self._breaker.succeeded()
        try:
            body = await answer.whole(self._desk.body_bytes_max)
        except UpstreamError as error:
            await self._relay(begun).broken(error)
            return
        told = openai_plain.told(body)
        if told is None or told.model != self._told_model or told.tier not in STANDARD or begun.responder.gone:
            await self._relay(begun).whole(answer, body)
            return
        costs = self._written(begun, told, answer)
        if costs is None:
            await self._relay(begun).whole(answer, body)
            return
        if self._desk.durable is not None:
            await self._desk.durable.appended()
        begun.responder.send(200, passed(answer.headers), body, self._lines + self._own_lines(begun, costs))

    def _own_lines(self, begun: Begun, costs: Costs) -> bytes:
        """The headers of this call alone."""
        own = {
            ours.REQUEST_ID: begun.id.encode(), ours.COST: ours.dollars(costs.cost_pico),
            ours.CLAUSE: clauses_of(costs.clauses),
        }  # fmt: skip
        if self._standing is not None and self._standing.drawdowns:
            own[ours.COMMITMENT] = left_of(self._standing.drawdowns, costs.cost_pico)
        return fields(own)

    def _written(self, begun: Begun, told: Told, answer: Arriving) -> Costs | None:
        """The costs, in the journal and in all counts; None where no term prices them."""
        desk, outlet, caller, now = self._desk, self._outlet, self._caller, instant(begun.at)
        context = told.quantities.get("input_tokens", 0) + told.quantities.get("cache_read_tokens", 0)
        try:
            cost, public, paths = cost_on(self._lane, now, told.quantities, context)
        except OfftakeError:
            return None
        if paths is not self._paths:
            terms = outlet.terms
            self._paths, self._clauses = paths, named(terms, paths, terms.contract.version_number(now))
        costs = Costs(
            outlet.vendor, self._model, told.quantities, True, "ok", "realtime", outlet.region, context, "", "",
            header(answer.headers, b"x-request-id"), cost, public,
            self._clauses, "", self._evidence,
        )  # fmt: skip
        now_ns = time.monotonic_ns()
        took, first = (now_ns - begun.sent_ns) // 1_000_000, (begun.first_ns - begun.sent_ns) // 1_000_000
        accounts = [purse.lease.budget for purse in begun.purses]
        line = settle_line(
            begun.id, microseconds(), begun.at, caller, outlet, accounts, costs, self._evidence, took, first
        )
        desk.journal.append(line)
        self._settle(begun, cost, context, told.quantities.get("output_tokens", 0))
        learn(desk, caller.rules.id, self._model, self._candidate.quote.ceiling, begun.plain.input_tokens_max, costs)
        desk.counts.settled(outlet.contract, outlet.name, costs, took, first)
        return costs

    def _settle(self, begun: Begun, cost_pico: int, input_tokens: int, output_tokens: int) -> None:
        """What it has used is used, and the rest of what was held and counted is free again."""
        settle(begun.purses, begun.hold, cost_pico)
        now_ns = time.monotonic_ns()
        for ticket in begun.tickets:
            ticket.limits.settle(ticket, input_tokens, output_tokens, now_ns)

    def _attempt(self, begun: Begun) -> Attempt:
        """The call as the general way knows it."""
        ask = self._dialect.read(begun.request.path, begun.request.headers, begun.request.body)
        admitted = Admitted(begun.hold, self._candidate.quote.ceiling, begun.tickets)
        return Attempt(
            begun.id, "", self._caller, self._outlet, self._model, Prepared(self._candidate, self._dialect, ask),
            admitted, begun.purses, begun.at, instant(begun.at), begun.sent_ns, begun.first_ns, standing=self._standing,
        )  # fmt: skip

    async def _generally(self, begun: Begun, sent: Arriving | UpstreamError) -> None:
        """Go on with what came, or did not, as with any attempt."""
        attempt = self._attempt(begun)
        dispatch = Dispatch(
            self._desk, self._in_force, begun.id, self._caller, self._dialect, attempt.prepared.ask, begun.request,
            begun.responder,
        )  # fmt: skip
        await dispatch.go_on(attempt, sent)

    def _relay(self, begun: Begun) -> Relay:
        attempt = self._attempt(begun)
        return Relay(self._desk, attempt, attempt.prepared.ask, self._dialect, begun.responder, begun.request.headers)


class Routines:
    """The routines of one worker, by head and model. Heads hold keys, and are kept as long as connections would."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._in_force = desk.in_force
        self._kept: dict[bytes, dict[bytes, Routine]] = {}

    def begun(self, id: str, request: Request, responder: Responder) -> tuple[Routine, Begun] | None:
        """A request that has begun by routine; None for one that goes the general way, of which nothing is done yet."""
        known = self._kept.get(request.alike)
        if known is None:
            return None
        plain = openai_plain.asked(request.body)
        routine = None if plain is None else known.get(plain.model)
        if plain is None or routine is None:
            return None
        begun = routine.begin(id, request, responder, plain)
        return None if begun is None else (routine, begun)

    def learn(self, dispatch: Dispatch) -> None:
        """Keep how a request was served, where others can be served by the same routine."""
        attempt, request = dispatch.attempt, dispatch.request
        if attempt is None or not request.alike or not self._is_routine(dispatch, attempt):
            return
        plain, said = openai_plain.asked(request.body), dispatch.said()
        block = self._desk.endpoints[attempt.outlet.name].block(request)
        if plain is None or said is None or block is None:
            return
        caller = self._desk.callers.find(request.headers, microseconds(), "inference")
        if said.quotes[0] is not attempt.prepared.candidate.quote or caller is not attempt.caller:
            return  # something was decided, or a key changed, under way
        if len(self._kept) >= HEADS_MAX or dispatch.in_force is not self._in_force:
            self._in_force = dispatch.in_force
            self._kept.clear()
        known = self._kept.setdefault(request.alike, {})
        if len(known) >= MODELS_MAX:
            known.clear()
        known[plain.model] = Routine(self._desk, dispatch, attempt, said, block)

    def _is_routine(self, dispatch: Dispatch, attempt: Attempt) -> bool:
        """Whether nothing about a request was out of the ordinary."""
        desk, caller, ask, costs = self._desk, attempt.caller, attempt.prepared.ask, attempt.costs
        keeps = (desk.caching, desk.telemetry, desk.transcripts) != (None, None, None) or desk.settings.log == "all"
        special = caller.rules.overdraft or caller.rules.other_models or caller.patience is not None
        if keeps or special or costs is None or attempt.parent or attempt.edits or ask is not dispatch.ask:
            return False
        return (
            ask.dialect == "openai_chat" and ask.fields.keys() <= openai_plain.FIELDS and not ask.session
            and attempt.outlet.vendor in HEED_BOTH
            and costs.outcome == "ok" and costs.usage_known and not costs.others and "unpriced" not in costs.evidence
            and not attempt.admitted.observed and attempt.reserved is None
            and (attempt.standing is None or _decides_alike(attempt.standing))
        )  # fmt: skip


def _decides_alike(standing: Standing) -> bool:
    """Whether the clause that decides is the same for small calls and large ones: none of them is a part of the way."""
    bursts = any(each.text.burst is not None for each in standing.drawdowns)
    return standing.reservation is None and not standing.grants and not bursts
