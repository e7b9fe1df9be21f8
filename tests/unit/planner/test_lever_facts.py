"""The fact tables of the levers: complete, sourced, dated, and gentle about a row that is wrong."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.planner.levers.facts import exclusion_of, gate_of, read_exclusions, read_gates
from offtake.planner.levers.gate import positions, standings
from offtake.planner.levers.pricing import Cost
from offtake.values.errors import ContractError
from offtake.values.yaml_text import read_yaml
from tests.unit.planner.lever_tables import ASKS, EXCLUSIONS, GATES, of

ROOT = Path(__file__).parents[3]
DAY = date(2026, 6, 15)
GATE = "{gate: account_executive, vendor: %s, from: %s, opens_at: {low: %s, high: %s}, source: ours}"


def spend(amount: int) -> Cost:
    return Cost(Decimal(amount), Decimal(amount))


def test_every_ask_of_the_contract_has_a_row_in_the_same_order() -> None:
    data, _ = read_yaml((ROOT / "src/offtake/contract/asks.yaml").read_text(), "asks.yaml")
    assert isinstance(data, dict)

    assert list(data) == [ask.id for ask in ASKS]
    assert 188 == len(ASKS)


def test_what_never_moves_says_why() -> None:
    assert [] == [ask.id for ask in ASKS if ask.moves in ("never", "rarely") and not ask.why]
    assert {"NN-01", "NN-02", "NN-03", "NN-04"} <= {ask.id for ask in ASKS if ask.moves == "never"}


def test_every_fact_has_a_source_and_a_date() -> None:
    assert all(row.source and row.start for row in GATES)
    assert all(row.source and row.start for row in EXCLUSIONS)


@pytest.mark.parametrize(
    ("amount", "opening"), [(49_999, "closed"), (50_000, "between"), (99_999, "between"), (100_000, "open")]
)
def test_a_gate_has_two_ends(amount: int, opening: str) -> None:
    (position, _) = positions({"anthropic": spend(amount)}, GATES, DAY, {})

    assert opening == position.opening


@pytest.mark.parametrize(
    ("executives", "opening"),
    [
        ({"*": True}, "open"),
        ({"*": False}, "closed"),
        ({"*": False, "anthropic": True}, "open"),
        ({"x-ai": True}, "closed"),
    ],
)
def test_an_account_executive_who_is_known_overrides_the_figures(executives: dict[str, bool], opening: str) -> None:
    (position, large) = positions({"anthropic": spend(100)}, GATES, DAY, executives)

    assert opening == position.opening
    assert "closed" == large.opening


def test_a_range_of_spend_that_crosses_a_gate_is_between() -> None:
    (position, _) = positions({"anthropic": Cost(Decimal(40_000), Decimal(120_000))}, GATES, DAY, {})

    assert ("between", (Decimal("1.250"), Decimal("2.500"))) == (position.opening, position.multiple)


def test_nothing_left_to_buy_has_no_multiple() -> None:
    (position, _) = positions({"anthropic": spend(0)}, GATES, DAY, {})

    assert ("closed", None) == (position.opening, position.multiple)


def test_a_vendors_own_latest_gate_counts() -> None:
    rows = (
        GATE % ("'*'", "2026-01-01", "50_000 USD / month", "100_000 USD / month"),
        GATE % ("anthropic", "2026-03-01", "300_000 USD / year", "600_000 USD / year"),
        GATE % ("anthropic", "2026-06-01", "60_000 USD / quarter", "90_000 USD / quarter"),
        GATE % ("anthropic", "2026-12-01", "1 USD / month", "1 USD / month"),
    )
    gates = read_gates(of("own.yaml", "gates:\n" + "".join(f"  - {row}\n" for row in rows)))
    found = {day: gate_of(gates, "account_executive", "anthropic", day) for day in (date(2026, 2, 1), DAY)}

    assert [Decimal(600_000), Decimal(240_000)] == [gate.low for gate in found.values() if gate]


def test_asks_at_a_closed_and_an_open_gate() -> None:
    closed, opened = (
        Counter(each.status for each in standings(ASKS, positions({"anthropic": spend(amount)}, GATES, DAY, {})))
        for amount in (40_000, 150_000)
    )

    assert {"open": 37, "closed": 134, "rarely": 2, "never": 7, "tactic": 8} == closed
    assert {"open": 146, "closed": 24, "rarely": 3, "never": 7, "tactic": 8} == opened


def test_an_ask_that_needs_another_is_idle_without_it() -> None:
    small, large = (
        {each.ask.id: each for each in standings(ASKS, positions({"anthropic": spend(amount)}, GATES, DAY, {}))}
        for amount in (150_000, 900_000)
    )

    assert ("closed", "idle without DE-04 (On-prem licence)") == (small["DE-05"].status, small["DE-05"].why)
    assert "open" == large["DE-11"].status  # it needs DE-03, which moves at eight figures
    assert "between" == large["DE-05"].status  # it needs DE-04, which rarely moves


def test_an_exclusion_holds_from_its_date_in_its_form_of_access() -> None:
    def found(access: str, day: date) -> bool:
        asked = {"vendor": "anthropic", "feature": "batch", "excludes": "zero_retention"}
        return exclusion_of(EXCLUSIONS, **asked, access=access, day=day) is not None

    assert (True, False, False) == (found("api", DAY), found("bedrock", DAY), found("api", date(2024, 1, 1)))


def test_what_the_vendor_was_not_seen_to_say_is_marked() -> None:
    assert [row.seen is None for row in EXCLUSIONS] == [row.words.endswith("(not verified)") for row in EXCLUSIONS]
    assert {True, False} == {row.seen is None for row in EXCLUSIONS}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gates: 3", "no list 'gates'"),
        ("gates: [3]", "a row is a mapping"),
        ("gates: [{gate: x}]", "the row has no 'vendor'"),
        (f"gates: [{GATE % ('a', '2026-01-01', '5 USD', '6 USD')}]", "a gate is dollars a month"),
        (f"gates: [{GATE % ('a', '2026-01-01', '7 USD / month', '6 USD / month')}]", "low lies above zero"),
        (f"gates: [{GATE % ('a', 'May', '5 USD / month', '6 USD / month')}]", "from is a day"),
        (f"gates: [{GATE % ('a', '2026-01-01', 'x', '6 USD / month')}]", "money is an amount and a currency"),
        ("gates: [{gate: x, vendor: a, from: 2026-01-01, opens_at: 5, source: s}]", "opens_at has a low and a high"),
    ],
)
def test_a_wrong_gates_file_says_where(text: str, words: str) -> None:
    with pytest.raises(ContractError) as raised:
        read_gates(of("own.yaml", text))

    assert "P621" == raised.value.code
    assert words in str(raised.value)
    assert "own.yaml:1:" in str(raised.value)


def test_a_wrong_exclusion_names_what_is_allowed() -> None:
    row = "{vendor: a, from: 2026-01-01, feature: magic, excludes: region, why: w, source: s}"
    with pytest.raises(ContractError, match="unknown feature 'magic'"):
        read_exclusions(of("own.yaml", f"exclusions: [{row}]"))
