"""Prepaid: the commitment, or a part of it, is paid before use, often for less.

Clause: `commitments[].prepaid`.
Source: S2 "up-front prepayment or annual commitments in exchange for steeper discounts";
FOCUS spend agreements B1 and B2.

Why it matters: `as: cash` pays less for the same drawdown; `as: rate` lowers each price instead; a bonus is a further
lot at cost basis 0. The purchase is billed when it is made and costs nothing then; usage that it covers is billed 0
and carries the cost: Σ effective = Σ billed over the term.

Example: 1,200,000 USD a year, prepaid 100% at 5% `as: cash`: 1,140,000.00 buys 1,200,000.00 of drawdown; usage of
100,000 then bills 0 and costs 95,000.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.patterns import match_any
from offtake.contract.schema.commitments import Commitment, Prepaid
from offtake.rating.draft import Draft, per_million


def cash(clause: Prepaid, drawdown: Decimal) -> Decimal:
    """What is paid for so much drawdown."""
    return drawdown * cost_basis(clause)


def cost_basis(clause: Prepaid) -> Decimal:
    """What a dollar of drawdown costs."""
    return 1 - clause.discount if clause.discount is not None and clause.as_ == "cash" else Decimal(1)


def rate_discount(draft: Draft) -> None:
    """`as: rate`: the discount comes off the prices of the models in the commitment's pool."""
    for index, commitment in enumerate(draft.terms.commitments):
        prepaid = commitment.prepaid
        if (
            prepaid
            and prepaid.as_ == "rate"
            and prepaid.discount
            and in_pool(commitment, draft.question.model.id, draft.question.access)
        ):
            draft.scale(1 - prepaid.discount)
            path = f"commitments[{index}].prepaid.discount"
            draft.note(
                path, f"{prepaid.discount:.2%} off for prepayment: {per_million(draft.price, draft.question.meter)}"
            )


def in_pool(commitment: Commitment, model: str, access: str, account: str | None = None) -> bool:
    """Whether usage of a model through an access form, by an affiliate's account, counts toward the commitment."""
    pool = commitment.pool
    if pool == "all_models":
        return True
    return (
        (pool.models is None or match_any(pool.models, model))
        and (pool.access is None or access in pool.access)
        and (pool.affiliates is None or account is None or match_any(pool.affiliates, account))
    )
