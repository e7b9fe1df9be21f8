"""What a contract has drawn: tallied as rating's own windows count it, and read from a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.gateway.journal.events import Intent, Settle, encode, events_of
from offtake.gateway.outlet import Outlet
from offtake.gateway.route.drawn import Drawn, Spent
from offtake.gateway.route.standing import pace, standing_of
from offtake.gateway.standings import Standings
from offtake.ledger.lines import line_of, split_lines
from offtake.rating.request import price_request, priced_alone
from offtake.store.ledger.leases import start_worker
from offtake.store.ledger.ledger import Ledger, open_ledger
from offtake.store.ledger.posting import Stretch, post
from offtake.usage.record import UsageRecord
from tests.gateway.deals import AT, OPUS, outlet

HAIKU = "claude-haiku-4-5"
EARLIER = datetime(2026, 9, 20, tzinfo=UTC)  # the quarter before
TERMS = """commitments:
  - {id: listed, amount: 1_000 USD / year, pool: all_models, counts_at: list, true_up: quarter}
  - {id: opus, amount: 100 USD / year, pool: {models: [claude-opus-*]}, counts_at: contracted, true_up: year}
  - id: weighed
    tokens:
      amount: 1_000_000_000 / year
      weights: {input: 1, output: 5, cache_read: 0.1, cache_write: 1}
      shortfall_price: 2
    pool: {models: [claude-haiku-*]}
    counts_at: contracted
    true_up: year
"""
CREDIT = "credits: [{name: gift, amount: 5 USD, expires: 2026-12-31, priority: 1, applies_to: usage, counts: true}]\n"


@cache
def deal() -> Outlet:
    return outlet(TERMS)


def record(at: datetime, model: str, used: dict[str, int], number: int = 0) -> UsageRecord:
    return UsageRecord(id=f"r{number}", used_at=at, vendor="anthropic", model=model, quantities=used)


def spent(each: UsageRecord, where: Outlet) -> Spent:
    piece = priced_alone(where.terms, each)
    return Spent(each.used_at, each.model, "api", "", piece.contracted, piece.public, each.quantities)


used = st.fixed_dictionaries(
    {"input_tokens": st.integers(1, 10**6), "output_tokens": st.integers(1, 10**5)},
    optional={"cache_read_tokens": st.integers(1, 10**6), "cache_write_5m_tokens": st.integers(1, 10**5)},
)
rows = st.lists(st.tuples(st.integers(0, 270), st.sampled_from([OPUS, HAIKU]), used), min_size=1, max_size=6)


@settings(max_examples=min(200, settings().max_examples))
@given(rows)
def test_tallies_are_what_ratings_windows_have_drawn(found: list[tuple[int, str, dict[str, int]]]) -> None:
    where, start = deal(), datetime(2026, 1, 1, tzinfo=UTC)
    records = [record(start + timedelta(days=day), model, n) for day, model, n in sorted(found, key=lambda row: row[0])]
    drawn, position = Drawn(where.terms, AT), None
    for each in records:
        drawn.add(spent(each, where))
        _, position = price_request(where.terms, each, position)
    last = record(AT, OPUS, {"input_tokens": 1})
    drawn.add(spent(last, where))
    _, position = price_request(where.terms, last, position)

    by_rating = {name: position.accounts[f"commitments[{i}].drawn"] for i, name in enumerate(drawn.drawn)}

    assert by_rating.keys() == drawn.drawn.keys()
    assert all(
        abs(int(by_rating[name]) - amount) <= len(records) for name, amount in drawn.drawn.items()
    )  # whole tokens


def test_what_all_workers_spend_more_is_shared_as_before_and_a_credit_runs_out() -> None:
    where = outlet(TERMS + CREDIT)
    drawn = Drawn(where.terms, AT)
    drawn.add(spent(record(AT, OPUS, {"input_tokens": 200_000}), where))  # 1 USD
    drawn.add(spent(record(AT, HAIKU, {"input_tokens": 1_000_000}), where))  # 1 USD
    assert (2 * 10**12, 10**12, 2 * 10**12) == (drawn.drawn["listed"], drawn.drawn["opus"], drawn.used_pico["gift"])

    drawn.grow(6 * 10**12)

    assert (6 * 10**12, 3 * 10**12, 6 * 10**12) == (drawn.drawn["listed"], drawn.drawn["opus"], drawn.used_pico["gift"])
    standing = standing_of(where.terms, AT, drawn.drawn, drawn.used_pico)
    assert [False] == [grant.pays(OPUS) for grant in standing.grants]
    assert [244, 97] == [each.left_pico // 10**12 for each in standing.drawdowns[:2]]


def test_a_pace_is_a_forecast_where_there_is_no_better_one() -> None:
    where = deal()

    forecast = pace(where.terms, AT, {"opus": 10**12})
    standing = standing_of(where.terms, AT, {"opus": 10**12}, {}, forecast)

    opus = next(each for each in standing.drawdowns if each.text.id == "opus")
    assert 0 == opus.anyway_permille  # 1 of 100 in three quarters of the year: it will not be drawn anyway


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "offtake.db", create=True)
    yield opened
    opened.close()


def settled(ledger: Ledger, number: int, cost_pico: int) -> None:
    at = int(EARLIER.timestamp() * 1e6)
    quantities = {"input_tokens": 1_000}
    begun = Intent(f"q{number}", at, "k", {}, "acme", "anthropic", OPUS)
    ended = Settle(f"q{number}", at, at, "k", [], cost_pico, "acme", "anthropic", OPUS, quantities, list_pico=cost_pico)
    text = b"".join(line_of(encode(event)) + b"\n" for event in (begun, ended))
    post(ledger, [Stretch("w1", f"w1.{number}.wal", 0, len(text), events_of(split_lines(text)))], at)


def test_standings_come_from_the_ledger_and_follow_its_balance(ledger: Ledger) -> None:
    start_worker(ledger, "w1", int(EARLIER.timestamp() * 1e6))
    where = outlet(TERMS)
    settled(ledger, 1, 40 * 10**12)
    standings = Standings(ledger, [where])
    standings.read(EARLIER)

    first = standings.renewed(EARLIER, {})["acme"].drawdowns[1]
    settled(ledger, 2, 20 * 10**12)
    second = standings.renewed(EARLIER, {})["acme"].drawdowns[1]
    after = standings.renewed(AT, {})["acme"].drawdowns

    assert (60 * 10**12, 40 * 10**12) == (first.left_pico, second.left_pico)
    assert [250, 40] == [
        each.left_pico // 10**12 for each in after[:2]
    ]  # a new quarter has begun, and the year goes on


def test_contracts_without_commitments_cost_the_ledger_nothing(ledger: Ledger) -> None:
    where = outlet()
    standings = Standings(ledger, [where])
    standings.read(AT)
    ledger.close()

    assert [] == list(standings.renewed(AT, {})["acme"].drawdowns)
