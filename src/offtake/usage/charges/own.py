"""Any invoice as CSV: columns named as the charge's fields, or named by a mapping {our field: their column}.

Fields: id, starts_at, ends_at (a day after the start where there is none), amount, currency, vendor, model, meter,
quantity, unit_price (a piece) or price_mtok (a million pieces), channel, kind (usage | fee | credit | tax),
description, tag:NAME. `=constant` stands for every row: `currency: =USD`. Amounts are plain decimals: $1,234.56
is refused, because 1.234,56 is another amount.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from offtake.usage.charge import Charge
from offtake.usage.charges.reading import ChargeReading
from offtake.usage.fields import amount, instant, text, whole
from offtake.usage.identity import Identities
from offtake.usage.meters import BY_NAME
from offtake.usage.readers.own import check_columns
from offtake.usage.reading import ReadOptions
from offtake.usage.record import CHANNELS
from offtake.usage.rows import Rejected, Row, TextSource, convert, csv_rows
from offtake.values.errors import InputError

_FIELDS = (
    "id", "starts_at", "ends_at", "amount", "currency", "vendor", "model", "meter", "quantity", "unit_price",
    "price_mtok", "channel", "kind", "description",
)  # fmt: skip
KINDS = ("usage", "fee", "credit", "tax")


def read(source: TextSource, options: ReadOptions) -> ChargeReading:
    """Charges, one a row."""
    for name in options.mapping:
        if name not in _FIELDS and not name.startswith("tag:"):
            near = get_close_matches(name, _FIELDS, 3) or list(_FIELDS)
            raise InputError(
                "U113", f"no field is named {name!r}", hint="fields are: " + ", ".join(near) + ", tag:NAME"
            )
    identities = Identities("charges-csv", options.account)
    return convert(_checked(source, options), lambda row: _charge(row, options, identities))


def _checked(source: TextSource, options: ReadOptions) -> Iterator[Row | Rejected]:
    first = True
    for row in csv_rows(source):
        if first and isinstance(row, Row):
            first = False
            check_columns(row.values, options.mapping, ("starts_at", "amount"), source.file)
        yield row


def _charge(row: Row, options: ReadOptions, identities: Identities) -> Charge:
    def of(name: str) -> Any:
        column = options.mapping.get(name, name)
        return column[1:] if column.startswith("=") else row.values.get(column)

    def one_of(name: str, allowed: tuple[str, ...], default: str) -> str:
        word = text(of(name)) or default
        if word not in allowed:
            raise InputError("U102", f"unknown {name} {word!r}", hint="one of: " + ", ".join(allowed))
        return word

    starts = instant("starts_at", of("starts_at"), options.time_zone)
    ends = instant("ends_at", of("ends_at"), options.time_zone) if text(of("ends_at")) else starts + timedelta(days=1)
    if ends <= starts:
        raise InputError("U101", f"ends_at {ends} is not after starts_at {starts}")
    currency = text(of("currency"))
    if not (len(currency) == 3 and currency.isalpha() and currency.isupper()):
        raise InputError(
            "U131", f"no currency code: {currency!r}", hint="map it, or give one for all: --map currency==USD"
        )
    return Charge(
        id=text(of("id")) or identities.of_row(row.values),
        starts_at=starts,
        ends_at=ends,
        amount=amount("amount", of("amount")),
        currency=currency,
        vendor=text(of("vendor")) or options.vendor,
        model=text(of("model")),
        meter=one_of("meter", ("", *BY_NAME), "") or None,
        quantity=whole("quantity", of("quantity")) if text(of("quantity")) else None,
        unit_price=_unit_price(of("unit_price"), of("price_mtok")),
        channel=one_of("channel", CHANNELS, "realtime"),
        kind=one_of("kind", KINDS, "usage"),
        description=text(of("description")),
        tags=_tags(row.values, options.mapping),
        where=row.where,
    )


def _unit_price(each: Any, by_million: Any) -> Decimal | None:
    if text(each):
        return amount("unit_price", each)
    return amount("price_mtok", by_million).scaleb(-6) if text(by_million) else None


def _tags(values: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, str]:
    columns = {name: name for name in values if name.startswith("tag:")}
    columns |= {name: column for name, column in mapping.items() if name.startswith("tag:")}
    tags = {name[4:]: c[1:] if c.startswith("=") else text(values.get(c)) for name, c in columns.items()}
    return {name: value for name, value in tags.items() if value}
