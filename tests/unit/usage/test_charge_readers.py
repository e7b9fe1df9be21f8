"""Each reader of a bill: amounts as the vendor printed them, meters as far as it says them, bad rows with a place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from offtake.usage.charge import Charge
from offtake.usage.charges.reading import read_charges
from offtake.usage.reading import ReadOptions, TextSource
from offtake.usage.rows import Rejected
from offtake.values.errors import InputError
from tests.unit.usage.reading_fixtures import FIXTURES, MARCH

CHARGES = FIXTURES.parent / "charges"


def reading(kind: str, file: str, options: ReadOptions | None = None) -> tuple[list[Charge], list[tuple[str, str]]]:
    path = FIXTURES / file if kind == "focus" else CHARGES / file
    source = TextSource(file, path.read_text().splitlines(keepends=True))
    rows = list(read_charges(kind, source, options or ReadOptions()))
    return (
        [row for row in rows if isinstance(row, Charge)],
        [(str(row.where), row.code) for row in rows if isinstance(row, Rejected)],
    )


def test_openai_costs_keep_every_digit_and_parse_the_line_item() -> None:
    charges, rejected = reading("openai-costs", "openai_costs.json")

    assert [
        (Decimal("0.1234567890123456"), "gpt-5.4-2026-03-05", "input_tokens", 49382, "realtime"),
        (Decimal("0.02"), "gpt-5.4-2026-03-05", "cache_read_tokens", None, "priority"),
        (Decimal(1), "", "web_searches", 100, "realtime"),
        (Decimal("3.5"), "", None, None, "realtime"),
    ] == [(c.amount, c.model, c.meter, c.quantity, c.channel) for c in charges]
    assert {(MARCH, MARCH + timedelta(days=1), "USD", "openai")} == {
        (c.starts_at, c.ends_at, c.currency, c.vendor) for c in charges
    }
    assert [("openai_costs.json:6", "U109")] == rejected


def test_anthropic_costs_are_cents() -> None:
    charges, rejected = reading("anthropic-costs", "anthropic_costs.json")

    assert [
        (Decimal("1.2378912"), "claude-opus-4-7", "input_tokens", "realtime"),
        (Decimal("0.075"), "claude-opus-4-7", "cache_write_1h_tokens", "batch"),
        (Decimal("0.30"), "", "web_searches", "realtime"),
    ] == [(c.amount, c.model, c.meter, c.channel) for c in charges]
    assert {"context_window": "0-200k"} == charges[0].tags
    assert [("anthropic_costs.json:5", "U130")] == rejected


def test_anthropic_console_costs() -> None:
    (charge,), rejected = reading("anthropic-console-costs", "anthropic_console_costs.csv")

    assert (Decimal("0.10"), "Claude Opus 4.7", "cache_read_tokens", MARCH) == (
        charge.amount,
        charge.model,
        charge.meter,
        charge.starts_at,
    )
    assert [("anthropic_console_costs.csv:3", "U130")] == rejected


def test_focus_rows_of_every_category_are_charges() -> None:
    charges, rejected = reading("focus", "focus.csv")

    assert [
        ("usage", Decimal("7.5"), "input_tokens", 2_500_000, Decimal("0.000003")),
        ("usage", Decimal("2.4"), "cache_read_tokens", 8_000_000, Decimal("0.0000003")),
        ("usage", Decimal("22.5"), "output_tokens", 1_500_000, Decimal("0.000015")),
        ("usage", Decimal("6.0"), None, None, None),
        ("fee", Decimal(1200), None, None, None),
        ("credit", Decimal("-20.00"), None, None, None),
    ] == [(c.kind, c.amount, c.meter, c.quantity, c.unit_price) for c in charges]
    assert datetime(2027, 3, 1, tzinfo=UTC) == charges[4].ends_at
    assert [] == rejected


MAPPING = {
    "starts_at": "day",
    "amount": "usd",
    "currency": "=USD",
    "vendor": "=anthropic",
    "model": "what",
    "meter": "=input_tokens",
    "quantity": "tokens",
    "price_mtok": "rate",
    "kind": "kind",
}


def test_any_csv_is_a_bill_by_mapping() -> None:
    charges, rejected = reading("csv", "own.csv", ReadOptions(mapping=MAPPING))

    assert [
        ("usage", Decimal("12.50"), 2_500_000, Decimal("0.000005"), MARCH + timedelta(days=1)),
        ("credit", Decimal("-3.00"), None, None, MARCH + timedelta(days=2)),
    ] == [(c.kind, c.amount, c.quantity, c.unit_price, c.ends_at) for c in charges]
    assert [("own.csv:3", "U130")] == rejected


def test_a_bill_without_a_currency_is_refused_row_by_row() -> None:
    mapping = {name: column for name, column in MAPPING.items() if name != "currency"}

    assert [("own.csv:2", "U131"), ("own.csv:3", "U131"), ("own.csv:4", "U131")] == reading(
        "csv", "own.csv", ReadOptions(mapping=mapping)
    )[1]


def test_a_field_that_no_charge_has_is_an_error() -> None:
    with pytest.raises(InputError, match="no field is named 'amonut'"):
        reading("csv", "own.csv", ReadOptions(mapping={"amonut": "usd"}))
