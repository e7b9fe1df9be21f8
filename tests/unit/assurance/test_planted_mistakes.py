"""Every kind of mistake, planted alone into the bill of a made month: found with its dollars, kind and clause."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from offtake.assurance.difference import Reconciliation
from offtake.usage.charge import Charge
from offtake.values.money import quantize
from tests.unit.assurance import mistakes
from tests.unit.assurance.made_bills import FEBRUARY, compare, contract, lines, month, right_bill

SEED = 1
Form = Callable[[list[Charge]], list[Charge]]


def without_prices(bill: list[Charge]) -> list[Charge]:
    return [replace(row, unit_price=None) for row in bill]


def amounts_only(bill: list[Charge]) -> list[Charge]:
    return [replace(row, unit_price=None, quantity=None) for row in bill]


def without_channels(bill: list[Charge]) -> list[Charge]:
    return [replace(row, channel="realtime") for row in bill]


def without_meters(bill: list[Charge]) -> list[Charge]:
    return [replace(row, meter=None, unit_price=None, quantity=None) for row in bill]


def without_models(bill: list[Charge]) -> list[Charge]:
    return [replace(row, model="", meter=None, unit_price=None, quantity=None) for row in bill]


def by_month(bill: list[Charge]) -> list[Charge]:
    sums: dict[object, Charge] = {}
    for row in bill:
        key: object = (row.model, row.meter, row.channel) if row.kind == "usage" else row.id
        before = sums.get(key)
        if before:
            quantity = (before.quantity or 0) + (row.quantity or 0)
            sums[key] = replace(before, amount=before.amount + row.amount, quantity=quantity)
        elif row.kind == "usage":
            sums[key] = replace(row, starts_at=FEBRUARY.start, ends_at=FEBRUARY.end, unit_price=None)
        else:
            sums[key] = row
    return list(sums.values())


def as_it_is(bill: list[Charge]) -> list[Charge]:
    return bill


FORMS = (
    as_it_is, without_prices, amounts_only, without_channels, without_meters, without_models, by_month,
    lambda bill: amounts_only(by_month(bill)),
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("places", [12, 6, 2])
def test_a_right_bill_is_clean_in_every_form(form: Form, places: int) -> None:
    records = month(SEED)
    bill = form(right_bill(lines(records, contract())))
    result = compare([replace(row, amount=quantize(row.amount, places)) for row in bill], records, contract())

    assert ((), Decimal(0)) == (result.differences, result.overbilled)
    assert result.rounding == result.difference
    assert result.cells == result.matched


@pytest.mark.parametrize("form", [as_it_is, without_prices, amounts_only])
@pytest.mark.parametrize("plant", mistakes.PLANTS)
def test_a_mistake_is_found_with_its_dollars_kind_and_clause(plant: mistakes.Plant, form: Form) -> None:
    records = month(SEED)
    planted = plant(right_bill(lines(records, contract())), lines(records, contract()), random.Random(SEED).choice)
    assert planted is not None, "the made month has no row for this mistake"
    result = compare(form(planted.charges), records, contract())

    assert [(planted.kind, planted.cause, planted.clause, planted.amount)] == found(result)
    assert planted.amount == result.difference


@pytest.mark.parametrize(
    "plant", [mistakes.list_price, mistakes.price_before_a_step, mistakes.batch_as_realtime, mistakes.long_context]
)
def test_a_price_is_found_in_sums_over_a_month(plant: mistakes.Plant) -> None:
    records = month(SEED)
    planted = plant(right_bill(lines(records, contract())), lines(records, contract()), random.Random(SEED).choice)
    assert planted is not None
    result = compare(by_month(planted.charges), records, contract())

    assert [(planted.kind, planted.cause, planted.clause, planted.amount)] == found(result)


def test_rows_that_are_rounded_up_cost_what_fair_rounding_would_not() -> None:
    records = month(SEED)
    charges, over = mistakes.rounded_up(right_bill(lines(records, contract())))
    result = compare(charges, records, contract())

    assert {("rounding", "billing.rounding")} == {(each.kind, each.clause) for each in result.differences}
    assert over == sum(each.amount for each in result.differences)
    assert result.difference == over + result.rounding


def test_every_difference_says_where_its_clause_stands_and_what_the_paper_says() -> None:
    records = month(SEED)
    bill = right_bill(lines(records, contract()))
    planted = mistakes.batch_as_realtime(bill, lines(records, contract()), random.Random(SEED).choice)
    assert planted is not None
    (each,) = compare(planted.charges, records, contract()).differences

    assert ("contract.yaml:14:3", "order_form §2.4") == (str(each.place), each.source)
    assert "26,039 × $21.25/M billed (the realtime price), $10.625/M by prices.discounts[1]: 0.276664375" == each.why


def found(result: Reconciliation) -> list[tuple[str, str, str, Decimal]]:
    return [(each.kind, each.cause, each.clause, each.amount) for each in result.differences]
