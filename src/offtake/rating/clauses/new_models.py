"""New models: what a model launched after signing costs.

Clause: `prices.new_models`. Source: S2 "no surprise surcharges for Claude 4, etc., if it's within your contract scope".

Why it matters: a contract that names today's models is silent on next year's flagship. A discount that names the new
model by its full name wins over this clause; a pattern such as `claude-*` does not.

Example: `new_models: {share: 15%}` and a model launched in the term at $4.00/M: 4.00 × 0.85 = $3.40/M. With
`successors: same_unit_price`, claude-opus-5 costs what claude-opus-4-7 costs under the contract: $4.25/M.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from offtake.catalog.list_price import ModelFacts
from offtake.rating.clauses.freeze import reference_instant
from offtake.rating.draft import Draft, Question, per_million


def is_new(draft: Draft) -> bool:
    """Whether the catalogue dates the model's launch after the contract's reference instant."""
    launched = draft.question.model.launched
    return launched is not None and launched > reference_instant(draft.terms, draft.book)


def apply(draft: Draft, price_of: Callable[[Question, Draft], Draft]) -> bool:
    """Price a new model; False where the model is not new or the contract has no such clause.

    `price_of` gives the negotiated draft of another model: what a successor costs under `same_unit_price`.
    """
    clause = draft.terms.prices.new_models
    if clause is None or not is_new(draft):
        return False
    draft.clause = "prices.new_models"
    before = followed(draft)
    if before is not None:
        draft.price = draft.undropped = price_of(replace(draft.question, model=before), draft).price
        words = f"successor of {before.id}, at its price"
    else:
        draft.scale(1 - clause.share)
        words = f"launched after signing, {clause.share:.2%} off"
    draft.note(draft.clause, f"{words}: {per_million(draft.price, draft.question.meter)}")
    return True


def followed(draft: Draft) -> ModelFacts | None:
    """The model whose price this one takes over: its predecessor, where `successors: same_unit_price` says so."""
    clause = draft.terms.prices.new_models
    if clause is None or clause.successors != "same_unit_price" or not is_new(draft):
        return None
    return predecessor(draft)


def predecessor(draft: Draft) -> ModelFacts | None:
    """The latest model of the same family that was there at signing; None for the first of a family."""
    model, reference = draft.question.model, reference_instant(draft.terms, draft.book)
    older = [
        each
        for each in draft.book.catalog.models(model.vendor)
        if each.family == model.family and each.id != model.id and (each.launched is None or each.launched <= reference)
    ]
    return max(older, key=lambda each: (each.launched is not None, each.launched or reference, each.id), default=None)
