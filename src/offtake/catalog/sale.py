"""What decides the price of one offer, as a function of the instant.

In this order: the book's price for the channel; our batch share or cache price where the book has none; the user's
rows, key by key, the latest `from` that has begun; the region's uplift. Nothing before the launch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from genai_prices.types import ModelInfo

from offtake.catalog.cells import Listed, scaled
from offtake.catalog.facts import BatchShare, Facts, ListedPrice, RegionUplift
from offtake.catalog.genai import changes, price_keys
from offtake.catalog.list_price import BandPrice, Offer

Keys = dict[str, BandPrice]


@dataclass(frozen=True, slots=True)
class Sale:
    """Everything that decides the price of one offer, as a function of the instant."""

    facts: Facts
    offer: Offer
    book_version: str
    entry: ModelInfo | None
    standard_only: bool
    uplift: RegionUplift | None
    rows: Sequence[ListedPrice]
    launched: date | None

    def changes(self) -> tuple[set[date], set[time]]:
        """Every date and time of day at which the price may change."""
        dates, times = changes(self.entry) if self.entry else (set(), set())
        dates = dates | {row.start for row in self.facts.cache if row.vendor == self.offer.vendor}
        spans = [(row.start, row.until) for row in self.rows] + [(row.start, row.until) for row in self._batch_shares()]
        dates |= {each for span in spans for each in span if each}
        dates |= {each for each in (self.launched, self.uplift.start if self.uplift else None) if each}
        return dates, times

    def listed_at(self, at: datetime) -> Listed | None:
        """The prices by price key and their source; None where nothing is listed."""
        found = self._in_channel(self.offer.channel, at)
        if found is None:
            return None
        keys, source = found
        row = self.uplift
        if row and row.uplift and (row.start is None or row.start <= at.date()):
            keys = _times(keys, 1 + row.uplift, tuple(keys))
            source += f"; region {self.offer.region} +{_percent(row.uplift)} ({row.source})"
        return keys, source

    def _in_channel(self, channel: str, at: datetime) -> tuple[Keys, str] | None:
        found = self._from_book(channel, at)
        share = next((row for row in self._batch_shares() if _holds(row, at)), None)
        if found is None and channel == "batch" and share and (standard := self._in_channel("realtime", at)):
            halved = tuple(name for name in standard[0] if share.keys == "all" or not name.startswith("cache"))
            found = (
                _times(standard[0], 1 - share.share, halved),
                f"{standard[1]}; batch −{_percent(share.share)} ({share.source})",
            )
        rows = [row for row in self.rows if row.channel == channel and _holds(row, at)]
        for row in sorted(rows, key=lambda row: row.start or date.min):
            keys, source = found or ({}, "")
            found = {**keys, **row.prices}, f"{source}; {row.source}" if source else row.source
        return found

    def _from_book(self, channel: str, at: datetime) -> tuple[Keys, str] | None:
        if self.entry is None or (self.launched and at.date() < self.launched):
            return None
        if self.standard_only and channel != "realtime":
            return None
        sold_as_batch = channel == "batch" and self.entry.id.endswith(":batch")
        keys = price_keys(self.entry, at, "realtime" if sold_as_batch else channel)
        if keys is None:
            return None
        source = f"{self.book_version} {self.entry.id}"
        for row in self.facts.cache:
            if row.vendor == self.offer.vendor and row.start <= at.date() and _lacks(keys, row.price, row.of):
                keys[row.price] = scaled(keys[row.of], row.times)
                source += f"; {row.price} = {row.times} × {row.of} ({row.source})"
        return keys, source

    def _batch_shares(self) -> list[BatchShare]:
        if self.offer.access != "api":
            return []
        return [row for row in self.facts.batch if row.vendor == self.offer.vendor]


def _lacks(keys: Mapping[str, BandPrice], price: str, base: str) -> bool:
    """Whether a model that sells caching has no price of its own for this kind of write."""
    return price not in keys and base in keys and "cache_write_mtok" in keys


def _holds(row: ListedPrice | BatchShare, at: datetime) -> bool:
    return (row.start is None or row.start <= at.date()) and (row.until is None or at.date() < row.until)


def _times(keys: Mapping[str, BandPrice], factor: Decimal, names: Sequence[str]) -> Keys:
    """Token prices of these names times a factor; searches and requests are not discounted."""
    return {
        name: scaled(price, factor) if name in names and name.endswith("_mtok") else price
        for name, price in keys.items()
    }


def _percent(part: Decimal) -> str:
    return f"{(part * 100).normalize():f}%"
