"""The rules that keep an admission true, and the contract term that holds them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from offtake.contract.parse import parse_bytes
from offtake.planner.routing.admissions import admissions, text_of
from offtake.planner.routing.choose import choose
from offtake.planner.routing.confidence import deviations, lower_bound, upper_bound
from offtake.planner.routing.recheck import Rules, recheck
from offtake.values.errors import InputError
from tests.unit.planner.routing.made import run

START = Path(__file__).resolve().parents[4] / "contracts" / "start" / "contract.yaml"
FLOOR, SURE = Fraction(7, 10), Decimal("0.95")
DAY = date(2026, 3, 1)
Z = deviations(SURE)


def test_so_many_live_samples_prove_the_floor_less_the_margin_and_one_fewer_does_not() -> None:
    choice = choose([run("a", 183, 225, "10.3713", on=DAY)], FLOOR, SURE)
    check = recheck(choice.judged[0], choice, Rules(DAY))

    assert 247 == check.samples
    assert lower_bound(FLOOR, 247, Z) >= Decimal("0.65") > lower_bound(FLOOR, 246, Z)


def test_an_admission_is_withdrawn_by_the_most_passes_that_prove_less_than_the_floor() -> None:
    choice = choose([run("a", 183, 225, "10.3713", on=DAY)], FLOOR, SURE)
    check = recheck(choice.judged[0], choice, Rules(DAY))

    assert 161 == check.withdraw_at
    assert upper_bound(Fraction(161, 247), 247, Z) < Decimal("0.7") < upper_bound(Fraction(162, 247), 247, Z)


def test_failing_all_live_samples_always_withdraws() -> None:
    choice = choose([run("a", 30, 100, "1", on=DAY)], Fraction(1, 10), SURE)
    check = recheck(choice.judged[0], choice, Rules(DAY, margin=Decimal("0.09")))

    assert check.withdraw_at >= 0


def test_an_admission_ends_so_many_days_after_its_run() -> None:
    choice = choose([run("a", 183, 225, "1", on=date(2026, 1, 1)), run("b", 183, 225, "2")], FLOOR, SURE)

    assert [date(2026, 4, 1), date(2026, 5, 30)] == [
        recheck(each, choice, Rules(DAY)).until for each in choice.judged
    ]  # the second file has no date: it counts from the day of the question


def test_a_margin_as_wide_as_the_floor_is_refused() -> None:
    choice = choose([run("a", 90, 100, "1")], FLOOR, SURE)
    with pytest.raises(InputError) as caught:
        recheck(choice.judged[0], choice, Rules(DAY, margin=Decimal("0.7")))

    assert "P636" == caught.value.code


def test_the_admissions_are_a_term_that_a_contract_accepts() -> None:
    runs = [run("gpt-5.4", 90, 100, "3", on=DAY), run("claude-haiku-4-5", 85, 100, "1", on=DAY), run("x", 50, 100, "2")]
    choice = choose(runs, FLOOR, SURE)
    text = text_of(admissions(choice, Rules(DAY, workloads=("support-*",))))
    contract = parse_bytes(START.read_bytes() + b"\n" + text.encode(), "contract.yaml")
    models = contract.signed.models

    assert models is not None and models.evaluation is not None
    term = models.evaluation[0]
    assert ["claude-haiku-4-5", "gpt-5.4"] == [each.model for each in term.admitted]
    assert (Decimal("0.7"), Decimal("0.95"), ["support-*"]) == (term.floor, term.confidence, term.workloads)
    assert date(2026, 5, 30) == term.admitted[0].until
    assert term.recheck is not None
    assert (247, 161) == (term.recheck.samples, term.recheck.withdraw_at)


def test_a_run_that_is_too_old_is_not_admitted() -> None:
    old, new = run("old", 90, 100, "1", on=date(2025, 1, 1)), run("new", 90, 100, "2", on=DAY)

    assert ["new"] == [
        each.model for each in admissions(choose([old, new], FLOOR, SURE), Rules(date(2026, 3, 2))).admitted
    ]
    with pytest.raises(InputError) as caught:
        admissions(choose([old], FLOOR, SURE), Rules(DAY))
    assert "P638" == caught.value.code


def test_where_nothing_passes_nothing_is_admitted() -> None:
    with pytest.raises(InputError) as caught:
        admissions(choose([run("a", 50, 100, "1")], FLOOR, SURE), Rules(DAY))

    assert "P638" == caught.value.code
