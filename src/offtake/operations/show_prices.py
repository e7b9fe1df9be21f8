"""List prices as the catalogue has them: every dated price of a model, or the models of a vendor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from offtake.catalog.list_price import ModelFacts, PriceCell
from offtake.store.catalogs import open_catalog
from offtake.usage.meters import ORDER
from offtake.usage.record import CHANNELS


@dataclass(frozen=True, slots=True)
class Listed:
    """One price a piece: of one meter in one channel, from `start` until `end`, for contexts above `over_tokens`."""

    model: str
    vendor: str
    channel: str
    meter: str
    start: datetime | None
    end: datetime | None
    daily: str
    over_tokens: int | None
    price: Decimal
    source: str


def models_of(vendor: str, catalogs: Sequence[Path] = ()) -> tuple[str, tuple[str, ...]]:
    """The catalogue's version, and the names of the models that a vendor sells (of all makers for "")."""
    catalog = open_catalog(catalogs)
    return catalog.version, tuple(sorted(model.id for model in catalog.models(vendor)))


def listed_prices(
    model: str, vendor: str, access: str, region: str, catalogs: Sequence[Path] = (), at: datetime | None = None
) -> tuple[str, tuple[Listed, ...]]:
    """The catalogue's version and a model's prices in every channel; of one instant where `at` is given.

    CatalogError for an unknown model, access form or region.
    """
    catalog = open_catalog(catalogs)
    facts = catalog.resolve(model, vendor, access)
    found = [
        listed
        for channel in CHANNELS
        for cell in catalog.cells(facts.id, facts.vendor, channel, access, region)
        if at is None or cell.holds(at)
        for listed in _of_cell(facts, channel, cell)
    ]
    return catalog.version, tuple(found)


def _of_cell(facts: ModelFacts, channel: str, cell: PriceCell) -> Iterator[Listed]:
    daily = "-".join(f"{clock:%H:%M}" for clock in cell.daily) if cell.daily else ""
    for meter in sorted(cell.prices, key=ORDER.__getitem__):
        band = cell.prices[meter]
        for over, price in ((None, band.base), *band.above):
            yield Listed(facts.id, facts.vendor, channel, meter, cell.start, cell.end, daily, over, price, cell.source)
