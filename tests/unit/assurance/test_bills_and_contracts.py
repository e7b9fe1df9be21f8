"""Bills against contracts where the two sides count differently: balances, zones, open usage, fees twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from offtake.assurance.bill import Bill, day_zone
from offtake.assurance.reconcile import fold, reconcile
from offtake.rating.lines import Line
from offtake.rating.source import Records
from offtake.usage.charge import Charge
from offtake.usage.record import UsageRecord
from tests.unit.assurance.made_bills import (
    DAY,
    FEBRUARY,
    TEXT,
    catalog,
    charge_of,
    compare,
    contract,
    lines,
    month,
    right_bill,
)

PREPAID = TEXT + (
    "commitments:\n"
    "  - {id: spend, amount: 1_200 USD / year, pool: all_models, counts_at: contracted, true_up: year,\n"
    "     prepaid: {share: 100%, discount: 5%, as: cash}}\n"
)


def gross(line: Line, number: int) -> Charge:
    """A usage row at its contracted cost, whatever pays for it."""
    row = charge_of(line, number, 12)
    return replace(row, amount=line.amounts.contracted) if line.kind == "usage" else row


def test_a_bill_net_of_a_prepaid_balance_is_clean() -> None:
    terms, records = contract(PREPAID), month(1)
    bill = right_bill(lines(records, terms))

    assert () == compare(bill, records, terms).differences


def test_a_bill_that_shows_usage_and_what_the_balance_pays_is_clean() -> None:
    terms, records = contract(PREPAID), month(1)
    ours = lines(records, terms)
    bill = [gross(line, number) for number, line in enumerate(ours) if line.kind == "usage" or line.amounts.billed]
    paid = sum((line.amounts.contracted - line.amounts.billed for line in ours if line.kind == "usage"), Decimal(0))
    assert paid
    drawdown = replace(
        bill[0], id="drawdown", kind="credit", model="", meter=None, quantity=None, unit_price=None, amount=-paid,
        description="Commitment drawdown", starts_at=FEBRUARY.start, ends_at=FEBRUARY.end,
    )  # fmt: skip

    assert () == compare([*bill, drawdown], records, terms).differences
    (each,) = compare(bill, records, terms).differences
    assert ("missing credit", "commitments[0]", paid) == (each.cause, each.clause, each.amount)


def test_days_of_a_bill_may_begin_in_utc_under_a_contract_of_another_zone() -> None:
    terms = contract(TEXT.replace("time_zone: UTC", "time_zone: America/New_York"))
    records = month(1, first=5, days=8)
    charges = right_bill(lines(records, contract()))
    zone = day_zone(charges, terms.zone)
    bill = Bill("USD", zone)
    fold(bill, charges)
    result = reconcile(bill, Records(records), terms, catalog())

    assert ("UTC", ()) == (str(zone), result.differences)


def test_usage_that_does_not_say_what_failed_leaves_the_bill_its_word() -> None:
    bucket = UsageRecord(
        id="b", used_at=FEBRUARY.start, grain="day", vendor="anthropic", model="claude-opus-4-5", outcome=None,
        quantities={"output_tokens": 1_000_000}, count=50,
    )  # fmt: skip
    ours = lines([bucket], contract())
    fee = [row for row in right_bill(ours) if row.kind == "fee"]
    usage = Charge(
        id="u", starts_at=FEBRUARY.start, ends_at=FEBRUARY.start + DAY, amount=Decimal("17.00"), currency="USD",
        model="claude-opus-4-5", meter="output_tokens", quantity=800_000, unit_price=Decimal("0.00002125"),
    )  # fmt: skip
    result = compare([usage, *fee], [bucket], contract())
    dearer = compare([replace(usage, amount=Decimal("42.50"), quantity=2_000_000), *fee], [bucket], contract())

    assert ((), True) == (result.differences, result.undecided > 0)
    assert ["21.25"] == [f"{each.amount:f}" for each in dearer.differences]


def test_a_fee_that_stands_twice_is_a_duplicate() -> None:
    records = month(1)
    bill = right_bill(lines(records, contract()))
    fee = next(row for row in bill if row.kind == "fee")
    (each,) = compare([*bill, replace(fee, id="again")], records, contract()).differences

    assert ("duplicate", "fees.platform", Decimal(1000)) == (each.cause, each.clause, each.amount)


def test_a_model_that_nobody_used_and_nothing_prices_is_an_unknown_charge() -> None:
    records = month(1)
    odd = Charge(
        id="odd", starts_at=FEBRUARY.start, ends_at=FEBRUARY.start + DAY, amount=Decimal("3.21"), currency="USD",
        model="claude-unheard-of", meter="output_tokens",
    )  # fmt: skip
    (each,) = compare([*right_bill(lines(records, contract())), odd], records, contract()).differences

    assert ("unknown charge", "claude-unheard-of", Decimal("3.21")) == (each.cause, each.model, each.amount)


def test_the_first_day_may_hold_the_day_before() -> None:
    january = UsageRecord(
        id="late", used_at=datetime(2026, 1, 31, 20, tzinfo=UTC), vendor="anthropic", model="claude-haiku-4-5",
        quantities={"output_tokens": 123_457},
    )  # fmt: skip
    records = month(1)
    bill = right_bill(lines(records, contract()))
    late = Charge(
        id="late", starts_at=FEBRUARY.start, ends_at=FEBRUARY.start + timedelta(days=1), amount=Decimal("0.493828"),
        currency="USD", model="claude-haiku-4-5", meter="output_tokens", quantity=123_457,
        unit_price=Decimal("0.000004"),
    )  # fmt: skip
    (each,) = compare([*bill, late], [january, *records], contract()).differences

    assert ("timing", "billing.period", Decimal("0.493828")) == (each.kind, each.clause, each.amount)
