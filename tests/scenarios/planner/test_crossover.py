"""Golden rows of S1 on aggregator against direct: break-evens, $150,000 a month, thresholds.

Opus 4.7 costs 5/25; one million input and three million output tokens are $80 at list.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.operations.find_crossover import Found, find_crossover
from offtake.planner.crossover import Axes, Cell, Mix, usage_multiple

ROOT = Path(__file__).parents[3]
AGGREGATOR = ROOT / "contracts" / "aggregator-customer" / "contract.yaml"
EXAMPLE = ROOT / "contracts" / "example-catalog.yaml"
OPUS, GPT, GEMINI, GROK = "claude-opus-4.7", "gpt-5.4", "gemini-3.1-pro", "grok-4.1"
TENTHS = tuple(map(Decimal, ("0.10", "0.15", "0.20", "0.25", "0.30")))


def found(
    *models: str, spends: tuple[int, ...] = (150_000,), discounts: tuple[Decimal, ...] = TENTHS, mix: Mix | None = None
) -> Found:
    axes = Axes(models, tuple(map(Decimal, spends)), discounts, ())
    return find_crossover(axes, aggregator=AGGREGATOR, catalogs=[EXAMPLE], at=date(2026, 6, 1), mix=mix)


def cells(*models: str, spends: tuple[int, ...] = (150_000,), bonus: str = "0.06") -> dict[Decimal, Cell]:
    surface = found(*models, spends=spends).crossover.cells
    return {cell.discount: cell for cell in surface if (cell.vendors, cell.bonus) == (len(models), Decimal(bonus))}


@pytest.mark.parametrize(
    ("model", "aggregator", "needed"),  # 1 − (1 − a) / 1.06
    [
        (OPUS, "0.15", "0.1981"),
        (GPT, "0.20", "0.2453"),
        (GEMINI, "0.30", "0.3396"),
        (GROK, "0.65", "0.6698"),
    ],
)
def test_break_even_discounts(model: str, aggregator: str, needed: str) -> None:
    plain, with_bonus = found(model).crossover.break_evens

    assert (Decimal(aggregator), Decimal(aggregator)) == (plain.discount, plain.aggregator_discount)
    assert (Decimal("0.06"), Decimal(needed)) == (with_bonus.bonus, with_bonus.discount.quantize(Decimal("0.0001")))


def test_a_direct_deal_at_150k() -> None:
    """150,000 × (1 − d)."""
    surface = cells(OPUS)

    assert [Decimal(150_000)] * 5 == [surface[share].list for share in TENTHS]
    assert [Decimal(each) for each in (135_000, 127_500, 120_000, 112_500, 105_000)] == [
        surface[share].direct for share in TENTHS
    ]


def test_the_aggregator_at_150k() -> None:
    """150,000 × 0.85 = 127,500; / 1.06 = 120,283.02: a direct 20% wins by 283.02."""
    assert Decimal("127500.00") == cells(OPUS, bonus="0")[TENTHS[0]].aggregator
    with_bonus = cells(OPUS)[Decimal("0.20")]

    assert Decimal("120283.02") == with_bonus.aggregator
    assert (Decimal("283.02"), "direct") == (with_bonus.difference, with_bonus.cheapest)
    assert "aggregator" == cells(OPUS)[Decimal("0.15")].cheapest


@pytest.mark.parametrize(
    ("spend", "low", "high"),
    [("40000", "1.250", "2.500"), ("23750", "2.105", "4.211"), ("19000", "2.632", "5.263")],
)
def test_how_far_from_an_account_executive(spend: str, low: str, high: str) -> None:
    """50,000 and 100,000 against the bills of 500M in and 1.5B out."""
    assert (Decimal(low), Decimal(high)) == tuple(
        usage_multiple(Decimal(spend), Decimal(threshold)) for threshold in (50_000, 100_000)
    )


def test_openings_are_a_vendor_and_its_part_of_the_spend() -> None:
    openings = found(OPUS, GPT, spends=(40_000, 100_000, 200_000)).crossover.openings

    assert [
        ("no", "1.250"),
        ("no", "2.500"),
        ("yes", "0.500"),
        ("perhaps", "1.000"),
        ("yes", "0.250"),
        ("yes", "0.500"),
    ] == [(each.opens, str(each.multiple_low)) for each in openings if each.model == OPUS]


def test_a_vendor_that_does_not_negotiate_sells_at_list() -> None:
    cell = cells(OPUS, GPT, spends=(90_000,))[Decimal("0.30")]

    assert ("no", Decimal(90_000), "aggregator") == (cell.opens, cell.direct, cell.cheapest)


def test_each_model_its_own_way() -> None:
    """At 30% direct wins for Opus, 150,000 × 0.7; Gemini stays: 150,000 × 0.7 / 1.06 = 99,056.61 rounded up."""
    cell = cells(OPUS, GEMINI, spends=(300_000,))[Decimal("0.30")]

    assert (Decimal("204056.61"), "mixed") == (cell.mixed, cell.cheapest)
    assert Decimal("210000.00") == cell.direct


def test_the_turn_of_several_vendors_is_the_mean_of_their_break_evens() -> None:
    """(19.8113% + 24.5283%) / 2, and both must reach 50,000."""
    turn = next(each for each in found(OPUS, GPT).crossover.turns if each.bonus and each.vendors == 2)

    assert (Decimal("0.221698"), Decimal(100_000)) == (turn.discount, turn.spend)


def test_a_uniform_discount_does_not_depend_on_the_mix() -> None:
    one, two = (found(OPUS, mix=mix).crossover.break_evens for mix in (Mix(1, 3), Mix(100, 1)))

    assert one == two
