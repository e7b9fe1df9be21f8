"""Rates: no window ever holds more than its limit, and little of a limit is wasted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.contract.parse import parse
from offtake.contract.schema.capacity import Limits as Served
from offtake.gateway.admit.limits import BATCHES, limits_of
from offtake.gateway.admit.quantile import Quantile
from offtake.gateway.admit.reserved import reservation_of
from offtake.gateway.admit.window import MINUTE, SECOND, SLOTS, Window, split
from offtake.gateway.outlet import KeyLimits

AT = datetime(2026, 6, 1, tzinfo=UTC)


@given(
    st.sampled_from([SECOND, MINUTE]),
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 60), st.integers(1, 20)), max_size=80),
)
def test_no_window_ever_holds_more_than_its_limit(length: int, limit: int, asked: list[tuple[int, int, int]]) -> None:
    window, admitted, now = Window(limit, length), [], 5 * MINUTE
    for little, slots, amount in asked:
        now += little + slots * (length // SLOTS)  # near the edges of slots
        if not window.wait_ns(amount, now):
            window.add(amount, now)
            admitted.append((now, amount))

    sums = [sum(amount for at, amount in admitted if end - length < at <= end) for end, _ in admitted]
    assert all(each <= limit for each in sums)


@given(
    st.integers(1, 50), st.lists(st.tuples(st.integers(0, 10 * SECOND), st.integers(1, 60)), min_size=1, max_size=60)
)
def test_a_refusal_says_how_long_to_wait_and_then_it_fits(limit: int, asked: list[tuple[int, int]]) -> None:
    window, now = Window(limit, MINUTE), 3 * MINUTE
    for step, amount in asked:
        now += step
        wait = window.wait_ns(amount, now)
        if not wait:
            window.add(amount, now)
        elif amount <= limit:
            assert 0 < wait <= MINUTE + MINUTE // SLOTS
            assert 0 == window.wait_ns(amount, now + wait)
            now += wait


@pytest.mark.parametrize("length", [SECOND, MINUTE])
def test_saturating_traffic_gets_nearly_all_of_the_limit(length: int) -> None:
    window, admitted = Window(1_000, length), 0
    for now in range(length, 21 * length, length // 4_000):
        if not window.wait_ns(1, now):
            window.add(1, now)
            admitted += 1

    assert 0.985 * 20 * 1_000 <= admitted <= 21 * 1_000


def test_tokens_that_were_not_used_are_free_at_once_and_those_beyond_count() -> None:
    limits = limits_of(Served(output_tpm=1_000), str)
    ticket = limits.admit(10, 900, MINUTE)
    assert limits.refusal(10, 200, MINUTE) is not None

    limits.settle(ticket, 10, 50, MINUTE + SECOND)
    assert limits.refusal(10, 950, MINUTE + SECOND) is None

    second = limits.admit(10, 100, MINUTE + SECOND)
    limits.settle(second, 10, 900, MINUTE + 2 * SECOND)
    refusal = limits.refusal(10, 51, MINUTE + 2 * SECOND)
    assert refusal is not None
    assert "950 of 1,000 output tokens a minute are used, and this request takes 51" == refusal.message


def test_the_limit_that_takes_longest_answers_with_its_clause_and_a_short_wait() -> None:
    text = """
contract: acme
buyer: Acme
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: ["*"], channels: [realtime], access: [api]}
prices: {basis: list}
capacity:
  limits: {requests_per_second: 2, requests_per_minute: 3, concurrency: 9}
  reserved: {input_tpm: 1000, output_tpm: 100, price: 10 USD / month, spill: refuse}
"""
    contract = parse(text, "acme.yaml")
    capacity = contract.as_of(AT).capacity
    assert capacity is not None
    assert capacity.limits is not None
    limits = limits_of(capacity.limits, lambda key: str(contract.place(f"capacity.limits.{key}")))
    for number in range(3):
        assert limits.refusal(1, 1, MINUTE + number * SECOND) is None
        limits.admit(1, 1, MINUTE + number * SECOND)

    refusal = limits.refusal(1, 1, MINUTE + 2 * SECOND)

    assert refusal is not None
    assert ("rate", "G412", "acme.yaml:10") == (refusal.kind, refusal.code, refusal.clause[:12])
    assert refusal.retry_after_seconds is not None
    assert 57 <= refusal.retry_after_seconds <= 60

    reserved = reservation_of(contract, AT)
    assert reserved is not None
    assert reserved.fits(1_000, 100, MINUTE)
    reserved.take(900, 50, MINUTE)
    assert not reserved.fits(101, 1, MINUTE)
    spilled = reserved.refusal(101, 1, MINUTE)
    assert spilled is not None
    assert ("G416", "capacity.reserved (acme.yaml:11)") == (spilled.code, spilled.clause)


def test_a_reload_forgets_nothing_that_is_counted_or_in_flight() -> None:
    limits = limits_of(Served(requests_per_minute=3, input_tpm=1_000), str)
    first, second = limits.admit(400, 1, MINUTE), limits.admit(400, 1, MINUTE)

    same = limits.retune(limits_of(Served(requests_per_minute=5, output_tpm=50, concurrency=2), str), MINUTE)

    assert same is limits
    refusal = limits.refusal(1, 1, MINUTE)
    assert refusal is not None
    assert "G413" == refusal.code  # two are in flight
    limits.settle(first, 100, 1, MINUTE)
    limits.settle(second, 100, 1, MINUTE)
    limits.settle(limits.admit(1, 1, MINUTE), 1, 1, MINUTE)
    refusal = limits.refusal(1, 1, MINUTE)
    assert refusal is not None
    assert "G412" == refusal.code  # three of three: the larger limit holds a window later
    assert limits.refusal(1, 1, 3 * MINUTE) is None


def test_requests_in_flight_are_counted_until_they_end() -> None:
    limits = limits_of(KeyLimits(concurrency=1), lambda key: f"key k: {key}")
    ticket = limits.admit(1, 1, MINUTE)
    refusal = limits.refusal(1, 1, MINUTE)
    assert refusal is not None
    assert ("G413", "key k: concurrency") == (refusal.code, refusal.clause)

    limits.settle(ticket, 1, 1, MINUTE)
    assert limits.refusal(1, 1, MINUTE) is None


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), min_size=1, max_size=16))
def test_shares_sum_to_the_limit_and_follow_what_was_wanted(limit: int, wanted: list[int]) -> None:
    shares = split(limit, wanted)

    assert limit == sum(shares)
    assert all(low <= high + 1 for low, high in zip(*(_sorted_by(wanted, shares)), strict=True))


def _sorted_by(wanted: list[int], shares: tuple[int, ...]) -> tuple[list[int], list[int]]:
    ordered = [share for _, share in sorted(zip(wanted, shares, strict=True))]
    return ordered[:-1], ordered[1:]


@given(st.integers(1, 1_000), st.lists(st.lists(st.integers(0, 99), min_size=3, max_size=3), max_size=6), st.data())
def test_what_all_workers_admit_in_a_window_stays_within_the_limit(
    limit: int, rounds: list[list[int]], data: st.DataObject
) -> None:
    windows = [Window(part, MINUTE) for part in split(limit, [0, 0, 0])]
    admitted, now = [], MINUTE
    for wanted in rounds:
        for window, part in zip(windows, split(limit, wanted), strict=True):
            window.change(part, now)
        for _ in range(data.draw(st.integers(1, 3))):
            now += data.draw(st.integers(0, 40 * SECOND))
            for window in windows:
                window.wait_ns(0, now)
                amount = max(window.limit - window.total, 0)
                if not window.wait_ns(amount, now) and amount:
                    window.add(amount, now)
                    admitted.append((now, amount))

    assert all(sum(n for at, n in admitted if end - MINUTE < at <= end) <= limit for end, _ in admitted)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=500), st.integers(1, 1_000))
def test_a_quantile_is_never_too_low_and_an_eighth_too_high_at_most(seen: list[int], permille: int) -> None:
    quantile = Quantile()
    for value in seen:
        quantile.add(value)
    true = sorted(seen)[max(-(-len(seen) * permille // 1_000) - 1, 0)]

    assert true <= quantile.at(permille) <= max(true + true // 8 + 1, true)


@pytest.mark.parametrize(("limit", "workers"), [(1, 1), (2, 1), (7, 3), (100, 4), (1_000_001, 3)])
def test_the_process_of_batches_has_a_part_and_all_parts_sum_to_the_limit(limit: int, workers: int) -> None:
    parts = [
        limits_of(KeyLimits(concurrency=limit), str, worker, workers, batches=True).concurrency or 0
        for worker in (*range(workers), BATCHES)
    ]
    assert limit == sum(parts)
    assert max(limit // 10, min(limit - 1, 1)) == parts[-1]
    alone = [limits_of(KeyLimits(concurrency=limit), str, worker, workers).concurrency for worker in range(workers)]
    assert limit == sum(part or 0 for part in alone), "where the vendor has batches, clients have all of it"
