"""The candidates for one request: every outlet that may serve it, the one that costs least on the margin first.

Rules first: an outlet that the contract or the key forbids is no candidate, whatever it costs. Then the marginal cost
with the session's warm cache where there is one, so that leaving it costs what the cache saved. Among equals the
session's home, then the order of the configuration. The same model everywhere; another only where the key opted in and
a suite of the contract that decides for its workload admits it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from offtake.contract.patterns import match_any
from offtake.gateway.admit.admission import expected_tokens
from offtake.gateway.admit.evaluation import admitted_for
from offtake.gateway.admit.learned import MEDIAN, Learned
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.quote import Quote, Quotes
from offtake.gateway.admit.window import SECOND
from offtake.gateway.ask import Ask, Refusal
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.gateway.route.breaker import Breaker
from offtake.gateway.route.marginal import Marginal, marginal
from offtake.gateway.route.standing import NOTHING, Quantities, Standing
from offtake.gateway.route.sticky import Sessions, Warm, draw_of

FINAL = frozenset({"G322"})
"""A text that one contract blocks does not go through another: nobody has chosen the contract."""


class Candidate(Struct):
    """Where a request may go. `cost` says what it is expected to cost there and which clause decided.

    `use` is what it is expected to use: what it takes of reserved capacity until it settles.
    """

    quote: Quote
    outlet: Outlet
    model: str
    cost: Marginal
    clause: str
    use: Quantities
    observed: tuple[Refusal, ...] = ()

    @property
    def expected_pico(self) -> int:
        """What the term's bill is expected to grow by."""
        return self.cost.pico


class Routes(Struct):
    """Candidates in their order, and why the others are none."""

    candidates: Sequence[Candidate]
    refusals: tuple[Refusal, ...] = ()

    def refusal(self) -> Refusal:
        """What a client is told where there is no candidate: what a wait would cure, else the first reason."""
        if not self.refusals:
            return Refusal("model", "G511", "no outlet serves this model")
        soon = [each for each in self.refusals if each.retry_after_seconds is not None]
        return min(soon, key=lambda each: each.retry_after_seconds or 0.0) if soon else self.refusals[0]


@dataclass(slots=True)
class RouteState:
    """What a worker knows of its outlets. Standings by contract, breakers by (outlet, model).

    The flex tier has a breaker of its own: that it has no room now says nothing of calls that pay in full.
    """

    standings: Mapping[str, Standing] = field(default_factory=dict)
    breakers: dict[tuple[str, str], Breaker] = field(default_factory=dict)
    sessions: Sessions = field(default_factory=Sessions)
    quotes: Quotes = field(default_factory=Quotes)

    def breaker(self, outlet: str, model: str, tier: str = "") -> Breaker:
        """The breaker of an outlet for a model in a tier."""
        place = _circuit((outlet, model), tier)
        found = self.breakers.get(place)
        if found is None:
            found = self.breakers[place] = Breaker()
        return found


def _circuit(place: tuple[str, str], tier: str) -> tuple[str, str]:
    return (place[0], f"{place[1]} in flex") if tier == "flex" else place


def candidates(
    ask: Ask, selling: tuple[tuple[Outlet, str], ...], key: KeyRules, state: RouteState, policy: Policy,
    learned: Learned, at: datetime, now_ns: int, others: Sequence[tuple[Outlet, str]] = (),
) -> Routes:  # fmt: skip
    """The candidates among the outlets that sell the model (`selling`) or one that may stand in for it (`others`)."""
    warm = state.sessions.find(ask.session, now_ns) if ask.session else None
    found: list[Candidate] = []
    if others:
        selling = (*selling, *(pair for pair in others if _stands_in(*pair, key, at)))
    said = state.quotes.of(ask, selling, key, policy, at)
    refusals = said.refusals
    for quote in said.quotes:
        answer = _candidate(ask, quote, state, learned, now_ns, warm)
        if isinstance(answer, Candidate):
            found.append(answer)
        elif answer.code in FINAL:
            return Routes([], (answer,))
        else:
            refusals = (*refusals, answer)
    if len(found) > 1:
        found.sort(key=lambda each: (each.cost.pico, -_draw(ask.session, each)))
    return Routes(found, refusals)


def _candidate(
    ask: Ask, quote: Quote, state: RouteState, learned: Learned, now_ns: int, warm: Warm | None
) -> Candidate | Refusal:
    observed = quote.answer(ask.body)
    if isinstance(observed, Refusal):
        return observed
    question, ceiling = quote.question, quote.ceiling
    outlet, model, key = question.outlet, question.model, question.key
    breaker = state.breakers.get(_circuit(quote.place, ask.tier))
    if breaker and (wait := breaker.wait_ns(now_ns)):
        what = f"{outlet.id} has failed or is limited for {model} and is left alone for {-(-wait // SECOND)} s"
        return Refusal("overloaded", "G512", what, retry_after_seconds=min(max(wait / SECOND, 0.1), 60.0))
    tokens, output = expected_tokens(ask, ceiling, key, model, learned, MEDIAN)
    cached = min(tokens, warm.tokens) if warm and (warm.outlet, warm.model) == quote.place else 0
    use = Quantities(tokens - cached, cached, output)
    standing = state.standings.get(outlet.contract, NOTHING)
    candidate = decided(quote, standing, use, now_ns, observed)
    reservation = standing.reservation
    if reservation and reservation.covers(model) and not candidate.cost.from_reserved:
        refusal = reservation.refusal(tokens, output, now_ns)
        if refusal:
            return refusal
    return candidate


def decided(
    quote: Quote, standing: Standing, use: Quantities, now_ns: int, observed: tuple[Refusal, ...] = ()
) -> Candidate:
    """The candidate that a quote makes where its contract stands so: what it costs, and the clause that decides."""
    outlet, model, account = quote.question.outlet, quote.question.model, quote.question.key.account
    cost = marginal(quote.ceiling, standing, use, model, outlet.access, account, now_ns)
    clause = outlet.contract if cost.clause == "prices" else quote.clause(cost.clause)
    return Candidate(quote, outlet, model, cost, clause, use, observed)


def _stands_in(outlet: Outlet, model: str, key: KeyRules, at: datetime) -> bool:
    return match_any(key.other_models, model) and admitted_for(outlet, key.workload, model, at)


def _draw(session: str, each: Candidate) -> int:
    return draw_of(session, each.outlet.id) if session else 0
