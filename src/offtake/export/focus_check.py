"""Whether rows conform to FOCUS 1.2: presence, types, nulls, allowed values, formats, and the sums over a data set.

Our own checks, named by the rules of the specification that they run; the acceptance of every export in our tests.
They judge what stands in a file: rows come from `focus.rows`, or back from CSV or Parquet through `focus_files`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from offtake.export.focus_columns import COLUMNS, PLACES, Column, Row, Value
from offtake.export.focus_rules import RULES
from offtake.values.money import ZERO

TOLERANCE = Decimal("1e-12")
"""What sums may be off: amortised costs are written with 18 places, and a picodollar is our smallest price."""

_PLACEHOLDERS = {"", "null", "none", "n/a", "na", "not applicable", "not specified", "unknown"}
_UNIT = re.compile(r"([1-9]\d* )?[A-Z][A-Za-z0-9]*(?:[ -][A-Z][A-Za-z0-9]*)*")
_UNITS = ("PricingUnit", "ConsumedUnit", "CommitmentDiscountUnit")
_INTEGER_DIGITS_MAX = 38 - PLACES
_CUSTOM = re.compile(r"x_[A-Z][A-Za-z0-9]*")
_DEFINED = re.compile(r"[A-Z][A-Za-z0-9]*")


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule. `row` counts from 1; 0 means the data set as a whole."""

    rule: str
    column: str
    row: int
    says: str
    value: object = None

    def __str__(self) -> str:
        where = f"row {self.row}: " if self.row else ""
        return f"{where}{self.rule}: {self.column} {self.says}; it is {self.value!r}"


def check(
    rows: Sequence[Row],
    *,
    whole_term: bool = False,
    rounding: Decimal = ZERO,
    payable: Mapping[str, Decimal] | None = None,
) -> list[Violation]:
    """Every broken rule. `whole_term` says that the rows cover whole commitments, so that effective and billed costs
    must meet (each commitment's up to `rounding` a row, because billed costs are rounded line by line); `payable` gives
    the total of each invoice by InvoiceId.
    """
    found = list(_presence(rows))
    for number, row in enumerate(rows, 1):
        found += _values(number, row)
        found += [
            Violation(rule.id, rule.column, number, rule.says, row.get(rule.column))
            for rule in RULES
            if rule.when(row) and not rule.then(row)
        ]
        found += _periods(number, row)
    found += _one_parent(rows)
    if payable is not None:
        found += _payable(rows, payable)
    if whole_term:
        found += _whole_term(rows, rounding)
    return found


def _presence(rows: Sequence[Row]) -> Iterator[Violation]:
    if not rows:
        return
    for column in COLUMNS:
        if column.present and any(column.name not in row for row in rows):
            yield Violation(column.present, column.name, 0, "is present")
    for name in rows[0]:
        if not (_DEFINED.fullmatch(name) or _CUSTOM.fullmatch(name)):
            yield Violation("ColumnHandling-A-000-M", name, 0, "is in Pascal case, with x_ before a custom name", name)


def _values(number: int, row: Row) -> Iterator[Violation]:
    for column in COLUMNS:
        value = row.get(column.name)
        if value is None:
            if column.never_null:
                yield Violation(column.never_null, column.name, number, "is not null")
            continue
        if not _has_type(column, value):
            yield Violation(column.typed or "x_type", column.name, number, f"is a {column.kind}", value)
            continue
        if column.allowed and value not in column.values:
            yield Violation(column.allowed, column.name, number, f"is one of {', '.join(column.values)}", value)
        rule, says = _format(column, value)
        if rule:
            yield Violation(rule, column.name, number, says, value)


def _has_type(column: Column, value: Value) -> bool:
    if column.kind == "decimal":
        return isinstance(value, Decimal)
    return isinstance(value, datetime if column.kind == "datetime" else str)


def _format(column: Column, value: Value) -> tuple[str, str]:
    """The format rule that a value breaks, with what it says; two empty strings where it breaks none."""
    if isinstance(value, Decimal):
        return ("", "") if _fits(value) else ("NumericFormat-A-000-M", "is a finite number of DECIMAL(38,18)")
    if isinstance(value, datetime):
        is_utc = value.utcoffset() == UTC.utcoffset(None)
        return ("", "") if is_utc else ("DateTimeFormat-A-000-M", "is in UTC")
    if not isinstance(value, str):
        return "", ""
    if value.strip().lower() in _PLACEHOLDERS:
        return "NullHandling-A-000-M", "is null rather than an empty text or a placeholder"
    if column.kind == "key_value" and not _is_key_value(value, column.name):
        return "KeyValueFormat-A-000-M", "is a JSON object of plain values, custom keys with x_"
    if column.name in _UNITS and not _UNIT.fullmatch(value):
        return "UnitFormat-A-000-M", "is a unit such as 1000000 Tokens"
    if column.name == "BillingCurrency" and not re.fullmatch(r"[A-Z]{3}", value):
        return "BillingCurrency-C-003-M", "is a currency code of ISO 4217"
    return "", ""


def _fits(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -PLACES and value.adjusted() < _INTEGER_DIGITS_MAX


def _is_key_value(text: str, column: str) -> bool:
    keys: list[str] = []

    def collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys.extend(key for key, _ in pairs)
        return dict(pairs)

    try:
        document = json.loads(text, object_pairs_hook=collect)
    except ValueError:
        return False
    if not isinstance(document, dict) or len(keys) != len(document):
        return False  # no object, one inside, or a key twice
    if any(isinstance(value, (list, dict)) for value in document.values()):
        return False
    return column != "SkuPriceDetails" or all(_CUSTOM.fullmatch(key) for key in keys)


def _periods(number: int, row: Row) -> Iterator[Violation]:
    for name in ("BillingPeriod", "ChargePeriod"):
        start, end = row.get(f"{name}Start"), row.get(f"{name}End")
        if isinstance(start, datetime) and isinstance(end, datetime) and start.tzinfo and end.tzinfo and start >= end:
            yield Violation(f"{name}End-C-004-M", f"{name}End", number, "is the exclusive end, after the start", end)


_PARENTS = (
    ("SkuPriceId-C-008-M", "SkuPriceId", "SkuId"),
    ("SkuMeter-C-006-O", "SkuId", "SkuMeter"),
    ("ServiceName-C-005-C", "ServiceName", "ServiceCategory"),
    ("ServiceName-C-008-C", "ServiceName", "ServiceSubcategory"),
    ("CommitmentDiscountId-C-007-M", "CommitmentDiscountId", "CommitmentDiscountName"),
)


def _one_parent(rows: Sequence[Row]) -> Iterator[Violation]:
    for rule, child, parent in _PARENTS:
        first: dict[Value, Value] = {}
        for number, row in enumerate(rows, 1):
            key, value = row.get(child), row.get(parent)
            if key is not None and value is not None and first.setdefault(key, value) != value:
                yield Violation(rule, child, number, f"has one {parent}", value)


def _payable(rows: Iterable[Row], payable: Mapping[str, Decimal]) -> Iterator[Violation]:
    billed: dict[Value, Decimal] = defaultdict(lambda: ZERO)
    for row in rows:
        billed[row.get("InvoiceId")] += _amount(row, "BilledCost")
    for invoice in {*payable, *billed}:
        if abs(billed[invoice] - payable.get(str(invoice), ZERO)) > TOLERANCE:
            says = f"sums to the total of invoice {invoice}"
            yield Violation("BilledCost-C-006-M", "BilledCost", 0, says, billed[invoice])


def _whole_term(rows: Iterable[Row], rounding: Decimal) -> Iterator[Violation]:
    """By commitment, and over all rows. The specification says it of purchases against usage; usage that was billed as
    it happened (nothing prepaid) stands on both sides.
    """
    open_: dict[Value, Decimal] = defaultdict(lambda: ZERO)
    allowed: dict[Value, Decimal] = defaultdict(lambda: TOLERANCE)
    total = ZERO
    for row in rows:
        difference = _amount(row, "EffectiveCost") - _amount(row, "BilledCost")
        total += difference
        if row.get("CommitmentDiscountId") is not None:
            open_[row.get("CommitmentDiscountId")] += difference
            allowed[row.get("CommitmentDiscountId")] += rounding
    for commitment, difference in open_.items():
        if abs(difference) > allowed[commitment]:
            says = f"sums to the billed cost over the term of {commitment}"
            yield Violation("EffectiveCost-C-012-C", "EffectiveCost", 0, says, difference)
    if abs(total) > TOLERANCE:
        yield Violation("x_EffectiveIsBilled", "EffectiveCost", 0, "sums to the billed cost over the term", total)


def _amount(row: Row, column: str) -> Decimal:
    value = row.get(column)
    return value if isinstance(value, Decimal) and value.is_finite() else ZERO
