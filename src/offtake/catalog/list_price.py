"""List prices as rating reads them: dated cells, exact, per piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BandPrice:
    """A price by the context of one request: `base` dollars a piece; (start, price) where context > start (strict)."""

    base: Decimal
    above: tuple[tuple[int, Decimal], ...] = ()

    def at(self, context_tokens: int) -> Decimal:
        """The price for a request of this context."""
        price = self.base
        for start, higher in self.above:
            if context_tokens > start:
                price = higher
        return price


@dataclass(frozen=True, slots=True)
class PriceCell:
    """The list prices of one model in one channel and region from `start` until `end` (None: open), every day
    between `daily` (UTC; None: all day). `prices` maps meter names to prices; a meter that is not there has none.
    """

    start: datetime | None
    end: datetime | None
    daily: tuple[time, time] | None
    prices: Mapping[str, BandPrice]
    source: str

    def holds(self, at: datetime) -> bool:
        """Whether this cell prices that UTC instant."""
        if (self.start and at < self.start) or (self.end and at >= self.end):
            return False
        if self.daily is None:
            return True
        start, end = self.daily
        now = at.timetz().replace(tzinfo=None)
        return start <= now < end if start < end else now >= start or now < end


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a contract needs to know of a model besides its prices; None where the catalogue does not say."""

    id: str
    vendor: str
    family: str = ""
    context_window: int | None = None
    launched: datetime | None = None
    deprecated: datetime | None = None
    min_prefix_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a price is asked for: one model, as sold in one channel, access form and region."""

    model: str
    vendor: str
    channel: str = "realtime"
    access: str = "api"
    region: str = "global"


class ListPrices(Protocol):
    """What rating needs of a catalogue."""

    @property
    def version(self) -> str:
        """What was priced with: package version and the hashes of override and lock files."""
        ...

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        """The model that people mean by this name. CatalogError with the nearest names when there is none."""
        ...

    def models(self, vendor: str) -> Sequence[ModelFacts]:
        """Every model that a vendor sells."""
        ...

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        """Every dated price of a model, in time order. CatalogError when the channel, access or region is unknown."""
        ...
