"""Facts that are not usage: the JSONL file and its errors."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from offtake.rating.facts import PriceDropOptIn, SeatCount, TopUp, read_facts
from offtake.values.errors import ContractError, Place
from offtake.values.money import Money


def test_facts_are_read_in_time_order_with_their_places() -> None:
    lines = [
        '{"kind": "seat_count", "at": "2026-03-01", "count": 5}',
        "",
        '{"kind": "top_up", "at": "2026-01-01T12:00:00Z", "id": "t1", "amount": "999 USD"}',
    ]

    found = read_facts(lines, "facts.jsonl")

    assert (
        TopUp(
            at=datetime(2026, 1, 1, 12, tzinfo=UTC),
            id="t1",
            amount=Money(Decimal(999), "USD"),
            where=Place("facts.jsonl", 3),
        ),
        SeatCount(at=datetime(2026, 3, 1, tzinfo=UTC), count=5, where=Place("facts.jsonl", 1)),
    ) == found


def test_a_date_is_the_start_of_the_day_in_the_contracts_zone() -> None:
    [fact] = read_facts(['{"kind": "price_drop_opt_in", "at": "2026-07-01"}'], "f", ZoneInfo("Europe/Berlin"))

    assert PriceDropOptIn(at=datetime(2026, 6, 30, 22, tzinfo=UTC), models="*", where=Place("f", 1)) == fact


def test_the_same_fact_twice_counts_once() -> None:
    line = '{"kind": "seat_count", "at": "2026-03-01", "count": 5}'

    assert 1 == len(read_facts([line, line], "f"))


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("{", "C290", "not JSON"),
        ("[]", "C290", "a fact is a JSON object"),
        ('{"kind": "seats"}', "C291", "unknown kind of fact 'seats'"),
        ('{"kind": "seat_count", "at": "2026-03-01", "seats": 5}', "C292", "unknown key 'seats'"),
        ('{"kind": "seat_count", "at": "2026-03-01"}', "C293", "seat_count has no 'count'"),
        ('{"kind": "seat_count", "at": "March", "count": 5}', "C294", "seat_count.at"),
        ('{"kind": "seat_count", "at": "2026-03-01", "count": 1.5}', "C294", "a count is a whole number"),
        ('{"kind": "seat_count", "at": "2026-03-01", "count": -1}', "C294", "a count is a whole number"),
        ('{"kind": "top_up", "at": "2026-03-01", "id": "t", "amount": "5"}', "C294", "an amount and a currency"),
        ('{"kind": "burst_notice", "at": "2026-03-01", "window": "2026-13"}', "C294", "a window is written 2026-11"),
        ('{"kind": "overage_notice", "at": "2026-03-01", "by": ""}', "C294", "text is expected"),
    ],
)
def test_a_wrong_fact_is_refused_with_its_place(line: str, code: str, words: str) -> None:
    with pytest.raises(ContractError) as raised:
        read_facts(["", line], "facts.jsonl")

    assert code == raised.value.code
    assert words in str(raised.value)
    assert str(raised.value).startswith("facts.jsonl:2: ")


def test_two_top_ups_with_one_id_are_a_conflict() -> None:
    lines = [f'{{"kind": "top_up", "at": "2026-01-01", "id": "t1", "amount": "{amount} USD"}}' for amount in (5, 6)]

    with pytest.raises(ContractError, match="two top-ups have the id 't1'"):
        read_facts(lines, "f")
