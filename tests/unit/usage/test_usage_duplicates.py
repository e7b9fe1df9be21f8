"""Duplicates are dropped and counted; conflicts name both places."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from offtake.usage.duplicates import distinct
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Rejected
from offtake.values.errors import Place

FIRST = UsageRecord(
    id="a",
    used_at=datetime(2026, 3, 1, tzinfo=UTC),
    model="m",
    quantities={"input_tokens": 3},
    where=Place("u.csv", 2),
)


def test_the_first_row_stands_and_every_other_is_accounted_for() -> None:
    again = replace(FIRST, where=Place("u.csv", 3))
    other = replace(FIRST, quantities={"input_tokens": 4}, where=Place("v.csv", 9))
    bad = Rejected(Place("v.csv", 10), "no", "U101", "")
    new = replace(FIRST, id="b")

    rows: list[UsageRecord | Rejected] = [FIRST, again, other, bad, new]
    result = distinct(rows)

    assert [FIRST, new] == result.facts
    assert 1 == result.duplicates
    assert ["v.csv:9: id a stands with other values in u.csv:2"] == [str(conflict) for conflict in result.conflicts]
    assert [bad] == result.rejected
    assert 5 == result.read
