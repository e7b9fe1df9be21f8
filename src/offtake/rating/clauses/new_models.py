"""New models: what a model launched after signing costs.

Clause: `prices.new_models`. Source: S2 "no surprise surcharges for Claude 4, etc., if it's within your contract scope".

Why it matters: a contract that names today's models is silent on next year's flagship. A discount that names the new
model by its full name wins over this clause; a pattern such as `claude-*` does not.

Example: `new_models: {share: 15%}` and a model launched in the term at $4.00/M: 4.00 × 0.85 = $3.40/M. With
`successors: same_unit_price` a successor costs what its predecessor cost, if that is less.
"""

from __future__ import annotations

from offtake.rating.clauses.freeze import reference_instant
from offtake.rating.draft import Draft, per_million


def is_new(draft: Draft) -> bool:
    """Whether the catalogue dates the model's launch after the contract's reference instant."""
    launched = draft.question.model.launched
    return launched is not None and launched > reference_instant(draft.terms, draft.book)


def apply(draft: Draft) -> bool:
    """Price a new model; False where the model is not new or the contract has no such clause."""
    clause = draft.terms.prices.new_models
    if clause is None or not is_new(draft):
        return False
    draft.scale(1 - clause.share)
    draft.clause = "prices.new_models"
    draft.note(
        draft.clause,
        f"launched after signing, {clause.share:.2%} off: {per_million(draft.price, draft.question.meter)}",
    )
    return True
