"""The ways to serve a part of a workload under an offer, each with what a month of it costs at the offer's rate card.

A part can go to any admissible model, in realtime or
(where it may wait) in batch, with its cache as today or without one. Prices are rating's, month by month; a model that
breaks the same text into other numbers of tokens says so by a multiplier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from offtake.contract.patterns import most_specific
from offtake.planner.levers.facts import Exclusion
from offtake.planner.offers.offer import Offer
from offtake.planner.offers.parts import Part, scaled, whole
from offtake.planner.rated import Pricing
from offtake.usage.record import UsageRecord
from offtake.values.errors import CatalogError, Finding, UnpricedError
from offtake.values.money import divide, total

CACHE_METERS = ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
WRITE_METERS = CACHE_METERS[1:]


class Way(NamedTuple):
    """How a part is served: by which model, called how. `cache`: kept | off | writes as input."""

    model: str
    vendor: str
    channel: str
    access: str
    region: str
    cache: str = "kept"


@dataclass(frozen=True, slots=True)
class Priced:
    """A way, what each month of it costs at the rate card, and what the same would be at list price today."""

    way: Way
    monthly: tuple[Decimal, ...]
    listed: tuple[Decimal, ...]

    @property
    def cost(self) -> Decimal:
        """An average month."""
        return divide(total(self.monthly), len(self.monthly))


@dataclass(frozen=True, slots=True)
class Refused:
    """A model that an offer cannot serve, as rating says it."""

    model: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Menu:
    """What the ways are made of: how many tokens other models need, by pattern (1.1: a tenth more than today's), and
    which features exclude each other at a vendor, on the plan's day.
    """

    tokens: Mapping[str, Decimal]
    exclusions: Sequence[Exclusion] = ()
    day: date = date.min

    def records(self, part: Part, way: Way, at: datetime, share: Decimal = Decimal(1)) -> Iterator[UsageRecord]:
        """A month of a part, served this way: one row for what is priced alike."""
        factor = share * (self._factor(way.model) if way.model != part.workload.model else Decimal(1))
        for each in part.slices:
            quantities = scaled(cached(each.quantities, way.cache), factor)
            used = {meter: quantity for meter, quantity in quantities.items() if quantity}
            if used:
                record = part.workload.record(
                    at, model=way.model, vendor=way.vendor, channel=way.channel, access=way.access, region=way.region,
                    quantities=used, count=max(1, whole(each.requests * share)), outcome=each.outcome,
                    context_tokens=each.context_tokens,
                )  # fmt: skip
                about = f"{part.name}/{each.outcome}/{each.context_tokens}"
                yield replace(record, id=f"{about}/{way.model}/{way.channel}/{way.cache}/{at:%Y-%m-%d}")

    def _factor(self, model: str) -> Decimal:
        patterns = list(self.tokens)
        winners = most_specific(patterns, model)
        return self.tokens[patterns[winners[0]]] if winners else Decimal(1)


def cached(quantities: Mapping[str, int], cache: str) -> dict[str, int]:
    """The quantities with the cache as it is (`kept`), without it (`off`), or where writing costs nothing more."""
    moved = {"kept": (), "off": CACHE_METERS, "writes as input": WRITE_METERS}[cache]
    found = {meter: quantity for meter, quantity in quantities.items() if meter not in moved}
    found["input_tokens"] = found.get("input_tokens", 0) + sum(quantities.get(meter, 0) for meter in moved)
    return found


class Desk:
    """Prices the parts of a plan under one offer."""

    def __init__(self, offer: Offer, menu: Menu) -> None:
        self.offer = offer
        self.menu = menu
        self._pricing = Pricing(offer.card, offer.catalog)

    def ways(self, part: Part, models: Sequence[str]) -> tuple[list[Priced], list[Refused]]:
        """Every way to serve a part with these models that has a price, and why the other models have none."""
        priced: list[Priced] = []
        refused: list[Refused] = []
        for model in models:
            found = [self.price(part, way) for way in self._ways(part, model)]
            good = [each for each in found if isinstance(each, Priced)]
            bad = [each for each in found if isinstance(each, Finding)]
            priced += good
            refused += [] if good or not bad else [Refused(model, bad[0])]
        return priced, refused

    def price(self, part: Part, way: Way) -> Priced | Finding:
        """What each month costs, or why nothing prices it."""
        instants = self.offer.instants[:1] if self.offer.is_steady else self.offer.instants
        try:
            costs = [self._pricing.sum(self.menu.records(part, way, at)) for at in instants]
        except (CatalogError, UnpricedError) as error:
            return error.findings[0]
        costs *= len(self.offer.instants) // len(costs)
        return Priced(way, tuple(each.contracted for each in costs), tuple(each.list for each in costs))

    def _ways(self, part: Part, model: str) -> Iterator[Way]:
        """Batch comes last, and what writes no cache before what does not use one."""
        workload, scope = part.workload, self.offer.terms.scope
        sold = self.offer.catalog.resolve(model)
        maker = sold.vendor
        model = workload.model if sold == self.offer.catalog.resolve(workload.model) else sold.id
        access = workload.access if workload.access in scope.access else scope.access[0]
        residency = self.offer.terms.residency
        regions = dict.fromkeys((workload.region, "global", *(residency.regions if residency else ())))
        own = "realtime" if workload.channel == "batch" else workload.channel
        channels = dict.fromkeys((own, "realtime", *(("batch",) if part.batchable else ())))
        caches = ["kept"]
        if any(workload.quantities.get(meter) for meter in WRITE_METERS):
            caches.append("writes as input")
        if any(workload.quantities.get(meter) for meter in CACHE_METERS):
            caches.append("off")
        region = next((each for each in regions if self._sold(model, maker, access, each)), workload.region)
        for channel in channels:
            for cache in caches:
                if cache != "writes as input" or not self._writes(model, maker, access, region):
                    yield Way(model, maker, channel, access, region, cache)

    def _sold(self, model: str, maker: str, access: str, region: str) -> bool:
        try:
            return bool(self.offer.catalog.cells(model, maker, "realtime", access, region))
        except CatalogError:
            return False

    def _writes(self, model: str, maker: str, access: str, region: str) -> bool:
        """Whether the model has a price of its own for writing to the cache; where it has none, a write is input."""
        try:
            cells = self.offer.catalog.cells(model, maker, "realtime", access, region)
        except CatalogError:
            return False
        return any(meter in cell.prices for cell in cells for meter in WRITE_METERS)
