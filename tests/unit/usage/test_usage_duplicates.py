"""Duplicates are dropped and counted; of rows in conflict none stays in any order, and both places are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from offtake.usage.charge import Charge
from offtake.usage.duplicates import distinct
from offtake.usage.record import UsageRecord
from offtake.usage.rows import NotUsage, Rejected
from offtake.values.errors import Place

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
RECORD = UsageRecord(id="a", used_at=MARCH, model="m", quantities={"input_tokens": 3}, where=Place("u.csv", 2))
CHARGE = Charge(
    id="a",
    starts_at=MARCH,
    ends_at=MARCH + timedelta(days=1),
    amount=Decimal("1.20"),
    currency="USD",
    where=Place("u.csv", 2),
)
RECORDS = (RECORD, replace(RECORD, quantities={"input_tokens": 4}, where=Place("v.csv", 9)))
CHARGES = (CHARGE, replace(CHARGE, amount=Decimal("1.21"), where=Place("v.csv", 9)))


def test_one_of_equal_rows_stays_and_every_row_is_accounted_for() -> None:
    again = replace(RECORD, where=Place("u.csv", 3))
    bad = Rejected(Place("v.csv", 10), "no", "U101", "")
    tax = NotUsage(Place("v.csv", 11), "Tax")
    new = replace(RECORD, id="b")

    rows: list[UsageRecord | Rejected | NotUsage] = [RECORD, again, bad, tax, new]
    result = distinct(rows)

    assert [RECORD, new] == result.facts
    assert (1, [], [bad], 1) == (result.duplicates, result.conflicts, result.rejected, result.not_usage)
    assert 4 == result.read


@pytest.mark.parametrize("pair", [RECORDS, CHARGES], ids=["records", "charges"])
def test_of_a_conflict_no_row_stays_in_any_order(pair: Sequence[UsageRecord]) -> None:
    first, other = pair
    again, new = replace(first, where=Place("w.csv", 1)), replace(first, id="b")

    for rows in permutations([first, other, again, new]):
        result = distinct(rows)
        assert [new] == result.facts
        assert (3, 0, 4) == (result.conflicting, result.duplicates, result.read)
        assert ["v.csv:9: id a stands with other values in u.csv:2"] == [str(each) for each in result.conflicts]
