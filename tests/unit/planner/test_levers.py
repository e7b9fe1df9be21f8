"""What the levers do where it is not about S1's rows: exclusions, declared ranges, parts of a workload, seats."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from offtake.contract.list_only import list_contract
from offtake.operations.contracts import load_contract
from offtake.planner.levers.declared import Admissible, Declared, Range, cache_shares, models_for
from offtake.planner.levers.facts import Exclusion
from offtake.planner.levers.pricing import Cost, Shop
from offtake.planner.levers.rules import Rules
from offtake.planner.levers.running import CacheShares, Model, Way, a_month, cached, run, split
from offtake.planner.levers.seats import Activity, activity, break_even_tokens, read_roster
from offtake.planner.levers.stack import Job, Step, alone, direct, priced, stacked
from offtake.planner.levers.weigh import Month, Tables, weigh
from offtake.planner.levers.worth import failed_requests, in_use
from offtake.planner.rated import Pricing
from offtake.rating.breakdown import unrounded
from offtake.values.errors import InputError
from tests.faces.conftest import CONTRACT
from tests.scenarios.planner.test_levers import (
    AGGREGATOR,
    CATALOG,
    IN_HEAVY,
    LIST,
    MILLION,
    OUT_HEAVY,
    exactly,
    shares,
    workload,
)  # fmt: skip
from tests.unit.planner.lever_tables import ASKS, EXCLUSIONS, GATES

DAY = date(2026, 6, 15)


def rules(zero_retention: bool = False, region: str = "") -> Rules:
    return Rules(EXCLUSIONS, CATALOG, DAY, zero_retention, region)


def test_batch_is_out_under_zero_retention_and_says_why() -> None:
    found = priced([Job(workload(OUT_HEAVY, "1"))], [LIST], rules(zero_retention=True))

    assert alone(found, "batch") is None
    assert [("batch", "anthropic", True)] == [
        (bar.lever, bar.vendor, bar.why.startswith("zero retention is required: ")) for bar in found.bars
    ]


def test_an_aggregator_that_does_not_promise_what_is_required_is_out() -> None:
    found = priced([Job(workload(OUT_HEAVY))], [LIST, AGGREGATOR], rules(region="us"))

    assert alone(found, "aggregator") is None
    assert ["region us is required and its contract does not promise it"] == [bar.why for bar in found.bars]


def test_where_batches_read_no_cache_the_better_of_the_two_is_taken() -> None:
    """All in batch 5,000; all cached 5,275; both give 5,000, because nothing that is in batch is read from a cache."""
    row = Exclusion("anthropic", date(2026, 1, 1), "batch", "cache", "batches read no cache", "a test")
    found = priced([Job(workload(IN_HEAVY, "1"), shares("0.7"))], [LIST], Rules([row], CATALOG, DAY))
    steps, _ = stacked(found)

    assert [exactly("5000")] * 4 == [step.cost for step in steps]
    assert [("cache in batch", "batches read no cache (not verified)")] == [(bar.lever, bar.why) for bar in found.bars]


def test_a_prompt_below_the_models_minimum_is_not_cached() -> None:
    small, large = (
        priced([Job(workload(IN_HEAVY), shares("0.7"), largest_prompt=tokens)], [LIST], rules())
        for tokens in (2_047, 2_048)
    )

    assert (True, False) == (alone(small, "cache") is None, alone(large, "cache") is None)
    assert "the largest prompt of the usage has 2,047 tokens; claude-opus-4-7 caches 2,048 or more" == small.bars[0].why


def test_a_workload_without_a_price_is_an_error() -> None:
    nowhere = replace(workload(OUT_HEAVY), region="mars")
    with pytest.raises(InputError) as raised:
        priced([Job(nowhere)], [LIST], rules())

    assert "P623" == raised.value.code


def test_a_way_without_a_price_is_named_and_left_out() -> None:
    found = priced([Job(workload(OUT_HEAVY, "1", "grok-4.1"))], [LIST], rules())

    assert alone(found, "batch") is None
    assert [Way(Model("grok-4.1", "x-ai"), batch=True)] == [each.way for each in found.unpriced]


def test_what_is_in_use_is_measured_against_itself_without_it() -> None:
    """100 read at 0.5 instead of 5 saves 450; in batch at 25 ÷ 2 instead of 25, 100 × 12.50 = 1,250."""
    agent = replace(workload((0, 0)), quantities={"cache_read_tokens": 100 * MILLION, "input_tokens": 100 * MILLION})
    nightly = replace(workload((0, 100)), channel="batch")
    batch, cache = in_use([agent, nightly], LIST)

    assert (Decimal(1_250), Decimal("0.3333")) == (batch.saving, batch.share)
    assert (Decimal(450), Decimal("0.5"), Decimal(0)) == (cache.saving, cache.share, cache.written)


def test_a_region_that_is_required_is_paid_first() -> None:
    """US-only inference costs 10% more on Opus 4.7: 40,000 → 44,000, and the waiver of the uplift is worth 4,000."""
    us = Declared(region="us")
    found = weigh([Month(workload(OUT_HEAVY))], us, [LIST], rules(region="us"), Tables(GATES, ASKS))

    assert ("region", exactly("44000"), exactly("-4000")) == (
        found.stack[0].lever, found.stack[0].cost, found.stack[0].saving,
    )  # fmt: skip
    assert [exactly("4000")] == [each.value for each in found.worths if each.asks == ("DE-01",)]


def test_the_rate_card_is_worth_10_to_30_percent_of_what_is_left() -> None:
    found = weigh([Month(workload(OUT_HEAVY, "1"))], Declared(), [LIST], rules(), Tables(GATES, ASKS))

    assert [Cost(Decimal(2_000), Decimal(6_000))] == [each.value for each in found.worths if each.asks == ("PR-01",)]


def test_nothing_declared_gives_bounds_and_no_saving() -> None:
    """Read all: 1,500 × 0.5 + 2,500 = 3,250; write all: 1,500 × 6.25 + 2,500 = 11,875."""
    found = weigh([Month(workload(IN_HEAVY))], Declared(), [LIST], rules(), Tables(GATES, ASKS))

    assert ({}, exactly("10000")) == (found.alone, found.left)
    assert [Cost(Decimal(3_250), Decimal(11_875))] == [each.bounds for each in found.caching]


def test_the_most_specific_declaration_counts() -> None:
    chat = replace(workload(OUT_HEAVY), name="chat")
    half, most = Range("*", Decimal("0.5"), Decimal("0.5")), Range("chat", Decimal("0.6"), Decimal("0.8"))
    found = cache_shares(Declared(cache_read=[half, most]), chat)

    assert CacheShares((Decimal("0.8"), Decimal("0.6")), (Decimal(0), Decimal("0.4"))) == found
    assert cache_shares(Declared(cache_read=[replace(most, workloads="docs")]), chat) is None


def test_more_than_all_of_the_input_is_refused() -> None:
    declared = Declared(
        cache_read=[Range("*", Decimal("0.6"), Decimal("0.8"))],
        cache_write=[Range("*", Decimal("0.3"), Decimal("0.3"))],
    )
    with pytest.raises(InputError, match="more than all input"):
        cache_shares(declared, workload(OUT_HEAVY))


def test_its_own_model_is_no_alternative() -> None:
    declared = Declared(admissible=[Admissible("*", "claude-opus-4-7"), Admissible("*", "gpt-5.4", Decimal("1.1"))])

    assert (Model("gpt-5.4", "openai", Decimal("1.1")),) == models_for(declared, workload(OUT_HEAVY), CATALOG)


def test_a_month_of_an_hour() -> None:
    hour = replace(workload((0, 0)), quantities={"input_tokens": 3, "output_tokens": 1}, requests=1)

    assert {"input_tokens": 2_160, "output_tokens": 720} == a_month(hour, Fraction(720)).quantities
    assert {"input_tokens": 2, "output_tokens": 1} == a_month(hour, Fraction(1, 2)).quantities  # 1.5 and 0.5, half up


def test_a_split_and_a_cache_keep_every_token() -> None:
    odd = replace(workload((0, 0)), quantities={"input_tokens": 7, "output_tokens": 5}, batchable=Decimal("0.4"))
    way = Way(Model(odd.model, "anthropic"), batch=True, cache=True)
    rest, batch = run(odd, way, shares("0.5", "0.25"), best=True, caches_in_batch=True)

    assert ("realtime", "batch") == (rest.channel, batch.channel)
    assert 7 + 5 == sum(sum(part.quantities.values()) for part in (rest, batch))
    assert (odd,) == split(odd, Decimal(0))
    assert 7 == sum(cached(odd, shares("0.9", "0.1"), best=True).quantities.values()) - 5


ROSTER = """\
user,Last_Active,team,tokens
ada,2026-11-20T09:00:00Z,search,9000000
bob,2026-10-22,search,100
cyd,,ads,
dee,never,ads,
ada,2026-11-01,search,1
""".splitlines()


def test_active_against_paid_seats() -> None:
    """Ada counts once; Bob's last day lies 30 days back, which is no longer within 30 days."""
    people = read_roster(ROSTER, "people.csv")
    found = activity(people, 6, date(2026, 11, 21), 30)

    assert ["ada", "bob", "cyd", "dee"] == [person.user for person in people]
    assert Activity(6, 4, 1, date(2026, 10, 22)) == found
    assert (5, 0) == (found.idle, found.unseated)
    assert 1 == activity(people, 0, date(2026, 11, 21), 30).unseated


def test_from_how_many_tokens_a_seat_pays() -> None:
    """A seat at 40 against 40,000 for two billion tokens: 20 a million, so 2,000,000; rounded up."""
    assert 2_000_000 == break_even_tokens(Decimal(40), Decimal(40_000), 2_000 * MILLION)
    assert 2 == break_even_tokens(Decimal(1), Decimal(3), 4)
    assert break_even_tokens(Decimal(40), Decimal(0), 5) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a roster has the columns user and last_active"),
        ("user,seen\na,b", "a roster has the columns user and last_active"),
        ("user,last_active\nada,yesterday", "people.csv:2: error[P624]: last_active 'yesterday' is not a date"),
        ("user,last_active\n,2026-01-01", "people.csv:2: error[P624]: the row names no user"),
        ("user,last_active,tokens\nada,,many", "people.csv:2: error[P624]: tokens 'many' is not a whole number"),
    ],
)
def test_a_roster_that_cannot_be_read_says_where(text: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        read_roster(text.splitlines(), "people.csv")

    assert words in str(raised.value)


def test_an_aggregators_fees_may_eat_what_its_prices_save(tmp_path: Path) -> None:
    """A million tokens in for 5.00: 15% less is 4.25, and 100 of platform fee makes it 104.25."""
    path = tmp_path / "small.yaml"
    path.write_text(CONTRACT)
    fees = Shop(Pricing(unrounded(load_contract(path)), CATALOG), LIST.at)
    found = priced([Job(workload((1, 0)))], [LIST, fees], rules())

    assert Step("aggregator", exactly("104.25"), exactly("-99.25"), 1) == alone(found, "aggregator")
    assert exactly("5") == stacked(found)[0][-1].cost


def test_a_cloud_is_who_a_commitment_would_be_signed_with() -> None:
    bedrock = replace(workload((1, 0)), access="bedrock")
    cloud = Shop(Pricing(list_contract(DAY, DAY, ["bedrock"]), CATALOG), LIST.at)

    assert ["bedrock", "anthropic"] == list(direct(priced([Job(bedrock), Job(workload((1, 0)))], [cloud], rules())))


def test_under_a_signed_contract_no_rate_card_is_imagined(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(CONTRACT)
    signed = Shop(Pricing(unrounded(load_contract(path)), CATALOG), LIST.at)
    found = weigh([Month(workload((1, 0)))], Declared(), [signed], rules(), Tables(GATES, ASKS))

    assert (Decimal("4.25"), ()) == (found.now, found.worths)


def test_failed_requests_are_worth_what_the_terms_in_force_bill(tmp_path: Path) -> None:
    """The small contract makes truncations free and bills refusals: 1% of 100 million × 25 × 0.85 = 21.25."""
    path = tmp_path / "small.yaml"
    path.write_text(CONTRACT)
    signed = Shop(Pricing(unrounded(load_contract(path)), CATALOG), LIST.at)
    one = Decimal("0.01")

    assert () == failed_requests([workload((0, 100))], [[("vendor_truncation", one)]], signed)
    assert [exactly("21.25")] == [
        each.value for each in failed_requests([workload((0, 100))], [[("refusal", one)]], signed)
    ]
