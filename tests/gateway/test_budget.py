"""Budgets hold: a hard one is never overrun, and one with an overdraft line does not turn away who has the money."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.admit.admission import Admitted, State, admit
from offtake.gateway.admit.budget import Purse, Short, refused, reserve, settle
from offtake.gateway.admit.hold import Hold, clamped, hold_of, shape_of
from offtake.gateway.admit.learned import Learned
from offtake.gateway.admit.limits import limits_of
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.quote import Quote, Quotes
from offtake.gateway.admit.window import MINUTE
from offtake.gateway.ask import Ask, Refusal
from offtake.gateway.outlet import KeyLimits, KeyRules, Modes, Outlet
from offtake.ledger.lease import Lease
from offtake.rating.ceiling import Ceiling
from tests.gateway.deals import AT, OPUS, ask, key, outlet

DOLLAR = 10**12


def purse(dollars: str, line: str = "0") -> Purse:
    lease = Lease("key:key_1/month/2026-10-01", int(Decimal(dollars) * DOLLAR))
    return Purse(lease, f"{dollars} USD / month", int(Decimal(line) * DOLLAR))


def ceiling_of(what: Ask, where: Outlet | None = None) -> Ceiling:
    where = where or outlet()
    return where.bounds.ceiling(shape_of(what, where, OPUS, key()), AT)


def admitted(
    what: Ask, purses: list[Purse], who: KeyRules, seen: Learned, where: Outlet, more_to_lend: bool = False
) -> Admitted | Refusal | Short:
    return admit(what, quote(what, where, who), State(seen, (), purses), AT, MINUTE, more_to_lend)


def quote(what: Ask, where: Outlet, who: KeyRules) -> Quote:
    (said,) = Quotes().of(what, ((where, OPUS),), who, Policy(), AT).quotes
    return said


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_whatever_is_held_and_settled_in_any_order_a_hard_budget_is_not_overrun(
    rng: random.Random, workers: int
) -> None:
    leases = [purse(str(Decimal(1) / workers)) for _ in range(workers)]
    open_: list[tuple[Purse, Hold]] = []
    spent = 0
    for _ in range(200):
        if open_ and rng.random() < 0.4:
            mine, hold = open_.pop(rng.randrange(len(open_)))
            cost = rng.randint(0, hold.bound_pico)
            assert 0 == settle([mine], hold, cost)
            spent += cost
        else:
            mine, pico = rng.choice(leases), rng.randint(1, DOLLAR // 20)
            found = reserve([mine], Hold(pico, pico), None, None)
            if isinstance(found, Hold):
                open_.append((mine, found))

    assert spent + sum(hold.pico for _, hold in open_) <= DOLLAR
    assert spent + sum(each.lease.free_pico + each.lease.holds_pico for each in leases) == DOLLAR // workers * workers


@pytest.mark.parametrize("workers", [1, 4])
def test_a_thousand_requests_at_once_spend_at_most_the_dollar(workers: int) -> None:
    where, what, seen = outlet(), ask(), Learned()
    purses = [purse(str(Decimal(1) / workers)) for _ in range(workers)]
    found = [admitted(what, [purses[n % workers]], key(), seen, where) for n in range(1_000)]
    holds = [each.hold for each in found if isinstance(each, Admitted)]

    assert 10 < len(holds) < 1_000
    assert sum(hold.bound_pico for hold in holds) <= DOLLAR
    assert all(isinstance(each, Admitted | Short) for each in found)


def test_a_request_holds_on_every_budget_or_on_none() -> None:
    rich, poor = purse("10"), purse("0.01")

    short = reserve([rich, poor], Hold(DOLLAR, DOLLAR), None, None)

    assert isinstance(short, Short)
    assert (poor, 99 * DOLLAR // 100) == (short.purse, short.missing_pico)
    assert (10 * DOLLAR, 0) == (rich.lease.free_pico, rich.lease.holds_pico)


def test_a_solvent_key_with_a_line_is_not_blocked_by_128000_output_tokens() -> None:
    where, who, seen, rng = outlet(), key(overdraft=True), Learned(), random.Random(1)
    what, mine = ask(output_tokens_max=128_000), [purse("4", line="1")]
    bound = hold_of(what, ceiling_of(what)).pico
    assert bound > 4 * DOLLAR  # not one such request would start
    spent, in_flight = 0, []
    for _ in range(200):
        found = admitted(what, mine, who, seen, where)
        assert isinstance(found, Admitted), found
        in_flight.append(found)
        if len(in_flight) == 20:
            for each in in_flight:
                output = rng.randint(100, 400)
                rest = each.ceiling.expected(900, 0, 0)
                cost = rest + output * each.ceiling.plain[0].output
                settle(mine, each.hold, cost)
                seen.add("key_1", OPUS, output, 900, 1_000, rest, each.ceiling.pico(1_000, 0))
                spent += cost
            in_flight.clear()

    assert DOLLAR < spent <= 3 * DOLLAR
    assert mine[0].lease.free_pico == 4 * DOLLAR - spent


def test_a_learned_hold_leaves_the_line_whole_and_then_only_true_bounds_are_held() -> None:
    mine = [purse("1.5", line="1")]
    hard, learned = Hold(2 * DOLLAR, 2 * DOLLAR), Hold(DOLLAR // 2, 2 * DOLLAR)

    assert learned == reserve(mine, hard, learned, None)
    assert isinstance(reserve(mine, hard, learned, None), Short)  # half a dollar more would come out of the line
    small = Hold(DOLLAR // 10, DOLLAR // 10)
    assert small == reserve(mine, small, learned, None)

    assert DOLLAR // 2 == settle(mine, learned, DOLLAR)  # it missed half a dollar: that is what the line is for
    assert DOLLAR // 2 == mine[0].overdrawn_pico


def test_without_a_line_no_hold_is_learned() -> None:
    hard = Hold(DOLLAR, DOLLAR)

    assert hard == reserve([purse("2"), purse("2", "1")], hard, Hold(1, DOLLAR), None)


def test_a_key_that_clamps_gets_the_output_that_its_budget_pays_when_there_is_no_more_to_lend() -> None:
    where, what, who, seen = outlet(), ask(output_tokens_max=128_000), key(clamps=True), Learned()
    assert isinstance(admitted(what, [purse("1")], who, seen, where, more_to_lend=True), Short)

    found = admitted(what, [purse("1")], who, seen, where)

    assert isinstance(found, Admitted)
    lowered = found.hold.output_tokens_max
    assert lowered
    assert found.hold.pico <= DOLLAR < found.ceiling.pico(1_000, lowered + 1)
    assert isinstance(admitted(what, [purse("0.0001")], who, seen, where), Short)


def test_a_clamp_is_shared_by_all_choices() -> None:
    what = ask(output_tokens_max=900, choices=3)
    ceiling = ceiling_of(what)
    budget = ceiling.pico(1_000, 100)

    hold = clamped(what, ceiling, budget)

    assert hold
    assert 99 == hold.output_tokens_max
    assert clamped(what, ceiling, ceiling.pico(1_000, 2)) is None


def test_a_refusal_of_a_budget_says_what_is_left_and_what_it_takes() -> None:
    found = admitted(ask(), [purse("0.001")], key(), Learned(), outlet())

    assert isinstance(found, Short)
    refusal = refused(found, DOLLAR // 1_000)
    assert ("budget", "G401") == (refusal.kind, refusal.code)
    assert "the budget 0.001 USD / month has 0.001000 USD left" in refusal.message
    assert refusal.retry_after_seconds is None


def test_a_rate_refusal_holds_nothing_and_counts_nothing() -> None:
    where, what, mine = outlet(), ask(), [purse("1")]
    limits = limits_of(KeyLimits(requests_per_minute=1), lambda name: f"key key_1: {name}")
    state = State(Learned(), (limits,), mine)
    said = quote(what, where, key())
    assert isinstance(admit(what, said, state, AT, MINUTE), Admitted)
    free = mine[0].lease.free_pico

    found = admit(what, said, state, AT, MINUTE)

    assert isinstance(found, Refusal)
    assert ("G412", "key key_1: requests_per_minute") == (found.code, found.clause)
    assert (free, 1) == (mine[0].lease.free_pico, limits.in_flight)


def test_observed_limits_and_budgets_send_and_say_so() -> None:
    where, mine = outlet(modes=Modes("observe")), [purse("0")]
    limits = limits_of(KeyLimits(concurrency=0), str)
    state = State(Learned(), (limits,), mine)

    found = admit(ask(), quote(ask(), where, key()), state, AT, MINUTE)

    assert isinstance(found, Admitted)
    assert ["G413", "G401"] == [each.code for each in found.observed]
    assert 0 == found.hold.pico


def test_what_has_no_price_or_no_bound_is_refused() -> None:
    where = outlet()
    (gone,) = Quotes().of(ask(), ((where, "claude-nonsense"),), key(), Policy(), AT).refusals

    assert ("G302", "no model 'claude-nonsense' of anthropic in the catalogue") == (gone.code, gone.message)


def test_other_models_that_the_request_may_use_are_held_too() -> None:
    where, seen, rich = outlet(), Learned(), [purse("10")]
    alone = admitted(ask(), rich, key(), seen, where)
    both = admitted(ask(other_models=("claude-haiku-4-5",)), rich, key(), seen, where)
    unpriced = admitted(ask(other_models=("claude-nonsense",)), rich, key(), seen, where)

    assert isinstance(alone, Admitted)
    assert isinstance(both, Admitted)
    haiku = where.bounds.ceiling(shape_of(ask(), where, "claude-haiku-4-5", key()), AT).pico(1_000, 1_000)
    assert both.hold.pico == alone.hold.pico + haiku
    assert isinstance(unpriced, Refusal)


def test_server_tools_without_a_limit_are_refused_with_the_way_out() -> None:
    found = admitted(ask(server_tools=2**31), [purse("100")], key(), Learned(), outlet())

    assert isinstance(found, Short)
    assert "max_uses" in refused(found, DOLLAR).hint


def test_without_a_budget_nothing_has_to_bound_a_request() -> None:
    where = outlet()
    ceiling_of(ask())  # claude-opus-4-7 has a window; what has none is refused only where a budget asks
    found = admitted(ask(server_tools=2**31), [], key(), Learned(), where)

    assert isinstance(found, Admitted)
    assert 0 == found.hold.pico
