"""The scenario runner itself: it must be able to fail, and say why in the right words."""

from __future__ import annotations

from pathlib import Path

import pytest

from offtake.operations.scenarios.run import Outcome, run_file, scenario_files
from offtake.values.errors import InputError

CONTRACT = """\
contract: c
buyer: b
vendor: anthropic
term: {from: 2026-01-01, until: 2026-03-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime], access: [api]}
prices: {discounts: [{models: claude-*, share: 15%}]}
failed_requests: billed
"""
USAGE = "{2026-01: {claude-opus-4.7: {input_tokens: 2_000_000, output_tokens: 1_000_000}}}"


def outcome(tmp_path: Path, expect: str, usage: str = USAGE, more: str = "") -> Outcome:
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    file = tmp_path / "scenario.yaml"
    file.write_text(f"name: A case\ncontract: contract.yaml\n{more}usage: {usage}\nexpect: {{{expect}, because: so}}\n")
    [found] = run_file(file)
    return found


@pytest.mark.parametrize(
    "expect",
    [
        "total: 2 × 4.25 + 21.25",
        "periods: {2026-01: 29.75, 2026-02: 0}",
        "per_million: {input_tokens: 4.25, output_tokens: 21.25}",
        "lines: {meter: input_tokens, list: 10, billed: 8.5, quantity: 2_000_000, unit_price: 0.00000425}",
        "exactly: [{kind: usage, model: claude-opus-4.7, billed: 29.75, count: 2}]",
        "lines: {kind: commitment, count: 0}",
        "figures: {1 - billed / list: 15.0%}",
        "control: {records: 1, priced: 1}",
        "check: none",
    ],
)
def test_what_is_right_holds(expect: str, tmp_path: Path) -> None:
    assert "" == "; ".join(str(each) for each in outcome(tmp_path, expect).mismatches)


@pytest.mark.parametrize(
    ("expect", "expected", "got"),
    [
        ("total: 30", "30.00", "29.75"),
        ("total: {low: 29.75, high: 30}", "29.75 – 30.00", "29.75"),
        ("periods: {2027-01: 1}", "1", "no invoice"),
        ("per_million: {input_tokens: 5}", "5.00", "4.25"),
        ("per_million: {web_searches: 5}", "5.00", "nothing"),
        ("lines: {meter: input_tokens, billed: 8}", "8.00", "8.50"),
        ("lines: {meter: web_searches, billed: 8}", "a line", "no such line"),
        ("lines: {kind: usage, count: 1}", "1", "2"),
        ("lines: {kind: usage, per_million: 4.25}", "4.25", "21.25 and 4.25"),
        ("figures: {1 - billed / list: 14%}", "14%", "15%"),
        ("unpriced: 1", "1", "0"),
        ("error: R401", "R401", "no error"),
        ("check: [C260]", "C260", "no finding of check"),
    ],
)
def test_what_is_wrong_is_shown_with_its_reason(expect: str, expected: str, got: str, tmp_path: Path) -> None:
    [found] = outcome(tmp_path, expect).mismatches

    assert (expected, got, "so") == (found.expected, found.got, found.because)


def test_exactly_names_the_lines_that_nothing_expects(tmp_path: Path) -> None:
    [found] = outcome(tmp_path, "exactly: [{meter: input_tokens, billed: 8.50}]").mismatches

    assert "no line" == found.expected
    assert "output_tokens" in found.got


def test_changes_edit_the_contract_for_one_case(tmp_path: Path) -> None:
    more = 'changes: {"prices.discounts[0].share": 20%, fees: {platform: 5 USD / month}}\n'

    assert outcome(tmp_path, "periods: {2026-01: 8 + 20 + 5}", more=more).holds


def test_null_takes_a_term_away(tmp_path: Path) -> None:
    assert outcome(tmp_path, "periods: {2026-01: 35}", more="changes: {prices.discounts: null}\n").holds


@pytest.mark.parametrize(
    ("expect", "usage", "words"),
    [
        ("totals: 5", USAGE, "unknown key 'totals'"),
        ("total: 5 +", USAGE, "ends too early"),
        ("total: 5", "{January: {claude-opus-4.7: {input_tokens: 1}}}", "'January' is not a month or a day"),
        ("total: 5", "{2026-02-30: {claude-opus-4.7: {input_tokens: 1}}}", "no date of the calendar"),
        ("total: 5", "{2026-01: {claude-opus-4.7: {tokens: 1}}}", "unknown key 'tokens'"),
        ("total: 5", "{2026-01: {claude-opus-4.7: {input_tokens: 1.5}}}", "a whole number"),
        ("total: 5", "[{model: claude-opus-4.7, input_tokens: 1}]", "'at' is missing"),
        ("total: 5", "[{at: 2026-01-01, model: claude-opus-4.7}]", "an instant such as"),
        ("lines: {metre: input_tokens}", USAGE, "unknown key 'metre'"),
    ],
)
def test_a_misspelt_scenario_fails_with_its_place(expect: str, usage: str, words: str, tmp_path: Path) -> None:
    found = outcome(tmp_path, expect, usage)

    assert not found.holds
    assert words in found.error
    assert "scenario.yaml:" in found.error


def test_an_expectation_without_its_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("name: A case\nexpect: {total: 5}\n")
    [found] = run_file(tmp_path / "s.yaml")

    assert "'because' is missing" in found.error


def test_contracts_and_catalogues_are_no_scenarios(tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "one.yaml").write_text("- name: A case\n  expect: {total: 0, because: so}\n")

    assert [tmp_path / "scenarios" / "one.yaml"] == scenario_files([tmp_path])


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scenarios in"):
        scenario_files([tmp_path])
