"""Admission of one request at one outlet: rules, blocked text, rates and budgets, in this order, as one answer.

What is cheap and final comes first; a budget comes last, because a hold that nothing follows must not block anyone.
Each step refuses, or where its mode is `observe` says what it would have refused and goes on. Nothing is counted or
held unless all steps agree. Time and state are arguments; the caller has more lent to a budget that is `Short`, and
asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from offtake.gateway.admit import behaviour
from offtake.gateway.admit.budget import Purse, Short, reserve
from offtake.gateway.admit.hold import Hold, clamped, hold_of, learned, others_of, shape_of
from offtake.gateway.admit.learned import HIGH, Learned
from offtake.gateway.admit.limits import Limits, Ticket
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.question import Question
from offtake.gateway.admit.scope import unknown_model
from offtake.gateway.ask import Ask, Refusal
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.rating.ceiling import Ceiling
from offtake.values.errors import CatalogError, OfftakeError

NOTHING_HELD = Hold(0, 0)
"""No budget asks what it may cost, so nothing has to bound it."""


class Admitted(NamedTuple):
    """A request that may be sent. `hold` is of 0 where budgets are only observed and lack the money."""

    hold: Hold
    ceiling: Ceiling
    tickets: tuple[tuple[Limits, Ticket], ...]
    observed: tuple[Refusal, ...] = ()


class State(NamedTuple):
    """What a worker knows: the rules' state, what it has learned, the limits of this outlet and this key."""

    policy: Policy
    learned: Learned
    limits: Sequence[Limits] = ()
    purses: Sequence[Purse] = ()


def question_of(ask: Ask, outlet: Outlet, key: KeyRules, model: str, channel: str) -> Question:
    """What the rules are asked: the region is the one that the client names, or the outlet's own."""
    return Question(outlet, key, ask.dialect, model, channel, ask.region or outlet.region, ask.stores)


def allowed(ask: Ask, question: Question, policy: Policy, at: datetime) -> Refusal | tuple[Refusal, ...]:
    """The refusal of the rules and of the block list, or what they have only observed."""
    verdict = policy.decide(question, at)
    if verdict.refusal is not None:
        return verdict.refusal
    found = behaviour.blocked(question.outlet.terms.contract, ask.body, at)
    if found is None:
        return verdict.observed
    return found if question.outlet.modes.of("block") == "enforce" else (*verdict.observed, found)


def admit(
    ask: Ask,
    question: Question,
    state: State,
    at: datetime,
    now_ns: int,
    more_to_lend: bool = True,
    allowed_before: tuple[Refusal, ...] | None = None,
    ceiling: Ceiling | None = None,
) -> Admitted | Refusal | Short:
    """Admit a request of one model at one outlet.

    `at` is the UTC instant and `now_ns` the monotonic clock. `more_to_lend`: a budget that is short may be lent more,
    so its output limit is not lowered yet. `allowed_before`: what the rules have only observed, where they were asked
    before (a candidate's `observed`), and `ceiling` the one that was found then for this very ask. A Refusal is final
    at this outlet; Short names the budget and what it lacks.
    """
    outlet, key = question.outlet, question.key
    answer = allowed(ask, question, state.policy, at) if allowed_before is None else allowed_before
    if isinstance(answer, Refusal):
        return answer
    observed = list(answer)
    try:
        if ceiling is None or not ceiling.since <= at < ceiling.until:
            ceiling = outlet.bounds.ceiling(shape_of(ask, outlet, question.model, key, ask.region), at)
        others_pico = others_of(ask, outlet, key, at) if ask.other_models else 0
        hard = hold_of(ask, ceiling, others_pico) if state.purses else NOTHING_HELD
    except OfftakeError as error:
        return unpriced(error)
    tokens = expected_tokens(ask, ceiling, key, question.model, state.learned, HIGH)
    for limits in state.limits:
        refusal = limits.refusal(*tokens, now_ns)
        if refusal is None:
            continue
        if outlet.modes.of("limits") == "enforce":
            return refusal
        observed.append(refusal)
    hold = _hold(ask, ceiling, hard, others_pico, question, state, more_to_lend)
    if isinstance(hold, Short):
        if outlet.modes.of("budget") == "enforce":
            return hold
        observed.append(_observed(hold))
        hold = Hold(0, hard.bound_pico)
    tickets = tuple((limits, limits.admit(*tokens, now_ns)) for limits in state.limits)
    return Admitted(hold, ceiling, tickets, tuple(observed))


def unpriced(error: OfftakeError) -> Refusal:
    """The refusal of a request that no term prices, or whose cost nothing bounds: unpriced is not free."""
    if isinstance(error, CatalogError) and error.code == "K301":
        return unknown_model(error)
    found = error.findings[0]
    return Refusal("policy", "G402", found.what, str(found.where or ""), found.hint)


def _hold(
    ask: Ask, ceiling: Ceiling, hard: Hold, others_pico: int, question: Question, state: State, more_to_lend: bool
) -> Hold | Short:
    key = question.key
    if not state.purses:
        return hard
    adaptive = learned(ask, ceiling, key.id, question.model, state.learned, others_pico) if key.overdraft else None
    lower = None if more_to_lend or not key.clamps else lambda free: clamped(ask, ceiling, free, others_pico)
    return reserve(state.purses, hard, adaptive, lower)


def expected_tokens(
    ask: Ask, ceiling: Ceiling, key: KeyRules, model: str, seen: Learned, permille: int
) -> tuple[int, int]:
    """(input, output) tokens that so many of a thousand such requests do not exceed, and never more than its limits.

    Rates count the high ones until the request settles; whoever compares outlets takes the median.
    """
    window = ceiling.context_window or 0
    limit = window if ask.input_tokens_max is None else ask.input_tokens_max
    return seen.tokens(key.id, model, limit, ask.output_tokens_max, permille)


def _observed(short: Short) -> Refusal:
    what = f"the budget {short.purse.rule} would have refused it"
    return Refusal("budget", "G401", what, f"budget {short.purse.lease.budget}")
