"""A cut is a promise about every signing: it never says more than what the signing costs, and all where it was made."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from offtake.planner.offers.problem import Floats, Problem, Watch
from offtake.planner.offers.programs import Programs, convex
from offtake.planner.offers.ready import ready
from offtake.planner.offers.recourse import Sorts
from tests.unit.planner.offers.small_problems import small_problem

CENT = 0.01


def signings(problem: Problem, draw: np.random.Generator, number: int) -> list[Floats]:
    """Random signings: at most one level an offer, any number of units."""
    found = []
    for _ in range(number):
        signing = np.zeros(len(problem.levels) + len(problem.capacities))
        for indices in problem.offers.values():
            if draw.random() < 0.6:
                signing[draw.choice(indices)] = 1.0
        signing[len(problem.levels) :] = [draw.integers(each.units_max + 1) for each in problem.capacities]
        found.append(signing)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_a_cut_by_sorts_bounds_every_other_signing(seed: int) -> None:
    problem = ready(small_problem(500 + seed, paths=3, plain=True)).problem
    oracle, others = Sorts(problem), signings(problem, np.random.default_rng(seed), 6)
    replies = [oracle.reply(signing, Watch()) for signing in others]

    for made, reply in zip(others, replies, strict=True):
        assert reply is not None
        assert reply.costs == pytest.approx(reply.constants + reply.slopes @ made, rel=1e-7, abs=CENT)
        for signing, answer in zip(others, replies, strict=True):
            assert answer is not None
            assert (reply.constants + reply.slopes @ signing <= answer.costs * (1 + 1e-7) + CENT).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_cut_by_programs_bounds_every_other_signing(seed: int) -> None:
    drawn = (small_problem(600 + seed + 10 * again, paths=2) for again in count())
    problem = ready(next(each for each in drawn if convex(each))).problem
    oracle, others = Programs(problem), signings(problem, np.random.default_rng(seed), 4)
    replies = [oracle.reply(signing, Watch()) for signing in others]

    for made, reply in zip(others, replies, strict=True):
        assert reply is not None
        assert reply.costs == pytest.approx(reply.constants + reply.slopes @ made, rel=1e-3, abs=CENT)
        for signing, answer in zip(others, replies, strict=True):
            assert answer is not None
            assert (reply.constants + reply.slopes @ signing <= answer.costs * (1 + 1e-7) + CENT).all()


@pytest.mark.parametrize("seed", range(12))
def test_sorts_settle_a_path_at_what_its_linear_program_costs(seed: int) -> None:
    problem = ready(small_problem(700 + seed, paths=4, plain=True)).problem
    by_sorts, by_programs = Sorts(problem), Programs(problem)

    for signing in signings(problem, np.random.default_rng(seed), 3):
        first, second = by_sorts.routes(signing), by_programs.routes(signing)
        assert second.costs == pytest.approx(first.costs, rel=1e-7, abs=CENT)
        assert first.share.sum(axis=1) == pytest.approx(second.share.sum(axis=1), abs=1e-6)
