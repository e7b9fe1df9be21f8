"""The verdict on a workload: which lever moves its bill, in dollars that rating gave.

Two levers need no contract: batch, and a prompt cache. What batch would save is the whole traffic at the batch price.
What caching would save is a share of the input read from the cache *and the rest of it written*, at the price of a
write: S1's table leaves the write premium out, and on output-heavy traffic that is what is left of the saving.

    500M in, 1.5B out, Opus 4.7    now 40,000   batch −20,000 (50%)   cache 70% −1,387.50 (3.5%)
    output-heavy: batch moves the bill, caching does not
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from offtake.planner.rated import Cost, Pricing
from offtake.usage.record import UsageRecord
from offtake.values.errors import CatalogError, UnpricedError
from offtake.values.money import EXACT, divide, quantize

MOVES_FROM = Decimal("0.1")
"""A lever moves the bill when it saves this share of it."""
WRITES = {"5m": "cache_write_5m_tokens", "1h": "cache_write_1h_tokens"}
CACHED = ("input_tokens", "cache_read_tokens", *WRITES.values())


@dataclass(frozen=True, slots=True)
class Caching:
    """What a cache is taken to do: this share of the input is read from it, the rest is written and lives `ttl`."""

    read: Decimal = Decimal("0.7")
    ttl: str = "5m"


@dataclass(frozen=True, slots=True)
class Lever:
    """What a lever would leave to pay and save, of what the workload costs; `reason` says why it cannot be pulled."""

    cost: Decimal | None
    saving: Decimal | None
    share: Decimal | None
    reason: str = ""

    @property
    def moves(self) -> bool:
        """Whether it moves the bill."""
        return self.share is not None and self.share >= MOVES_FROM


@dataclass(frozen=True, slots=True)
class Verdict:
    """`cost` as it runs today; `batch` of everything, `batchable` of the share that may wait; `cache` of all input.

    `cached_today` is what the cache that is in use saves, against the same input uncached; None without one.
    """

    cost: Cost
    batch: Lever
    batchable: Lever
    cache: Lever
    cached_today: Decimal | None
    output_share: Decimal | None

    @property
    def words(self) -> str:
        """The verdict as a sentence."""
        if self.output_share is None:
            return "costs nothing: no lever moves it"
        heavy = "output-heavy" if self.output_share >= Decimal("0.5") else "input-heavy"
        batch, cache = self.batch.moves, self.cache.moves
        if self.batch.reason or self.cache.reason:
            said = [lever.reason or _moving(name, lever.moves) for name, lever in self._named]
            moved = "; ".join(said)
        elif batch == cache:
            moved = "batch and caching both move the bill" if batch else "neither batch nor caching moves the bill"
        else:
            moved = f"{'batch' if batch else 'caching'} moves the bill, {'caching' if batch else 'batch'} does not"
        return f"{heavy}: {moved}"

    @property
    def _named(self) -> tuple[tuple[str, Lever], tuple[str, Lever]]:
        return ("batch", self.batch), ("caching", self.cache)


def _moving(name: str, moves: bool) -> str:
    return f"{name} {'moves' if moves else 'does not move'} the bill"


def judge(records: Sequence[UsageRecord], batchable: Decimal, pricing: Pricing, caching: Caching) -> Verdict:
    """The verdict on a workload, as the rows that stand for it; `batchable` is the share of it that may wait.

    CatalogError or UnpricedError where it has no price.
    """
    now = pricing.sum(records)
    share = divide(now.output, now.contracted) if now.contracted else None
    return Verdict(
        cost=now,
        batch=_batch(records, Decimal(1), now, pricing),
        batchable=_batch(records, batchable, now, pricing),
        cache=_cache(records, caching, now, pricing),
        cached_today=_cached_today(records, now, pricing),
        output_share=None if share is None else quantize(share, 4),
    )


def _batch(records: Sequence[UsageRecord], share: Decimal, now: Cost, pricing: Pricing) -> Lever:
    """A share of each meter in batch; whole tokens, what is left over stays."""
    if all(record.channel == "batch" for record in records):
        return Lever(None, None, None, "it runs in batch already")
    parts = []
    for record in records:
        waits = {meter: int(quantity * share) for meter, quantity in record.quantities.items()}
        stays = {meter: quantity - waits[meter] for meter, quantity in record.quantities.items()}
        parts.append(replace(record, channel="batch", quantities=_above_zero(waits)))
        parts.append(replace(record, quantities=_above_zero(stays)))
    return _lever([part for part in parts if part.quantities], now, pricing)


def _cache(records: Sequence[UsageRecord], caching: Caching, now: Cost, pricing: Pricing) -> Lever:
    whole = sum(map(_text_input, records))
    read = sum(record.quantities.get("cache_read_tokens", 0) for record in records)
    if read and read >= whole * caching.read:
        share = quantize(divide(Decimal(100 * read), whole), 1)
        return Lever(None, None, None, f"{share:f}% of its input is read from a cache already")
    return _lever([_cached(record, caching) for record in records], now, pricing)


def _cached_today(records: Sequence[UsageRecord], now: Cost, pricing: Pricing) -> Decimal | None:
    if not any(record.quantities.get(meter) for record in records for meter in CACHED[1:]):
        return None
    uncached = pricing.sum(_with_input(record, {"input_tokens": _text_input(record)}) for record in records)
    return EXACT.subtract(uncached.contracted, now.contracted)


def _cached(record: UsageRecord, caching: Caching) -> UsageRecord:
    """The same tokens with all text input read or written; whole tokens, what is left over is written."""
    whole = _text_input(record)
    read = int(whole * caching.read)
    return _with_input(record, {"cache_read_tokens": read, WRITES[caching.ttl]: whole - read})


def _text_input(record: UsageRecord) -> int:
    return sum(record.quantities.get(meter, 0) for meter in CACHED)


def _with_input(record: UsageRecord, text_input: Mapping[str, int]) -> UsageRecord:
    others = {meter: quantity for meter, quantity in record.quantities.items() if meter not in CACHED}
    return replace(record, quantities=_above_zero({**text_input, **others}))


def _lever(records: Sequence[UsageRecord], now: Cost, pricing: Pricing) -> Lever:
    try:
        cost = pricing.sum(records).contracted
    except (CatalogError, UnpricedError) as error:
        return Lever(None, None, None, f"no price: {error.findings[0].what}")
    saving = EXACT.subtract(now.contracted, cost)
    return Lever(cost, saving, quantize(divide(saving, now.contracted), 4) if now.contracted else None)


def _above_zero(quantities: Mapping[str, int]) -> dict[str, int]:
    return {meter: quantity for meter, quantity in quantities.items() if quantity}
