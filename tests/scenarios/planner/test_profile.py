"""Golden rows of S1 that a profile reproduces, and the real Azure traces.

Arithmetic stands beside each figure: Opus 4.7 costs $5 a million input and $25 a million output tokens.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.contract.list_only import list_contract
from offtake.operations.profile_usage import Profiled, profile_usage
from offtake.planner.profile.model_choice import Flip, choose
from offtake.planner.profile.verdict import Caching, Verdict, judge
from offtake.planner.rated import Pricing
from offtake.planner.workload import Workload
from offtake.store.catalogs import open_catalog

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "contracts" / "example-catalog.yaml"
MODELS = ("grok-4.1", "gemini-3.1-pro", "gpt-5.4", "claude-opus-4.7")
AT = datetime(2026, 6, 1, tzinfo=UTC)
MILLION = 1_000_000


def pricing() -> Pricing:
    day = date(2026, 6, 1)
    return Pricing(list_contract(day, day), open_catalog([EXAMPLE]))


def workload(input_tokens: int, output_tokens: int, batchable: str = "0") -> Workload:
    return Workload(
        name="", vendor="", model="claude-opus-4.7", requests=1_000_000, first=AT, last=AT, context_tokens=1_500,
        quantities={"input_tokens": input_tokens, "output_tokens": output_tokens}, batchable=Decimal(batchable),
    )  # fmt: skip


def verdict(traffic: Workload, ttl: str = "5m") -> Verdict:
    return judge([traffic.record(AT)], traffic.batchable, pricing(), Caching(ttl=ttl))


OUTPUT_HEAVY = workload(500 * MILLION, 1_500 * MILLION, "0.4")
INPUT_HEAVY = workload(1_500 * MILLION, 100 * MILLION)


def test_output_heavy_traffic() -> None:
    """500 × 5 + 1,500 × 25 = 40,000; cached 500 × (0.7 × 0.5 + 0.3 × 6.25) + 37,500 = 38,612.50."""
    found = verdict(OUTPUT_HEAVY)

    assert (Decimal(40_000), Decimal(37_500)) == (found.cost.list, found.cost.output)
    assert (Decimal(20_000), Decimal("0.5")) == (found.batch.cost, found.batch.share)
    assert Decimal("38612.50") == found.cache.cost
    assert Decimal("0.0347") == found.cache.share
    assert Decimal("0.9375") == found.output_share
    assert "output-heavy: batch moves the bill, caching does not" == found.words


def test_what_can_wait_is_a_part_of_what_batch_saves() -> None:
    """40% of the requests in batch: 0.4 × 20,000."""
    assert 8_000 == verdict(OUTPUT_HEAVY).batchable.saving


@pytest.mark.parametrize(
    ("ttl", "cost", "share"),
    [("5m", "5837.50", "0.4162"), ("1h", "7525.00", "0.2475")],  # 1,500 × (0.35 + 0.3 × 6.25 or 10) + 2,500
)
def test_input_heavy_traffic(ttl: str, cost: str, share: str) -> None:
    found = verdict(INPUT_HEAVY, ttl)

    assert (Decimal(cost), Decimal(share)) == (found.cache.cost, found.cache.share)
    assert (Decimal(5_000), Decimal(10_000)) == (found.batch.cost, found.cost.contracted)
    assert "input-heavy: batch and caching both move the bill" == found.words


def test_a_cache_that_is_in_use_is_no_lever() -> None:
    """100 + 900 read: 500 + 450 = 950 against 5,000 uncached; 70% read would be less than what is read now."""
    cached = replace(INPUT_HEAVY, quantities={"input_tokens": 100 * MILLION, "cache_read_tokens": 900 * MILLION})
    found = verdict(cached)

    assert Decimal(4_050) == found.cached_today
    assert None is found.cache.saving
    assert "input-heavy: batch moves the bill; 90.0% of its input is read from a cache already" == found.words


def test_ratio_flips() -> None:
    """3r + 6 = 2r + 12; = 2.5r + 15; = 5r + 25."""
    found = choose([OUTPUT_HEAVY.record(AT)], MODELS, pricing())

    assert (
        Flip(("grok-4.1", "gemini-3.1-pro"), Decimal(6), "grok-4.1"),
        Flip(("grok-4.1", "gpt-5.4"), Decimal(18), "grok-4.1"),
        Flip(("grok-4.1", "claude-opus-4.7"), Decimal("-9.5"), "grok-4.1"),
    ) == found.flips[:3]
    assert [(Decimal(0), Decimal(6), "grok-4.1"), (Decimal(6), None, "gemini-3.1-pro")] == [
        (each.start, each.end, each.model) for each in found.ranges
    ]


@pytest.mark.parametrize(
    ("millions", "expected"),
    [
        ((50, 150), ("1050", "1900", "2375", "4000")),
        ((500, 1_500), ("10500", "19000", "23750", "40000")),
        ((2_000, 6_000), ("42000", "76000", "95000", "160000")),
    ],
)
def test_the_list_prices_of_three_volumes(millions: tuple[int, int], expected: tuple[str, ...]) -> None:
    record = workload(millions[0] * MILLION, millions[1] * MILLION).record(AT)

    assert list(map(Decimal, expected)) == [each.cost for each in choose([record], MODELS, pricing()).models]


def of_trace(name: str) -> Profiled:
    folder = os.environ.get("OFFTAKE_DATA")
    if not folder:
        pytest.skip("OFFTAKE_DATA does not name the folder of real traces")
    found = profile_usage(
        [Path(folder) / name], model="claude-opus-4.7", compare=MODELS, catalogs=[EXAMPLE], at=date(2026, 6, 1)
    )
    return found.workloads[0]


@pytest.mark.parametrize(
    ("trace", "ratio", "reach", "dollars"),
    [
        (
            "azure_2023_conv.csv",
            "5.469",
            [("0.4942", "0.7996"), ("0.0215", "0.0844")],
            [("grok-4.1", "91.62"), ("gemini-3.1-pro", "93.79"), ("gpt-5.4", "117.23"), ("claude-opus-4.7", "214.03")],
        ),
        (
            "azure_2023_code.csv",
            "73.446",
            [("0.6214", "0.9215"), ("0.1407", "0.4216")],
            [("gemini-3.1-pro", "39.07"), ("gpt-5.4", "48.84"), ("grok-4.1", "55.66"), ("claude-opus-4.7", "96.45")],
        ),
    ],
)
def test_azure_traces(trace: str, ratio: str, reach: list[tuple[str, str]], dollars: list[tuple[str, str]]) -> None:
    """The model that is the cheapest depends on the ratio: grok for conversation, gemini for code."""
    found = of_trace(trace)
    cent = Decimal("0.01")

    assert Decimal(ratio) == found.profile.in_out_ratio
    assert [tuple(map(Decimal, each)) for each in reach] == [
        (each.requests, each.input_tokens) for each in found.profile.reaches
    ]
    assert found.choice
    assert [(model, Decimal(cost)) for model, cost in dollars] == [
        (each.model, each.cost.quantize(cent)) for each in found.choice.models
    ]
