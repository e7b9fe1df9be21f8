"""The pure books: movements sum to zero, lending keeps floors, budgets have the account of their period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.ledger import accounts, movements
from offtake.ledger.budgets import BudgetRule, budget_amount
from offtake.ledger.chain import GENESIS, block_hash
from offtake.ledger.lease import Lease
from offtake.ledger.lines import is_whole, line_of, payload_of, split_lines
from offtake.ledger.transactions import checked, netted
from offtake.values.errors import InputError
from offtake.values.periods import PERIODS

pico = st.integers(0, 10**30)
names = st.sampled_from(["key:a/month/2026-11-01", "team:b/day/2026-11-21", "customer:c/total"])
holds = st.dictionaries(names, pico, max_size=3)


@given(holds, holds, pico)
def test_every_movement_sums_to_zero(leased: dict[str, int], held: dict[str, int], cost: int) -> None:
    found = [
        movements.grant("b", cost),
        movements.lend("w", "b", cost),
        movements.settle("w", list(held), "v", "c", cost),
        movements.set_aside("w", leased, held),
        movements.resolve(held, "v", "c", cost),
    ]

    assert [0] * len(found) == [sum(postings.values()) for postings in found]
    assert 0 == sum(netted(found).values())


def test_a_transaction_that_does_not_sum_to_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="sums to zero"):
        checked({"expense:v:c": 1})


def test_an_account_outside_of_the_chart_is_refused() -> None:
    assert "lease" == accounts.kind_of("lease:w1:key:k/total")
    with pytest.raises(ValueError, match="chart"):
        accounts.kind_of("savings:mine")


@given(pico, st.integers(-(10**20), 0), pico, pico, st.integers(0, 300))
def test_a_loan_is_what_is_needed_or_nothing_and_keeps_the_floor(
    available: int, floor: int, wanted: int, needed: int, workers: int
) -> None:
    lent = movements.grantable(available, floor, wanted, needed, workers)

    assert lent == 0 or lent >= needed > 0
    assert available - lent >= floor
    assert lent <= max(wanted, needed)
    if 0 < needed <= available - floor:
        assert lent > 0


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=30), st.integers(0, 2_000))
def test_a_lease_never_holds_and_spends_more_than_was_added(requests: list[tuple[int, int]], lent: int) -> None:
    lease, spent = Lease("b"), 0
    lease.add(lent)
    for hold, cost in requests:
        if lease.reserve(hold):
            lease.settle(hold, min(cost, hold))
            spent += min(cost, hold)

        assert lent == lease.free_pico + lease.holds_pico + spent
        assert lease.free_pico >= 0
    assert lease.free_pico + spent == lent
    assert lent - spent == lease.spare(0) + lease.free_pico


@given(st.integers(0, 40_000_000), st.sampled_from(PERIODS))
def test_the_account_of_a_period_holds_for_the_whole_period_and_no_longer(minutes: int, per: str) -> None:
    instant = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    budget = BudgetRule("key:k", 1, next(period for period in PERIODS if period == per))
    window = budget.window_at(instant)
    name = budget.account_at(instant)

    assert instant in window
    assert {name} == {budget.account_at(window.start), budget.account_at(window.end - timedelta(microseconds=1))}
    assert name != budget.account_at(window.end)


def test_what_is_no_budget_is_said_once_and_without_the_space_around_it() -> None:
    with pytest.raises(InputError) as met:
        budget_amount(" lots")

    assert "not a budget: 'lots'" == met.value.findings[0].what
    assert "lots" not in met.value.findings[0].why


def test_budgets_as_people_write_them() -> None:
    assert (10**12, "month") == budget_amount("1USD/month")
    assert (1_000_500_000_000_000, "day") == budget_amount("1_000.50 USD / day")
    assert (10**19, None) == budget_amount("10000000 USD")
    assert (1, "hour") == budget_amount("0.000000000001 USD/hour")


@pytest.mark.parametrize(
    "text", ["", "1", "USD", "1EUR/month", "-1USD", "1USD/fortnight", "1e3USD", "0.0000000000001USD"]
)
def test_what_is_no_budget_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InputError) as refused:
        budget_amount(text)

    assert "L720" == refused.value.code
    assert "500USD/month" in str(refused.value)


@given(st.lists(st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"")), max_size=5), st.data())
def test_a_stretch_that_ends_anywhere_gives_its_whole_lines(payloads: list[bytes], data: st.DataObject) -> None:
    lines = [line_of(payload) for payload in payloads]
    text = b"".join(line + b"\n" for line in lines)
    end = data.draw(st.integers(0, len(text)))
    found = split_lines(text[:end])
    whole = text[:end].count(b"\n")

    assert lines[:whole] == found.whole
    assert payloads[:whole] == [payload_of(line) for line in found.whole]
    assert end == found.length + found.torn
    assert found.damaged is None


def test_a_changed_line_before_a_whole_one_is_damage() -> None:
    first, second = line_of(b'{"id":1}'), line_of(b'{"id":2}')
    changed = first.replace(b"1}", b"3}")
    found = split_lines(b"\n".join([first, changed, second, b""]))

    assert not is_whole(changed)
    assert ([first], len(first) + 1) == (found.whole, found.damaged)


def test_a_block_has_the_hash_of_all_that_is_in_it() -> None:
    base = (1, 5, GENESIS, b"a\nb", {"x:1": 2, "y:2": -2})
    others = [
        (2, *base[1:]),
        (1, 6, *base[2:]),
        (1, 5, "1" * 64, *base[3:]),
        (1, 5, GENESIS, b"a\nc", base[4]),
        (*base[:3], b"a\nb\n2 x:1", {"y:2": -2}),
        (*base[:4], {"x:1": 3, "y:2": -3}),
    ]
    hashes = {block_hash(*each) for each in [base, *others]}

    assert len(others) + 1 == len(hashes)
