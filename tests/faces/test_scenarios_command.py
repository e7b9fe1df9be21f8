"""`offtake test`: exit codes and what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from offtake.cli.main import run

CASE = """\
- name: A dollar is a dollar
  usage: [{{at: 2026-01-01T00:00:00Z, model: claude-opus-4.7, input_tokens: 1_000_000}}]
  expect: {{total: {total}, because: one million tokens at five dollars}}
"""


def test_scenarios_that_hold_exit_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "case.yaml").write_text(CASE.format(total=5))

    assert 0 == run(["test", str(tmp_path)])
    assert "1 scenario holds" in capsys.readouterr().out


def test_a_scenario_that_fails_exits_1_and_shows_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "case.yaml").write_text(CASE.format(total=6))

    assert 1 == run(["test", str(tmp_path)])
    printed = capsys.readouterr().out
    for words in ("FAIL", "A dollar is a dollar", "6.00", "5.00", "one million tokens at five dollars", "1 fail"):
        assert words in printed


def test_a_file_that_cannot_be_read_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "case.yaml").write_text("- name: [\n")

    assert 1 == run(["test", str(tmp_path)])
    assert "this is not YAML" in capsys.readouterr().out


def test_only_named_scenarios_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "case.yaml").write_text(CASE.format(total=6))

    assert 0 == run(["test", str(tmp_path), "--name", "euro"])
    assert "0 scenarios hold" in capsys.readouterr().out


def test_a_folder_without_scenarios_exits_2(tmp_path: Path) -> None:
    assert 2 == run(["test", str(tmp_path)])
