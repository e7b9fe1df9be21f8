"""Combination: how token tiers, off-peak, non-production and batch shares act together.

Clause: `prices.combine`. Source: design of this project; genai-prices #115 asks for stacking rules.

Why it matters: 50% for batch and 20% off-peak can mean 60%, 70% or 50% off. The contract says it once. Members of an
`exclusive` group never add up: only the larger applies.

Example: 20% and 5%: multiply 1 − 0.80 × 0.95 = 24.00%; add 25%; best_of 20%. On $4.00/M: 3.04, 3.00, 3.20.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.patterns import match
from offtake.contract.schema.prices import Combine
from offtake.rating.clauses import channel
from offtake.rating.draft import Draft, per_million
from offtake.values.errors import ContractError


def shares(draft: Draft) -> dict[str, Decimal]:
    """The shares that hold under these circumstances, by name, in the order of the file's schema."""
    prices, question = draft.terms.prices, draft.question
    found: dict[str, Decimal] = {}
    tiers = prices.tiers if prices.tiers and match(prices.tiers.models, question.model.id) else None
    if tiers and tiers.kind == "graduated" and tiers.measure.amount == "tokens" and tiers.steps[question.tier].share:
        found["tiers"] = tiers.steps[question.tier].share
    if prices.off_peak and question.off_peak:
        found["off_peak"] = prices.off_peak.share
    if prices.non_production and question.non_production:
        found["non_production"] = prices.non_production.share
    if channel_share := channel.share(draft):
        found[question.channel] = channel_share
    return found


def apply(draft: Draft) -> None:
    """Take the combined share off. ContractError where two shares meet and nothing says how they combine."""
    found = shares(draft)
    clause = draft.terms.prices.combine
    if not found:
        return
    if len(found) > 1 and clause is None:
        raise ContractError(
            "R405",
            f"{' and '.join(found)} hold at once, and the contract does not say how they combine",
            where=draft.book.contract.place(f"prices.{next(iter(found))}"),
            hint="add combine: {how: multiply} (or add, or best_of) under prices",
        )
    kept = _without_excluded(found, clause)
    factor = _factor(list(kept.values()), clause.how if clause else "multiply")
    draft.scale(factor)
    for name in found:
        note = f"{found[name]:.2%} off" if name in kept else "excluded: the larger of its group applies"
        draft.note(_path(draft, name), note)
    if len(kept) > 1 and clause:
        draft.note("prices.combine", f"{clause.how}: {1 - factor:.2%} off in all")
    draft.note(_path(draft, next(iter(kept))), f"gives {per_million(draft.price, draft.question.meter)}")


def _without_excluded(found: dict[str, Decimal], clause: Combine | None) -> dict[str, Decimal]:
    kept = dict(found)
    for exclusive in clause.exclusive if clause else []:
        present = [name for name in exclusive if name in kept]
        largest = max(present, key=lambda name: kept[name], default="")
        for name in present:
            if name != largest:
                del kept[name]
    return kept


def _factor(kept: list[Decimal], how: str) -> Decimal:
    if how == "best_of":
        return 1 - max(kept)
    if how == "add":
        return max(1 - sum(kept, Decimal(0)), Decimal(0))
    factor = Decimal(1)
    for share in kept:
        factor *= 1 - share
    return factor


def _path(draft: Draft, name: str) -> str:
    return f"prices.tiers.steps[{draft.question.tier}]" if name == "tiers" else f"prices.{name}"
