"""Bad input: a message with its place, a stable code, exit 2, and never a traceback."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.faces.conftest import HEADER, USAGE, Offtake

ROW = "a1,2026-01-05T12:00:00Z,claude-opus-4.7,chat,search,realtime,ok,{},,5\n"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.csv", b"", "U110"),
        ("empty.jsonl", b"\n\n", "U110"),
        ("empty.parquet", b"", "U144"),
        ("damaged.parquet", b"PAR1 and then nothing", "U144"),
        ("utf16.csv", "used_at,model".encode("utf-16"), "U142"),
        ("latin1.csv", HEADER.encode() + b"\xe9,2026-01-05T12:00:00Z,m,,,,,1,,1\n", "U142"),
        ("truncated.csv.gz", gzip.compress(USAGE.encode())[:60], "U143"),
        ("damaged.csv.gz", b"\x1f\x8b\x08\x00 no gzip at all", "U143"),
        ("sheet.xlsx", b"PK\x03\x04\x00\x00", "U146"),
        ("letter.txt", b"Dear Sir or Madam\n", "U120"),
        ("trace.csv", b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,4808,10\n", "U122"),
    ],
)
def test_a_file_that_cannot_be_read_exits_2(
    name: str, data: bytes, code: str, offtake: Offtake, contract: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    done = offtake("rate", tmp_path / name, "--contract", contract, "--format", "json")

    assert (2, "") == (done.code, done.out)
    assert f"error[{code}]" in done.err
    assert name in done.err


def test_what_rate_cannot_say_is_hinted_at_import(offtake: Offtake, tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,4808,10\n")

    assert "offtake import trace.csv --out usage.parquet" in offtake("rate", trace).err


@pytest.mark.parametrize("count", ["1.5", "-1", "NaN", "1e18", "1000000000000000000", "a lot", "0x10"])
def test_a_count_that_is_none_rejects_its_row(count: str, offtake: Offtake, contract: Path, tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(HEADER + ROW.format(count))
    done = offtake("rate", usage, "--contract", contract)

    assert 1 == done.code
    assert f"{usage}:2: rejected[U105]" in done.err


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-13-01T00:00:00Z", "2026-01-05 12:00:00 Mars/Olympus", "99999-01-01T00:00:00Z"]
)
def test_a_time_that_is_none_rejects_its_row(time: str, offtake: Offtake, tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(HEADER + ROW.format(1).replace("2026-01-05T12:00:00Z", time))
    done = offtake("rate", usage)

    assert 1 == done.code
    assert "rejected[U101]" in done.err


def test_a_folder_and_a_missing_file_are_named(offtake: Offtake, tmp_path: Path) -> None:
    assert "error[U141]" in offtake("rate", tmp_path).err
    assert "none.csv" in offtake("rate", tmp_path / "none.csv").err


@pytest.mark.parametrize("arguments", [("rate", "USAGE"), ("explain", "USAGE", "--model", "claude-*")])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "C203"),
        ("contract: [", "C201"),
        ("contract: x\ncontract: y\n", "C202"),
        ("- not\n- a mapping\n", "C2"),
    ],
)
def test_a_contract_that_is_none_exits_3(
    arguments: tuple[str, ...], text: str, code: str, offtake: Offtake, usage: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text)
    words = [usage if word == "USAGE" else word for word in arguments]
    done = offtake(*words, "--contract", wrong)

    assert (3, "") == (done.code, done.out)
    assert f"{wrong}" in done.err
    assert f"error[{code}" in done.err


def test_facts_that_are_none_exit_3(offtake: Offtake, usage: Path, contract: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_text('{"kind": "seat_count", "at": "2026-01-01"}\n')
    done = offtake("rate", usage, "--contract", contract, "--facts", facts)

    assert 3 == done.code
    assert f"{facts}:1: error[C293]" in done.err


def test_a_stance_without_a_negotiation_exits_3(offtake: Offtake, usage: Path, contract: Path) -> None:
    done = offtake("rate", usage, "--contract", contract, "--stance", "ask")

    assert 3 == done.code
    assert "error[C273]" in done.err
    assert "small.negotiation.yaml" in done.err
