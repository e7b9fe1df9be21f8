"""Advice: the best policy of each workload, chosen on the first half of its traffic and judged on the second.

A saving that was measured on the traffic it was chosen on is a hope; what is said here was measured afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from offtake.planner.cache.policy import NONE, Policy
from offtake.planner.cache.study import Row
from offtake.planner.cache.tally import Cell, Cells, decimal, grouped, ratio, weight, whole
from offtake.values.shown import share

ONE = Decimal(1)
NOTHING_ASKED = "No policy that these rules offer was asked for: nothing is advised."


@dataclass(frozen=True, slots=True)
class Choice:
    """The best policy of one workload and model, with its ratio on its two halves; None for a half without traffic."""

    workload: str
    model: str
    requests: int
    policy: Policy
    fit_ratio: Decimal | None
    holdout_ratio: Decimal | None
    sentence: str

    @property
    def holdout_saving(self) -> Decimal | None:
        """The share of the input's cost that the second half saved; below zero where it cost more."""
        return None if self.holdout_ratio is None else ONE - self.holdout_ratio


@dataclass(frozen=True, slots=True)
class Mixture:
    """The ratio of the second halves of all workloads: each under its own best policy, and all under one for all."""

    by_workload: Decimal
    by_one: Decimal


@dataclass(frozen=True, slots=True)
class Advice:
    """The best single policy for all, the best for each workload, and what that mix gives on the second half."""

    sentence: str
    whole: Choice
    workloads: tuple[Choice, ...]
    mixture: Mixture | None


def advise(rows: Sequence[Row], models: Sequence[str]) -> Advice:
    """The advice that rows give. Only what the vendor offers is advised; at least one such row must be there."""
    offered = _choices(rows)
    if all(row.policy == NONE for row in offered):
        requests = whole(offered[0].cells.values()).requests
        nothing = Choice("", "", requests, NONE, None, None, NOTHING_ASKED)
        return Advice(NOTHING_ASKED, nothing, (), None)
    best, chosen = _choice([(row, _half(row, "late", False), _half(row, "late", True)) for row in offered])
    early = [grouped(_half(row, "late_here", False), _workload) for row in offered]
    late = [grouped(_half(row, "late_here", True), _workload) for row in offered]
    choices, mixed, same, tokens = [], Fraction(0), Fraction(0), 0
    for key in grouped(offered[0].cells, _workload):
        halves = [
            (row, first.get(key, {}), second.get(key, {}))
            for row, first, second in zip(offered, early, late, strict=True)
        ]
        index, choice = _choice(halves, key[0], models[key[1]])
        choices.append(choice)
        mixed += weight(halves[index][2], offered[index].rules, choice.policy.ttl)
        same += weight(halves[best][2], offered[best].rules, chosen.policy.ttl)
        tokens += whole(halves[0][2].values()).input
    mixture = Mixture(decimal(mixed / tokens), decimal(same / tokens)) if tokens and len(choices) > 1 else None
    return Advice(_sentence(chosen, choices, mixture) + _at_best(rows), chosen, tuple(choices), mixture)


def _choices(rows: Sequence[Row]) -> list[Row]:
    """What can be chosen of what the vendor offers. How long an automatic cache keeps is nobody's choice: the least
    counts.
    """
    left_out = {row.policy for row in _automatic(rows)[1:]}
    return [row for row in rows if row.is_offered and row.policy not in left_out]


def _automatic(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.is_offered and row.policy.kind == "auto"]


def _at_best(rows: Sequence[Row]) -> str:
    """What an automatic cache saves on the second half if it keeps longest."""
    automatic = _automatic(rows)
    best = automatic[-1].holdout_ratio() if len(automatic) > 1 else None
    return "" if best is None else f" Up to {share(ONE - best)} off if it keeps for {automatic[-1].policy.ttl}."


Halved = tuple[Row, Cells, Cells]
"""A policy with the first and the second half of some traffic under it."""


def _choice(halves: Sequence[Halved], workload: str = "", model: str = "") -> tuple[int, Choice]:
    """The best policy on the first half (on the second where the first is empty), and which one it is."""
    has_early = any(sums.input for sums in halves[0][1].values())
    costs = [weight(early if has_early else late, row.rules, row.policy.ttl) for row, early, late in halves]
    best = min(range(len(halves)), key=lambda index: costs[index])
    row, early, late = halves[best]
    fit, holdout = ratio(early, row.rules, row.policy.ttl), ratio(late, row.rules, row.policy.ttl)
    requests = sum(sums.requests for sums in (*early.values(), *late.values()))
    sentence = _words(row.policy, fit, holdout if has_early else None)
    return best, Choice(workload, model, requests, row.policy, fit, holdout if has_early else None, sentence)


def _workload(cell: Cell) -> tuple[str, int]:
    return cell.workload, cell.model


def _half(row: Row, name: str, late: bool) -> Cells:
    return {cell: sums for cell, sums in row.cells.items() if getattr(cell, name) == late}


def _words(policy: Policy, fit: Decimal | None, holdout: Decimal | None) -> str:
    if policy == NONE:
        return "Do not cache: nothing paid on the first half."
    said = policy.words()
    start = said[0].upper() + said[1:]
    if holdout is None or fit is None:
        known = holdout if fit is None else fit
        return f"{start}: {share(ONE - (known or ONE))} off the input on all there is; too little to judge it apart."
    if holdout > ONE:
        return (
            f"{start} paid on the first half and lost {share(holdout - ONE)} on the second: not stable enough to buy."
        )
    return f"{start}: {share(ONE - holdout)} off the input on the second half ({share(ONE - fit)} on the first)."


def _sentence(chosen: Choice, choices: Sequence[Choice], mixture: Mixture | None) -> str:
    if mixture is None or len({choice.policy for choice in choices}) == 1:
        return chosen.sentence
    mixed, one = share(ONE - mixture.by_workload, 2), share(ONE - mixture.by_one, 2)
    return f"{chosen.sentence} The best policy of each workload: {mixed} off, against {one} for one policy for all."
