"""What is held for an ask covers what its settlement costs, whatever the vendor says that it did."""

from __future__ import annotations

import random
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.admit.hold import clamped, hold_of, learned, shape_of
from offtake.gateway.admit.learned import Learned
from offtake.gateway.ask import Ask, Served
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.gateway.settle import costs_of
from offtake.rating.ceiling import Ceiling
from tests.examples import LAW
from tests.gateway.deals import AT, HEAD, ask, key, outlet

EVERYTHING = HEAD.replace("[claude-*]", '["*"]').replace("[realtime, priority]", "[realtime, batch, flex, priority]")
TIERS = {  # asked, and what the vendor may say that it served
    "": ("standard", "priority", "default", ""),
    "auto": ("standard", "priority"),
    "standard_only": ("standard",),
    "default": ("default",),
    "flex": ("flex", "default"),
    "priority": ("priority", "default"),
}
MODELS = {
    "anthropic": ("claude-opus-4-7", "claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-8"),
    "openai": ("gpt-5.4", "gpt-5.4-mini", "gpt-5.6", "gpt-4o", "o3", "gpt-4o-audio-preview"),
    "google": ("gemini-3.1-pro-preview", "gemini-2.5-flash", "gemini-2.5-pro"),
}


@cache
def outlets() -> dict[str, Outlet]:
    prices = "prices: {basis: list, batch: catalog, flex: {share: 50%}, priority: {surcharge: 60%}, cache: catalog}"
    lines = [prices if line.startswith("prices:") else line for line in EVERYTHING.splitlines()]
    text = "\n".join(lines) + "\n"
    return {vendor: outlet(vendor=vendor, name=vendor, file=f"{vendor}.yaml", text=text) for vendor in MODELS}


def drawn(rng: random.Random, vendor: str) -> tuple[Ask, Served]:
    """An ask and an answer that keeps to its limits: in any meter that the ask can fill, tier and region."""
    tier = rng.choice(list(TIERS))
    media = rng.choice([(), ("audio",), ("image",)])
    writes = rng.choice([(), ("5m",), ("5m", "1h")]) if vendor == "anthropic" else ("5m",)
    what = ask(
        dialect="anthropic_messages" if vendor == "anthropic" else "openai_chat", tier=tier, cache_writes=writes,
        input_tokens_max=rng.choice([0, 900, 200_001, 300_000]), output_tokens_max=rng.choice([0, 1, 32_000]),
        media=media,
    )  # fmt: skip
    assert what.input_tokens_max is not None
    assert what.output_tokens_max is not None
    meters = ["input_tokens", "cache_read_tokens", *(f"cache_write_{each}_tokens" for each in writes)]
    outputs = ["output_tokens"]
    if "audio" in media:
        meters, outputs = [*meters, "input_audio_tokens"], [*outputs, "output_audio_tokens"]
    if "image" in media:
        meters = [*meters, "input_image_tokens"]
    quantities: dict[str, int] = {}
    for names, left in ((meters, what.input_tokens_max), (outputs, what.output_tokens_max)):
        while left:
            part = rng.choice([left, rng.randint(1, left)])
            name = rng.choice(names)
            quantities[name] = quantities.get(name, 0) + part
            left -= part
    region = rng.choice(["", "us", "global"]) if vendor == "anthropic" else ""
    return what, Served(quantities, rng.choice(["ok", "refusal", "timeout"]), rng.choice(TIERS[tier]), region)


def held(what: Ask, where: Outlet, model: str, who: KeyRules) -> Ceiling:
    return where.bounds.ceiling(shape_of(what, where, model, who), AT)


@LAW
@given(st.randoms(use_true_random=False))
def test_a_hard_hold_is_at_least_what_the_settlement_costs(rng: random.Random) -> None:
    vendor = rng.choice(list(MODELS))
    where, model, who = outlets()[vendor], rng.choice(MODELS[vendor]), key()
    what, served = drawn(rng, vendor)
    ceiling = held(what, where, model, who)

    hold = hold_of(what, ceiling)
    costs = costs_of(where, model, what, who, served, AT, written_bytes=0, hold_pico=hold.pico)

    assert costs.cost_pico <= hold.pico, (costs, what)
    assert learned(what, ceiling, who.id, model, Learned()).pico <= hold.pico
    lower = clamped(what, ceiling, hold.pico)
    assert lower is None or lower.pico <= hold.pico
