"""`offtake keys` and `offtake ledger`, as a person or a script calls them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.writer import JournalWriter
from offtake.store.ledger.leases import lend, start_worker
from offtake.store.ledger.ledger import open_ledger
from offtake.store.ledger.packing import text_of
from tests.faces.conftest import Offtake
from tests.ledger.traffic import DOLLAR, NOON, intent, kill, release, rule, settle

BUDGET = "key:k/month/2026-11-01"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A ledger with one settled request, one released, and one that its worker left without an end."""
    path = tmp_path / "offtake.db"
    ledger = open_ledger(path, create=True)
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(10), NOON, wanted_pico=DOLLAR, needed_pico=DOLLAR)
    journal = JournalWriter(tmp_path / "journal", "w1")
    for request in "abc":
        journal.append(intent(request, {BUDGET: DOLLAR // 4}))
    journal.append(settle("a", [BUDGET], 4_250_000_001))
    journal.append(release("b", [BUDGET]))
    kill(journal)
    Ingester(ledger, tmp_path / "journal").drain()
    ledger.close()
    return path


def test_a_key_is_made_shown_once_listed_rotated_and_revoked(offtake: Offtake, tmp_path: Path) -> None:
    flags = ("--store", str(tmp_path / "offtake.db"), "--format", "json")
    made = json.loads(
        offtake(
            "keys", "create", "--name", "search", "--budget", "1USD/month", "--models", "claude-*,gpt-5", *flags
        ).out
    )
    listed = json.loads(offtake("keys", "list", *flags).out)["keys"][0]
    rotated = json.loads(offtake("keys", "rotate", "search", "--overlap", "1 hour", *flags).out)
    revoked = json.loads(offtake("keys", "revoke", made["id"], *flags).out)

    assert made["key"].startswith("ok-")
    assert [{"amount": "1", "per": "month", "overdraft": "0"}] == made["budgets"]
    assert ("key" not in listed, made["id"], ["claude-*", "gpt-5"]) == (True, listed["id"], listed["models"])
    assert (made["id"], True) == (rotated["id"], rotated["key"] != made["key"])
    assert revoked["revoked_at"].endswith("Z")
    assert 2 == offtake("keys", "rotate", "search", *flags).code


def test_a_key_is_topped_up(offtake: Offtake, tmp_path: Path) -> None:
    flags = ("--store", str(tmp_path / "offtake.db"), "--format", "json")
    for name, budget in (("search", ("--budget", "1USD/month")), ("free", ())):
        offtake("keys", "create", "--name", name, *budget, *flags)
    lot = json.loads(
        offtake("keys", "top-up", "search", "4.5USD", "--name", "gift", "--expires", "30 days", *flags).out
    )
    (period,) = json.loads(offtake("keys", "list", *flags).out)["keys"][0]["periods"]

    assert ("gift", period["account"], "4.5") == (lot["name"], lot["account"], lot["amount"])
    assert ("5.5", "5.5", "0") == (period["amount"], period["available"], period["spent"])
    for wrong, says in (
        (("search", "4USD", "--name", "gift"), "L719"),
        (("free", "4USD"), "L719"),
        (("search", "0USD"), "L720"),
    ):
        assert says in offtake("keys", "top-up", *wrong, *flags).err


def test_on_a_terminal_the_secret_stands_alone_on_stdout(offtake: Offtake, tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "offtake.db"))
    done = offtake("keys", "create", "--name", "search", *store)

    assert (1, True) == (done.out.count("\n"), done.out.startswith("ok-"))
    assert "shown this once" in done.err
    assert done.out.strip() not in offtake("keys", "list", *store).out


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        (("--budget", "1"), 2, "L720"),
        (("--budget", "1USD/month", "--budget", "2USD/month"), 2, "two budgets of one period"),
        (("--overdraft", "1USD"), 2, "without a budget"),
        (("--scopes", "everything"), 2, "inference, batch, files, admin"),
        (("--expires", "2020-01-01"), 2, "has passed"),
        (("--expires", "soon"), 2, "90 days"),
    ],
)
def test_what_a_key_cannot_be_is_said_and_nothing_is_stored(
    offtake: Offtake, tmp_path: Path, flags: tuple[str, ...], code: int, says: str
) -> None:
    done = offtake("keys", "create", "--name", "x", "--store", str(tmp_path / "offtake.db"), *flags)

    assert code == done.code
    assert says in done.err
    assert [] == list(tmp_path.iterdir())


def test_the_books_as_json_are_exact(offtake: Offtake, store: Path) -> None:
    found = json.loads(offtake("ledger", "export", "--store", str(store)).out)

    assert ["schema_version", "usage", "holds", "settlements", "unresolved"] == list(found)
    assert ("a", {"input_tokens": 1000, "output_tokens": 200}, {"team": "search"}, "2026-11-21T12:00:00Z") == tuple(
        found["usage"][0][name] for name in ("id", "quantities", "tags", "used_at")
    )
    assert [("a", "0.250000000000"), ("b", "0.250000000000"), ("c", "0.250000000000")] == [
        (hold["id"], hold["hold"]) for hold in found["holds"]
    ]
    assert [("a", "settle", "0.004250000001"), ("b", "release", "0.000000000000")] == [
        (each["id"], each["kind"], each["cost"]) for each in found["settlements"]
    ]
    assert [("c", "w1", "0.250000000000")] == [
        (each["id"], each["worker"], each["hold"]) for each in found["unresolved"]
    ]


def test_the_books_as_parquet_are_rated_like_any_usage(offtake: Offtake, store: Path, tmp_path: Path) -> None:
    done = offtake("ledger", "export", "--store", str(store), "--format", "parquet", "--out", str(tmp_path / "books"))
    rated = offtake("rate", str(tmp_path / "books" / "usage.parquet"), "--format", "json")

    assert "1 usage, 3 holds, 2 settlements, 1 unresolved" in done.err
    assert 0 == rated.code
    assert {"input_tokens": 1000, "output_tokens": 200} == json.loads(rated.out)["control"]["quantities"]
    assert 2 == offtake("ledger", "export", "--store", str(store), "--format", "parquet").code


def test_a_whole_ledger_verifies_and_a_forged_one_names_its_line(offtake: Offtake, store: Path) -> None:
    assert (0, True) == (offtake("ledger", "verify", "--store", str(store)).code, store.exists())
    forger = sqlite3.connect(store)
    forger.create_function("text_of", 1, text_of)
    forger.executescript(
        "DROP TRIGGER blocks_no_update; "
        "UPDATE blocks SET lines = CAST(replace(CAST(text_of(lines) AS TEXT), '4250000001', '4250000000') AS BLOB)"
    )
    forger.close()
    done = offtake("ledger", "verify", "--store", str(store))

    assert 1 == done.code
    assert "error[L733]: block 3, line 4: the line does not match its checksum" in done.err
    assert json.loads(offtake("ledger", "verify", "--store", str(store), "--format", "json").out)["whole"] is False


def test_the_configuration_names_the_store(offtake: Offtake, store: Path, tmp_path: Path) -> None:
    config = tmp_path / "offtake.toml"
    config.write_text(
        '[store]\npath = "offtake.db"\n[vendors.anthropic]\nwire = "anthropic"\nbase_url = "https://api.anthropic.com"\n'
        '[[contracts]]\nfile = "acme.yaml"\n'
    )

    assert 0 == offtake("ledger", "verify", "--config", str(config)).code
    assert 2 == offtake("ledger", "verify", "--store", str(tmp_path / "none.db")).code
    assert "L710" in offtake("ledger", "verify", "--store", str(config)).err
