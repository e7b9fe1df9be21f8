"""The routines of one worker: where they come from, which call is served by which, and how many are under way."""

from __future__ import annotations

from collections.abc import Callable

from offtake.gateway import headers as ours
from offtake.gateway.attempt import Attempt
from offtake.gateway.desk import Desk, microseconds
from offtake.gateway.dialects import openai_plain
from offtake.gateway.dialects.openai_chat import HEED_BOTH
from offtake.gateway.dispatch import Dispatch
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.http.server import Work
from offtake.gateway.routine.begun import Begun
from offtake.gateway.routine.routine import Routine, decides_alike

HEADS_MAX = 4_096
MODELS_MAX = 16
"""Of each head, those of streams apart."""


class Routines:
    """The routines of one worker, by head and model. Heads hold keys, and are kept as long as connections would.

    `go_on(id, request, responder, work)` runs a coroutine that goes on with a call.
    """

    def __init__(self, desk: Desk, go_on: Callable[[str, Request, Responder, Work], None]) -> None:
        self.desk = desk
        self.go_on = go_on
        self.under_way = 0  # without a coroutine
        self._stopped = False
        self._in_force = desk.in_force
        self._kept: dict[bytes, dict[tuple[bytes, int], Routine]] = {}

    def begun(self, id: str, request: Request, responder: Responder) -> Begun | None:
        """A request that has begun by routine; None for one that goes the general way, of which nothing is done yet."""
        known = self._kept.get(request.alike)
        if known is None:
            return None
        plain = openai_plain.asked(request.body)
        if plain is None:
            return None
        routine = known.get(plain[:2])
        return None if routine is None else routine.begin(id, request, responder, plain)

    def came(self) -> bool:
        """A call that went by itself has come to its end, or to somebody; False where nobody is there any more."""
        self.under_way -= 1
        return not self._stopped

    def stop(self) -> None:
        """Patience is over: what is under way stays without an end, as the calls of coroutines that are cancelled."""
        self._stopped = True

    def learn(self, dispatch: Dispatch) -> None:
        """Keep how a request was served, where others can be served by the same routine."""
        attempt, request = dispatch.attempt, dispatch.request
        if attempt is None or not request.alike or not self._is_routine(dispatch, attempt):
            return
        plain, said = openai_plain.asked(request.body), dispatch.said()
        block = self.desk.endpoints[attempt.outlet.name].block(request)
        if plain is None or said is None or block is None:
            return
        caller = self.desk.callers.find(request.headers, microseconds(), "inference")
        if said.quotes[0] is not attempt.prepared.candidate.quote or caller is not attempt.caller:
            return  # something was decided, or a key changed, under way
        if len(self._kept) >= HEADS_MAX or dispatch.in_force is not self._in_force:
            self._in_force = dispatch.in_force
            self._kept.clear()
        known = self._kept.setdefault(request.alike, {})
        if len(known) >= MODELS_MAX:
            known.clear()
        known[plain[:2]] = Routine(self, dispatch, attempt, said, block)

    def _is_routine(self, dispatch: Dispatch, attempt: Attempt) -> bool:
        """Whether nothing about a request was out of the ordinary."""
        desk, caller, ask, costs = self.desk, attempt.caller, attempt.prepared.ask, attempt.costs
        keeps = (desk.caching, desk.telemetry, desk.transcripts) != (None, None, None) or desk.settings.log == "all"
        special = caller.rules.overdraft or caller.rules.other_models or caller.patience is not None
        if keeps or special or costs is None or attempt.parent or ask is not dispatch.ask:
            return False
        return (
            ask.dialect == "openai_chat" and ask.fields.keys() <= openai_plain.FIELDS and not ask.session
            and attempt.outlet.vendor in HEED_BOTH
            and attempt.edits in ((), ("stream_options",)) and ours.ASK_TRAILING not in dispatch.request.headers
            and costs.outcome == "ok" and costs.usage_known and not costs.others and "unpriced" not in costs.evidence
            and not attempt.admitted.observed and attempt.reserved is None
            and (attempt.standing is None or decides_alike(attempt.standing))
        )  # fmt: skip
