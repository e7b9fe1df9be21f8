"""Traffic out of usage: what keeps workloads apart, what may wait, sizes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from offtake.planner.profile.traffic import Batchable, Traffic, observe, profile, quantile, size_of
from offtake.rating.source import Records
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError

START = datetime(2026, 3, 1, tzinfo=UTC)


def request(number: int, **changes: object) -> UsageRecord:
    plain: dict[str, object] = {
        "id": str(number),
        "used_at": START + timedelta(minutes=number),
        "model": "claude-opus-4.7",
        "workload": "chat",
        "quantities": {"input_tokens": 600, "output_tokens": 100},
    }
    return UsageRecord(**{**plain, **changes})  # type: ignore[arg-type]


def one(*records: UsageRecord) -> Traffic:
    (found,) = observe(records)
    return found


def test_a_workload_has_the_sums_of_its_rows() -> None:
    (chat,) = profile([request(1), request(2, quantities={"cache_read_tokens": 50, "output_tokens": 7})])

    assert ("chat", "claude-opus-4.7", 2) == (chat.name, chat.model, chat.requests)
    assert {"input_tokens": 600, "output_tokens": 107, "cache_read_tokens": 50} == chat.quantities
    assert (START + timedelta(minutes=1), START + timedelta(minutes=2)) == (chat.first, chat.last)


def test_what_decides_a_price_keeps_workloads_apart() -> None:
    found = profile([request(1), request(2, channel="batch"), request(3, model="gpt-5.4"), request(4, region="eu")])

    assert 4 == len(found)


def test_a_source_gives_what_its_records_give() -> None:
    records = [request(number, model=f"m{number % 3}") for number in range(20)]

    assert profile(records) == profile(Records(reversed(records)))
    assert () == profile(Records([]))


@pytest.mark.parametrize(
    ("tagged", "expected"),
    [({"latency": "async"}, "0.5"), ({"latency": "BATCH"}, "0.5"), ({"latency": "interactive"}, "0"), ({}, "0")],
)
def test_a_latency_tag_says_what_may_wait(tagged: dict[str, str], expected: str) -> None:
    assert Decimal(expected) == one(request(1), request(2, tags=tagged)).batchable()


def test_what_runs_in_batch_may_wait() -> None:
    assert 1 == one(request(1, channel="batch")).batchable([Batchable("*", Decimal(0))])


def test_the_most_specific_rule_on_waiting_wins() -> None:
    rules = [Batchable("*", Decimal("0.1")), Batchable("ch*", Decimal("0.4"))]

    assert Decimal("0.4") == one(request(1)).batchable(rules)
    assert Decimal("0.1") == one(request(1, workload="evals")).batchable(rules)


def test_rules_on_waiting_that_clash_are_refused() -> None:
    with pytest.raises(InputError, match="two rules say what of 'chat' may wait"):
        one(request(1)).batchable([Batchable("c*", Decimal("0.1")), Batchable("c*", Decimal("0.4"))])


def test_the_typical_context_is_where_the_tokens_are() -> None:
    small = [request(number, quantities={"input_tokens": 10}) for number in range(99)]
    large = request(100, quantities={"input_tokens": 300_000})

    assert size_of(300_000) == one(*small, large).context_tokens


def test_buckets_have_a_mean_context_and_no_sizes() -> None:
    found = one(request(1, grain="hour", count=4, quantities={"input_tokens": 4_000}))

    assert (1_000, Counter()) == (found.context_tokens, found.inputs)


def test_sizes_are_exact_to_seventeen_bits() -> None:
    assert [0, 1, 131_071, 131_072, 131_072, 1_000_000 // 8 * 8] == [
        size_of(tokens) for tokens in (0, 1, 131_071, 131_072, 131_073, 1_000_003)
    ]


@pytest.mark.parametrize(("share", "expected"), [("0.5", 2), ("0.51", 3), ("0.99", 4), ("0", 1), ("1", 4)])
def test_a_quantile_is_a_size_that_occurs(share: str, expected: int) -> None:
    assert expected == quantile(Counter([1, 2, 3, 4]), Decimal(share))
    assert None is quantile(Counter(), Decimal(share))


def test_thresholds_keep_requests_apart_for_exact_prices() -> None:
    """At the threshold is not above it."""
    sizes = (200_000, 200_001, 300_000)
    records = [request(size, quantities={"input_tokens": size, "output_tokens": 5}) for size in sizes]
    (found,) = observe(records, thresholds=[272_000, 200_000])
    rows = found.records(START)

    assert [(1, 200_000, 0), (1, 200_001, 200_001), (1, 300_000, 272_001)] == [
        (row.count, row.quantities["input_tokens"], row.context_tokens) for row in rows
    ]


def test_without_thresholds_the_traffic_is_one_row() -> None:
    (row,) = one(request(1), request(2)).records(START)

    assert (2, 1_200, 0) == (row.count, row.quantities["input_tokens"], row.context_tokens)
