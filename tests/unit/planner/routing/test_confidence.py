"""Wilson's bounds: against another library, at the edges, and what they refuse."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from scipy.stats import binom, binomtest

from offtake.planner.routing.confidence import deviations, lower_bound, reaches, tasks_to_reach, upper_bound
from offtake.values.errors import InputError

Z95 = deviations(Decimal("0.95"))


def test_the_quantile_of_ninety_five_percent_is_one_point_six_four_four_nine() -> None:
    assert pytest.approx(1.6448536269514722, abs=1e-12) == float(Z95)
    assert 0 == deviations(Decimal(0))
    assert 0 == deviations(Decimal("0.5"))


@pytest.mark.parametrize(("passes", "tasks"), [(183, 225), (158, 225), (0, 10), (10, 10), (1, 1), (700, 1_000)])
@pytest.mark.parametrize("confidence", ["0.8", "0.95", "0.999"])
def test_the_bounds_are_those_of_another_library(passes: int, tasks: int, confidence: str) -> None:
    z, score = deviations(Decimal(confidence)), Fraction(passes, tasks)
    two_sided = 2 * float(confidence) - 1
    theirs = binomtest(passes, tasks).proportion_ci(two_sided, method="wilson")

    assert pytest.approx(theirs.low, abs=1.1e-6) == float(lower_bound(score, tasks, z))
    assert pytest.approx(theirs.high, abs=1.1e-6) == float(upper_bound(score, tasks, z))


def test_the_point_score_passes_at_the_floor_itself() -> None:
    assert reaches(Fraction(7, 10), 10, Fraction(7, 10), Fraction(0))
    assert not reaches(Fraction(69, 100), 100, Fraction(7, 10), Fraction(0))


def test_no_number_of_passes_proves_a_floor_of_one_hundred_percent() -> None:
    assert not reaches(Fraction(1), 10**9, Fraction(1), Z95)
    assert tasks_to_reach(Fraction(1), Fraction(1), Z95) is None


def test_seven_passes_of_seven_prove_seventy_percent_and_six_of_six_do_not() -> None:
    assert not reaches(Fraction(1), 6, Fraction(7, 10), Z95)
    assert reaches(Fraction(1), 7, Fraction(7, 10), Z95)
    assert 7 == tasks_to_reach(Fraction(1), Fraction(7, 10), Z95)


@pytest.mark.parametrize("confidence", ["0.3", "1", "1.5"])
def test_a_confidence_that_means_nothing_is_refused(confidence: str) -> None:
    with pytest.raises(InputError) as caught:
        deviations(Decimal(confidence))

    assert "P636" == caught.value.code


@pytest.mark.parametrize("tasks", [50, 100, 225, 1_000])
@pytest.mark.parametrize("percent", [50, 60, 70, 80, 90, 95])
def test_a_model_that_truly_scores_the_floor_passes_about_one_time_in_twenty(tasks: int, percent: int) -> None:
    """Exact, by the binomial distribution; the point score lets it pass every second time."""
    floor = Fraction(percent, 100)
    enough = next((k for k in range(tasks + 1) if reaches(Fraction(k, tasks), tasks, floor, Z95)), None)
    by_luck = next(k for k in range(tasks + 1) if reaches(Fraction(k, tasks), tasks, floor, Fraction(0)))

    assert enough is None or binom.sf(enough - 1, tasks, percent / 100) < 0.06
    assert binom.sf(by_luck - 1, tasks, percent / 100) > 0.45
