"""From a signing to a plan: what every solver hands over in the end, with what holds each offer in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from offtake.planner.offers.problem import Floats, Problem, Risk, Solution, Watch
from offtake.planner.offers.ready import Ready, refuse_unserved


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """All paths' answer to a signing: their costs (fixed dollars apart), and bounds `constants + slopes · signing`."""

    costs: Floats
    constants: Floats
    slopes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Routed:
    """Who serves what: costs by path as in `Reply`, mean shares `[j, p, t]`, contracted dollars `used[s, l]`."""

    costs: Floats
    share: Floats
    used: Floats


class Oracle(Protocol):
    """Settles all paths of a problem for a signing: levels (0 or 1), then units of each capacity."""

    def reply(self, signing: Floats, watch: Watch, cuts: bool = True) -> Reply | None:
        """Costs, and cuts (nan where there is none, or where none is wanted); None where the watch says stop."""
        ...

    def routes(self, signing: Floats) -> Routed:
        """Costs and routes."""
        ...


def fixed_costs(problem: Problem) -> Floats:
    """Dollars over the horizon that a signature costs: of each level, then of a unit of each capacity."""
    levels = [level.paid(problem.months) + level.fees for level in problem.levels]
    return np.array([*levels, *(capacity.price for capacity in problem.capacities)], dtype=float)


def risk_cost(risk: Risk, weights: Floats, costs: Floats) -> float:
    """(1 − weight) × mean + weight × CVaR of the paths' costs."""
    return float(risk_weights(risk, weights, costs) @ costs)


def risk_weights(risk: Risk, weights: Floats, costs: Floats) -> Floats:
    """The weights under which the mean of the costs is the objective: the dearest 1 − level of the paths count more."""
    order = np.argsort(-costs, kind="stable")
    taken = np.minimum(np.cumsum(weights[order]), 1 - risk.level)
    tail = np.empty_like(weights)
    tail[order] = np.diff(taken, prepend=0.0) / (1 - risk.level)
    mixed: Floats = (1 - risk.weight) * weights + risk.weight * tail
    return mixed


class MeanShare:
    """Shares `[j, p, t]` in the mean of the paths, each counted with its weight and the demand that it has there."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.total = np.zeros((len(problem.items), len(problem.pools), problem.months))

    def add(self, path: int, share: Floats) -> None:
        """One path's shares."""
        self.total += self.problem.weights[path] * self.problem.demand[path][:, None, :] * share

    def mean(self) -> Floats:
        """What was added; zero where there is no demand on any path."""
        demand = np.einsum("s,sjt->jt", self.problem.weights, self.problem.demand)[:, None, :]
        share: Floats = np.divide(self.total, demand, out=np.zeros_like(self.total), where=demand > 0)
        return share


def solution(
    prepared: Ready,
    risk: Risk,
    oracle: Oracle,
    signing: Floats,
    bound: float,
    stopped: bool = False,
    reply: Reply | None = None,
) -> Solution:
    """The plan of a signing; its cuts (`reply`) say what more signatures would add at least.

    Raises InputError (P652) where it leaves demand unserved.
    """
    problem = prepared.problem
    routed = oracle.routes(signing)
    if not stopped:
        refuse_unserved(problem, routed.share)
    fixed = fixed_costs(problem)
    costs = routed.costs + fixed @ signing
    count = len(problem.levels)
    cost = risk_cost(risk, problem.weights, costs)
    slopes = np.full(len(signing), np.nan)
    if reply is not None:
        slopes = fixed + risk_weights(risk, problem.weights, costs) @ reply.slopes
    return Solution(
        sign=tuple(prepared.kept[index] for index in np.flatnonzero(signing[:count] > 0.5)),
        units=tuple(round(float(units)) for units in signing[count:]),
        share=routed.share[:, :-1, :],
        cost=cost,
        bound=min(bound, cost),
        path_costs=costs,
        binding=binding(problem, signing, routed.used, slopes),
        closed=prepared.closed,
        stopped=stopped,
    )


def binding(problem: Problem, signing: Floats, used: Floats, slopes: Floats) -> dict[str, str]:
    """Offer by offer. `slopes`: what one more of each signature adds to the objective at least (nan: unknown)."""
    words = {}
    for offer, indices in problem.offers.items():
        signed = [index for index in indices if signing[index] > 0.5]
        words[offer] = (
            _signed(problem, signed[0], used[:, signed[0]]) if signed else _unsigned(problem, indices, slopes)
        )
    for number, capacity in enumerate(problem.capacities):
        units, at = round(float(signing[len(problem.levels) + number])), len(problem.levels) + number
        more = f"; one more unit adds {slopes[at]:,.0f} dollars or more" if slopes[at] > 0 else ""
        if units == capacity.units_max:
            all_of_it = "the one unit" if units == 1 else f"all {units} units"
            words[capacity.offer] = f"{capacity.name}: {all_of_it} on offer"
        else:
            words[capacity.offer] = f"{capacity.name}: {units} of {capacity.units_max} units{more}"
    return words


def _signed(problem: Problem, index: int, used: Floats) -> str:
    level = problem.levels[index]
    paid = level.paid(problem.months)
    if paid == 0:
        mean = " in the mean" if len(used) > 1 else ""
        return f"{level.name}: nothing is promised; use is {problem.weights @ used:,.0f} dollars{mean}"
    short = used < paid * (1 - 1e-9)
    often, filled = float(problem.weights @ short), float(problem.weights @ (np.abs(used - paid) <= paid * 1e-6))
    missing = float(problem.weights @ np.where(short, paid - used, 0.0)) / (often or 1.0)
    promise, moved = f"{level.name}: the commitment of {paid:,.0f}", "work is moved here to fill it"
    if len(used) == 1:
        used_up = f"is not used up, by {missing:,.0f}" if often else "is used up"
    elif often:
        used_up = f"is not used up in {often:.0%} of the futures, by {missing:,.0f} in the mean of those"
    else:
        used_up = "is used up in every future"
    if not filled:
        moved = "nothing is moved here to fill it"
    elif len(used) > 1:
        moved += f" in {filled:.0%} of them"
    return f"{promise} {used_up}; {moved}"


def _unsigned(problem: Problem, indices: tuple[int, ...], slopes: Floats) -> str:
    nearest = min(indices, key=lambda index: float(np.nan_to_num(slopes[index], nan=np.inf)))
    if slopes[nearest] > 0:
        name = problem.levels[nearest].name
        return f"not signed: the nearest level, {name}, adds {slopes[nearest]:,.0f} dollars or more"
    return "not signed: each of its levels costs more than it saves beside what is signed"
