"""Every command that makes a month of usage makes the same month of it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faces.conftest import Offtake

START = Path(__file__).parents[2] / "contracts" / "start" / "contract.yaml"


def test_plan_levers_and_value_make_the_same_month_of_a_trace(offtake: Offtake, tmp_path: Path) -> None:
    """An hour at 10 dollars, by the minute: 7,305 a month."""
    trace = tmp_path / "trace.csv"
    rows = (f"2026-03-03T10:{minute:02}:00Z,minute,1,claude-opus-4-5,0,{20_000 // 3}" for minute in range(60))
    trace.write_text("used_at,grain,count,model,input_tokens,output_tokens\n" + "\n".join(rows) + "\n")
    plan, levers, value = (
        json.loads(offtake(*arguments, "--format", "json").out)
        for arguments in (
            ("plan", trace, "--horizon", "1", "--at", "2026-03-03"),
            ("levers", trace),
            ("value", START, "--demand", trace, "--paths", "2", "--spread", "0%", "--price-changes", "0"),
        )
    )
    month = Decimal("730.5") * 60 * (20_000 // 3) * 25 / 1_000_000

    assert month == pytest.approx(Decimal(plan["rerated"]["today"]), rel=Decimal("1e-4"))
    assert month == pytest.approx(Decimal(levers["now"]), rel=Decimal("1e-4"))
    assert "the usage (60 minutes) × 730.5000 is a month" in value["assumptions"]["demand"]
