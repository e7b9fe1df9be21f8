"""One request from its admission to its end: prepared for each outlet that may serve it, held, sent, relayed, settled.

What is refused is refused before anything leaves. An outlet that cannot serve is followed by the next one; what the
vendor says last is what the client reads.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from offtake.gateway.admit.admission import Admitted, State, admit, question_of
from offtake.gateway.admit.budget import Purse, Short
from offtake.gateway.admit.hold import channels_of, tier_is_known
from offtake.gateway.admit.scope import unknown_model
from offtake.gateway.ask import Ask, BadAsk, Edits, Refusal, Served
from offtake.gateway.attempt import Attempt, Prepared
from offtake.gateway.callers import Caller
from offtake.gateway.desk import Desk, instant, microseconds
from offtake.gateway.dialects import BY_NAME, Dialect
from offtake.gateway.http.answer import Answer, TimedOutError, UpstreamError
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.in_force import InForce
from offtake.gateway.outlet import Outlet
from offtake.gateway.relay import Relay
from offtake.gateway.translate import BadRequest, Wire, translate
from offtake.gateway.vendors.endpoint import Call, passing
from offtake.values.errors import CatalogError, OfftakeError

LOANS_MAX = 3
"""How often a request has more lent to a budget before it is refused: others may take what was lent for it."""
ELSEWHERE = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))
"""Answers after which another outlet may do better."""
TRANSLATED_TO = ("anthropic_messages", "openai_chat", "openai_responses")
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

    async def run(self) -> None:
        """Serve it. RefusedError where nothing was sent, or where no vendor gave an answer that could be passed on."""
        in_force = self._desk.in_force
        last: Refusal | None = None
        found = list(self._prepared(in_force))
        for number, prepared in enumerate(found):
            if isinstance(prepared, Refusal):
                last = last or prepared
                continue
            admitted = await self._admitted(in_force, prepared)
            if isinstance(admitted, Refusal):
                last = admitted
                continue
            attempt = Attempt(
                f"{self._id}.{number}" if number else self._id, self._id if number else "", self._caller, prepared,
                *admitted,
            )  # fmt: skip
            is_last = number == len(found) - 1
            last = await self._attempt(attempt, is_last)
            if last is None:
                return
        raise RefusedError(last or Refusal("model", "G302", f"nothing sells {self._ask.model}"))

    def _prepared(self, in_force: InForce) -> Iterator[Prepared | Refusal]:
        """The request as each outlet that sells the model takes it, in their order."""
        try:
            selling = in_force.selling(self._ask.model)
        except CatalogError as error:
            yield unknown_model(error)
            return
        if not tier_is_known(self._ask.tier):
            yield Refusal("bad_request", "G107", f"unknown service tier {self._ask.tier!r}", hint="leave it out")
            return
        for outlet, model in selling:
            try:
                yield self._for(outlet, model)
            except BadAsk as error:
                yield error.refusal
            except BadRequest as error:
                what = f"{outlet.name} cannot take this: {error.message}"
                yield Refusal("bad_request", "G108", what, hint=error.param or "")

    def _for(self, outlet: Outlet, model: str) -> Prepared:
        """BadRequest or BadAsk: the outlet's dialect cannot say it."""
        endpoint = self._desk.endpoints[outlet.name]
        spoken = endpoint.wire.dialects
        if self._ask.dialect in spoken:
            return Prepared(outlet, model, self._dialect, self._ask)
        vendor = next((name for name in TRANSLATED_TO if name in spoken), None)
        if vendor is None or self._ask.dialect not in TRANSLATED_TO:
            raise BadRequest(f"it speaks {', '.join(spoken)}", "")
        wire = Wire(own_fields=outlet.vendor == "openai")
        exchange = translate(self._ask.dialect, vendor, self._ask.body, wire, int(time.time()))  # type: ignore[arg-type]
        dialect = BY_NAME[vendor]
        ask = dialect.read(exchange.path, self._request.headers, exchange.body)
        return Prepared(outlet, model, dialect, ask, exchange)

    async def _admitted(self, in_force: InForce, prepared: Prepared) -> tuple[Admitted, tuple[Purse, ...]] | Refusal:
        """Admit it at an outlet and hold for it, or the refusal."""
        desk, caller, ask = self._desk, self._caller, prepared.ask
        at = microseconds()
        purses = desk.budgets.purses(caller.budgets, at)
        outlet = prepared.outlet
        channel = channels_of(ask.tier, outlet)[0]
        question = question_of(ask, outlet, caller.rules, prepared.model, channel)
        state = State(in_force.policy, desk.learned, (in_force.limits[outlet.contract],), purses)
        loans, more = 0, True
        while True:
            found = admit(ask, question, state, instant(at), time.monotonic_ns(), more)
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
        """Whether more was lent; a ledger that cannot be asked is a refusal, unless the configuration says to go on."""
        try:
            return await self._desk.budgets.borrow(short, at)
        except OfftakeError as error:
            if self._desk.settings.on_ledger_failure == "pass_and_journal":
                short.purse.lease.add(short.missing_pico)
                return True
            refusal = Refusal("overloaded", "G501", "the ledger cannot be reached", hint=error.code)
            raise RefusedError(refusal) from error

    async def _attempt(self, attempt: Attempt, is_last: bool) -> Refusal | None:
        """Send it and relay the answer; the refusal to go on with where this outlet gave none."""
        desk = self._desk
        try:
            attempt.begin(desk)
        except OfftakeError as error:
            attempt.give_back()
            return Refusal("overloaded", "G502", "the journal cannot be written, so nothing was sent", hint=error.code)
        call = self._call(attempt)
        endpoint = desk.endpoints[attempt.prepared.outlet.name]
        try:
            answer = await endpoint.pool.request("POST", call.target, call.headers, call.body)
        except UpstreamError as error:
            return await self._no_answer(attempt, error)
        attempt.first_ns = time.monotonic_ns()
        if answer.status in ELSEWHERE and not is_last:
            return await self._elsewhere(attempt, answer)
        await Relay(desk, attempt, self._ask, self._dialect, self._responder, self._request.headers).run(answer, call)
        return None

    def _call(self, attempt: Attempt) -> Call:
        """The edits, and the vendor's address and signature."""
        prepared = attempt.prepared
        endpoint = self._desk.endpoints[prepared.outlet.name]
        name = endpoint.models.get(prepared.model, endpoint.models.get(prepared.ask.model, ""))
        edits = Edits(
            model=name, output_tokens_max=attempt.admitted.hold.output_tokens_max, include_usage=prepared.ask.stream
        )
        body, attempt.edits = prepared.dialect.edited(prepared.ask, edits)
        sent = passing(self._request.headers)
        query = self._request.query
        if prepared.exchange is not None:
            sent = {header: value for header, value in sent.items() if header in KEPT}
            query = ""
        return endpoint.wire.call(
            prepared.ask.dialect, name or prepared.ask.model, prepared.ask.stream, body, sent, query
        )

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

    async def _elsewhere(self, attempt: Attempt, answer: Answer) -> Refusal:
        """An answer that says: not here, not now. It is settled, and another outlet is tried."""
        prepared = attempt.prepared
        try:
            body = await answer.whole(self._desk.body_bytes_max)
        except UpstreamError:
            body = b""
        served = prepared.dialect.served(answer.status, answer.headers, body, prepared.ask)
        await attempt.settle(self._desk, served)
        return Refusal("upstream", "G603", f"{prepared.outlet.name} answered {answer.status}")
