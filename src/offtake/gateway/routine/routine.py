"""What holds for calls that are like one another, and the arithmetic that is left to do for each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from operator import mul
from typing import TYPE_CHECKING

from msgspec.structs import replace

from offtake.gateway import headers as ours
from offtake.gateway.admit.admission import NOTHING_HELD, Admitted
from offtake.gateway.admit.budget import Purse, settle_pico
from offtake.gateway.admit.hold import Hold
from offtake.gateway.admit.learned import HIGH, THOUSAND
from offtake.gateway.admit.limits import Amounts, Together
from offtake.gateway.attempt import PICO, Attempt, Prepared, clauses_of, headers_of, intent_of, learn, learns, left_of
from offtake.gateway.desk import instant
from offtake.gateway.dialects import openai_plain
from offtake.gateway.dialects.openai_chat import Stream
from offtake.gateway.dialects.openai_plain import WHOLE, Plain, with_usage
from offtake.gateway.dispatch import Dispatch, RefusedError, unwritten
from offtake.gateway.http.answer import Answer, UpstreamError
from offtake.gateway.http.head import FRAMING, Headers, fields
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.http.upstream import Block
from offtake.gateway.journal.writer import JournalError
from offtake.gateway.relay import NOT_PASSED, Relay
from offtake.gateway.route.candidates import Candidate, decided
from offtake.gateway.route.standing import Standing
from offtake.gateway.routine.begun import Begun, Decided, Streamed, streams
from offtake.gateway.settle import STANDARD, Costs, named, settle_line
from offtake.rating.request import prices_on
from offtake.usage.usage_objects import context_of
from offtake.values.errors import OfftakeError

if TYPE_CHECKING:
    from offtake.gateway.admit.quote import Said
    from offtake.gateway.routine.kept import Routines
    from offtake.rating.compiled import Together as Prices

NOT_ANSWERED = NOT_PASSED | FRAMING
NOTHING_USED: Amounts = (1, 0, 0)
TOLD = b"%%b%%b%%b%b: %%b\r\n%b: %%d.%%012d USD\r\n" % (ours.REQUEST_ID, ours.COST)


class Routine:
    """What holds for plain calls with one head to one model, as the attempt that was answered last found it."""

    def __init__(self, routines: Routines, dispatch: Dispatch, attempt: Attempt, said: Said, block: Block) -> None:
        self.routines, self._desk = routines, routines.desk
        desk, caller, outlet, model = routines.desk, attempt.caller, attempt.outlet, attempt.model
        self._in_force, self._callers, self._said = dispatch.in_force, desk.callers, said
        self._since = int(said.since.timestamp() * 1e6)
        self._until = min(int(said.until.timestamp() * 1e6), desk.callers.until(dispatch.request.headers))
        self._dialect = dispatch.dialect
        self._caller, self._outlet, self._model = caller, outlet, model
        self._quote, self._use = attempt.prepared.candidate.quote, attempt.prepared.candidate.use
        self._limits = Together((self._in_force.limits[outlet.contract], *caller.rates))
        self._shares, self._learned = (0, 0), -1
        self._breaker = self._in_force.routing.breaker(outlet.id, model)
        self._pool, self._block = desk.endpoints[outlet.name].pool, block
        self._tally = desk.counts.tally(outlet.contract, outlet.name, model, "ok")
        self._edits, self._body_bytes_max = attempt.edits, desk.body_bytes_max
        self._price_as(attempt)
        self._decided = self._told_as(attempt.prepared.candidate, attempt.standing, attempt.at)
        self._write_as(attempt)

    def _price_as(self, attempt: Attempt) -> None:
        """The lane on which such calls are priced, at an instant whose prices are those of all of them."""
        outlet, key, self._now = self._outlet, self._caller.key, attempt.now
        self._lane = outlet.terms.lane_of(
            self._now, outlet.vendor, self._model, "realtime", outlet.access, outlet.region, key.workload,
            self._caller.rules.account,
        )  # fmt: skip
        self._prices: dict[tuple[str, ...], Prices] = {}
        self._told_model = attempt.served_model
        self._ask = replace(attempt.prepared.ask, body=b"", fields={})  # no prompt is to stay

    def _told_as(self, candidate: Candidate, standing: Standing | None, at: int) -> Decided:
        """Where such calls go, and the headers that they are answered with."""
        told = headers_of("", self._outlet, self._model, at, candidate.clause, None, None)
        if self._edits:
            told[ours.EDITS] = ", ".join(self._edits).encode()
        del told[ours.REQUEST_ID]
        return Decided(candidate, standing, fields(told))

    def _stands(self, standing: Standing | None, at: int, now_ns: int) -> bool:
        """Take it that the contract stands otherwise; False where that may mean another clause for each call."""
        if standing is None or self._decided.standing is None or not decides_alike(standing):
            return False
        candidate = decided(self._quote, standing, self._use, now_ns, self._decided.candidate.observed)
        self._decided = self._told_as(candidate, standing, at)
        return True

    def _write_as(self, attempt: Attempt) -> None:
        """The two lines of the journal, in which each call changes what is its own."""
        caller, outlet, model = self._caller, self._outlet, self._model
        evidence = attempt.costs.evidence if attempt.costs else {}
        costs = Costs(outlet.vendor, model, {}, True, "ok", "realtime", outlet.region, 0, "", "", "")
        self._paths: tuple[str, ...] | None = None
        self._clauses = b""
        self._purses: tuple[Purse, ...] = ()
        self._accounts: list[str] = []
        self._intent = intent_of("", 0, caller, outlet, model, NOTHING_HELD, ())
        self._settled = settle_line("", 0, 0, caller, outlet, self._accounts, costs, evidence)

    def holds(self, at: int, now_ns: int) -> bool:
        """Whether all is as it was, or as good as that."""
        desk, in_force = self._desk, self._in_force
        standing = in_force.routing.standings.get(self._outlet.contract)
        return (
            self._since <= at < self._until
            and desk.in_force is in_force
            and desk.callers is self._callers
            and self._said.version == in_force.policy.version
            and (standing is self._decided.standing or self._stands(standing, at, now_ns))
        )

    def begin(self, id: str, request: Request, responder: Responder, plain: Plain) -> Begun | None:
        """Count the call, hold for it and write its intent; None, and nothing done, where that is not routine.

        RefusedError where the journal does not take it.
        """
        desk, quote = self._desk, self._quote
        at, now_ns = time.time_ns() // 1_000, time.monotonic_ns()
        if not self.holds(at, now_ns) or not self._breaker.is_closed(now_ns):
            return None
        if quote.blocks is not None and quote.blocks.found_in(request.body) is not None:
            return None
        _, answer_as, most, limit = plain
        purses, pico = desk.budgets.purses(self._caller, at), 0
        if purses:
            try:
                pico = quote.ceiling.pico(most, limit)
            except OfftakeError:
                return None
        for purse in purses:
            if pico > purse.lease.free_pico:
                return None
        if self._learned != desk.learned.version:
            self._learned = desk.learned.version
            self._shares = desk.learned.shares(self._caller.rules.id, self._model, HIGH)
        share, output = self._shares
        amounts = 1, -(-most * share // THOUSAND), output if limit is None or output < limit else limit
        if not self._limits.take(amounts, now_ns):
            return None
        for purse in purses:
            purse.hold(pico)
        kind = Begun if answer_as == WHOLE else Streamed
        begun = kind(self, self._decided, id, request, responder, most, at, now_ns, pico, purses, amounts)
        if purses is not self._purses:
            self._purses, self._accounts = purses, [purse.lease.budget for purse in purses]
        line = self._intent
        line.id, line.at, line.holds = id, at, dict.fromkeys(self._accounts, pico)
        try:
            desk.journal.append(line)
        except JournalError as error:
            settle_pico(purses, pico, 0)
            self._limits.settle(amounts, now_ns, NOTHING_USED, now_ns)
            raise RefusedError(unwritten(error)) from error
        return begun

    def send_at_once(self, begun: Begun) -> bool:
        """Send it so that nobody waits; False, and nothing sent, where somebody has to: for a connection, or a disk."""
        body = with_usage(begun.request.body) if self._edits else begun.request.body
        if self._desk.durable is not None or not self._pool.send_at_once(self._block, body, begun):
            return False
        self.routines.under_way += 1
        return True

    async def send(self, begun: Begun) -> None:
        """Send it, write down what it has cost, and answer."""
        body = with_usage(begun.request.body) if self._edits else begun.request.body
        try:
            begun.answer = await self._pool.send(self._block, body)
        except UpstreamError as error:
            await self.generally(begun, error)
            return
        begun.first_ns = time.monotonic_ns()
        await self.end(begun)

    def ended(self, begun: Begun) -> bool:
        """Write down what it has cost, and answer; False, and nothing done, where there is more to it (`end`)."""
        answer = begun.answer
        assert answer is not None
        begun.body = body = answer.arrived(self._body_bytes_max)
        if body is None:
            return False
        self._breaker.succeeded()
        lines = self._whole(begun, answer.headers, body)
        if lines is None:
            return False
        begun.responder.answer(200, lines, body)
        return True

    async def end(self, begun: Begun) -> None:
        """Write down what it has cost, and answer, whatever comes and however long it takes."""
        answer, body = begun.answer, begun.body
        assert answer is not None
        if answer.status != 200 or streams(answer):
            await self.generally(begun, answer)
            return
        if body is None:
            self._breaker.succeeded()
            try:
                body = await answer.whole(self._body_bytes_max)
            except UpstreamError as error:
                await self._relay(begun).broken(error)
                return
        lines = self._whole(begun, answer.headers, body)
        if lines is None:
            await self._relay(begun).whole(answer, body)
            return
        if self._desk.durable is not None:
            await self._desk.durable.appended()
        begun.responder.answer(200, lines, body)

    def _whole(self, begun: Begun, headers: Headers, body: bytes) -> bytes | None:
        """Settle a whole answer, and say so in headers; None, and nothing done, where it is out of the ordinary."""
        told = openai_plain.told(body)
        if told is None:
            return None
        model, tier, quantities, context = told
        if model != self._told_model or tier not in STANDARD or begun.responder.gone:
            return None
        cost_pico = self._settle(begun, headers, quantities, context)
        return None if cost_pico is None else self._told(begun, headers, cost_pico)

    def streaming(self, begun: Begun, answer: Answer) -> Stream:
        """Begin to answer with a stream; what reads it."""
        self._breaker.succeeded()
        lines = b"%b%b%b: %b\r\n" % (
            fields(answer.headers, NOT_ANSWERED), begun.decided.lines, ours.REQUEST_ID, begun.id.encode()
        )  # fmt: skip
        begun.responder.begin(200, lines)
        return Stream(self._ask, answer.headers)

    def streamed(self, begun: Begun, headers: Headers, reading: Stream) -> Costs | None:
        """Settle a stream whose usage is known; None, and nothing done, where it is out of the ordinary."""
        served = reading.served()
        if served.outcome != "ok" or served.quantities is None or begun.responder.gone:
            return None
        if served.model != self._told_model or served.tier not in STANDARD:
            return None
        cost_pico = self._settle(begun, headers, served.quantities, context_of(served.quantities))
        if cost_pico is None:
            return None
        return Costs(
            self._outlet.vendor, self._model, served.quantities, True, "ok", "realtime", self._outlet.region, 0, "", "",
            served.vendor_request_id, cost_pico,
        )  # fmt: skip

    async def pour(self, begun: Begun, answer: Answer, reading: Stream, held: bytes, passed_bytes: int) -> None:
        """Go on with a stream in general: its client takes less than comes, or something is out of the ordinary."""
        relay = self._relay(begun)
        relay.attempt.written_bytes, relay.attempt.costs = passed_bytes, begun.costs
        await relay.pour(answer, reading, None, held)

    def _settle(self, begun: Begun, headers: Headers, quantities: Mapping[str, int], context: int) -> int | None:
        """What it has cost, in the journal and in all counts; None, and nothing done, where no term prices it."""
        try:
            prices = self._prices_of(tuple(quantities), context)
        except OfftakeError:
            return None
        numbers = quantities.values()
        cost: int = sum(map(mul, numbers, prices.contracted))
        listed: int = sum(map(mul, numbers, prices.public))
        now_ns = time.monotonic_ns()
        took, first = (now_ns - begun.sent_ns) // 1_000_000, (begun.first_ns - begun.sent_ns) // 1_000_000
        line = self._settled
        line.id, line.at, line.used_at = begun.id, time.time_ns() // 1_000, begun.at
        line.budgets = self._accounts if begun.purses is self._purses else [each.lease.budget for each in begun.purses]
        line.cost_pico, line.list_pico, line.quantities, line.context_tokens = cost, listed, quantities, context
        line.latency_ms, line.first_token_ms = took, first
        line.vendor_request_id = headers.get(b"x-request-id", b"").decode("latin-1")
        self._desk.journal.append(line)
        output = quantities.get("output_tokens", 0)
        settle_pico(begun.purses, begun.hold_pico, cost)
        self._limits.settle(begun.amounts, begun.sent_ns, (1, context, output), now_ns)
        if learns(self._desk.ids.number):
            most, key = begun.input_tokens_max, self._caller.rules.id
            learn(self._desk, key, self._model, self._quote.ceiling, most, context, output, cost)
        self._tally.add(cost, listed, quantities, took, first)
        return cost

    def _prices_of(self, meters: tuple[str, ...], input_tokens: int) -> Prices:
        """The prices of what was used, whose clauses are those that are written down and told from now on."""
        prices = self._prices.get(meters)
        if prices is None:
            prices = prices_on(self._lane, self._now, meters, input_tokens)
            if not self._lane.thresholds:
                self._prices[meters] = prices
        if prices.clauses != self._paths:
            terms = self._outlet.terms
            self._settled.clauses = named(terms, prices.clauses, terms.contract.version_number(self._now))
            self._clauses = fields({ours.CLAUSE: clauses_of(self._settled.clauses)})
            self._paths = prices.clauses
        return prices

    def _told(self, begun: Begun, headers: Headers, cost_pico: int) -> bytes:
        """The headers of an answer as lines: the vendor's, those of all such calls, and this one's own."""
        decided = begun.decided
        lines = TOLD % (
            fields(headers, NOT_ANSWERED),
            decided.lines,
            self._clauses,
            begun.id.encode(),
            *divmod(cost_pico, PICO),
        )
        if decided.standing is not None and decided.standing.drawdowns:
            lines += b"%b: %b\r\n" % (ours.COMMITMENT, left_of(decided.standing.drawdowns, cost_pico))
        return lines

    def _attempt(self, begun: Begun) -> Attempt:
        """The call as the general way knows it."""
        ask = self._dialect.read(begun.request.path, begun.request.headers, begun.request.body)
        admitted = Admitted(
            Hold(begun.hold_pico, begun.hold_pico) if begun.purses else NOTHING_HELD, self._quote.ceiling,
            self._limits.tickets(begun.amounts, begun.sent_ns),
        )  # fmt: skip
        prepared = Prepared(begun.decided.candidate, self._dialect, ask)
        return Attempt(
            begun.id, "", self._caller, self._outlet, self._model, prepared, admitted, begun.purses, begun.at,
            instant(begun.at), begun.sent_ns, begun.first_ns, edits=self._edits, standing=begun.decided.standing,
        )  # fmt: skip

    async def generally(self, begun: Begun, sent: Answer | UpstreamError) -> None:
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


def decides_alike(standing: Standing) -> bool:
    """Whether the clause that decides is the same for small calls and large ones: none of them is a part of the way."""
    bursts = any(each.text.burst is not None for each in standing.drawdowns)
    return standing.reservation is None and not standing.grants and not bursts
