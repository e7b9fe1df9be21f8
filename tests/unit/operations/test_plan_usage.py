"""What a month of the usage is, and what Ctrl-C does to a search."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from offtake.cli.plan_progress import Progress
from offtake.operations.plan_usage import MONTH_SECONDS, _halves, _month
from offtake.values.errors import InputError
from offtake.values.money import quantize


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "last", "daily", "expected"),
    [
        ("2026-01-01", "2026-01-31T23:00", False, Decimal(1)),
        ("2026-01-02", "2026-03-30", True, Decimal(1) / 3),
        ("2025-12-01", "2026-01-31", True, Decimal("0.5")),
        ("2026-01-10", "2026-01-19", True, MONTH_SECONDS / (10 * 86_400)),
        ("2026-01-10T10:00", "2026-01-10T11:00", False, MONTH_SECONDS / 3_600),
        ("2026-01-10", "2026-01-10", True, MONTH_SECONDS / 86_400),
    ],
    ids=["a month", "three months", "over new year", "ten days", "an hour", "a day"],
)
def test_what_the_usage_times_makes_a_month(first: str, last: str, daily: bool, expected: Decimal) -> None:
    assert quantize(expected, 9) == quantize(_month(at(first), at(last), None, daily=daily)[0], 9)


def test_it_can_be_said_how_many_months_the_usage_stands_for() -> None:
    assert Decimal("0.25") == _month(at("2026-01-10"), at("2026-01-10"), Decimal(4), daily=False)[0]


def test_an_instant_is_no_month() -> None:
    with pytest.raises(InputError, match="at one instant"):
        _month(at("2026-01-10"), at("2026-01-10"), None, daily=False)


def test_the_halves_are_multiples_of_the_mean_day() -> None:
    assert {"a": (0.5, 1.5)} == _halves({"a": [1] * 7 + [3] * 7})
    assert _halves({"a": [1] * 13}) is None


def test_ctrl_c_asks_the_search_to_stop_and_a_second_one_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Progress().searching() as watch:
        assert not watch.stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert watch.stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

    assert before is signal.getsignal(signal.SIGINT)
    assert "best plan so far" in capsys.readouterr().err
