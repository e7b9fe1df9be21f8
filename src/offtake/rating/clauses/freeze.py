"""Freeze: list prices as they were at signing hold for the whole term.

Clause: `prices.freeze`, `prices.new_meters`. Source: S2 "Ensure your pricing locks them in"; FOCUS has no such term.

Why it matters: list prices move both ways. The freeze is decided meter by meter; a model launched later freezes at
its first locked price, and a meter that did not exist at signing follows `new_meters`.

Example: signed at $5.00/M. List rises to $6.00/M: the buyer still pays $5.00/M before discount. List falls to
$4.00/M: the freeze alone gives $5.00/M, and `price_drops` is what lets the buyer follow.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from offtake.catalog.list_price import PriceCell
from offtake.contract.schema.terms import Terms
from offtake.rating.clauses.list_price import price_in
from offtake.rating.draft import Book, Draft, per_million
from offtake.usage.meters import Meter
from offtake.values.errors import ContractError
from offtake.values.money import ZERO


def reference_instant(terms: Terms, book: Book) -> datetime:
    """When the contract took its list prices: the freeze, or the start of the term."""
    freeze = terms.prices.freeze
    return book.contract.instant(freeze.at if freeze else terms.term.from_)


def first_price(cells: tuple[PriceCell, ...], meter: Meter, context_tokens: int, at: datetime) -> Decimal | None:
    """The price at `at`, or the first later one for what was launched after it."""
    price = price_in(cells, meter, context_tokens, at)
    if price is not None:
        return price
    later = [cell for cell in cells if cell.start and cell.start > at and meter.name in cell.prices]
    return min(later, key=_start).prices[meter.name].at(context_tokens) if later else None


def frozen_price(draft: Draft) -> Decimal | None:
    """The list price at the reference instant, at the same time of day (some list prices change by the hour)."""
    question = draft.question
    reference = reference_instant(draft.terms, draft.book)
    at = reference.replace(hour=question.at.hour, minute=question.at.minute, second=question.at.second)
    at = at if any(cell.daily for cell in draft.cells) else reference
    return first_price(draft.cells, question.meter, question.context_tokens, at)


def is_new_meter(draft: Draft) -> bool:
    """Whether the model was priced at signing and this meter was not."""
    reference = reference_instant(draft.terms, draft.book)
    held = [cell for cell in draft.cells if cell.holds(reference)]
    return bool(held) and all(draft.question.meter.name not in cell.prices for cell in held)


def apply(draft: Draft) -> None:
    """Put the frozen price in the place of today's list price."""
    if draft.terms.prices.freeze is None:
        return
    if is_new_meter(draft):
        _new_meter(draft)
        return
    frozen = frozen_price(draft)
    if frozen is not None and frozen != draft.price:
        draft.note("prices.freeze", f"frozen at {per_million(frozen, draft.question.meter)}")
        draft.price = draft.undropped = frozen


def _new_meter(draft: Draft) -> None:
    rule = draft.terms.prices.new_meters
    meter = draft.question.meter.name
    if rule == "list":
        draft.note("prices.new_meters", f"{meter} did not exist at signing: list price")
    elif rule == "free":
        draft.note("prices.new_meters", f"{meter} did not exist at signing: free")
        draft.price = draft.undropped = ZERO
    else:
        raise ContractError(
            "R402",
            f"{meter} of {draft.question.model.id} did not exist at signing and `prices.new_meters` does not price it",
            where=draft.book.contract.place("prices.new_meters"),
            hint="write new_meters: list, or new_meters: free",
        )


def _start(cell: PriceCell) -> datetime:
    assert cell.start is not None
    return cell.start
