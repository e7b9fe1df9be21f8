"""Ways to run a workload: in batch or not, cached or not, with which model. Whole tokens in, whole tokens out.

opus, 1,000 in + 3,000 out, 40% may wait, 70% of the input read from the cache
batch + cache → realtime: 180 in, 420 read, 1,800 out · batch: 120 in, 280 read, 1,200 out
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from offtake.planner.workload import Workload
from offtake.values.errors import InputError

HALF = Fraction(1, 2)
READ = "cache_read_tokens"
WRITES: Mapping[str, str] = {"5m": "cache_write_5m_tokens", "1h": "cache_write_1h_tokens"}
PROMPT = ("input_tokens", READ, *WRITES.values())
"""The meters between which caching moves text; audio and images stay where they are."""


@dataclass(frozen=True, slots=True)
class CacheShares:
    """Shares of all input that are read from the cache and written to it, at best and at worst for the bill."""

    read: tuple[Decimal, Decimal]
    written: tuple[Decimal, Decimal]
    ttl: str = "5m"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that may do the work: its own, or one that is declared admissible. `tokens` is how many of its tokens
    stand for one of the present model's.
    """

    name: str
    vendor: str
    tokens: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Way:
    """How one workload is run and where it is bought (the number of the shop)."""

    model: Model
    batch: bool = False
    cache: bool = False
    shop: int = 0


def a_month(workload: Workload, factor: Fraction) -> Workload:
    """The workload as a month of it: each quantity times the factor, to the nearest whole token."""
    quantities = {meter: int(quantity * factor + HALF) for meter, quantity in workload.quantities.items()}
    return replace(workload, quantities=quantities, requests=int(workload.requests * factor + HALF))


def run(
    workload: Workload, way: Way, cache: CacheShares | None, *, best: bool, caches_in_batch: bool
) -> tuple[Workload, ...]:
    """The workload as it would be run, in one part or two."""
    moved = _with_model(workload, way.model)
    parts = split(moved, workload.batchable) if way.batch else (moved,)
    if not way.cache or cache is None:
        return parts
    return tuple(
        part if part.channel == "batch" and not caches_in_batch else cached(part, cache, best=best) for part in parts
    )


def split(workload: Workload, share: Decimal) -> tuple[Workload, ...]:
    """A share of each quantity in batch, and the rest as it was; one part where that is all."""
    batch = {meter: int(quantity * share) for meter, quantity in workload.quantities.items()}
    rest = {meter: quantity - batch[meter] for meter, quantity in workload.quantities.items()}
    asked = int(workload.requests * share)
    parts = (
        replace(workload, quantities=rest, requests=workload.requests - asked),
        replace(workload, quantities=batch, requests=asked, channel="batch"),
    )
    return tuple(part for part in parts if any(part.quantities.values()))


def cached(workload: Workload, shares: CacheShares, *, best: bool) -> Workload:
    """All text input divided anew into read, written and neither. InputError P622 for more than all of it."""
    end = 0 if best else 1
    read, written = shares.read[end], shares.written[end]
    if read + written > 1:
        raise InputError(
            "P622", "more than all of the input is read from the cache or written to it",
            hint="--cache-read + --cache-write is at most 100%",
        )  # fmt: skip
    prompt = sum(workload.quantities.get(meter, 0) for meter in PROMPT)
    quantities = {meter: quantity for meter, quantity in workload.quantities.items() if meter not in PROMPT}
    quantities[READ] = int(prompt * read)
    quantities[WRITES[shares.ttl]] = int(prompt * written)
    quantities["input_tokens"] = prompt - quantities[READ] - quantities[WRITES[shares.ttl]]
    return replace(workload, quantities=quantities)


def uncached(workload: Workload) -> Workload:
    """The workload as if nothing had been cached."""
    nothing = (Decimal(0), Decimal(0))
    return cached(workload, CacheShares(nothing, nothing), best=True)


def seller(workload: Workload) -> str:
    """Who a commitment would be signed with: the model's vendor, or the cloud through which it is bought."""
    return workload.vendor if workload.access == "api" else workload.access


def caches(workload: Workload) -> bool:
    """Whether the usage itself shows cached input."""
    return any(workload.quantities.get(meter) for meter in PROMPT[1:])


def _with_model(workload: Workload, model: Model) -> Workload:
    quantities = {meter: int(quantity * model.tokens) for meter, quantity in workload.quantities.items()}
    context = None if workload.context_tokens is None else int(workload.context_tokens * model.tokens)
    return replace(workload, model=model.name, vendor=model.vendor, quantities=quantities, context_tokens=context)
