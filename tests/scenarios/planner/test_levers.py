"""The levers' golden rows of S1, each as a special case of one search, with its arithmetic beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.contract.list_only import list_contract
from offtake.operations.contracts import load_contract
from offtake.planner.levers.break_even import break_even
from offtake.planner.levers.facts import Exclusion
from offtake.planner.levers.gate import positions
from offtake.planner.levers.pricing import Cost, Shop
from offtake.planner.levers.rules import Rules
from offtake.planner.levers.running import CacheShares, Model
from offtake.planner.levers.stack import Job, Priced, Step, alone, direct, priced, stacked
from offtake.planner.levers.worth import failed_requests
from offtake.planner.rated import Pricing
from offtake.planner.workload import Workload
from offtake.rating.breakdown import unrounded
from offtake.store.catalogs import open_catalog
from tests.unit.planner.lever_tables import GATES

CONTRACTS = Path(__file__).parents[3] / "contracts"
CATALOG = open_catalog([CONTRACTS / "example-catalog.yaml"])
AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
MILLION = 1_000_000
NO_EXCLUSIONS: tuple[Exclusion, ...] = ()
RULES = Rules(NO_EXCLUSIONS, CATALOG, AT.date())
LIST = Shop(Pricing(list_contract(AT.date(), AT.date()), CATALOG), AT)
AGGREGATOR = Shop(
    Pricing(unrounded(load_contract(CONTRACTS / "aggregator-customer" / "contract.yaml")), CATALOG), AT
)  # fmt: skip
OUT_HEAVY, IN_HEAVY = (500, 1_500), (1_500, 100)
VENDORS = {"claude-opus-4.7": "anthropic", "gpt-5.4": "openai", "gemini-3.1-pro": "google", "grok-4.1": "x-ai"}


def workload(millions: tuple[int, int], batchable: str = "0", model: str = "claude-opus-4.7") -> Workload:
    read, written = millions
    return Workload(
        name="", vendor=VENDORS[model], model=model, requests=MILLION, first=AT, last=AT, context_tokens=1_500,
        quantities={"input_tokens": read * MILLION, "output_tokens": written * MILLION}, batchable=Decimal(batchable),
    )  # fmt: skip


def shares(read: str, written: str = "0", ttl: str = "5m") -> CacheShares:
    return CacheShares((Decimal(read), Decimal(read)), (Decimal(written), Decimal(written)), ttl)


def exactly(amount: str) -> Cost:
    return Cost(Decimal(amount), Decimal(amount))


def found_for(millions: tuple[int, int], batchable: str, cache: CacheShares | None) -> Priced:
    return priced([Job(workload(millions, batchable), cache)], [LIST], RULES)


def left(found: Priced) -> Cost:
    return stacked(found)[0][-1].cost


@pytest.mark.parametrize(
    ("millions", "batchable", "cache", "cost"),
    [
        pytest.param(OUT_HEAVY, "0", None, "40000", id="out: 500 × 5 + 1,500 × 25"),
        pytest.param(OUT_HEAVY, "0", shares("0.7"), "38425", id="out: 500 × (0.3 × 5 + 0.7 × 0.5) + 37,500"),
        pytest.param(OUT_HEAVY, "1", None, "20000", id="out: all of it at half price"),
        pytest.param(OUT_HEAVY, "1", shares("0.7"), "19212.50", id="out: 38,425 ÷ 2"),
        pytest.param(
            OUT_HEAVY, "0", shares("0.7", "0.3"), "38612.50", id="out: 500 × (0.7 × 0.5 + 0.3 × 6.25) + 37,500"
        ),
        pytest.param(OUT_HEAVY, "0", shares("0.7", "0.1"), "38487.50", id="out: 10% written, 20% plain"),
        pytest.param(IN_HEAVY, "0", None, "10000", id="in: 1,500 × 5 + 100 × 25"),
        pytest.param(IN_HEAVY, "0", shares("0.7"), "5275", id="in: 1,500 × (0.3 × 5 + 0.7 × 0.5) + 2,500"),
        pytest.param(IN_HEAVY, "1", None, "5000", id="in: all of it at half price"),
        pytest.param(IN_HEAVY, "1", shares("0.7"), "2637.50", id="in: 5,275 ÷ 2"),
        pytest.param(IN_HEAVY, "0", shares("0.7", "0.3"), "5837.50", id="in: 1,500 × (0.7 × 0.5 + 0.3 × 6.25) + 2,500"),
        pytest.param(IN_HEAVY, "0", shares("0.7", "0.1"), "5462.50", id="in: 10% written, 20% plain"),
        pytest.param(
            IN_HEAVY, "0", shares("0.7", "0.3", "1h"), "7525", id="in: 1,500 × (0.7 × 0.5 + 0.3 × 10) + 2,500"
        ),
    ],
)
def test_the_tables_of_batch_and_caching(
    millions: tuple[int, int], batchable: str, cache: CacheShares | None, cost: str
) -> None:
    assert exactly(cost) == left(found_for(millions, batchable, cache))


def test_each_lever_alone() -> None:
    """Batch 40,000 ÷ 2; cache 38,425; the aggregator 40,000 × 0.85."""
    found = priced([Job(workload(OUT_HEAVY, "1"), shares("0.7"))], [LIST, AGGREGATOR], RULES)
    costs = [step.cost for lever in ("batch", "cache", "aggregator") if (step := alone(found, lever))]

    assert [exactly("20000"), exactly("38425"), exactly("34000")] == costs
    assert alone(found, "route") is None


def test_the_stack_of_the_playbook() -> None:
    """40,000 → batch 20,000 → cache 19,212.50 → × 0.85 = 16,330.625 → ÷ 1.06 = 15,406.25."""
    found = priced([Job(workload(OUT_HEAVY, "1"), shares("0.7"))], [LIST, AGGREGATOR], RULES)
    steps, _ = stacked(found)

    assert [
        ("batch", exactly("20000")),
        ("cache", exactly("19212.50")),
        ("route", exactly("19212.50")),
        ("aggregator", exactly("16330.625")),
        ("bonus", exactly("15406.25")),
    ] == [(step.lever, step.cost) for step in steps]
    assert Decimal(40_000) - Decimal("15406.25") == sum(step.saving.low for step in steps)
    assert {"anthropic": exactly("19212.50")} == direct(found)


def test_routing_to_grok() -> None:
    """500 × 3 + 1,500 × 6 = 10,500; through the aggregator × 0.35 = 3,675; with its bonus ÷ 1.06 = 3,466.98."""
    found = priced([Job(workload(OUT_HEAVY), models=(Model("grok-4.1", "x-ai"),))], [LIST, AGGREGATOR], RULES)
    routed = alone(found, "route")
    steps = {step.lever: step.cost for step in stacked(found)[0]}

    assert routed == Step("route", exactly("10500"), exactly("29500"), 1)
    assert (exactly("10500"), exactly("3675"), exactly("3466.99")) == (
        steps["route"], steps["aggregator"], steps["bonus"],
    )  # fmt: skip


def test_a_model_with_more_tokens_for_the_same_work_may_not_be_cheaper() -> None:
    """Grok at 4 × the tokens: 4 × 10,500 = 42,000 is more than 40,000, so nothing is rerouted."""
    found = priced([Job(workload(OUT_HEAVY), models=(Model("grok-4.1", "x-ai", Decimal(4)),))], [LIST], RULES)

    assert alone(found, "route") is None
    assert exactly("40000") == left(found)


def test_one_percent_of_failed_output() -> None:
    """1.5 billion × 1% = 15 million × 25 = 375."""
    found = failed_requests([workload(OUT_HEAVY)], [[("vendor_truncation", Decimal("0.01"))]], LIST)

    assert [("anthropic", exactly("375"))] == [(each.vendor, each.value) for each in found]


@pytest.mark.parametrize(
    ("ttl", "read_share", "reads_per_write"), [("5m", "0.2174", "0.2778"), ("1h", "0.5263", "1.1111")]
)
def test_where_caching_begins_to_pay(ttl: str, read_share: str, reads_per_write: str) -> None:
    """0.25 ÷ 1.15 and 1 ÷ 1.9; 0.25 ÷ 0.9 and 1 ÷ 0.9."""
    point = break_even(workload(IN_HEAVY), LIST, ttl)

    assert (Decimal(read_share), Decimal(reads_per_write)) == (point.read_share, point.reads_per_write)


@pytest.mark.parametrize(
    ("model", "spend", "multiple"),
    [
        ("claude-opus-4.7", "40000", ("1.250", "2.500")),
        ("gpt-5.4", "23750", ("2.105", "4.211")),
        ("gemini-3.1-pro", "19000", ("2.632", "5.263")),
    ],
)
def test_how_much_more_usage_opens_the_gate(model: str, spend: str, multiple: tuple[str, str]) -> None:
    """50,000 and 100,000 over what 500 million in and 1.5 billion out cost."""
    found = priced([Job(workload(OUT_HEAVY, model=model))], [LIST], RULES)
    (position, _) = positions(direct(found), GATES, date(2026, 6, 15), {})

    assert {VENDORS[model]: exactly(spend)} == direct(found)
    assert "closed" == position.opening
    assert tuple(map(Decimal, multiple)) == position.multiple
    assert (Decimal(600_000), Decimal(1_200_000)) == (position.gate.low, position.gate.high)


def test_an_undeclared_share_of_writes_is_a_range() -> None:
    """70% read, and between none and the other 30% written: 38,425 … 38,612.50. The stack decides on the dearer end."""
    cache = CacheShares((Decimal("0.7"), Decimal("0.7")), (Decimal(0), Decimal("0.3")))

    assert Cost(Decimal(38_425), Decimal("38612.50")) == left(found_for(OUT_HEAVY, "0", cache))


def test_caching_below_its_break_even_is_shown_and_left_out() -> None:
    """20% read and 80% written lie below 21.74%: 1,500 × (0.2 × 0.5 + 0.8 × 6.25) + 2,500 = 10,150."""
    found = found_for(IN_HEAVY, "0", shares("0.2", "0.8"))

    assert Step("cache", exactly("10150"), exactly("-150"), 1) == alone(found, "cache")
    assert exactly("10000") == left(found)
