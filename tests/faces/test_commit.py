"""`offtake commit`: what a reader and a script get, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faces.conftest import Offtake

EXAMPLE = Path(__file__).resolve().parents[2] / "contracts" / "example-demand.csv"
LEVELS = ("--discount-applies", "all", "--level", "10%@600k", "--level", "20%@1.2M")
COMMITTED = ("--discount-applies", "committed")


def written(folder: Path, *quantities: object, header: str = "period,quantity") -> Path:
    path = folder / "demand.csv"
    path.write_text("\n".join([header, *(f"{period},{quantity}" for period, quantity in enumerate(quantities))]) + "\n")
    return path


def months(folder: Path, *quantities: object) -> Path:
    path = folder / "months.csv"
    rows = [f"2025-{month:02},{quantity}" for month, quantity in enumerate(quantities, 1)]
    path.write_text("\n".join(["period,quantity", *rows]) + "\n")
    return path


def answer(offtake: Offtake, *arguments: object) -> dict[str, Any]:
    done = offtake("commit", *arguments, "--format", "json")
    assert 0 == done.code, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_the_fractile_of_ten_periods(offtake: Offtake, tmp_path: Path) -> None:
    demand = written(tmp_path, 70, 100, 30, 50, 20, 90, 40, 60, 10, 80)
    found = answer(offtake, demand, *COMMITTED, "--discount", "30%")

    assert ("0.300000", "30", "21.00") == (found["fractile"], found["commitment"], found["payment"])
    assert {"fitted_windows": 5, "judged_windows": 5}.items() <= found["backtest"].items()


def test_a_discount_beyond_the_commitment_lowers_the_fractile(offtake: Offtake, tmp_path: Path) -> None:
    demand = written(tmp_path, 70, 100, 30, 50, 20, 90, 40, 60, 10, 80)
    found = answer(offtake, demand, *COMMITTED, "--discount", "30%", "--overage-discount", "10%")

    assert ("0.222222", "30") == (found["fractile"], found["commitment"])


def test_where_the_discount_covers_all_a_larger_commitment_buys_nothing(offtake: Offtake, tmp_path: Path) -> None:
    done = offtake("commit", written(tmp_path, 70, 100), "--discount-applies", "all", "--discount", "20%")

    assert done.out.startswith("Do not commit.")
    assert "note: the discount holds without a commitment" in done.err


def test_levels_are_weighed_over_a_year_of_months(offtake: Offtake, tmp_path: Path) -> None:
    found = answer(offtake, months(tmp_path, *[100_000] * 12), *LEVELS)

    assert (12, "600000", "0.10") == (found["window_rows"], found["commitment"], found["discount"])
    assert ["0", "600000", "1200000"] == [level["commitment"] for level in found["levels"]]
    assert ["1200000.00", "1080000.00", "1200000.00"] == [level["middle"] for level in found["levels"]]
    assert ("540000.00", "600000.00", "0.9000") == tuple(
        found["backtest"][name] for name in ("cost", "uncommitted", "relative_cost")
    )


def test_levels_are_weighed_over_rows_that_are_windows(offtake: Offtake, tmp_path: Path) -> None:
    found = answer(offtake, written(tmp_path, *[500_000, 1_500_000, 2_500_000] * 4), *LEVELS)

    # 20%: max(1.2 M, 0.4 M), max(1.2 M, 1.2 M), max(1.2 M, 2 M): 4.4 M ÷ 3, 10%: (0.6 + 1.35 + 2.25) ÷ 3 = 1.4 M
    assert [1_500_000, 1_400_000] == [Decimal(level["expected"]) for level in found["levels"][:2]]
    assert Decimal("1466666.67") == Decimal(found["levels"][2]["expected"])
    assert "600000" == found["commitment"]


def test_a_fee_counts(offtake: Offtake, tmp_path: Path) -> None:
    demand = months(tmp_path, *[100_000] * 12)
    plain = answer(offtake, demand, "--discount-applies", "all", "--level", "10%@600k")
    dear = answer(offtake, demand, "--discount-applies", "all", "--level", "10%@600k+150k")

    assert ("600000", "0") == (plain["commitment"], dear["commitment"])
    assert 150_000 == Decimal(dear["levels"][1]["middle"]) - Decimal(plain["levels"][1]["middle"])


def test_beyond_a_level_that_covers_the_committed_part_is_list(offtake: Offtake, tmp_path: Path) -> None:
    found = answer(
        offtake, months(tmp_path, *[150_000] * 12), *COMMITTED, "--level", "10%@600k", "--level", "20%@1.2M"
    )  # fmt: skip

    # 1.8 M at list: 1.2 M pays for 1.5 M, and 0.3 M is at list
    assert "1500000.00" == found["levels"][2]["middle"]


def test_an_event_changes_the_year(offtake: Offtake, tmp_path: Path) -> None:
    events = tmp_path / "events.yaml"
    events.write_text("events: [{kind: retirement, workload: demand, month: 4}]\n")
    found = answer(offtake, months(tmp_path, *[100_000] * 12), *LEVELS, "--events", events)

    assert "0" == found["commitment"]
    assert "300000.00" == found["levels"][0]["middle"]


def test_the_bands_of_demand_widen_month_by_month(offtake: Offtake) -> None:
    found = answer(offtake, EXAMPLE, *LEVELS)["demand_bands"]
    bands = {name: list(map(Decimal, volumes)) for name, volumes in found.items()}
    spread = [high - low for low, high in zip(bands["low"], bands["high"], strict=True)]

    assert [12] * 3 == [len(bands[name]) for name in ("low", "middle", "high")]
    assert sorted(spread) == spread
    assert all(low < middle < high for low, middle, high in zip(*bands.values(), strict=True))


def test_one_seed_gives_one_answer(offtake: Offtake) -> None:
    first, again, other = (answer(offtake, EXAMPLE, *LEVELS, "--seed", seed) for seed in (1, 1, 2))

    assert first == again
    assert first["expected_cost"] != other["expected_cost"]


def test_reserved_throughput_in_whole_units_with_its_spill(offtake: Offtake, tmp_path: Path) -> None:
    demand = written(tmp_path, *[190, 230, 260, 410] * 4)
    found = answer(offtake, demand, *COMMITTED, "--reserved", "35/50", "--unit", "100")

    assert ("0.300000", "200") == (found["fractile"], found["commitment"])
    assert "0.7248" == found["on_history"]["coverage"]  # 790 of 1,090; the rest spills


def test_pooled_columns_say_what_pooling_gains(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "teams.csv"
    path.write_text("hour,a,b\n" + "".join(f"{at},{100 * (at % 2)},{100 - 100 * (at % 2)}\n" for at in range(8)))
    found = answer(offtake, path, *COMMITTED, "--discount", "20%", "--column", "a", "--column", "b")

    assert ("100", {"apart": "1.0000", "together": "0.8000", "gain": "0.2000"}) == (
        found["commitment"], found["pooling"],
    )  # fmt: skip


def test_paying_ahead_is_weighed_against_the_cost_of_capital(offtake: Offtake) -> None:
    found = answer(offtake, EXAMPLE, *LEVELS, "--prepay", "4%", "--cost-of-capital", "10%")

    assert {"discount": "0.040000", "break_even_discount": "0.049959", "pays": False, "months_max": 9} == found[
        "prepay"
    ]


def test_a_top_up_bonus_is_a_discount_on_what_is_got(offtake: Offtake) -> None:
    found = answer(offtake, EXAMPLE, *LEVELS, "--top-up-bonus", "6%", "--cost-of-capital", "10%")["prepay"]

    assert ("0.056604", True, 13) == (found["discount"], found["pays"], found["months_max"])


def test_the_page_begins_with_the_answer(offtake: Offtake) -> None:
    levels = offtake("commit", EXAMPLE, *LEVELS).out
    fractile = offtake("commit", EXAMPLE, *COMMITTED, "--discount", "25%").out

    assert levels.startswith("Sign ")
    assert "would not have lost money on the last 12" in levels
    assert fractile.startswith("Commit ")
    assert "per month" in fractile.splitlines()[0]


def test_a_rule_that_would_have_lost_money_says_so(offtake: Offtake, tmp_path: Path) -> None:
    done = offtake("commit", written(tmp_path, *[1_000] * 10, *[100] * 10), *COMMITTED, "--discount", "10%")

    assert done.out.startswith("Do not commit.")
    assert "The fractile would have lost money on the last periods (9.0000)" in done.out


def test_a_level_that_would_have_lost_money_is_not_advised(offtake: Offtake, tmp_path: Path) -> None:
    demand = months(tmp_path, *[200_000] * 6, *[20_000] * 6)
    done = offtake("commit", demand, "--discount-applies", "all", "--level", "10%@600k", "--level", "20%@1.2M")

    assert done.out.startswith("Do not commit.")
    assert "20% for $1,200,000 would have lost money on the last 6" in done.out


def test_csv_has_a_row_a_level_and_a_row_a_point_of_the_curve(offtake: Offtake) -> None:
    levels = list(csv.DictReader(io.StringIO(offtake("commit", EXAMPLE, *LEVELS, "--format", "csv").out)))
    curve = list(
        csv.DictReader(io.StringIO(offtake("commit", EXAMPLE, *COMMITTED, "--discount", "25%", "--format", "csv").out))
    )

    assert ["0", "600000", "1200000"] == [row["commitment"] for row in levels]
    assert ["share", "commitment", "coverage", "utilisation", "relative_cost"] == list(curve[0])
    assert 10 == len(curve)


def test_what_the_discount_applies_to_must_be_said(offtake: Offtake) -> None:
    done = offtake("commit", EXAMPLE, "--discount", "20%")

    assert 2 == done.code
    assert "error[P640]" in done.err
    assert "all: the rate card covers all usage" in done.err
    assert "committed: what is beyond the commitment costs list" in done.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--discount-applies", "all"), "P646"),
        ((*LEVELS, "--discount", "20%"), "P646"),
        (("--discount-applies", "all", "--level", "20%@1.2M", "--level", "10%@2M"), "P646"),
        (("--discount-applies", "all", "--level", "10%@2M", "--level", "20%@1.2M"), "P646"),
        ((*COMMITTED, "--discount", "100%"), "P646"),
        ((*COMMITTED, "--discount", "150%"), "P646"),
        ((*COMMITTED, "--discount", "-5%"), "P646"),
        (("--discount-applies", "all", "--level", "100%@5"), "P646"),
        (("--discount-applies", "all", "--discount", "20%", "--overage-discount", "5%"), "P647"),
        ((*LEVELS, "--unit", "5"), "P647"),
        ((*COMMITTED, "--discount", "5%", "--events", EXAMPLE), "P647"),
        ((*COMMITTED, "--discount", "5%", "--prepay", "5%"), "P647"),
        ((*COMMITTED, "--discount", "5%", "--cost-of-capital", "5%"), "P647"),
        ((*COMMITTED, "--discount", "5%", "--top-up-bonus", "5%"), "P647"),
        ((*LEVELS, "--prepay", "5%", "--top-up-bonus", "5%", "--cost-of-capital", "5%"), "P647"),
        ((*LEVELS, "--prepay", "100%", "--cost-of-capital", "10%"), "P646"),
        ((*LEVELS, "--prepay", "5%", "--cost-of-capital", "-100%"), "P646"),
        ((*COMMITTED, "--discount", "5%", "--judge", "24"), "P647"),
        ((*COMMITTED, "--discount", "5%", "--window", "24"), "P647"),
        ((*LEVELS, "--reserved", "1/2"), "P647"),
        ((*COMMITTED, "--discount", "5%", "--column", "dollars"), "P641"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[object, ...], code: str, offtake: Offtake) -> None:
    done = offtake("commit", EXAMPLE, *arguments)

    assert 2 == done.code
    assert f"error[{code}]" in done.err


@pytest.mark.parametrize("level", ["20@1.2M", "20%", "20%@", "20%@1.2X", "20%@1.234", "20%@99999999999B"])
def test_a_level_that_is_none_says_how_one_is_written(level: str, offtake: Offtake) -> None:
    done = offtake("commit", EXAMPLE, "--discount-applies", "all", "--level", level)

    assert 2 == done.code
    assert "--level" in done.err


@pytest.mark.parametrize(
    ("quantity", "window", "says"), [(100_000, 12, "rows are taken for months"), (10**6, 1, "one row")]
)
def test_what_is_assumed_of_rows_without_dates_is_said(
    quantity: int, window: int, says: str, offtake: Offtake, tmp_path: Path
) -> None:
    demand = written(tmp_path, *[quantity] * 12)
    found = answer(offtake, demand, *LEVELS)

    assert (window, "600000") == (found["window_rows"], found["commitment"])
    assert says in found["notes"][0]
    assert says in offtake("commit", demand, *LEVELS).err
    assert "notes" not in answer(offtake, demand, *LEVELS, "--window", "12")


def test_a_bad_row_is_named_with_its_line(offtake: Offtake, tmp_path: Path) -> None:
    demand = written(tmp_path, 5, -3)
    done = offtake("commit", demand, *COMMITTED, "--discount", "20%")

    assert 2 == done.code
    assert f"{demand}:3: error[P643]" in done.err
