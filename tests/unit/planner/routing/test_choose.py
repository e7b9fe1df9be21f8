"""The choice, the front, ties, and what has no cost."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np

from offtake.planner.routing.choose import choose
from offtake.planner.routing.confidence import deviations, reaches
from tests.unit.planner.routing.made import run

FLOOR, SURE = Fraction(7, 10), Decimal("0.95")


def test_the_cheapest_by_task_is_chosen_and_not_the_cheapest_run() -> None:
    short, long = run("short", 90, 100, "5"), run("long", 900, 1_000, "6")

    found = choose([short, long], FLOOR, SURE)

    assert found.chosen is not None
    assert "long" == found.chosen.run.name


def test_a_cheap_model_must_prove_what_its_score_says() -> None:
    cheap, dear = run("cheap", 72, 100, "1"), run("dear", 85, 100, "9")

    sure, hopeful = choose([dear, cheap], FLOOR, SURE), choose([dear, cheap], FLOOR, Decimal(0))

    assert sure.chosen is not None and hopeful.chosen is not None
    assert "dear" == sure.chosen.run.name
    assert ["cheap"] == [each.run.name for each in sure.passed_over]
    assert 1421 == sure.passed_over[0].tasks_needed  # 1.6449² × 0.7 × 0.3 / 0.02², rounded up
    assert "cheap" == hopeful.chosen.run.name
    assert () == hopeful.passed_over


def test_the_front_has_what_nothing_beats() -> None:
    runs = [run("a", 50, 100, "1"), run("b", 60, 100, "2"), run("c", 55, 100, "3"), run("d", 60, 100, "4")]

    assert ["a", "b"] == [each.run.name for each in choose(runs, FLOOR, SURE).front]


def test_equals_both_stand_on_the_front_and_are_named_as_ties() -> None:
    found = choose([run("b", 90, 100, "2"), run("a", 90, 100, "2"), run("c", 89, 100, "2")], FLOOR, SURE)

    assert ["a", "b"] == [each.run.name for each in found.front]
    assert found.chosen is not None
    assert "a" == found.chosen.run.name
    assert ["b"] == [each.run.name for each in found.ties]


def test_of_one_cost_the_better_score_is_chosen() -> None:
    found = choose([run("a", 85, 100, "2"), run("b", 95, 100, "2")], FLOOR, SURE)

    assert found.chosen is not None
    assert "b" == found.chosen.run.name


def test_a_model_without_a_cost_is_listed_and_never_chosen() -> None:
    found = choose([run("free", 99, 100, None), run("paid", 90, 100, "2")], FLOOR, SURE)

    assert found.chosen is not None
    assert "paid" == found.chosen.run.name
    assert ["free"] == [each.run.name for each in found.not_comparable]
    assert found.not_comparable[0].passes


def test_where_nothing_passes_nothing_is_chosen() -> None:
    assert choose([run("a", 10, 100, "1")], FLOOR, SURE).chosen is None


def test_with_confidence_a_failing_model_passes_one_time_in_twenty_and_without_nearly_every_second() -> None:
    """100,000 evaluations of 100 tasks of a model that truly scores a hair under the floor."""
    drawn = np.random.default_rng(3).binomial(100, 0.699, size=100_000)
    counts = np.bincount(drawn, minlength=101)
    z = deviations(SURE)

    def rate(deviation: Fraction) -> float:
        return sum(
            int(times) for passes, times in enumerate(counts) if reaches(Fraction(passes, 100), 100, FLOOR, deviation)
        ) / len(drawn)

    assert 0.02 < rate(z) < 0.055
    assert 0.40 < rate(Fraction(0))


def test_of_nine_models_the_pick_is_rarely_a_failing_one() -> None:
    """True scores about the floor, cheap models worse: 600 suites of 100 tasks. Dollars rise with quality."""
    generator = np.random.default_rng(4)
    picked = {Decimal(0): 0, SURE: 0}
    for _ in range(600):
        truth = np.sort(generator.uniform(0.5, 0.9, size=9))
        passes = generator.binomial(100, truth)
        runs = [run(f"m{i}", int(passes[i]), 100, str(i + 1)) for i in range(9)]
        for confidence in picked:
            chosen = choose(runs, FLOOR, confidence).chosen
            picked[confidence] += bool(chosen and truth[int(chosen.run.model[1:])] < float(FLOOR))

    assert picked[SURE] / 600 < 0.055
    assert picked[Decimal(0)] / 600 > 0.20
