"""Our own CSV, Parquet columns and JSONL; and, by a mapping, anybody's.

Columns have the names of the record's fields (design: id, used_at, grain, count, vendor, account, model, channel,
access, region, workload, customer, key_id, context_tokens, outcome, usage_known, latency_ms, first_token_ms,
tier_requested, tier_served, vendor_request_id), one column a meter, `tag:NAME` columns or one `tags` object.
A mapping says {our field: their column}, `=constant` for a value that stands for every row, and `a - b` for a column
that includes another. JSON keys may be dotted paths. `used_at` and `model` must come from somewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from offtake.usage.fields import count, flag, instant, json_object, rest, text
from offtake.usage.identity import Identities
from offtake.usage.meters import BY_NAME
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Rejected, Row, TextSource, convert, csv_rows, json_lines
from offtake.usage.usage_objects import context_of
from offtake.values.errors import InputError, Place

_SPECIAL = ("id", "used_at", "quantities", "tags")
_NUMBERS = ("count", "context_tokens", "latency_ms", "first_token_ms")
_WORDS = tuple(
    field.name for field in fields(UsageRecord) if field.name not in (*_SPECIAL, *_NUMBERS, "usage_known", "outcome")
)
_FIELDS = ("id", "used_at", "tags", "outcome", "usage_known", *_WORDS, *_NUMBERS, *BY_NAME)


def read_csv(source: TextSource, options: ReadOptions) -> Reading:
    """Records of CSV rows, or of the rows of a columnar file."""
    return _read("csv", source, csv_rows(source), options)


def read_jsonl(source: TextSource, options: ReadOptions) -> Reading:
    """Records of JSON lines; meters may also stand in an object `quantities`."""
    return _read("jsonl", source, json_lines(source), options)


def _read(kind: str, source: TextSource, rows: Iterator[Row | Rejected], options: ReadOptions) -> Reading:
    for name in options.mapping:
        if name not in _FIELDS and not name.startswith("tag:"):
            near = get_close_matches(name, _FIELDS, 3) or list(_FIELDS)
            raise InputError(
                "U113", f"no field is named {name!r}", hint="fields are: " + ", ".join(near) + ", tag:NAME"
            )
    if kind == "csv":
        rows = _checked(rows, options, source.file)
    identities = Identities(kind, options.account)
    return convert(rows, lambda row: _record(row, options, identities))


def _checked(rows: Iterator[Row | Rejected], options: ReadOptions, file: str) -> Iterator[Row | Rejected]:
    """The rows, after the columns of the first one: what is missing for every row is said once, for the file."""
    first = True
    for row in rows:
        if first and isinstance(row, Row):
            first = False
            check_columns(row.values, options.mapping, ("used_at",) if options.model else ("used_at", "model"), file)
            _refuse_unknown(row.values, options, Place(file, 1))
        yield row


def check_columns(columns: Collection[str], mapping: Mapping[str, str], needed: Collection[str], file: str) -> None:
    """InputError where a needed field has no column, or where a mapping names a column that is not there."""
    wanted = {name: name for name in needed} | dict(mapping)
    for name, column in wanted.items():
        parts = [column] if column in columns else [part.strip().partition(".")[0] for part in column.split(" - ")]
        missing = next((part for part in parts if part not in columns and not column.startswith("=")), None)
        if missing is not None:
            near = get_close_matches(missing, list(columns), 3) or list(columns)
            raise InputError(
                "U112", f"no column {missing!r} for {name}", where=Place(file, 1),
                why="the columns are " + ", ".join(columns), hint=f"say which it is: --map {name}={near[0]}",
            )  # fmt: skip


def _refuse_unknown(values: Mapping[str, Any], options: ReadOptions, where: Place | None = None) -> None:
    """Without a mapping, a column of tokens that is no meter of ours would be lost in silence."""
    for name in () if options.mapping else values:
        if "token" in name.lower() and name not in _FIELDS and not name.startswith("tag:"):
            near = get_close_matches(name, tuple(BY_NAME), 1)
            raise InputError(
                "U111", f"the column {name!r} may count tokens and is no meter of ours", where=where,
                hint=f"say what it is: --map {near[0] if near else 'input_tokens'}={name}",
            )  # fmt: skip


def _record(row: Row, options: ReadOptions, identities: Identities) -> UsageRecord:
    values = row.values
    nested = values.get("quantities")
    if isinstance(nested, Mapping):
        unknown = next((name for name in nested if name not in BY_NAME), None)
        if unknown is not None:
            raise InputError("U104", f"unknown meter {unknown!r}", hint="meters are: " + ", ".join(BY_NAME))
        values = {**values, **nested}
    _refuse_unknown(values, options)
    mapping = options.mapping

    def of(name: str) -> Any:
        return _mapped(values, mapping[name]) if name in mapping else values.get(name)

    quantities = {meter: quantity for meter in BY_NAME if (quantity := count(meter, of(meter)))}
    said: dict[str, Any] = {name: word for name in _WORDS if (word := text(of(name)))}
    said |= {name: count(name, of(name)) for name in _NUMBERS if text(of(name))}
    grain = said.get("grain", "request")
    if grain == "request":
        said.setdefault("context_tokens", context_of(quantities))
    if text(of("usage_known")):
        said["usage_known"] = flag("usage_known", of("usage_known"))
    return options.record(
        where=row.where,
        id=text(of("id")) or identities.of_row(row.values),
        used_at=instant("used_at", of("used_at"), options.time_zone),
        quantities=quantities,
        outcome=text(of("outcome")) or ("ok" if grain == "request" else None),
        tags=_tags(values, options),
        **said,
    )


def _tags(values: Mapping[str, Any], options: ReadOptions) -> dict[str, str]:
    column = options.mapping.get("tags", "tags")
    tags = {name: text(value) for name, value in json_object("tags", _mapped(values, column)).items()}
    tags |= {name[4:]: text(value) for name, value in values.items() if name.startswith("tag:")}
    mapped = {name: column for name, column in options.mapping.items() if name.startswith("tag:")}
    return tags | {name[4:]: text(_mapped(values, column)) for name, column in mapped.items()}


def _mapped(values: Mapping[str, Any], column: str) -> Any:
    """The value of a column, of a constant (`=value`), of a path (`usage.input`) or of a difference (`a - b`)."""
    if column.startswith("="):
        return column[1:]
    if column in values:
        return values[column]
    if " - " in column:
        total, *parts = (name.strip() for name in column.split(" - "))
        return rest(total, count(total, _mapped(values, total)), {p: count(p, _mapped(values, p)) for p in parts})
    head, _, path = column.partition(".")
    inner = values.get(head)
    return _mapped(inner, path) if path and isinstance(inner, Mapping) else None
