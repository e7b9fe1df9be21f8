"""Admission of one request at one outlet: rates and budgets, once rules and block list have let it pass (`quote.py`).

What is cheap and final comes first; a budget comes last, because a hold that nothing follows must not block anyone.
Each step refuses, or where its mode is `observe` says what it would have refused and goes on. Nothing is counted or
held unless all steps agree. Time and state are arguments; the caller has more lent to a budget that is `Short`, and
asks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from offtake.gateway.admit.budget import Purse, Short, reserve
from offtake.gateway.admit.hold import Hold, clamped, hold_of, learned, others_of
from offtake.gateway.admit.learned import HIGH, Learned
from offtake.gateway.admit.limits import Limits, Ticket
from offtake.gateway.admit.quote import Quote, unpriced
from offtake.gateway.ask import Ask, Refusal
from offtake.gateway.outlet import KeyRules
from offtake.rating.ceiling import Ceiling
from offtake.values.errors import OfftakeError

NOTHING_HELD = Hold(0, 0)
"""No budget asks what it may cost, so nothing has to bound it."""


class Admitted(Struct):
    """A request that may be sent. `hold` is of 0 where budgets are only observed and lack the money."""

    hold: Hold
    ceiling: Ceiling
    tickets: list[Ticket]
    observed: tuple[Refusal, ...] = ()


class State(Struct):
    """What a worker knows: what it has learned, the limits of this outlet and this key, and the budgets."""

    learned: Learned
    limits: Sequence[Limits] = ()
    purses: Sequence[Purse] = ()


def admit(
    ask: Ask,
    quote: Quote,
    state: State,
    at: datetime,
    now_ns: int,
    more_to_lend: bool = True,
    observed: tuple[Refusal, ...] = (),
) -> Admitted | Refusal | Short:
    """Admit a request at the outlet of a quote that leaves it to be sent; `observed` is what was only observed so far.

    `at` is the UTC instant and `now_ns` the monotonic clock. `more_to_lend`: a budget that is short may be lent more,
    so its output limit is not lowered yet. A Refusal is final at this outlet; Short names the budget and what it lacks.
    """
    question = quote.question
    outlet, key, purses = question.outlet, question.key, state.purses
    others_pico, hard = 0, NOTHING_HELD
    ceiling = quote.ceiling
    try:
        if ask.other_models:
            others_pico = others_of(ask, outlet, key, at)
        if purses:
            hard = hold_of(ask, ceiling, others_pico)
    except OfftakeError as error:
        return unpriced(error)
    tokens = expected_tokens(ask, ceiling, key, question.model, state.learned, HIGH) if state.limits else (0, 0)
    for limits in state.limits:
        refusal = limits.refusal(*tokens, now_ns)
        if refusal is None:
            continue
        if outlet.modes.of("limits") == "enforce":
            return refusal
        observed = (*observed, refusal)
    if purses:
        hold = _hold(ask, quote, hard, others_pico, state, more_to_lend)
        if isinstance(hold, Short):
            if outlet.modes.of("budget") == "enforce":
                return hold
            observed = (*observed, _observed(hold))
            hold = Hold(0, hard.bound_pico)
    else:
        hold = hard
    return Admitted(hold, ceiling, [limits.admit(*tokens, now_ns) for limits in state.limits], observed)


def _hold(ask: Ask, quote: Quote, hard: Hold, others_pico: int, state: State, more_to_lend: bool) -> Hold | Short:
    key, ceiling = quote.question.key, quote.ceiling
    adaptive = None
    if key.overdraft:
        adaptive = learned(ask, ceiling, key.id, quote.question.model, state.learned, others_pico)
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
