"""List prices in memory: what the properties rate with. Prices are of the order of a dollar a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from offtake.catalog.list_price import BandPrice, ModelFacts, PriceCell
from offtake.values.errors import CatalogError

Price = tuple[Decimal, tuple[tuple[int, Decimal], ...]]
"""Dollars a token, and (threshold, dollars) for contexts strictly above a threshold."""


@dataclass(frozen=True)
class Listed:
    """The prices of one model and channel from an instant on, by meter."""

    start: datetime
    prices: Mapping[str, Price]


@dataclass
class PriceList:
    """A catalogue for the engine (`resolve`, `cells`), and a plain table for the oracle (`at`)."""

    book: Mapping[tuple[str, str], Sequence[Listed]]
    launched: Mapping[str, datetime] = field(default_factory=dict)
    uplift: Decimal = Decimal("0.1")
    version: str = "in memory"

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        """The model of that name."""
        if (name, "realtime") not in self.book:
            raise CatalogError("K301", f"no model {name}")
        return ModelFacts(name, vendor or "maker", launched=self.launched.get(name))

    def models(self, vendor: str) -> tuple[ModelFacts, ...]:
        """Every model."""
        return tuple(self.resolve(model, vendor) for model, channel in self.book if channel == "realtime")

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        """The dated prices of one offer; every region but `global` costs the uplift more."""
        listed = self.book.get((model, channel), ())
        factor = 1 if region == "global" else 1 + self.uplift
        ends = [each.start for each in listed[1:]] + [None]
        return tuple(
            PriceCell(
                each.start,
                end,
                None,
                {
                    meter: BandPrice(base * factor, tuple((edge, price * factor) for edge, price in above))
                    for meter, (base, above) in each.prices.items()
                },
                "in memory",
            )
            for each, end in zip(listed, ends, strict=True)
        )

    def at(self, model: str, channel: str, region: str, meter: str, context: int, at: datetime) -> Fraction | None:
        """Dollars a token at an instant, or None where nothing is listed: the oracle's way to ask."""
        held = [each for each in self.book.get((model, channel), ()) if each.start <= at]
        if not held or meter not in held[-1].prices:
            return None
        price, above = held[-1].prices[meter]
        for threshold, higher in above:
            if context > threshold:
                price = higher
        return Fraction(price) * (1 if region == "global" else 1 + Fraction(self.uplift))
