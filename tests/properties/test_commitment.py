"""Laws of commitment advice: the fractile is optimal, a level costs what its words say."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from offtake.planner.commitment.fractile import Deal, quantile
from offtake.planner.commitment.offer import Level, RatedOffer
from offtake.planner.commitment.pooling import pooling
from offtake.planner.demand.series import Series

QUANTITIES = st.decimals(0, 10**9, places=2)
DEMANDS = st.lists(QUANTITIES, min_size=1, max_size=12).filter(any)
SHARES = st.integers(0, 99).map(lambda percent: Decimal(percent).scaleb(-2))
DEALS = st.builds(Deal, SHARES, SHARES)


@given(DEALS, DEMANDS)
def test_no_commitment_is_cheaper_than_the_best(deal: Deal, demand: list[Decimal]) -> None:
    best = deal.cost(deal.best(demand), demand)

    assert best == min(deal.cost(commitment, demand) for commitment in (Decimal(0), *demand))


@given(DEALS, DEMANDS, st.integers(1, 10**8))
def test_no_number_of_units_is_cheaper_than_the_best(deal: Deal, demand: list[Decimal], size: int) -> None:
    unit = Decimal(size)
    found = deal.best_in_units(demand, unit)
    neighbours = [max(Decimal(0), found - unit), found, found + unit]

    assert deal.cost(found, demand) == min(deal.cost(each, demand) for each in neighbours)
    assert 0 == found % unit


@given(DEMANDS, SHARES, SHARES)
def test_a_larger_share_never_commits_less(demand: list[Decimal], one: Decimal, other: Decimal) -> None:
    assert quantile(demand, min(one, other)) <= quantile(demand, max(one, other))


@given(
    st.lists(st.tuples(QUANTITIES, QUANTITIES), min_size=1, max_size=8).filter(lambda rows: any(map(any, rows))), DEALS
)
def test_pooling_never_costs(rows: list[tuple[Decimal, Decimal]], deal: Deal) -> None:
    periods = tuple(str(index) for index in range(len(rows)))
    one, other = (Series(name, periods, tuple(row[at] for row in rows), None) for at, name in enumerate("ab"))

    assert 0 <= pooling([one, other], deal).gain


@given(SHARES, st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**9))
def test_a_level_costs_the_larger_of_its_floor_and_the_usage(
    discount: Decimal, commitment: int, fee: int, demand: int
) -> None:
    level = Level(discount, Decimal(commitment), Decimal(fee))
    contracted = (1 - discount) * demand

    assert fee + max(Decimal(commitment), contracted) == RatedOffer(level, "all").cost(Decimal(demand))


@given(SHARES, st.integers(0, 10**9), st.integers(0, 10**9))
def test_where_the_discount_ends_at_the_commitment_the_rest_is_at_list(
    discount: Decimal, commitment: int, demand: int
) -> None:
    covered = Decimal(commitment) / (1 - discount)
    expected = commitment + max(Decimal(0), demand - covered)
    found = RatedOffer(Level(discount, Decimal(commitment)), "committed").cost(Decimal(demand))

    assert abs(expected - found) <= Decimal("0.01")
