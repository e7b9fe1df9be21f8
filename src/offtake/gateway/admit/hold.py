"""What a request holds of its budgets before it is sent.

A hard hold is the true upper bound. Where the key lets it, the client's output limit is lowered to what the budget
pays. Only where a budget has an overdraft line may a hold be learned: a coding agent asks for 128,000 tokens on each
call and uses a few hundred, and holding all of them would turn away a client that has the money.

A learned hold is twice what 99 of 100 such requests have cost (the same key on the same model), and never more than the
bound. It may be taken only while the overdraft line is whole (`budget.py`), so what it misses comes out of the line.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from offtake.gateway.admit.learned import Learned
from offtake.gateway.ask import Ask
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.rating.ceiling import Ceiling, Shape
from offtake.usage.outcomes import channel_of
from offtake.values.errors import InputError


class Hold(Struct, frozen=True):
    """Picodollars to hold. `bound_pico` is the most that the request can cost; equal to `pico` for a hard hold.

    `output_tokens_max`: the limit to send where it was lowered, None where the client's stands.
    """

    pico: int
    bound_pico: int
    output_tokens_max: int | None = None

    @property
    def is_learned(self) -> bool:
        """Whether the request may cost more than it holds."""
        return self.pico < self.bound_pico


def hold_of(ask: Ask, ceiling: Ceiling, others_pico: int = 0) -> Hold:
    """The hard hold. `others_pico` bounds other models that it may use. UnpricedError (R417): nothing bounds it."""
    pico = ceiling.pico(ask.input_tokens_max, ask.output_tokens_max, ask.server_tools) + others_pico
    return Hold(pico, pico)


def clamped(
    ask: Ask, ceiling: Ceiling, free_pico: int, others_pico: int = 0, output_tokens_min: int = 1
) -> Hold | None:
    """The hold with the largest output limit that so much pays; None where not even the least fits."""
    tokens = ceiling.output_tokens_for(free_pico - others_pico, ask.input_tokens_max, ask.server_tools)
    tokens -= tokens % ask.choices  # the limit is for all choices together
    if ask.output_tokens_max is not None:
        tokens = min(tokens, ask.output_tokens_max)
    if tokens < max(output_tokens_min, 1) * ask.choices:
        return None
    pico = ceiling.pico(ask.input_tokens_max, tokens, ask.server_tools) + others_pico
    return Hold(pico, pico, tokens if tokens != ask.output_tokens_max else None)


def learned(ask: Ask, ceiling: Ceiling, key: str, model: str, seen: Learned, others_pico: int = 0) -> Hold:
    """The hold of a key with an overdraft line. Never above the bound."""
    output_tokens, permille = seen.surely(key, model)
    bound = ceiling.pico(ask.input_tokens_max, ask.output_tokens_max, ask.server_tools) + others_pico
    rest = ceiling.pico(ask.input_tokens_max, 0)
    written = ceiling.pico(ask.input_tokens_max, output_tokens) - rest
    return Hold(min(-(-rest * permille // 1_000) + written, bound), bound)


def others_of(ask: Ask, outlet: Outlet, key: KeyRules, at: datetime) -> int:
    """The bound of the other models that the request lets the vendor use, each of which may be billed for all of it.

    UnpricedError or CatalogError where the contract does not price one of them.
    """
    total = 0
    for model in ask.other_models:
        ceiling = outlet.bounds.ceiling(shape_of(ask, outlet, model, key), at)
        total += ceiling.pico(ask.input_tokens_max, ask.output_tokens_max, ask.server_tools)
    return total


def shape_of(ask: Ask, outlet: Outlet, model: str, key: KeyRules) -> Shape:
    """What decides the prices of an ask at an outlet. InputError (U102) for a service tier that nobody knows."""
    of_anthropic = outlet.speaks.startswith("anthropic")
    writes = ask.cache_writes if of_anthropic else ("5m", *ask.cache_writes)  # others write a cache unasked
    region = ask.region or outlet.region
    # Without a region, a setting of the workspace may run it in the dearer one, and the answer says so.
    regions = ("global", "us") if of_anthropic and region == "global" else (region,)
    return Shape(
        outlet.vendor, model, channels_of(ask.tier), outlet.access, regions, key.workload, key.account,
        tuple(dict.fromkeys(writes)), ask.media,
    )  # fmt: skip


def channels_of(tier: str, outlet: Outlet | None = None) -> tuple[str, ...]:
    """Every channel in which a request of this tier may be served, the expected one first.

    A vendor may serve any tier at its standard price; without a tier, or with `auto`, a project's setting may lift it
    to priority.
    """
    if tier in ("", "auto"):
        return ("realtime", "priority")
    channel = "realtime" if tier == "standard_only" else channel_of(tier)
    if channel in ("realtime", "batch"):
        return (channel,)
    return (channel, "realtime")


def tier_is_known(tier: str) -> bool:
    """Whether a service tier has a price."""
    try:
        return tier in ("", "auto", "standard_only") or bool(channel_of(tier))
    except InputError:
        return False
