"""A hold is at least what the request costs, whatever model, channel, cache, band, hour and tier it meets.

The record that is priced is drawn apart from the shape that is bounded: any split of the tokens over the meters, any of
the channels and regions, any instant of the turn. `price_request` and `Bounds` share rate cards and nothing else.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.contract.parse import parse
from offtake.rating.bound import TURN_MAX, Bounds
from offtake.rating.ceiling import Shape
from offtake.rating.compiled import CompiledTerms
from offtake.rating.request import price_request
from offtake.rating.run import Position
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord
from offtake.values.errors import CatalogError, UnpricedError
from offtake.values.money import to_pico

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 10, 1, 12, tzinfo=UTC)  # all models of the cases are sold by then
HEAD = """
contract: any
buyer: Acme
vendor: VENDOR
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: ["*"], channels: [realtime, batch, flex, priority], access: [api, bedrock, vertex, azure]}
"""
LIST = "prices: {basis: list, batch: catalog, flex: catalog, priority: catalog, cache: catalog, region_uplift: catalog}"
EVERYTHING = """
prices:
  discounts: [{models: "*", share: 12%}]
  steps: [{from: 2026-07-01, share: 15%, of: previous_price}]
  batch: {share: 50%}
  flex: {share: 40%}
  priority: {surcharge: 75%}
  cache: {read: 0.1, write_5m: 1.25, write_1h: 2}
  off_peak: {share: 20%, hours: "22:00-06:00", days: weekdays, weekends: true, time_zone: America/New_York}
  non_production: {share: 30%, workloads: [dev-*]}
  tiers:
    kind: graduated
    measure: {amount: tokens, at: current}
    window: month
    steps: [{up_to: 9, share: 0%}, {share: 9%}]
  combine: {how: multiply, exclusive: [[off_peak, batch]]}
failed_requests: billed
"""
BEYOND = """
prices: {discounts: [{models: "*", share: 20%}], batch: catalog, flex: catalog, priority: catalog, cache: catalog}
commitments:
  - id: listed
    amount: 12 USD / year
    pool: all_models
    counts_at: list
    true_up: year
    overage: {at: list, surcharge: 10%}
  - id: direct
    amount: 6 USD / year
    pool: {access: [api]}
    counts_at: contracted
    true_up: year
    overage: {at: contracted, surcharge: 7%}
failed_requests: {refusal: credited 50%, timeout: billed}
"""
DOUBLED = "prices: {priority: {surcharge: 100%}}"
TEXTS = {"list": LIST, "doubled": DOUBLED, "everything": EVERYTHING, "beyond": BEYOND}
SERVED = {  # the channel asked, and those in which it may then be served
    "": ("realtime",),
    "auto": ("realtime", "priority"),
    "flex": ("flex", "realtime"),
    "priority": ("priority", "realtime"),
    "batch": ("batch",),
}


@dataclass(frozen=True)
class Drawn:
    """A request as it is asked, and as it turned out."""

    text: str
    at: datetime
    shape: Shape
    input_tokens_max: int | None
    output_tokens_max: int | None
    server_tools: int
    record: UsageRecord


@cache
def models() -> list[tuple[str, str, int | None]]:
    catalog = open_catalog()
    return [(vendor, model.id, model.context_window) for vendor in catalog.vendors for model in catalog.models(vendor)]


@cache
def compiled(text: str) -> tuple[CompiledTerms, Bounds]:
    terms = CompiledTerms(parse(HEAD.replace("VENDOR", "anthropic") + TEXTS[text], f"{text}.yaml"), open_catalog())
    return terms, Bounds(terms)


@cache
def beyond_every_commitment(text: str) -> Position:
    """A position from which every further dollar is overage, in the second token tier."""
    terms, _ = compiled(text)
    record = UsageRecord(
        id="", used_at=START, vendor="anthropic", model="claude-opus-4-7", quantities={"output_tokens": 5_000_000}
    )
    return price_request(terms, record)[1]


def draw(rng: random.Random) -> Drawn:
    vendor, model, window = rng.choice(models())
    channels = SERVED[rng.choice(list(SERVED))]
    access = rng.choice(["api"] * 6 + ["bedrock", "vertex", "azure"])
    regions = rng.choice([("global",)] * 4 + [("us",), ("eu", "global")])
    at = START + timedelta(seconds=rng.randrange(365 * 86_400))
    writes = rng.choice([(), ("5m",), ("1h",), ("5m", "1h")])
    media = rng.choice([(), (), ("audio",), ("image",), ("audio", "image")])
    workload = rng.choice(["", "dev-x", "web"])
    shape = Shape(vendor, model, channels, access, regions, workload, "", writes, media)
    tools = rng.choice([0, 0, 0, 1, 5]) if window else 0
    input_tokens_max = rng.choice([0, 1, 5_000, 128_001, 200_000, 200_001, 272_001, 400_000, 1_000_000])
    output_tokens_max = rng.choice([0, 1, 4_096, 128_000])
    unknown = bool(window) and rng.random() < 0.1
    all_input = (window or 0) * (tools + unknown) + (0 if unknown else input_tokens_max)
    record = UsageRecord(
        id="r", vendor=vendor, model=model, channel=rng.choice(channels), access=access, region=rng.choice(regions),
        used_at=min(at + rng.choice([timedelta(0), TURN_MAX * rng.random()]), START + timedelta(days=365, seconds=-1)),
        workload=workload, outcome=rng.choice(["ok"] * 8 + ["refusal", "timeout"]),
        quantities=quantities(rng, shape, all_input, output_tokens_max * (1 + tools), tools),
    )  # fmt: skip
    return Drawn(
        rng.choice(list(TEXTS)), at, shape, None if unknown else input_tokens_max, output_tokens_max, tools, record
    )


def quantities(rng: random.Random, shape: Shape, all_input: int, all_output: int, tools: int) -> dict[str, int]:
    """Any use of what was allowed; often all of it, and all in one meter."""
    inputs = ["input_tokens", "cache_read_tokens", *(f"cache_write_{each}_tokens" for each in shape.writes)]
    outputs = ["output_tokens"]
    if "audio" in shape.media:
        inputs += ["input_audio_tokens", "cache_read_audio_tokens"]
        outputs += ["output_audio_tokens"]
    if "image" in shape.media:
        inputs += ["input_image_tokens"]
        outputs += ["output_image_tokens"]
    found: dict[str, int] = {}
    for names, total in ((inputs, all_input), (outputs, all_output)):
        left = total if rng.random() < 0.5 else rng.randint(0, total)
        while left:
            part = left if rng.random() < 0.5 else rng.randint(1, left)
            name = rng.choice(names)
            found[name] = found.get(name, 0) + part
            left -= part
    if found.get("output_tokens") and rng.random() < 0.3:
        found["reasoning_tokens"] = rng.randint(1, found["output_tokens"])
    if tools and rng.random() < 0.5:
        found[rng.choice(["web_searches", "storage_searches"])] = rng.randint(1, tools)
    if rng.random() < 0.2:
        found["requests"] = 1
    return found


def check(drawn: Drawn) -> bool:
    """Whether the request could be priced at all; it never costs more than its bound, alone or beyond all floors."""
    terms, bounds = compiled(drawn.text)
    positions = [None] if drawn.text == "list" else [None, beyond_every_commitment(drawn.text)]
    try:
        costs = [price_request(terms, drawn.record, position)[0].total for position in positions]
    except (UnpricedError, CatalogError):
        return False
    if not drawn.record.quantities:
        return False
    held = bounds.bound(drawn.shape, drawn.at, drawn.input_tokens_max, drawn.output_tokens_max, drawn.server_tools)
    assert [] == [cost for cost in costs if cost.scaleb(12) > held], f"held {held}: {drawn}"
    return True


@given(st.randoms(use_true_random=False))
def test_a_bound_is_at_least_the_cost_of_any_request_on_any_model_and_channel(rng: random.Random) -> None:
    check(draw(rng))


@pytest.mark.soak
def test_a_hundred_thousand_random_requests_never_cost_more_than_their_bound() -> None:
    rng = random.Random(4)
    priced = tried = 0
    while priced < 100_000:
        priced += check(draw(rng))
        tried += 1
        if tried % 20_000 == 0:
            compiled.cache_clear()  # the rate cards of every model, channel and month would fill the memory


CASES = {  # what a widely used gateway reserved for these four, and what each then cost
    "claude-opus-4-7, 99k of 100k tokens written to the one-hour cache": (
        Shape("anthropic", "claude-opus-4-7", writes=("1h",)), 100_000, "realtime",
        {"input_tokens": 1_000, "cache_write_1h_tokens": 99_000, "output_tokens": 1_000}, "0.525", "1.02",
    ),
    "gpt-5.4 beyond 272k tokens": (
        Shape("openai", "gpt-5.4"), 400_000, "realtime",
        {"input_tokens": 400_000, "output_tokens": 1_000}, "1.015", "2.0225",
    ),
    "gpt-5.4 in the priority tier": (
        Shape("openai", "gpt-5.4", ("priority", "realtime")), 100_000, "priority",
        {"input_tokens": 100_000, "output_tokens": 1_000}, "0.265", "0.53",
    ),
    "gemini-3.1-pro-preview beyond 200k tokens": (
        Shape("google", "gemini-3.1-pro-preview"), 300_000, "realtime",
        {"input_tokens": 300_000, "output_tokens": 1_000}, "0.612", "1.218",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_four_requests_that_others_hold_half_of_are_held_whole(case: str) -> None:
    shape, input_tokens_max, channel, used, reserved_elsewhere, cost = CASES[case]
    terms, bounds = compiled("doubled" if channel == "priority" else "list")
    record = UsageRecord(id="", used_at=LATER, vendor=shape.vendor, model=shape.model, channel=channel, quantities=used)

    held = bounds.bound(shape, LATER, input_tokens_max, 1_000)

    assert Decimal(cost) == price_request(terms, record)[0].total
    assert to_pico(Decimal(reserved_elsewhere)) < to_pico(Decimal(cost)) <= held


def test_a_price_that_rises_during_the_request_is_held_before_it_rises() -> None:
    _, bounds = compiled("everything")
    shape = Shape("anthropic", "claude-opus-4-7")
    edge = datetime(2026, 6, 2, 10, tzinfo=UTC)  # 06:00 in New York: off-peak ends

    night, before, after = (
        bounds.bound(shape, at, 1_000, 1_000) for at in (edge - 2 * TURN_MAX, edge - TURN_MAX / 2, edge)
    )

    assert night < before == after


def test_unknown_input_is_the_context_window_and_each_tool_may_read_it_again() -> None:
    _, bounds = compiled("list")
    ceiling = bounds.ceiling(Shape("anthropic", "claude-opus-4-7", writes=()), START)

    assert 1_000_000 == ceiling.context_window
    assert ceiling.pico(1_000_000, 500) == ceiling.pico(None, 500)
    assert ceiling.pico(3_000_000, 1_500) + 2 * ceiling.search == ceiling.pico(None, 500, server_tools=2)


def test_without_a_limit_and_without_a_window_nothing_bounds_a_request() -> None:
    _, bounds = compiled("list")
    ceiling = replace(bounds.ceiling(Shape("anthropic", "claude-opus-4-7"), START), context_window=None)

    with pytest.raises(UnpricedError, match="nothing bounds"):
        ceiling.pico(None, 500)


@given(st.integers(0, 10**13), st.sampled_from([0, 1_000, 200_000, 400_000]), st.integers(0, 3))
def test_a_clamped_output_limit_is_the_largest_that_fits(pico: int, input_tokens_max: int, tools: int) -> None:
    _, bounds = compiled("list")
    ceiling = bounds.ceiling(Shape("openai", "gpt-5.4"), LATER)

    clamped = ceiling.output_tokens_for(pico, input_tokens_max, tools)

    assert clamped < 0 or ceiling.pico(input_tokens_max, clamped, tools) <= pico
    assert pico < ceiling.pico(input_tokens_max, clamped + 1, tools)
