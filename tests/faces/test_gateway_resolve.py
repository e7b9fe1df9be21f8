"""`offtake ledger unresolved` and `resolve`: what a person does about requests whose end nobody wrote down."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.events import Settle
from offtake.gateway.journal.writer import JournalWriter
from offtake.store.ledger.leases import budget_states, lend, start_worker
from offtake.store.ledger.ledger import open_ledger
from tests.faces.conftest import Offtake
from tests.ledger.traffic import DOLLAR, NOON, intent, kill, rule

BUDGET = "key:k/month/2026-11-01"
NONE = "0.000000000000"
SAID = ("--by", "Ana Ruiz", "--why", "INC-204")
CONTRACT = """
contract: acme
buyer: Example Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2028-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: ["claude-*"], channels: [realtime, batch], access: [api]}
prices: {discounts: [{models: "claude-*", share: 15%}], batch: catalog, cache: catalog}
"""
CONFIG = """
[vendors.anthropic]
wire = "anthropic"
base_url = "https://api.anthropic.com"

[[contracts]]
file = "acme.yaml"
"""
COST = "0.008500000000"
"""1,000 tokens in and 200 out of claude-opus-4-7 at 5 and 25 USD a million, 15 % off."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four requests of one budget, a second apart, that a killed worker left without an end; and one that has one."""
    ledger = open_ledger(tmp_path / "offtake.db", create=True)
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(10), NOON, wanted_pico=2 * DOLLAR, needed_pico=2 * DOLLAR)
    journal = JournalWriter(tmp_path / "journal", "w1")
    for second, request in enumerate("abcde"):
        journal.append(intent(request, {BUDGET: DOLLAR // 4}, NOON + second * 10**6))
    used = {"input_tokens": 1}
    journal.append(
        Settle("e", NOON, NOON, "k", [BUDGET], 5, "acme", "anthropic", "claude-opus-4-7", used, vendor_request_id="v-e")
    )
    kill(journal)
    Ingester(ledger, tmp_path / "journal").drain()
    ledger.close()
    (tmp_path / "acme.yaml").write_text(CONTRACT)
    (tmp_path / "offtake.toml").write_text(CONFIG)
    return tmp_path


def row(name: str, seconds: int, model: str = "claude-opus-4-7", **more: object) -> str:
    """A row of the vendor's usage, as JSON lines have it."""
    at = datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(seconds=seconds)
    used = {"input_tokens": 1_000, "output_tokens": 200}
    return json.dumps(
        {"id": name, "used_at": at.isoformat(), "vendor": "anthropic", "model": model, "quantities": used} | more
    )


def report(folder: Path, *rows: str) -> tuple[str, ...]:
    """The flags that name a vendor's report of these rows."""
    (folder / "usage.jsonl").write_text("\n".join(rows) + "\n")
    return ("--usage", str(folder / "usage.jsonl"), "--config", str(folder / "offtake.toml"))


def left(offtake: Offtake, folder: Path) -> list[str]:
    listed = offtake("ledger", "unresolved", "--store", str(folder / "offtake.db"), "--format", "json").out
    return [each["id"] for each in json.loads(listed)["unresolved"]]


def money(folder: Path) -> tuple[int, int]:
    """(held, spent) in picodollars."""
    ledger = open_ledger(folder / "offtake.db")
    (state,) = budget_states(ledger)
    ledger.close()
    return state.held_pico, state.spent_pico


def test_unresolved_requests_are_listed(offtake: Offtake, folder: Path) -> None:
    store = ("--store", str(folder / "offtake.db"))
    (first, *_) = json.loads(offtake("ledger", "unresolved", *store, "--format", "json").out)["unresolved"]
    table, csv = (
        offtake("ledger", "unresolved", *store).out,
        offtake("ledger", "unresolved", *store, "--format", "csv").out,
    )

    assert {
        "id": "a", "sent": "2026-11-21T12:00:00Z", "vendor": "anthropic", "model": "claude-opus-4-7",
        "contract": "acme", "key": "k", "hold": "0.250000000000", "budgets": [BUDGET],
    } == first  # fmt: skip
    assert (5, 5) == (csv.count("\n"), table.count("claude-opus-4-7") + 1)


@pytest.mark.parametrize(
    ("flags", "spent"), [(("--cost", "0.01USD"), 10**10), (("--as-held",), DOLLAR // 4), (("--no-cost",), 0)]
)
def test_a_person_says_what_a_request_has_cost(
    offtake: Offtake, folder: Path, flags: tuple[str, ...], spent: int
) -> None:
    store = ("--store", str(folder / "offtake.db"))
    assert 0 == offtake("ledger", "resolve", "a", "c", *flags, *SAID, *store, "--dry-run").code
    assert ["a", "b", "c", "d"] == left(offtake, folder)
    done = offtake("ledger", "resolve", "a", "c", *flags, *SAID, *store, "--format", "json")

    assert (0, ["a", "c"]) == (done.code, [each["id"] for each in json.loads(done.out)["resolved"]])
    assert ["b", "d"] == left(offtake, folder)
    assert (DOLLAR // 2, 5 + 2 * spent) == money(folder)
    settlements = json.loads(offtake("ledger", "export", *store).out)["settlements"]
    assert ["INC-204"] * 2 == [each["why"] for each in settlements if each["kind"] == "resolve"]
    assert "whole" in offtake("ledger", "verify", *store).out


def test_all_that_were_sent_before(offtake: Offtake, folder: Path) -> None:
    store = ("--store", str(folder / "offtake.db"))
    offtake("ledger", "resolve", "--all", "--before", "2026-11-21T12:00:02Z", "--no-cost", *SAID, *store)
    assert ["c", "d"] == left(offtake, folder)
    offtake("ledger", "resolve", "--all", "--no-cost", *SAID, *store)
    assert ([], (0, 5)) == (left(offtake, folder), money(folder))
    assert "every request has ended" in offtake("ledger", "unresolved", *store).err


def test_a_report_ends_requests_by_name_by_time_and_not_by_guess(offtake: Offtake, folder: Path) -> None:
    flags = report(
        folder, row("c", 300), row("v-1", 1), row("v-2", 2), row("v-e", 3), row("v-x", 2, "claude-haiku-4-5")
    )
    done = offtake("ledger", "resolve", *flags, *SAID, "--format", "json")
    found = json.loads(done.out)

    assert 1 == done.code
    assert [("a", COST, "usage"), ("b", COST, "usage"), ("c", COST, "usage")] == [
        (each["id"], each["cost"], each["how"]) for each in found["resolved"]
    ]
    assert [{"id": "d", "why": "no row"}] == found["unresolved"]
    exported = json.loads(offtake("ledger", "export", "--store", str(folder / "offtake.db")).out)
    assert {"a": "v-1", "b": "v-2", "c": "c", "e": "v-e"} == {
        each["id"]: each["vendor_request_id"] for each in exported["usage"]
    }
    rated = offtake(
        "rate", "--store", str(folder / "offtake.db"), "--contract", str(folder / "acme.yaml"), "--by", "record"
    )
    assert 3 == rated.out.count("0.0085")
    assert "whole" in offtake("ledger", "verify", "--store", str(folder / "offtake.db")).out


def test_more_rows_than_requests_are_nobodys_in_particular(offtake: Offtake, folder: Path) -> None:
    flags = report(folder, *(row(f"v-{number}", number) for number in range(5)))
    found = json.loads(offtake("ledger", "resolve", *flags, *SAID, "--format", "json").out)

    assert [] == found["resolved"]
    assert {"its row is not the only one"} == {each["why"] for each in found["unresolved"]}
    assert (DOLLAR, 5) == money(folder)


def test_what_a_report_does_not_have_cost_nothing_if_a_person_says_so(offtake: Offtake, folder: Path) -> None:
    flags = report(folder, row("b", 1), row("later", 3_600))
    done = offtake("ledger", "resolve", *flags, *SAID, "--no-cost", "--format", "json")

    assert 0 == done.code
    assert [("a", NONE), ("b", COST), ("c", NONE), ("d", NONE)] == [
        (each["id"], each["cost"])
        for each in sorted(json.loads(done.out)["resolved"], key=lambda each: str(each["id"]))
    ]
    assert (0, 5 + 8_500_000_000) == money(folder)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("x", "--no-cost", *SAID), "L728"),
        (("e", "--no-cost", *SAID), "L728"),
        (("a", "--no-cost", "--by", " ", "--why", "x"), "L728"),
        (("a", *SAID), "--as-held"),
        (("--no-cost", *SAID), "--all"),
        (("a", "--all", "--no-cost", *SAID), "--all"),
        (("a", "--cost", "1USD", "--no-cost", *SAID), "exclude"),
        (("a", "--cost", "1USD/month", *SAID), "no amount"),
        (("a", "--cost", "-1USD", *SAID), "L720"),
    ],
)
def test_what_is_not_clear_is_refused(offtake: Offtake, folder: Path, flags: tuple[str, ...], says: str) -> None:
    done = offtake("ledger", "resolve", *flags, "--store", str(folder / "offtake.db"))

    assert (2, True) == (done.code, says in done.err)
    assert ["a", "b", "c", "d"] == left(offtake, folder)


def test_a_report_that_is_none_is_refused(offtake: Offtake, folder: Path) -> None:
    flags = report(folder, "no usage")
    (folder / "days.jsonl").write_text(row("x", 0, grain="day") + "\n")

    assert 2 == offtake("ledger", "resolve", *flags, *SAID).code
    by_day = offtake("ledger", "resolve", "--usage", str(folder / "days.jsonl"), *flags[2:], *SAID)
    assert (2, True) == (by_day.code, "L728" in by_day.err)
    assert ["a", "b", "c", "d"] == left(offtake, folder)
