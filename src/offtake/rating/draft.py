"""A unit price on its way through the clauses, and what a clause may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from offtake.catalog.list_price import ListPrices, ModelFacts, PriceCell
from offtake.contract.contract import Contract
from offtake.contract.schema.terms import Terms
from offtake.rating.facts import Fact
from offtake.usage.meters import Meter
from offtake.values.money import ROUNDING, from_pico, to_pico

Steps = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Book:
    """All that prices are made of. `steps_met` says which conditional `prices.steps` took effect, by index."""

    contract: Contract
    catalog: ListPrices
    facts: tuple[Fact, ...] = ()
    steps_met: Mapping[int, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """Which unit price is asked for: one meter of one model, at an instant, under these circumstances.

    `context_tokens` stands for the context band; `tier` is the index of the token tier that the buyer is in.
    """

    model: ModelFacts
    meter: Meter
    channel: str
    access: str
    region: str
    context_tokens: int
    at: datetime
    off_peak: bool
    non_production: bool
    tier: int


@dataclass(slots=True)
class Draft:
    """Dollars a piece so far. `undropped` is the price as if list had never fallen (what `at: frozen` counts)."""

    question: Question
    terms: Terms
    book: Book
    cells: tuple[PriceCell, ...]
    public: Decimal
    price: Decimal
    undropped: Decimal
    clause: str = "prices.basis"
    steps: list[tuple[str, str]] = field(default_factory=list)

    def scale(self, factor: Decimal) -> None:
        """Multiply the price and the undropped price, to 60 digits: what a price drop divided may have no end."""
        self.price = ROUNDING.multiply(self.price, factor)
        self.undropped = ROUNDING.multiply(self.undropped, factor)

    def note(self, clause: str, sentence: str) -> None:
        """Remember which clause did what; the last one that prices names the line."""
        self.steps.append((clause, sentence))


Clause = Callable[[Draft], None]


def per_million(price: Decimal, meter: Meter) -> str:
    """A price as people read it, on the 1e-12 grid: dollars per million tokens or per thousand pieces."""
    unit = "M" if meter.per == 1_000_000 else "k"
    shown = from_pico(to_pico(price) * meter.per).normalize()
    return f"${shown:f}/{unit}"
