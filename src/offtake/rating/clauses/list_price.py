"""List price: the public price at the instant of use, from the locked catalogue.

Clause: `prices.basis`, `prices.region_uplift`. Source: S1 "The per-token rate card"; S2 "Pricing Structures".

Why it matters: everything else is relative to it. Access form, region, channel and the context of the one request
choose the price; the threshold is strict: a request of exactly 200,000 tokens pays the base price.

Example: gpt-5.4 input costs $2.50/M up to 272,000 tokens of context and $5.00/M above: a request of 300,000 input
tokens costs 300,000 × $5.00/M = $1.50, all of it at the higher price.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from offtake.catalog.list_price import PriceCell
from offtake.contract.schema.prices import ChannelPrice
from offtake.contract.schema.terms import Terms
from offtake.rating.draft import Book, Draft, Question, per_million
from offtake.usage.meters import Meter
from offtake.values.errors import UnpricedError


def price_in(cells: tuple[PriceCell, ...], meter: Meter, context_tokens: int, at: datetime) -> Decimal | None:
    """Dollars a piece at an instant, or None where no cell prices the meter then."""
    for cell in cells:
        if cell.holds(at) and meter.name in cell.prices:
            return cell.prices[meter.name].at(context_tokens)
    return None


def base_channel(terms: Terms, channel: str) -> str:
    """The channel whose list price is the base: realtime where the contract derives the channel's price by a share."""
    derived = channel != "realtime" and isinstance(getattr(terms.prices, channel), ChannelPrice)
    return "realtime" if derived else channel


def region_of(terms: Terms, region: str) -> str:
    """The region whose list price counts: `global` where the uplift is waived."""
    return "global" if terms.prices.region_uplift == "waived" else region


def start(question: Question, terms: Terms, book: Book) -> Draft:
    """A draft at the list price. UnpricedError where the catalogue has none: unpriced is not free."""
    model, meter = question.model, question.meter
    region = region_of(terms, question.region)
    cells = book.catalog.cells(model.id, model.vendor, base_channel(terms, question.channel), question.access, region)
    base = price_in(cells, meter, question.context_tokens, question.at)
    if base is None:
        raise UnpricedError(
            "R401",
            f"{model.id} has no list price for {meter.name} in channel {question.channel} at {question.at:%Y-%m-%d}",
            hint=f"add `prices.{question.channel}` or a fixed price to the contract, or the price to --catalog FILE",
        )
    draft = Draft(question, terms, book, cells, public=base, price=base, undropped=base)
    if base_channel(terms, question.channel) != question.channel or region != question.region:
        draft.public = _public(question, book, base)
    draft.note("prices.basis", f"list {per_million(base, meter)}")
    return draft


def _public(question: Question, book: Book, base: Decimal) -> Decimal:
    """What anyone pays for this channel and region, where the catalogue knows; else the base price."""
    model = question.model
    cells = book.catalog.cells(model.id, model.vendor, question.channel, question.access, question.region)
    price = price_in(cells, question.meter, question.context_tokens, question.at)
    return base if price is None else price
