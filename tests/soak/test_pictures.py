"""The plan's workbook in LibreOffice: the totals are the plan's to the cent, and follow what finance changes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.pictures import programs
from tests.pictures.plan import Totals, computed, differences, make_plan

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(bool(programs.missing()), reason="no chromium, LibreOffice or poppler: see `make pictures`"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Totals]:
    folder = tmp_path_factory.mktemp("pictures")
    return folder, make_plan(folder)


def test_libreoffice_computes_the_totals_of_the_plan(made: tuple[Path, Totals], tmp_path: Path) -> None:
    folder, totals = made
    assert [] == differences(folder / "plan.xlsx", totals, tmp_path)


def test_two_cents_would_be_seen(made: tuple[Path, Totals], tmp_path: Path) -> None:
    """The test above can fail."""
    folder, totals = made
    other = replace(totals, plan=totals.plan + Decimal("0.02"))
    found = computed(folder / "plan.xlsx", {}, tmp_path)

    assert abs(found.plan - totals.plan) <= Decimal("0.01") < abs(found.plan - other.plan)


def test_a_browser_draws_the_page(made: tuple[Path, Totals], tmp_path: Path) -> None:
    pictures = programs.draw(made[0] / "plan.html", tmp_path)

    assert {"plan-desktop", "plan-narrow", "plan-dark"} < {each.stem for each in pictures}
    assert all(each.stat().st_size > 10_000 for each in pictures[:3])
