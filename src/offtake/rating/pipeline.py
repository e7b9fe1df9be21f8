"""The order of the clauses, stated once, with the reason for each place.

Per token: list → freeze → negotiated → prepaid at a rate → steps → price drop → combine → surcharge → cache multiple
→ quantise. Per window: see `windows.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from offtake.contract.schema.terms import Terms
from offtake.rating.clauses import (
    cache,
    channel,
    combine,
    freeze,
    list_price,
    negotiated,
    prepaid,
    price_drops,
    steps,
)
from offtake.rating.draft import Book, Clause, Draft, Question, Steps, per_million
from offtake.usage.meters import BY_NAME
from offtake.values.errors import UnpricedError
from offtake.values.money import from_pico, to_pico

TOKEN_CLAUSES: tuple[Clause, ...] = (
    freeze.apply,  # first: a discount is off the list price that the contract froze
    negotiated.apply,  # a fixed price replaces what came before
    prepaid.rate_discount,  # a discount for paying early comes off the negotiated price
    steps.apply,  # relative to the price before it
    price_drops.apply,  # after every negotiated reduction, because it compares with their result
    combine.apply,  # circumstances of the one request: tier, hour, workload, channel
    channel.surcharge,  # a dearer channel raises the combined price
)


@dataclass(frozen=True)
class UnitPrice:
    """One quantised contract price, in picodollars a piece, with its derivation.

    `public` is today's list price of the same thing; `undropped` what `measure: {at: frozen}` counts.
    """

    meter: str
    public: int
    contracted: int
    undropped: int
    clause: str
    steps: Steps

    @cached_property
    def dollars(self) -> Decimal:
        """Dollars a piece."""
        return from_pico(self.contracted)

    @cached_property
    def shown(self) -> str:
        """The price as people read it: `$4.25/M`."""
        return per_million(self.dollars, BY_NAME[self.meter])

    @cached_property
    def derivation(self) -> str:
        """What each clause did, in one sentence."""
        return "; ".join(sentence for _, sentence in self.steps)


def unit_price(question: Question, terms: Terms, book: Book) -> UnitPrice:
    """The contract price of one meter. UnpricedError where no term gives one; ContractError at a clash."""
    draft = _drafted(question, terms, book)
    times = cache.multiple(terms, question.meter)
    if times is not None:
        cache.apply(draft, times, question.meter, _public_of(question, terms, book, draft))
    return UnitPrice(
        question.meter.name,
        to_pico(draft.public),
        to_pico(draft.price),
        to_pico(draft.undropped),
        draft.clause,
        tuple(draft.steps),
    )


def _drafted(question: Question, terms: Terms, book: Book) -> Draft:
    if cache.multiple(terms, question.meter) is not None:
        question = replace(question, meter=BY_NAME[question.meter.multiple_of])
    draft = list_price.start(question, terms, book)
    for clause in TOKEN_CLAUSES:
        clause(draft)
    return draft


def _public_of(question: Question, terms: Terms, book: Book, draft: Draft) -> Decimal:
    try:
        return list_price.start(question, terms, book).public
    except UnpricedError:  # the vendor lists no price for the cache meter: what the input costs
        return draft.public
