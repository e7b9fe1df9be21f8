"""What an answer costs is found without a record: the same sums as the general way, to the picodollar."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from offtake.rating.request import Cost, cost_on, priced_plainly
from offtake.usage.record import UsageRecord
from offtake.usage.usage_objects import context_of
from offtake.values.errors import OfftakeError
from tests.gateway.deals import AT, catalog
from tests.gateway.test_hold_covers import MODELS, outlets

CHANNELS = ("realtime", "batch", "flex", "priority")
METERS = (
    "input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
    "reasoning_tokens", "input_audio_tokens", "output_audio_tokens", "input_image_tokens", "web_searches",
)  # fmt: skip


@given(st.randoms(use_true_random=False))
def test_an_answer_costs_what_its_record_costs(rng: random.Random) -> None:
    vendor = rng.choice(list(MODELS))
    where, terms = outlets()[vendor], outlets()[vendor].terms
    model = rng.choice([*MODELS[vendor], rng.choice([each.id for each in catalog().models(vendor)])])
    quantities = {name: rng.choice([1, 7, 900, 200_001]) for name in rng.sample(METERS, rng.randint(1, len(METERS)))}
    if "reasoning_tokens" in quantities:
        quantities["output_tokens"] = quantities.get("output_tokens", 0) + quantities["reasoning_tokens"]
    context = context_of(quantities)
    record = UsageRecord(
        id="", used_at=AT, model=model, quantities=quantities, vendor=where.vendor, channel=rng.choice(CHANNELS),
        region=rng.choice(["global", "us"]), context_tokens=context,
    )  # fmt: skip

    try:
        piece = priced_plainly(terms, record)
    except OfftakeError as error:
        expected: Cost | str = error.code
    else:
        clauses = tuple(dict.fromkeys(entry.price.clause for entry in piece.entries))
        expected = Cost(piece.contracted, piece.public, clauses)
    try:
        found: Cost | str = cost_on(terms.lane(record), AT, quantities, context)
    except OfftakeError as error:
        found = error.code

    assert expected == found, record
