"""Laws of the choice: the bound and the exact test agree, and no choice can be bettered."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from offtake.planner.routing.choose import choose
from offtake.planner.routing.confidence import deviations, lower_bound, reaches, tasks_to_reach
from offtake.planner.routing.evaluation import Evaluation
from offtake.values.errors import Place

TASKS = st.integers(1, 2_000)
CONFIDENCES = st.sampled_from(["0", "0.5", "0.8", "0.9", "0.95", "0.99"]).map(Decimal)
FLOORS = st.integers(1, 99).map(lambda percent: Fraction(percent, 100))


@st.composite
def runs(draw: st.DrawFn) -> list[Evaluation]:
    found = []
    for index in range(draw(st.integers(1, 12))):
        tasks = draw(TASKS)
        cost = draw(st.none() | st.decimals("0.0001", 1_000, places=4))
        score = Fraction(draw(st.integers(0, tasks)), tasks)
        found.append(
            Evaluation(
                suite="s", model=f"m{index}", tasks=tasks, score=score, where=Place("x"), cost=cost, costed=tasks
            )
        )
    return found


@given(TASKS, st.data(), FLOORS, CONFIDENCES)
def test_the_exact_test_and_the_shown_bound_agree(
    tasks: int, data: st.DataObject, floor: Fraction, confidence: Decimal
) -> None:
    score, z = Fraction(data.draw(st.integers(0, tasks)), tasks), deviations(confidence)
    bound = Fraction(lower_bound(score, tasks, z))  # rounded down at six places; a floor has two

    assert reaches(score, tasks, floor, z) == (bound >= floor)
    assert bound <= score


@given(TASKS, st.data(), FLOORS)
def test_more_tasks_at_one_score_never_prove_less(tasks: int, data: st.DataObject, floor: Fraction) -> None:
    score, z = Fraction(data.draw(st.integers(0, tasks)), tasks), deviations(Decimal("0.95"))
    needed = tasks_to_reach(score, floor, z)

    assert (needed is None) == (score <= floor)
    if needed is not None:
        assert reaches(score, needed, floor, z)
        assert needed == 1 or not reaches(score, needed - 1, floor, z)


@given(runs(), FLOORS, CONFIDENCES)
def test_nothing_that_passes_is_cheaper_than_the_choice(
    drawn: list[Evaluation], floor: Fraction, confidence: Decimal
) -> None:
    found = choose(drawn, floor, confidence)
    passing = [each for each in found.judged if each.passes]

    assert (found.chosen is None) == (not passing)
    if found.chosen:
        assert found.chosen.run.cost_per_task == min(each.run.cost_per_task or 0 for each in passing)
    assert sorted(run.model for run in drawn) == sorted(
        each.run.model for each in (*found.judged, *found.not_comparable)
    )


@given(runs(), FLOORS)
def test_the_front_is_what_no_other_run_beats(drawn: list[Evaluation], floor: Fraction) -> None:
    found = choose(drawn, floor, Decimal("0.95"))

    def beaten(one: Evaluation) -> bool:
        mine = one.cost_per_task or 0
        return any(
            (other.cost_per_task or 0) <= mine and other.score >= one.score
            and ((other.cost_per_task or 0) < mine or other.score > one.score)
            for other in drawn if other.cost is not None
        )  # fmt: skip

    expected = {run.model for run in drawn if run.cost is not None and not beaten(run)}
    assert expected == {each.run.model for each in found.front}
