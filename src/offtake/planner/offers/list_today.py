"""List prices as they are today, on every date: what a plan of months to come is priced with.

A plan asks what a contract would cost with today's prices; how they may move is a matter of paths, as factors on these.
So the catalogue's cells that hold at one instant hold always here, and a model that is on sale was always on sale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from offtake.catalog.list_price import ListPrices, ModelFacts, PriceCell


@dataclass(frozen=True, slots=True)
class ListToday:
    """`ListPrices` of one instant, without dates."""

    catalog: ListPrices
    at: datetime

    @property
    def version(self) -> str:
        """The catalogue's, and the day."""
        return f"{self.catalog.version} · as on {self.at:%Y-%m-%d}"

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        """The model of this name, as if it had always been sold."""
        return _undated(self.catalog.resolve(name, vendor, access))

    def models(self, vendor: str) -> Sequence[ModelFacts]:
        """Every model that a vendor sells."""
        return [_undated(each) for each in self.catalog.models(vendor)]

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        """The prices of the instant, by hour of the day where they differ by it."""
        found = self.catalog.cells(model, vendor, channel, access, region)
        return tuple(replace(cell, start=None, end=None) for cell in found if self._holds(cell))

    def _holds(self, cell: PriceCell) -> bool:
        return (cell.start is None or cell.start <= self.at) and (cell.end is None or self.at < cell.end)


def _undated(facts: ModelFacts) -> ModelFacts:
    return replace(facts, launched=None, deprecated=None)
