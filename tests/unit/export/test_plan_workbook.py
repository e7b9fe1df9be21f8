"""A plan's workbook: its totals are the plan's to the cent, and follow the cells that finance may change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from offtake.export.plan_workbook import bill_row, plan_workbook, usage_rows
from offtake.planner.offers.result import PlanResult
from tests.unit.export.plans import plan
from tests.unit.export.sheets import Book, Place

CENT = Decimal("0.01")
BATCHED = 12 * Decimal(136_400)
TODAY, PLAN, SAVED, SHARE, A_YEAR = "B6", "B7", "B8", "B9", "B10"
DEMAND, COMMITTED, DISCOUNT = ("Answer", "B4"), ("Plan", "B2"), ("Plan", "C2")


@pytest.fixture(scope="module")
def workbook() -> bytes:
    return plan_workbook(plan(), "the answer")


def answer(workbook: bytes, cell: str, changes: dict[Place, Decimal] | None = None) -> Decimal:
    return Book(workbook, changes).number("Answer", cell).quantize(CENT)


def test_the_totals_are_those_of_the_plan(workbook: bytes) -> None:
    found = plan()

    assert found.today.quantize(CENT) == answer(workbook, TODAY)
    assert found.cost.quantize(CENT) == answer(workbook, PLAN)
    assert found.saving.quantize(CENT) == answer(workbook, SAVED)
    assert found.saving.quantize(CENT) == answer(workbook, A_YEAR)  # twelve months


def test_what_stands_beside_each_formula_is_its_value(workbook: bytes) -> None:
    """A viewer that computes nothing shows the same numbers."""
    book = Book(workbook)
    places = book.formulas()

    assert 20 < len(places)
    assert [] == [place for place in places if abs(book.number(*place) - book.cached(place)) > Decimal("0.000001")]


@pytest.mark.parametrize(
    ("changes", "today", "cost"),
    [
        # 148,800 a month at list; 136,400 with the sixth that can wait in batch; 22% off; 1,000 of fees a month.
        ({}, 12 * 148_800, BATCHED * Decimal("0.78") + 12_000),
        ({DEMAND: 2}, 24 * 148_800, 2 * BATCHED * Decimal("0.78") + 12_000),
        ({DEMAND: Decimal("0.5")}, 6 * 148_800, 1_200_000 + 12_000),  # 638,352 used of 1,200,000
        ({COMMITTED: 1_500_000}, 12 * 148_800, 1_500_000 + 12_000),
        ({COMMITTED: 0, DEMAND: 0}, 0, 12_000),
        ({DISCOUNT: Decimal("0.05")}, 12 * 148_800, BATCHED * Decimal("0.78") * Decimal("0.95") + 12_000),
    ],
)  # fmt: skip
def test_totals_follow_the_inputs(changes: dict[Place, Decimal], today: int, cost: Decimal, workbook: bytes) -> None:
    changed = {place: Decimal(value) for place, value in changes.items()}

    assert Decimal(today) == answer(workbook, TODAY, changed)
    assert Decimal(cost).quantize(CENT) == answer(workbook, PLAN, changed)


def test_a_commitment_that_the_cells_cannot_compute_stands_as_billed() -> None:
    """A shortfall that rating billed otherwise than max(0, committed − usage) is an amount, with no input beside it."""
    found = plan()
    billed = replace(found.billed[0], kinds={**found.billed[0].kinds, "commitment": Decimal(777)})
    row = bill_row(billed, usage_rows([billed]), Decimal(1_200_000))

    assert row.committed is None
    assert Decimal(0) == row.shortfall
    assert billed.total == row.bill


def test_a_plan_that_signs_nothing_has_a_workbook_too() -> None:
    found = plan(scenarios=20)
    workbook = plan_workbook(found, "the answer")

    assert found.cost.quantize(CENT) == answer(workbook, PLAN)
    assert Book(workbook).book["Plan"]["B2"].value is None


def test_a_plan_without_usage_alternatives_or_futures_has_a_workbook_too() -> None:
    bare = replace(plan(), billed=(), billed_today=(), alternatives=(), sensitivity=(), bands=(), sign=())

    assert Decimal(0) == answer(plan_workbook(bare, "the answer"), PLAN)


def test_the_same_plan_gives_the_same_bytes(workbook: bytes) -> None:
    assert workbook == plan_workbook(plan(), "the answer")


def test_another_currency_is_named() -> None:
    euros: PlanResult = replace(plan(), currency="EUR")

    assert '#,##0.00 "EUR"' == Book(plan_workbook(euros, "the answer")).book["Answer"]["B7"].number_format
