"""Bad flags and files: a message with its place, a stable code, exit 2 or 3, and never a traceback.

Files of bad rows are scenarios: tests/scenarios/bad/usage.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faces.conftest import USAGE, Offtake


def test_a_folder_a_pipe_and_a_missing_file_are_named(offtake: Offtake, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "error[U141]: this is a folder" in offtake("rate", tmp_path).err
    assert "error[U141]: this is a pipe" in offtake("rate", tmp_path / "pipe").err
    assert "none.csv" in offtake("rate", tmp_path / "none.csv").err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(offtake: Offtake, usage: Path, tmp_path: Path) -> None:
    usage.chmod(0)

    assert (2, True) == ((done := offtake("rate", usage)).code, "usage.csv" in done.err)
    assert (2, True) == ((done := offtake("import", usage, "--out", tmp_path / "o.parquet")).code, "U147" in done.err)


def test_a_mark_and_carriage_returns_of_windows_are_read(offtake: Offtake, usage: Path) -> None:
    usage.write_bytes(b"\xef\xbb\xbf" + USAGE.replace("\n", "\r\n").encode())

    assert (0, True) == ((done := offtake("rate", usage)).code, "4 rows: 4 priced" in done.err)


def test_a_field_that_no_row_can_hold_rejects_its_row_only(offtake: Offtake, usage: Path) -> None:
    usage.write_text(USAGE + "a5,2026-02-07T12:00:00Z," + "x" * 200_000 + ",chat,,realtime,ok,1,,1\n")

    assert (1, True) == ((done := offtake("rate", usage)).code, f"{usage}:6: rejected[U107]" in done.err)


@pytest.mark.parametrize(
    ("command", "flag"),
    [("rate", "--rejects"), ("import", "--rejects")]
    + [(command, "--out") for command in ("rate", "import", "explain", "status", "check", "export")],
)
def test_what_is_read_is_never_written_over(
    command: str, flag: str, offtake: Offtake, usage: Path, contract: Path, tmp_path: Path
) -> None:
    other = "--out" if flag == "--rejects" else "--rejects"
    arguments: dict[str, list[object]] = {
        "rate": ["rate", usage, "--contract", contract, other, tmp_path / "other"],
        "import": ["import", usage, other, tmp_path / "other"],
        "explain": ["explain", usage, "--model", "claude-*"],
        "status": ["status", usage, "--contract", contract],
        "check": ["check", contract],
        "export": ["export", "focus", usage, "--contract", contract],
    }
    read = contract if command == "check" else usage
    before = read.read_bytes()
    done = offtake(*arguments[command], flag, read)

    assert (2, "", before) == (done.code, done.out, read.read_bytes())
    assert f"error[U148]: {read} is one of the files to read" in done.err
    assert f"name another file with {flag}" in done.err


def test_two_outputs_are_two_files(offtake: Offtake, usage: Path, tmp_path: Path) -> None:
    for command in ("rate", "import"):
        both = offtake(command, usage, "--out", tmp_path / "one", "--rejects", tmp_path / "one")
        assert (2, True) == (both.code, "error[U148]" in both.err)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--at", "yesterday"], "is not a date or an instant"),
        (["--at", "2026-02-30"], "is not a date or an instant"),
        (["--at", "2020-01-01"], "error[U190]"),
        (["--from", "2026-05-01", "--until", "2026-01-01"], "error[U190]"),
        (["--by", "colour"], "error[U191]"),
        (["--by", "tag:"], "error[U191]"),
        (["--by", "record", "--format", "csv"], "leave out --format csv"),
        (["--format", "excel"], "excel"),
        (["--contarct", "x"], "--contract"),
        (["--contract", "x.yaml", "--previous", "none.json"], "does not exist"),
    ],
)
def test_flags_that_cannot_be_meant_exit_2(
    flags: list[str], words: str, offtake: Offtake, usage: Path, contract: Path
) -> None:
    done = offtake("rate", usage, "--contract", contract, *flags)

    assert (2, "") == (done.code, done.out)
    assert words in done.err


def test_a_tag_that_no_row_has_is_said(offtake: Offtake, usage: Path, contract: Path) -> None:
    assert "warning: no row has the tag 'squad'" in offtake("rate", usage, "--by", "tag:squad").err
    assert "warning" not in offtake("rate", usage, "--by", "tag:team").err


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
