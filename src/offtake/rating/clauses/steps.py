"""Steps: a further share off from a date, or at a volume.

Clause: `prices.steps`. Source: S2 "Year 1 at $X/1M tokens, dropping 15% in Year 2 as volume ramps up".

Why it matters: the saving of a multi-year deal stands here. A step is relative to the price before it, so shares
multiply; a condition is read once, at `from`, on contracted spend of the twelve months before.

Example: 20% off in year 1 and a step of 15% at year 2: 0.80 × 0.85 = 0.68 of list, 32% off (not 35%). On $5.00/M:
$4.00/M, then $3.40/M.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from offtake.contract.patterns import match
from offtake.rating.draft import Draft, per_million
from offtake.rating.facts import Spend
from offtake.values.errors import ContractError
from offtake.values.periods import Interval, add_months

if TYPE_CHECKING:
    from offtake.rating.compiled import CompiledTerms
    from offtake.rating.source import Source, Survey


def apply(draft: Draft) -> None:
    """Take every step that has begun and whose condition was met."""
    contract = draft.book.contract
    for index, step in enumerate(draft.terms.prices.steps):
        begun = contract.instant(step.from_) <= draft.question.at
        met = step.when is None or draft.book.steps_met.get(index, False)
        if begun and met and match(step.models, draft.question.model.id):
            draft.scale(1 - step.share)
            draft.clause = f"prices.steps[{index}]"
            draft.note(
                draft.clause, f"{step.share:.2%} off the price before: {per_million(draft.price, draft.question.meter)}"
            )


def conditions_met(terms: CompiledTerms, survey: Survey, source: Source) -> dict[int, bool]:
    """Which conditional steps took effect: contracted spend of the twelve months before, read once at `from`.

    A `spend` fact of that day decides; else the usage at hand does, where it reaches back far enough. ContractError
    where neither can.
    """
    from offtake.rating.spend import contracted_spend

    contract, met = terms.contract, dict(terms.book.steps_met)
    for index, step in enumerate(contract.versions[-1].terms.prices.steps):
        begins = contract.instant(step.from_)
        if step.when is None or survey.last is None or survey.last < begins:
            continue
        floor = step.when.spend_last_12_months.amount
        facts = [fact for fact in terms.book.facts if isinstance(fact, Spend) and fact.at == begins]
        if facts:
            met[index] = facts[-1].amount.amount >= floor
            continue
        start = max(contract.span.start, add_months(begins.astimezone(contract.zone), -12).astimezone(begins.tzinfo))
        if survey.first is None or survey.first > add_months(start, 1):
            raise ContractError(
                "R412",
                f"prices.steps[{index}] asks for contracted spend of the 12 months before {begins:%Y-%m-%d}",
                where=contract.place(f"prices.steps[{index}].when"),
                why="the usage at hand does not reach back that far",
                hint=f'or add the fact {{"kind": "spend", "at": "{begins:%Y-%m-%d}", "amount": "…"}}',
            )
        spend: Decimal = contracted_spend(terms, survey, source, Interval(start, begins), met)
        met[index] = spend >= floor
    return met
