"""List prices that follow a path: the catalogue, with a factor on each vendor's prices from month to month.

Rating prices from a catalogue, so a possible future of list prices is one too. Changes that the catalogue already has
a date for stay; the path moves what holds beside them. The first month keeps today's prices: they are what is signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby

from offtake.catalog.list_price import BandPrice, ListPrices, ModelFacts, PriceCell

ONE = Decimal(1)
EVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PricePath:
    """`ListPrices` under factors: `factors[vendor][month]` holds from `starts[month]` on, the last for ever."""

    catalog: ListPrices
    starts: tuple[datetime, ...]
    factors: Mapping[str, Sequence[Decimal]]
    _cells: dict[tuple[str, str, str, str, str], tuple[PriceCell, ...]] = field(default_factory=dict, compare=False)

    @property
    def version(self) -> str:
        """What was priced with."""
        return f"{self.catalog.version} · a price path"

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        """The catalogue's own."""
        return self.catalog.resolve(name, vendor, access)

    def models(self, vendor: str) -> Sequence[ModelFacts]:
        """The catalogue's own."""
        return self.catalog.models(vendor)

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        """The catalogue's cells, cut where the path moves."""
        asked = (model, vendor, channel, access, region)
        if asked not in self._cells:
            self._cells[asked] = self._moved(*asked)
        return self._cells[asked]

    def _moved(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        cells = self.catalog.cells(model, vendor, channel, access, region)
        steps = self._steps(vendor)
        if not steps:
            return cells
        cut = [each for cell in cells for each in _cut(cell, steps)]
        return tuple(sorted(cut, key=lambda cell: cell.start or EVER))

    def until(self, month: int) -> tuple[object, ...]:
        """What has happened up to and with a month: paths that share it have the same prices till then."""
        return tuple((vendor, tuple(factors[: month + 1])) for vendor, factors in self.factors.items())

    def _steps(self, vendor: str) -> list[tuple[datetime | None, datetime | None, Decimal]]:
        """(from, until, factor) without gaps; none where nothing moves."""
        factors = self.factors.get(vendor, ())
        runs = [(factor, [start for _, start in group]) for factor, group in groupby(
            zip(factors, self.starts, strict=False), key=lambda each: each[0]
        )]  # fmt: skip
        edges: list[tuple[datetime | None, Decimal]] = [(starts[0], factor) for factor, starts in runs]
        if not edges or all(factor == ONE for _, factor in edges):
            return []
        edges.insert(0, (None, ONE))
        ends = [start for start, _ in edges[1:]] + [None]
        return [(start, end, factor) for (start, factor), end in zip(edges, ends, strict=True)]


def _cut(cell: PriceCell, steps: Sequence[tuple[datetime | None, datetime | None, Decimal]]) -> list[PriceCell]:
    found = []
    for begins, ends, factor in steps:
        start = max((each for each in (cell.start, begins) if each), default=None)
        end = min((each for each in (cell.end, ends) if each), default=None)
        if start is None or end is None or start < end:
            prices = {meter: _scaled(price, factor) for meter, price in cell.prices.items()}
            found.append(replace(cell, start=start, end=end, prices=prices))
    return found


def _scaled(price: BandPrice, factor: Decimal) -> BandPrice:
    return BandPrice(price.base * factor, tuple((start, higher * factor) for start, higher in price.above))
