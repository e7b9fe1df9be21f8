"""The strict YAML reader: exact values, places, and a sentence for each refusal."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from offtake.values.errors import ContractError, Place
from offtake.values.yaml_text import read_yaml, step


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1_200_000", 1_200_000),
        ("0.1", Decimal("0.1")),
        ("1e3", Decimal("1e3")),
        ("-0.5", Decimal("-0.5")),
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("22:30", "22:30"),
        ("20%", "20%"),
        ("500_000 USD", "500_000 USD"),
        ("2026-01-01", date(2026, 1, 1)),
        ("2026-01-01T10:00:00Z", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("'5'", "5"),
        ('"2026-01-01"', "2026-01-01"),
        ("_1", "_1"),
        ("\u0661", "\u0661"),
    ],
)
def test_scalars(text: str, expected: object) -> None:
    data, _ = read_yaml(f"key: {text}", "f.yaml")
    assert isinstance(data, dict)
    assert expected == data["key"]
    assert type(expected) is type(data["key"])


def test_places_are_those_of_the_keys() -> None:
    _, places = read_yaml("prices:\n  - {input_mtok: 3}\n  - gpt-5.4: 1\n", "f.yaml")
    assert Place("f.yaml", 2, 6) == places["prices[0].input_mtok"]
    assert Place("f.yaml", 3, 5) == places[step(step(step("", "prices"), 1), "gpt-5.4")]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "C203", 1, 1),
        ("# only a comment\n", "C203", 1, 1),
        ("a: [1", "C201", 1, 6),
        ("\ta: 1", "C201", 1, 1),
        ("a: b: c", "C201", 1, 5),
        ("a: \x00", "C201", None, None),
        ("a: 1\nb: {c: 1,\n  c: 2}", "C202", 3, 3),
        ("a: .nan", "C204", 1, 4),
        ("a: -.inf", "C204", 1, 4),
        ("a: 1e999", "C204", 1, 4),
        ("a: " + "9" * 41, "C204", 1, 4),
        ("a: 2026-02-30", "C205", 1, 4),
        ("a: 2026-01-01T25:00:00Z", "C205", 1, 4),
        ("a: &x 1", "C206", 1, 4),
        ("a: !!float 1", "C206", 1, 4),
        ("a: 1\n---\nb: 2", "C206", 2, 1),
        ("<<: {a: 1}", "C206", 1, 1),
        ("? [a]\n: 1", "C206", 1, 3),
        ("a: " + "[" * 100, "C206", 1, 64),
    ],
)
def test_refusals_name_the_place(text: str, code: str, line: int | None, column: int | None) -> None:
    with pytest.raises(ContractError) as caught:
        read_yaml(text, "f.yaml")
    finding = caught.value.findings[0]
    assert (code, Place("f.yaml", line, column)) == (finding.code, finding.where)
    assert finding.hint
