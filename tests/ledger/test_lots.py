"""Credit lots: a total burn order, no lot below zero, what expires goes, and what is lent stays until it comes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offtake.ledger import accounts, movements
from offtake.ledger.lots import Lot, draws
from offtake.store.ledger.history import audit
from offtake.store.ledger.leases import budget_states, give_back, lend, start_worker
from offtake.store.ledger.ledger import Ledger
from offtake.store.ledger.lots import left_of, settle_lots, top_up
from offtake.store.ledger.posting import post
from tests.ledger.test_store import stretch
from tests.ledger.traffic import DOLLAR, NOON, intent, rule, settle

BUDGET = "key:k/month/2026-11-01"
HOUR = 3_600 * 10**6

instants = st.integers(0, 20)
lots = st.lists(
    st.builds(
        Lot, st.sampled_from("abcdefgh"), st.just("b"), st.integers(0, 50), instants, st.none() | instants,
        st.integers(0, 2), st.integers(0, 2),
    ),
    max_size=6, unique_by=lambda lot: lot.name,
)  # fmt: skip


@given(lots, st.randoms(use_true_random=False), st.integers(0, 200), instants)
def test_draws_are_the_same_in_any_order_and_never_more_than_is_there(found, random, pico, at) -> None:  # type: ignore[no-untyped-def]
    left = {lot.name: lot.granted_pico for lot in found}
    paid = draws(found, left, pico, at)
    shuffled = list(found)
    random.shuffle(shuffled)
    is_open = {lot.name for lot in found if lot.is_open(at)}

    assert paid == draws(shuffled, left, pico, at)
    assert paid.keys() <= is_open
    assert all(0 < drawn <= left[name] for name, drawn in paid.items())
    assert sum(paid.values()) == min(pico, sum(left[name] for name in is_open))
    assert 0 == sum(movements.draw("b", paid, pico - sum(paid.values())).values())


@given(lots, st.lists(st.integers(0, 30), max_size=8), instants)
def test_many_small_draws_are_one_large_draw(found: list[Lot], amounts: list[int], at: int) -> None:
    left = {lot.name: lot.granted_pico for lot in found}
    for pico in amounts:
        for name, drawn in draws(found, left, pico, at).items():
            left[name] -= drawn
    whole = draws(found, {lot.name: lot.granted_pico for lot in found}, sum(amounts), at)

    assert left == {lot.name: lot.granted_pico - whole.get(lot.name, 0) for lot in found}


def test_priority_comes_before_rank_and_rank_before_expiry() -> None:
    found = [
        Lot("paid", "b", 5, 0, expires_at=50, rank=1),
        Lot("bonus-late", "b", 5, 1),
        Lot("bonus-soon", "b", 5, 2, expires_at=90),
        Lot("launch", "b", 5, 3, priority=1),
    ]
    order = [lot.name for lot in sorted(found, key=lambda lot: lot.order)]

    assert ["bonus-soon", "bonus-late", "paid", "launch"] == order


def test_a_top_up_is_lent_drawn_and_expires(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=DOLLAR)
    post(ledger, [stretch(intent("a", {BUDGET: DOLLAR}), settle("a", [BUDGET], DOLLAR))], NOON)
    top_up(ledger, Lot("gift", BUDGET, 5 * DOLLAR, NOON, expires_at=NOON + HOUR))
    top_up(ledger, Lot("paid", BUDGET, 5 * DOLLAR, NOON, rank=1))
    assert 4 * DOLLAR == lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=4 * DOLLAR)
    later = stretch(intent("b", {BUDGET: DOLLAR}), settle("b", [BUDGET], DOLLAR), file="w1.000002.wal")
    post(ledger, [later], NOON)
    settle_lots(ledger, NOON + 1)

    assert {"gift": 4 * DOLLAR, "paid": 5 * DOLLAR} == left_of(ledger)  # the first dollar was the budget's own
    settle_lots(ledger, NOON + HOUR)
    assert {"gift": 0, "paid": 5 * DOLLAR} == left_of(ledger)
    assert 4 * DOLLAR == ledger.balance(accounts.expired(BUDGET))
    (state,) = budget_states(ledger)
    assert (7 * DOLLAR, 2 * DOLLAR, 3 * DOLLAR, 2 * DOLLAR) == (
        state.amount_pico, state.available_pico, state.leased_pico, state.spent_pico,
    )  # fmt: skip
    assert [] == audit(ledger).findings


def test_what_is_lent_expires_when_it_comes_back(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=DOLLAR)
    top_up(ledger, Lot("gift", BUDGET, 2 * DOLLAR, NOON, expires_at=NOON + HOUR))
    lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=2 * DOLLAR)
    settle_lots(ledger, NOON + HOUR)
    assert {"gift": 2 * DOLLAR} == left_of(ledger)
    give_back(ledger, "w1", BUDGET, 3 * DOLLAR, NOON + HOUR)
    settle_lots(ledger, NOON + HOUR)

    assert {"gift": 0} == left_of(ledger)
    assert DOLLAR == ledger.balance(accounts.available(BUDGET))
    assert [] == audit(ledger).findings
