"""Price drops: when list falls below the frozen price, the buyer follows it down.

Clause: `prices.price_drops`.
Source: S2 "Price protection"; notes on real price changes (gpt-5.6-luna fell by 80% in a day).

Why it matters: a freeze without it turns into an overpayment. `basis: list` gives the lower of the contracted price
and the new list price; `discounted_list` keeps the whole implied reduction (1 − contracted ÷ list at freeze) on the
new list price. `lag` delays a drop; `ratchet` keeps it when list rises again.

Example: list 5 → 4 under 15% off: `list` gives min(4.25, 4) = 4.00; `discounted_list` 4 × 0.85 = 3.40; no clause 4.25.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from offtake.contract.patterns import match
from offtake.rating.clauses.freeze import first_price, frozen_price, is_new_meter, reference_instant
from offtake.rating.clauses.list_price import price_in
from offtake.rating.clauses.negotiated import fixed_prices
from offtake.rating.draft import Draft, per_million
from offtake.rating.facts import PriceDropOptIn
from offtake.values.money import divide


def apply(draft: Draft) -> None:
    """Lower the price to what the clause gives, where that is less."""
    clause = draft.terms.prices.price_drops
    if clause is None or not _is_held(draft) or is_new_meter(draft) or not _opted_in(draft):
        return
    listed = _dropped_list(draft)
    frozen = frozen_price(draft)
    if listed is None or not frozen:
        return
    candidate = listed if clause.basis == "list" else divide(listed * draft.price, frozen)
    if listed < frozen and candidate < draft.price:
        draft.price = candidate
        draft.note(
            "prices.price_drops", f"list fell to {per_million(listed, draft.question.meter)}: the lower price applies"
        )


def seen_from(at: datetime, draft: Draft) -> datetime:
    """The latest list price that counts at `at`: that of `lag` before, and never one from before the reference."""
    clause = draft.terms.prices.price_drops
    assert clause is not None
    reference = reference_instant(draft.terms, draft.book)
    if clause.lag is None:
        return at
    zone = draft.book.contract.zone
    low, high = reference, at
    starts = [cell.start for cell in draft.cells if cell.start and low < cell.start <= high]
    counted = [start for start in starts if clause.lag.after(start.astimezone(zone)) <= at]
    waiting = [start for start in starts if start not in counted]
    return at if not waiting else max(reference, *counted) if counted else reference


def _is_held(draft: Draft) -> bool:
    """Whether the price is frozen or fixed: any other one has followed the list already, and must not do so twice."""
    prices = draft.terms.prices
    return prices.freeze is not None or fixed_prices(prices, draft.question.model.id) is not None


def _dropped_list(draft: Draft) -> Decimal | None:
    clause, question = draft.terms.prices.price_drops, draft.question
    assert clause is not None
    last = seen_from(question.at, draft)
    at = last.replace(hour=question.at.hour, minute=question.at.minute) if any(c.daily for c in draft.cells) else last
    current = first_price(draft.cells, question.meter, question.context_tokens, at)
    if not clause.ratchet:
        return current
    reference = reference_instant(draft.terms, draft.book)
    since = [cell.start for cell in draft.cells if cell.start and reference < cell.start <= last]
    seen = [price_in(draft.cells, question.meter, question.context_tokens, start) for start in since]
    return min((price for price in [current, *seen] if price is not None), default=None)


def _opted_in(draft: Draft) -> bool:
    clause, question = draft.terms.prices.price_drops, draft.question
    assert clause is not None
    if clause.trigger == "automatic":
        return True
    return any(
        isinstance(fact, PriceDropOptIn) and fact.at <= question.at and match(fact.models, question.model.id)
        for fact in draft.book.facts
    )
