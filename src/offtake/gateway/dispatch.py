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
from offtake.gateway.admit.hold import tier_is_known
from offtake.gateway.admit.residency import keeps_nothing
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
from offtake.gateway.vendors.endpoint import Arriving, Call, passing
from offtake.values.errors import CatalogError, OfftakeError

LOANS_MAX = 8
"""How often a request has more lent to a budget before it is refused: others may take what was lent for it."""
KEPT = frozenset((b"content-type", b"user-agent", b"idempotency-key"))
"""Headers that mean the same in every dialect."""


class RefusedError(Exception):
    """The request is not served; `refusal` says why, in any dialect."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Dispatch:
    """One client's request at work. `id` is its name in every header, journal line and log."""

    def __init__(
        self, desk: Desk, id: str, caller: Caller, dialect: Dialect, ask: Ask, request: Request, responder: Responder
    ) -> None:
        self._desk = desk
        self._id = id
        self._caller = caller
        self._dialect = dialect
        self._ask = ask
        self._request = request
        self._responder = responder
        self._began_ns = time.monotonic_ns()
        self._sold: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Serve it. RefusedError where nothing was sent, or where no vendor gave an answer that could be passed on."""
        in_force = self._desk.in_force
        routes = self._routes(in_force)
        last: Refusal | None = None
        left = list(routes.candidates)
        number = 0
        while left:
            prepared = self._prepared(left[0])
            admitted = prepared if isinstance(prepared, Refusal) else await self._admitted(in_force, prepared)
            if isinstance(prepared, Refusal) or isinstance(admitted, Refusal):
                last = last or (prepared if isinstance(prepared, Refusal) else admitted)  # type: ignore[assignment]
                left.pop(0)
                continue
            number += 1
            id = self._id if number == 1 else f"{self._id}.{number}"
            attempt = Attempt(id, "" if number == 1 else self._id, self._caller, prepared, *admitted)
            if self._desk.telemetry is not None:
                attempt.traceparent = self._request.headers.get(b"traceparent", b"").decode("latin-1")
            attempt.stand(in_force.routing)
            step = await self._attempt(attempt, number, len(left) - 1)
            if step is None:
                return
            last, following = step
            if following.do == "stop":
                break
            if following.do == "next":
                left.pop(0)
            await asyncio.sleep(following.wait_ms / 1e3)
        raise RefusedError(last or routes.refusal())

    def _routes(self, in_force: InForce) -> Routes:
        """Where it may go, in the order of what that costs. RefusedError for a model or a tier that nobody sells."""
        desk, ask = self._desk, self._ask
        try:
            selling = in_force.selling(ask.model)
        except CatalogError as error:
            raise RefusedError(unknown_model(error)) from error
        if not tier_is_known(ask.tier):
            what = f"unknown service tier {ask.tier!r}"
            raise RefusedError(Refusal("bad_request", "G107", what, hint="leave it out"))
        self._sold = frozenset([model for _, model in selling])
        rules, at = self._caller.rules, instant(microseconds())
        others = _others(in_force, rules.other_models) if rules.other_models else ()
        return candidates(
            ask, selling, rules, in_force.routing, in_force.policy, desk.learned, at, time.monotonic_ns(), others
        )

    def _prepared(self, candidate: Candidate) -> Prepared | Refusal:
        """The request as the candidate's wire takes it; the refusal where its dialect cannot say it."""
        spoken = self._desk.endpoints[candidate.outlet.name].wire.dialects
        found = prepare(candidate.outlet, candidate.model, self._dialect, self._ask, spoken, int(time.time()))
        if isinstance(found, Refusal):
            return found
        caching, key = self._desk.caching, self._caller.key
        if caching is None:
            return Prepared(candidate, *found)
        at = instant(microseconds())
        marked = caching.marked(key.workload, found.dialect, found.ask, candidate.outlet, candidate.model, at)
        return Prepared(candidate, found.dialect, marked.ask, found.exchange, marked.prefixes, marked.edits)

    async def _admitted(self, in_force: InForce, prepared: Prepared) -> tuple[Admitted, tuple[Purse, ...]] | Refusal:
        """Admit it at an outlet and hold for it, or the refusal."""
        desk, caller, ask = self._desk, self._caller, prepared.ask
        at = microseconds()
        purses = desk.budgets.purses(caller.budgets, at)
        outlet, question = prepared.outlet, prepared.candidate.question
        state = State(in_force.policy, desk.learned, (in_force.limits[outlet.contract], *caller.rates), purses)
        candidate, now = prepared.candidate, instant(at)
        ceiling = candidate.ceiling if ask is self._ask else None  # what was edited or translated has its own
        loans, more = 0, True
        while True:
            found = admit(ask, question, state, now, time.monotonic_ns(), more, candidate.observed, ceiling)
            if isinstance(found, Admitted):
                desk.budgets.drawn(purses, found.hold.pico)
                return found, purses
            if isinstance(found, Refusal):
                return found
            if not more:
                return await desk.budgets.refused(found)
            loans += 1
            more = loans <= LOANS_MAX and await self._borrowed(found, at)

    async def _borrowed(self, short: Short, at: int) -> bool:
        """Whether more was lent; a ledger that cannot be asked is a refusal."""
        try:
            return await self._desk.budgets.borrow(short, at)
        except OfftakeError as error:
            refusal = Refusal("overloaded", "G501", "the ledger cannot be reached", hint=error.code)
            raise RefusedError(refusal) from error

    async def _attempt(self, attempt: Attempt, number: int, others: int) -> tuple[Refusal, Next] | None:
        """Send it and relay the answer; or why there is none to relay, and what to do next."""
        desk = self._desk
        breaker = desk.in_force.routing.breaker(attempt.prepared.outlet.id, attempt.prepared.model)
        try:
            attempt.begin(desk)
        except OfftakeError as error:
            attempt.give_back()
            what = "the journal cannot be written, so nothing was sent"
            return Refusal("overloaded", "G502", what, hint=error.code), Next("stop")
        call = self._call(attempt)
        endpoint = desk.endpoints[attempt.prepared.outlet.name]
        breaker.begins(time.monotonic_ns())
        try:
            answer: Arriving = await endpoint.pool.request("POST", call.target, call.headers, call.body)
        except UpstreamError as error:
            breaker.failed(time.monotonic_ns())
            return await self._no_answer(attempt, error), self._after(
                attempt, Failure(dispatched=error.dispatched), number, others
            )
        if call.unwrap is not None:
            answer = call.unwrap(answer)
        attempt.first_ns = time.monotonic_ns()
        _note(breaker, answer, attempt.first_ns)
        if answer.status in RETRIED:
            failure = Failure(answer.status, retry_after_seconds=_seconds(answer))
            following = self._after(attempt, failure, number, others)
            if following.do != "stop":
                return await self._not_here(attempt, answer), following
        keeping, responder = desk.transcripts, self._responder
        heard = None if keeping is None else keeping.hear(attempt, self._request.body, responder)
        try:
            to = heard or responder
            await Relay(desk, attempt, self._ask, self._dialect, to, self._request.headers).run(answer)
        finally:
            if heard is not None:
                heard.end()
        return None

    def _after(self, attempt: Attempt, failure: Failure, number: int, others: int) -> Next:
        seconds_left = self._desk.settings.request_seconds_max - (time.monotonic_ns() - self._began_ns) / 1e9
        if self._responder.gone:
            return Next("stop", why="the client has left")
        return after(failure, number, others, attempt.prepared.outlet.idempotent, int(seconds_left * 1e3), self._id)

    def _call(self, attempt: Attempt) -> Call:
        """The edits, and the vendor's address and signature."""
        prepared = attempt.prepared
        endpoint = self._desk.endpoints[prepared.outlet.name]
        name = endpoint.models.get(prepared.model, endpoint.models.get(prepared.ask.model, ""))
        if not name and prepared.model not in self._sold:
            name = prepared.model  # another model stands in for the one that was asked for
        edits = Edits(
            name, attempt.admitted.hold.output_tokens_max, include_usage=prepared.ask.stream,
            vendor=prepared.outlet.vendor,
        )  # fmt: skip
        if prepared.ask.dialect == "openai_responses":
            edits = replace(edits, keeps_nothing=keeps_nothing(prepared.outlet.terms.contract, instant(attempt.at)))
        body, names = prepared.dialect.edited(prepared.ask, edits)
        attempt.edits = self._ask.edited + prepared.edits + names
        sent = passing(self._request.headers)
        query = self._request.query
        if prepared.exchange is not None:
            sent = {header: value for header, value in sent.items() if header in KEPT}
            query = ""
        call = endpoint.wire.call(
            prepared.ask.dialect, name or prepared.ask.model, prepared.ask.stream, body, sent, query
        )
        attempt.edits += call.edits
        return call

    async def _no_answer(self, attempt: Attempt, error: UpstreamError) -> Refusal:
        """No head of an answer came: nothing was sent, or nobody knows what became of it."""
        name = attempt.prepared.outlet.name
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
        return Refusal("upstream", "G603", f"{prepared.outlet.name} answered {answer.status}")


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
