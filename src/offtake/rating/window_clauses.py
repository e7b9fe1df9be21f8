"""The window clauses of one contract, in the order that `windows.py` states."""

from __future__ import annotations

from collections.abc import Callable

from offtake.contract.schema.terms import Terms
from offtake.rating.compiled import CompiledTerms
from offtake.rating.windows import WindowClause
from offtake.values.units import MoneyRate

FEES: tuple[tuple[str, Callable[[Terms], MoneyRate | None]], ...] = (
    ("fees.platform", lambda terms: terms.fees.platform if terms.fees else None),
    ("fees.license", lambda terms: terms.fees.license.amount if terms.fees and terms.fees.license else None),
    ("fees.block.amount", lambda terms: terms.fees.block.amount if terms.fees and terms.fees.block else None),
    (
        "capacity.reserved",
        lambda terms: terms.capacity.reserved.price if terms.capacity and terms.capacity.reserved else None,
    ),
)


def window_clauses(terms: CompiledTerms) -> tuple[WindowClause, ...]:
    """Only what some version of the contract says; grants close last, so that the invoice is made after them."""
    from offtake.rating.clauses.block import BlockClause
    from offtake.rating.clauses.commitment import CommitmentClause
    from offtake.rating.clauses.fees import FeeClause
    from offtake.rating.clauses.grants import GrantsClause
    from offtake.rating.clauses.seats import SeatsClause
    from offtake.rating.clauses.support import SupportClause
    from offtake.rating.clauses.tiers import TiersClause
    from offtake.rating.clauses.uncounted_credits import UncountedCreditsClause

    texts = [version.terms for version in terms.contract.versions]
    uncounted = UncountedCreditsClause(terms)
    found: list[WindowClause] = [uncounted] if uncounted.acts_on_usage else []
    if any(text.fees and text.fees.block for text in texts):
        found.append(BlockClause(terms))
    ids: dict[str, str] = {}
    for text in texts:
        for index, commitment in enumerate(text.commitments):
            ids.setdefault(commitment.id, f"commitments[{index}]")
    found += [CommitmentClause(terms, id, path) for id, path in ids.items()]
    if any(text.prices.tiers for text in texts):
        found.append(TiersClause(terms))
    found += [FeeClause(terms, path, rate) for path, rate in FEES if any(rate(text) for text in texts)]
    if any(text.fees and text.fees.seats for text in texts):
        found.append(SeatsClause(terms))
    if any(text.fees and text.fees.support for text in texts):
        found.append(SupportClause(terms))
    return (*found, GrantsClause(terms))
