"""Tier arithmetic against the published examples of other billing systems: what the bands are, then what they cost.

Flat fees per band, packages and unit prices are not in our language; `split` and `band` are what they share with it.
Not supported: weighted sums (units held for a part of the period) and virtual currencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.rating.clauses.minimum import top_up
from offtake.rating.clauses.shortfall import unused
from offtake.rating.clauses.tiers import band, split

EDGES = st.lists(st.integers(1, 1_000), min_size=1, max_size=4, unique=True).map(sorted).map(tuple)
AMOUNTS = st.integers(0, 1_500)


def graduated(
    edges: tuple[int, ...], prices: Sequence[str], units: int, before: int = 0, flat: Sequence[str] = ()
) -> Decimal:
    """Each unit at the price of its band; the flat fee of a band is due once, when it is entered."""
    total = Decimal(0)
    entered = {index for index, part in split(edges, 0, before) if part} if before else set()
    for index, part in split(edges, before, units):
        total += part * Decimal(prices[index])
        if flat and index not in entered:
            total += Decimal(flat[index])
    return total


def volume(edges: tuple[int, ...], prices: Sequence[str], units: int, flat: Sequence[str] = ()) -> Decimal:
    """Every unit at the price of the band that the total reaches, and that band's flat fee."""
    index = band(edges, units)
    return units * Decimal(prices[index]) + (Decimal(flat[index]) if flat else 0)


OPENMETER = (5, 10, 15)


@pytest.mark.parametrize(
    ("before", "units", "cost"),
    [(0, 22, "100 + 50 + 5 × 5 + 7 × 1 = 182"), (12, 10, "3 × 5 + 7 × 1 = 22"), (7, 1, "entered before = 0")],
)
def test_openmeter_graduated(before: int, units: int, cost: str) -> None:
    """Up to 5 flat 100, up to 10 flat 50, up to 15 at 5 a unit, the rest at 1 a unit."""
    found = graduated(OPENMETER, ("0", "0", "5", "1"), units, before, flat=("100", "50", "0", "0"))

    assert Decimal(cost.split("= ")[1]) == found


def test_openmeter_minimum_spend() -> None:
    assert Decimal(900) == unused(Decimal(1_000), Decimal(100))


@pytest.mark.parametrize(("units", "cost"), [(3, 100), (14, 140), (15, 150), (16, 80), (100, 500)])
def test_openmeter_volume(units: int, cost: int) -> None:
    """Up to 5 flat 100, up to 10 flat 150, up to 15 at 10, the rest at 5: one more unit may cost less."""
    assert cost == volume(OPENMETER, ("0", "0", "10", "5"), units, flat=("100", "150", "0", "0"))


def test_openmeter_rates_again() -> None:
    """A period billed at 15 units turns out to belong to a total of 16: all of it is credited, and 16 cost 80."""
    prices = ("0", "0", "10", "5")

    assert (Decimal(-150), Decimal(80)) == (-volume(OPENMETER, prices, 15), volume(OPENMETER, prices, 16))
    assert Decimal(20) == graduated((), ("10",), 2, before=5)
    assert Decimal(30) == graduated((), ("10",), 3, before=7)


def test_lago() -> None:
    """15 units, ten at 10 and the rest at 20; 60 units at 100 + 2 a unit up to ten, then 50 + 1 a unit."""
    assert Decimal(300) == volume((10,), ("10", "20"), 15)
    assert Decimal(200) == graduated((10,), ("10", "20"), 15)
    assert Decimal(220) == graduated((10,), ("2", "1"), 60, flat=("100", "50"))
    assert Decimal(49) == volume((), ("0.0006",), 65_000, flat=("10",))


def test_lago_minimum_commitment() -> None:
    """A subscription of 20 and usage of 30 under a floor of 100: the top-up is 50, and a coupon of 20 leaves 80."""
    topped_up = top_up(Decimal(100), Decimal(20 + 30))

    assert Decimal(50) == topped_up
    assert Decimal(80) == 20 + 30 + topped_up - 20


def test_kill_bill() -> None:
    """111 units: ten at 1.5, a hundred at 1, the rest at 0.5; the top tier alone prices all at 0.5."""
    assert Decimal("115.5") == graduated((10, 110), ("1.5", "1", "0.5"), 111)
    assert Decimal("55.5") == volume((10, 110), ("1.5", "1", "0.5"), 111)


def test_autumn_and_zuplo() -> None:
    """15,000 units: 1,000 × 0.01 + 9,000 × 0.008 + 5,000 × 0.005; and bands that give 600 graduated, 150 by volume."""
    assert Decimal(10 + 72 + 25) == graduated((1_000, 10_000), ("0.01", "0.008", "0.005"), 15_000)
    assert Decimal(600) == graduated((1_000, 10_000), ("0.1", "0.05", "0.01"), 15_000)
    assert Decimal(150) == volume((1_000, 10_000), ("0.1", "0.05", "0.01"), 15_000)


def test_an_upper_bound_belongs_to_the_lower_band() -> None:
    assert (0, 1) == (band((10,), 10), band((10,), 11))
    assert [(0, 10)] == split((10,), 0, 10)
    assert [(1, 5)] == split((10,), 10, 5)


@given(EDGES, AMOUNTS, AMOUNTS, AMOUNTS)
def test_split_is_whole(edges: tuple[int, ...], before: int, first: int, second: int) -> None:
    """The parts of an amount sum to it, and an amount told in two falls in the same bands as told at once."""
    together, apart = dict.fromkeys(range(5), 0), dict.fromkeys(range(5), 0)
    for index, part in split(edges, before, first + second):
        together[index] += part
    for index, part in [*split(edges, before, first), *split(edges, before + first, second)]:
        apart[index] += part

    assert first + second == sum(together.values())
    assert together == apart


@given(EDGES, AMOUNTS)
def test_each_unit_lies_in_the_band_that_it_reaches(edges: tuple[int, ...], total: int) -> None:
    """One unit at a time, the n-th unit falls in the band of a total of n."""
    units = [index for n in range(total) for index, part in split(edges, n, 1) for _ in range(part)]

    assert [band(edges, n + 1) for n in range(total)] == units
