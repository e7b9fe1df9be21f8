"""What is shown: amounts for the eye, amounts for scripts, tables that survive a pipe."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.cli import render


@pytest.mark.parametrize(
    ("amount", "currency", "places", "shown"),
    [
        ("1234.565", "USD", 2, "$1,234.56"),
        ("-0.5", "USD", 2, "-$0.50"),
        ("-0.001", "USD", 2, "$0.00"),
        ("1234.5", "EUR", 2, "1,234.50 EUR"),
        ("0.00000425", "USD", 8, "$0.00000425"),
        ("1351232.88", "USD", 0, "$1,351,233"),
    ],
)
def test_an_amount_for_the_eye(amount: str, currency: str, places: int, shown: str) -> None:
    assert shown == render.money(Decimal(amount), currency, places)


def test_shares_and_counts_for_the_eye() -> None:
    assert "12.5%" == render.share(Decimal("0.125"))
    assert "500,000,000" == render.count(500_000_000)


def test_json_has_amounts_as_strings_and_instants_in_utc() -> None:
    berlin_winter = timezone(timedelta(hours=1))
    document = {
        "total": Decimal("1E+3"),
        "tiny": Decimal("1E-12"),
        "from": datetime(2026, 1, 1, tzinfo=berlin_winter),
        "day": date(2026, 1, 1),
        "complete": True,
        "lines": ({"id": 1}, None),
    }

    assert {
        "schema_version": 1,
        "total": "1000",
        "tiny": "0.000000000001",
        "from": "2025-12-31T23:00:00Z",
        "day": "2026-01-01",
        "complete": True,
        "lines": [{"id": 1}, None],
    } == json.loads(render.json_text(document))


@pytest.mark.parametrize("value", [1.0, datetime(2026, 1, 1), {1, 2}])  # noqa: DTZ001
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        render.plain({"value": value})


def test_csv_has_a_header_and_quotes_what_it_must() -> None:
    rows: list[list[object]] = [["opus, large", Decimal("1.50")], [None, Decimal("1E+1")]]

    assert 'model,billed\n"opus, large",1.50\n,10\n' == "".join(render.csv_text(["model", "billed"], rows))


def test_jsonl_is_one_object_a_line() -> None:
    assert ['{"total": "1.5"}\n', '{"total": "2"}\n'] == list(
        render.jsonl_text([{"total": Decimal("1.5")}, {"total": Decimal(2)}])
    )


def test_a_piped_table_has_no_colour_and_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    render.table(["clause", "billed"], [["a clause " * 20, "$1.00"], ["[b]not markup[/b]", "$10.00"]], right=["billed"])
    lines = capsys.readouterr().out.splitlines()

    assert any(("a clause " * 20).strip() in line and line.endswith(" $1.00") for line in lines)
    assert any("[b]not markup[/b]" in line for line in lines)
    assert "\x1b" not in "".join(lines)


def test_words_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    render.text("overbilled $10 [prices.discounts[0]]", style="bold")

    assert "overbilled $10 [prices.discounts[0]]\n" == capsys.readouterr().out


def test_steps_are_words_on_a_terminal_and_nothing_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with render.steps() as step:
        step("commitments[spend]")
    assert ("", "") == capsys.readouterr()

    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with render.steps() as step:
        step("commitments[spend]")
        time.sleep(0.3)  # the picture is drawn by a clock of its own
    assert "commitments[spend]" in capsys.readouterr().err


def test_progress_is_silent_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    with render.progress("reading", 10) as advance:
        advance(10)

    assert ("", "") == capsys.readouterr()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "invoices.json"
    render.write("before", out)

    def parts() -> Iterator[str]:
        yield "half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render.write(parts(), out)

    assert "before" == out.read_text()
    assert [out] == list(tmp_path.iterdir())


def test_data_goes_to_stdout_and_notes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    render.write(["a", "b\n"])
    render.note("2 rows")

    assert ("ab\n", "2 rows\n") == capsys.readouterr()
