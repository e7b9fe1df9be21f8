"""One request from its admission to its end: prepared for each outlet that may serve it, held, sent, relayed, settled.

What is refused is refused before anything leaves. An outlet that cannot serve is followed by the next one; what the
vendor says last is what the client reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

from msgspec.structs import replace

from offtake.gateway.admit.admission import Admitted, State, admit
from offtake.gateway.admit.budget import Purse, Short
from offtake.gateway.admit.hold import shape_of, tier_is_known
from offtake.gateway.admit.quote import Said, unpriced
from offtake.gateway.admit.scope import unknown_model
from offtake.gateway.ask import Ask, Edits, Refusal, Served
from offtake.gateway.attempt import Attempt, Prepared
from offtake.gateway.callers import Caller
from offtake.gateway.desk import Desk, instant, microseconds
from offtake.gateway.dialects import Dialect
from offtake.gateway.http.answer import TimedOutError, UpstreamError
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.in_force import InForce
from offtake.gateway.outlet import Outlet
from offtake.gateway.prepare import prepare
from offtake.gateway.relay import Relay
from offtake.gateway.route.breaker import Breaker
from offtake.gateway.route.candidates import Candidate, Routes, candidates
from offtake.gateway.route.retry import RETRIED, Failure, Next, after
from offtake.gateway.vendors.endpoint import Arriving, Call
from offtake.values.errors import CatalogError, OfftakeError

LOANS_MAX = 8
"""How often a request has more lent to a budget before it is refused: others may take what was lent for it."""


class RefusedError(Exception):
    """The request is not served; `refusal` says why, in any dialect."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Dispatch:
    """One client's request at work. `id` is its name in every header, journal line and log.

    `attempt` is the one whose answer the client got.
    """

    __slots__ = (
        "_at", "_began_ns", "_caller", "_desk", "_id", "_now", "_responder", "_selling", "ask", "attempt", "dialect",
        "in_force", "request",
    )  # fmt: skip

    def __init__(
        self, desk: Desk, in_force: InForce, id: str, caller: Caller, dialect: Dialect, ask: Ask, request: Request,
        responder: Responder,
    ) -> None:  # fmt: skip
        self._desk = desk
        self.in_force = in_force
        self.attempt: Attempt | None = None
        self._id = id
        self._caller = caller
        self.dialect = dialect
        self.ask = ask
        self.request = request
        self._responder = responder
        self._began_ns = time.monotonic_ns()
        self._selling: tuple[tuple[Outlet, str], ...] = ()
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        """When the attempt at hand begins, in microseconds and as UTC."""
        self._at = microseconds()
        self._now = instant(self._at)

    async def run(self) -> None:
        """Serve it. RefusedError where nothing was sent, or where no vendor gave an answer that could be passed on."""
        await self._try(self._routes())

    async def go_on(self, attempt: Attempt, sent: Arriving | UpstreamError) -> None:
        """Serve it from its first attempt on, which was sent: an answer came, or none did. Errors as of `run`."""
        self._selling, self._began_ns = self.in_force.selling(self.ask.model), attempt.sent_ns
        await self._try(Routes([attempt.prepared.candidate]), (attempt, sent))

    async def _try(self, routes: Routes, begun: tuple[Attempt, Arriving | UpstreamError] | None = None) -> None:
        last: Refusal | None = None
        left = list(routes.candidates)
        number = 0
        while left:
            if begun is None:
                attempt = await self._begun(left[0], number + 1)
                if isinstance(attempt, Refusal):
                    last = last or attempt
                    left.pop(0)
                    self._look_at_the_clock()
                    continue
                step = await self._attempt(attempt, number + 1, len(left) - 1)
            else:
                step, begun = await self._sent(*begun, number + 1, len(left) - 1), None
            number += 1
            if step is None:
                return
            last, following = step
            if following.do == "stop":
                break
            if following.do == "next":
                left.pop(0)
            await asyncio.sleep(following.wait_ms / 1e3)
            self._look_at_the_clock()
        raise RefusedError(last or routes.refusal())

    def said(self) -> Said | None:
        """What the outlets say to such requests, where one alone may serve them."""
        rules, routing = self._caller.rules, self.in_force.routing
        said = routing.quotes.of(self.ask, self._selling, rules, self.in_force.policy, self._now)
        return said if len(said.quotes) == 1 else None

    def _routes(self) -> Routes:
        """Where it may go, in the order of what that costs. RefusedError for a model or a tier that nobody sells."""
        desk, ask, in_force, rules = self._desk, self.ask, self.in_force, self._caller.rules
        try:
            self._selling = in_force.selling(ask.model)
        except CatalogError as error:
            raise RefusedError(unknown_model(error)) from error
        if ask.tier and not tier_is_known(ask.tier):
            what = f"unknown service tier {ask.tier!r}"
            raise RefusedError(Refusal("bad_request", "G107", what, hint="leave it out"))
        others = _others(in_force, rules.other_models) if rules.other_models else ()
        return candidates(
            ask, self._selling, rules, in_force.routing, in_force.policy, desk.learned, self._now, self._began_ns,
            others,
        )  # fmt: skip

    async def _begun(self, candidate: Candidate, number: int) -> Attempt | Refusal:
        """An attempt at a candidate, admitted and held for; or why there is none."""
        prepared = self._prepared(candidate)
        if isinstance(prepared, Refusal):
            return prepared
        purses = self._desk.budgets.purses(self._caller, self._at)
        admitted = self._admitted(prepared, purses)
        if isinstance(admitted, Short):
            admitted = await self._lent(prepared, purses, admitted)
        if isinstance(admitted, Refusal):
            return admitted
        parent = "" if number == 1 else self._id
        id = f"{parent}.{number}" if parent else self._id
        attempt = Attempt(
            id, parent, self._caller, candidate.outlet, candidate.model, prepared, admitted, purses, self._at, self._now
        )
        if self._desk.telemetry is not None:
            attempt.traceparent = self.request.headers.get(b"traceparent", b"").decode("latin-1")
        attempt.stand(self.in_force.routing)
        return attempt

    def _prepared(self, candidate: Candidate) -> Prepared | Refusal:
        """The request as the candidate's wire takes it; the refusal where its dialect cannot say it."""
        ask, outlet, model = self.ask, candidate.outlet, candidate.model
        spoken = self._desk.endpoints[outlet.name].wire.dialects
        if ask.dialect in spoken:
            prepared = Prepared(candidate, self.dialect, ask)
        else:
            found = prepare(outlet, model, self.dialect, ask, spoken, self._at // 1_000_000)
            if isinstance(found, Refusal):
                return found
            prepared = Prepared(candidate, found.dialect, found.ask, found.exchange)
        caching, key = self._desk.caching, self._caller.key
        if caching is not None:
            marked = caching.marked(key.workload, prepared.dialect, prepared.ask, outlet, model, self._now)
            prepared.ask, prepared.prefixes, prepared.edits = marked.ask, marked.prefixes, marked.edits
        return prepared

    def _admitted(self, prepared: Prepared, purses: Sequence[Purse], more: bool = True) -> Admitted | Refusal | Short:
        """Admit it at an outlet and hold for it; or the refusal, or the budget that lacks the money here."""
        candidate, ask, at = prepared.candidate, prepared.ask, self._now
        quote, outlet = candidate.quote, candidate.outlet
        if ask is not self.ask or at >= quote.ceiling.until:  # what was edited or translated has its own
            try:
                shape = shape_of(ask, outlet, candidate.model, self._caller.rules)
                quote = replace(quote, ceiling=outlet.bounds.ceiling(shape, at))
            except OfftakeError as error:
                return unpriced(error)
        limits = (self.in_force.limits[outlet.contract], *self._caller.rates)
        state = State(self._desk.learned, limits, purses)
        return admit(ask, quote, state, at, time.monotonic_ns(), more, candidate.observed)

    async def _lent(self, prepared: Prepared, purses: Sequence[Purse], short: Short) -> Admitted | Refusal:
        """Admit it once more is lent to the budgets that lack the money, or the refusal."""
        loans, more = 0, True
        found: Admitted | Refusal | Short = short
        while isinstance(found, Short):
            if not more:
                return await self._desk.budgets.refused(found)
            loans += 1
            more = loans <= LOANS_MAX and await self._borrowed(found)
            found = self._admitted(prepared, purses, more)
        return found

    async def _borrowed(self, short: Short) -> bool:
        """Whether more was lent; a ledger that cannot be asked is a refusal."""
        try:
            return await self._desk.budgets.borrow(short, self._at)
        except OfftakeError as error:
            refusal = Refusal("overloaded", "G501", "the ledger cannot be reached", hint=error.code)
            raise RefusedError(refusal) from error

    async def _attempt(self, attempt: Attempt, number: int, others: int) -> tuple[Refusal, Next] | None:
        """Send it and relay the answer; or why there is none to relay, and what to do next."""
        desk = self._desk
        try:
            attempt.begin(desk)
        except OfftakeError as error:
            attempt.give_back()
            return unwritten(error), Next("stop")
        call = self._call(attempt)
        self._breaker(attempt).begins(time.monotonic_ns())
        try:
            sent: Arriving | UpstreamError = await desk.endpoints[attempt.outlet.name].send(call)
        except UpstreamError as error:
            sent = error
        return await self._sent(attempt, sent, number, others)

    async def _sent(
        self, attempt: Attempt, sent: Arriving | UpstreamError, number: int, others: int
    ) -> tuple[Refusal, Next] | None:
        """Relay the answer to an attempt; or why there is none to relay, and what to do next."""
        desk, breaker = self._desk, self._breaker(attempt)
        if isinstance(sent, UpstreamError):
            breaker.failed(time.monotonic_ns())
            return await self._no_answer(attempt, sent), self._after(
                attempt, Failure(dispatched=sent.dispatched), number, others
            )
        attempt.first_ns = attempt.first_ns or time.monotonic_ns()
        _note(breaker, sent, attempt.first_ns)
        if sent.status in RETRIED:
            failure = Failure(sent.status, retry_after_seconds=_seconds(sent))
            following = self._after(attempt, failure, number, others)
            if following.do != "stop":
                return await self._not_here(attempt, sent), following
        keeping, responder = desk.transcripts, self._responder
        heard = None if keeping is None else keeping.hear(attempt, self.request.body, responder)
        self.attempt = attempt
        try:
            await Relay(desk, attempt, self.ask, self.dialect, heard or responder, self.request.headers).run(sent)
        finally:
            if heard is not None:
                heard.end()
        return None

    def _breaker(self, attempt: Attempt) -> Breaker:
        return self.in_force.routing.breaker(attempt.outlet.id, attempt.model, self.ask.tier)

    def _after(self, attempt: Attempt, failure: Failure, number: int, others: int) -> Next:
        seconds_left = self._desk.settings.request_seconds_max - (time.monotonic_ns() - self._began_ns) / 1e9
        if self._responder.gone:
            return Next("stop", why="the client has left")
        return after(failure, number, others, attempt.outlet.idempotent, int(seconds_left * 1e3), self._id)

    def _call(self, attempt: Attempt) -> Call:
        """The edits, and the vendor's address and signature."""
        prepared, model = attempt.prepared, attempt.model
        ask = prepared.ask
        endpoint = self._desk.endpoints[attempt.outlet.name]
        name = endpoint.models.get(model) or endpoint.models.get(ask.model, "")
        if not name and model != ask.model and all(model != sold for _, sold in self._selling):
            name = model  # another model stands in for the one that was asked for
        edits = Edits(
            name, attempt.admitted.hold.output_tokens_max, include_usage=ask.stream, vendor=attempt.outlet.vendor,
            keeps_nothing=prepared.candidate.quote.keeps_nothing,
        )  # fmt: skip
        body, names = prepared.dialect.edited(ask, edits)
        attempt.edits = self.ask.edited + prepared.edits + names
        translated = prepared.exchange is not None
        call = endpoint.call(ask.dialect, name or ask.model, ask.stream, body, self.request, translated=translated)
        attempt.edits += call.edits
        return call

    async def _no_answer(self, attempt: Attempt, error: UpstreamError) -> Refusal:
        """No head of an answer came: nothing was sent, or nobody knows what became of it."""
        name = attempt.outlet.name
        if not error.dispatched:
            attempt.release(self._desk, type(error).__name__)
            return Refusal("upstream", "G601", f"{name} cannot be reached", hint="nothing was sent")
        outcome = "timeout" if isinstance(error, TimedOutError) else "http_5xx"
        await attempt.settle(self._desk, Served(None, outcome))
        return Refusal(
            "upstream", "G602", f"{name} gave no answer", hint="it may have worked all the same: the cost is estimated"
        )

    async def _not_here(self, attempt: Attempt, answer: Arriving) -> Refusal:
        """An answer that says: not here, not now. It is settled, and the next attempt is another request."""
        prepared = attempt.prepared
        try:
            body = await answer.whole(self._desk.body_bytes_max)
        except UpstreamError:
            body = b""
        served = prepared.dialect.served(answer.status, answer.headers, body, prepared.ask)
        await attempt.settle(self._desk, served)
        return Refusal("upstream", "G603", f"{attempt.outlet.name} answered {answer.status}")


def unwritten(error: OfftakeError) -> Refusal:
    """The refusal of a request whose intent the journal does not take."""
    return Refusal("overloaded", "G502", "the journal cannot be written, so nothing was sent", hint=error.code)


def _others(in_force: InForce, names: Sequence[str]) -> tuple[tuple[Outlet, str], ...]:
    """Where models that may stand in are sold; a name that nobody sells stands in for nothing."""
    found: list[tuple[Outlet, str]] = []
    for name in names:
        with contextlib.suppress(CatalogError):
            found += in_force.selling(name)
    return tuple(found)


def _note(breaker: Breaker, answer: Arriving, now_ns: int) -> None:
    """What the head of an answer says of the endpoint."""
    if answer.status in (429, 529):
        breaker.limited(_seconds(answer), now_ns)
    elif answer.status >= 500:
        breaker.failed(now_ns)
    else:
        breaker.succeeded()


def _seconds(answer: Arriving) -> float | None:
    """How long the vendor asks to wait, where it says so in seconds."""
    try:
        return float(answer.headers[b"retry-after"])
    except (KeyError, ValueError):
        return None
