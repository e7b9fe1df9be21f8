"""Which list prices a lane is made of, when they change, and what decides the contract's price at an instant.

They are the base of the contract's own price, what anyone pays in the same channel and region, and, under
`new_models.successors`, those of the model whose price is taken over. Cached by `compiled.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from offtake.catalog.list_price import ModelFacts, PriceCell
from offtake.contract.schema.terms import Terms
from offtake.rating.clauses import list_price, new_models, price_drops
from offtake.rating.draft import Book, Draft, Question
from offtake.rating.facts import PriceDropOptIn
from offtake.usage.meters import BY_NAME
from offtake.values.errors import CatalogError
from offtake.values.money import ZERO
from offtake.values.periods import Interval

Cells = tuple[PriceCell, ...]
State = tuple[object, ...]


@dataclass(slots=True)
class Listing:
    """The list prices of one model as one text of the contract reads them. `draft.cells` are the base.

    `thresholds` are the contexts above which a price may change, under this or any other text of the contract, so that
    a band means the same on both sides of an amendment.
    """

    draft: Draft
    public: Cells
    followed: Cells
    thresholds: tuple[int, ...]

    def state(self, at: datetime) -> State:
        """What decides the price at an instant, but for off-peak hours, as a value: equal states price alike."""
        draft, contract = self.draft, self.draft.book.contract
        prices = draft.terms.prices
        seen = 0
        if prices.price_drops:
            counted = price_drops.seen_from(at, draft)
            seen = sum(cell.start is None or cell.start <= counted for cell in draft.cells)
        return (
            contract.version_number(at),
            tuple(_holding(cells, at) for cells in (draft.cells, self.public, self.followed)),
            _hours(draft.cells, at),
            seen,
            sum(isinstance(fact, PriceDropOptIn) and fact.at <= at for fact in draft.book.facts),
            sum(contract.instant(step.from_) <= at for step in prices.steps),
        )

    def turns(self, phase: Interval) -> Iterable[datetime]:
        """The instants inside a phase at which the state may change."""
        prices, contract = self.draft.terms.prices, self.draft.book.contract
        edges = {fact.at for fact in self.draft.book.facts if isinstance(fact, PriceDropOptIn)}
        edges |= {contract.instant(step.from_) for step in prices.steps}
        lag = prices.price_drops.lag if prices.price_drops else None
        cells = (*self.draft.cells, *self.public, *self.followed)
        for cell in cells:
            edges |= {edge for edge in (cell.start, cell.end) if edge}
            if lag and cell.start:
                edges.add(lag.after(cell.start.astimezone(contract.zone)).astimezone(UTC))
        edges |= set(_daily(phase, _clock_edges(cells)))
        return (edge for edge in edges if phase.start < edge < phase.end)


def listing(book: Book, terms: Terms, model: ModelFacts, channel: str, access: str, region: str) -> Listing:
    """The list prices of a model under one text. CatalogError where the channel, access form or region is unknown."""
    start = book.contract.span.start
    question = Question(model, BY_NAME["input_tokens"], channel, access, region, 0, start, False, False, 0)
    draft = Draft(question, terms, book, (), ZERO, ZERO, ZERO)
    draft.cells = _base(draft, model)
    public = book.catalog.cells(model.id, model.vendor, channel, access, region)
    return Listing(draft, public, _followed(draft), _thresholds(draft, public))


def _thresholds(draft: Draft, public: Cells) -> tuple[int, ...]:
    cells = list(public)
    for version in draft.book.contract.versions:
        other = replace(draft, terms=version.terms)
        with suppress(CatalogError):  # told when a price is asked for under that text
            cells += _base(other, draft.question.model)
        cells += _followed(other)
    return tuple(sorted({edge for cell in cells for price in cell.prices.values() for edge, _ in price.above}))


def _base(draft: Draft, model: ModelFacts) -> Cells:
    asked, terms = draft.question, draft.terms
    base, region = list_price.base_channel(terms, asked.channel), list_price.region_of(terms, asked.region)
    return draft.book.catalog.cells(model.id, model.vendor, base, asked.access, region)


def _followed(draft: Draft) -> Cells:
    followed = new_models.followed(draft)
    with suppress(CatalogError):  # not sold so: whether that matters is told when a price is asked for
        return _base(draft, followed) if followed else ()
    return ()


def _holding(cells: Cells, at: datetime) -> int:
    return next((index for index, cell in enumerate(cells) if cell.holds(at)), -1)


def _hours(cells: Cells, at: datetime) -> int:
    """Between which daily prices of any date an hour lies: a price that was frozen is that of the same hour."""
    edges = _clock_edges(cells)
    return sum(edge <= at.time() for edge in edges) % len(edges) if edges else 0


def _clock_edges(cells: Iterable[PriceCell]) -> set[time]:
    return {edge for cell in cells if cell.daily for edge in cell.daily}


def _daily(phase: Interval, times: set[time]) -> Iterable[datetime]:
    day = phase.start.date()
    while times and day <= phase.end.date():
        yield from (datetime.combine(day, moment, UTC) for moment in times)
        day += timedelta(days=1)
