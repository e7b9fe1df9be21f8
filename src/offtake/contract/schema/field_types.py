"""The base of every term, and the field types that read what people write.

A field type is the exact value it means: `Share` is a Decimal between its bounds, `AMoney` a Money. The text forms
live in `values/units.py`; a reader here adds bounds, a writer gives back the text of the file, and `contract/parse.py`
adds file, line and column. Types are strict: `no` is text and not a boolean, `"3"` is text and not a number.

The docstring under a field is its description in the JSON Schema and in docs/reference/contract.md.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)
from pydantic_core import PydanticCustomError

from offtake.usage.meters import METERS
from offtake.values import units
from offtake.values.money import Money

AMOUNT_MAX = Decimal(10) ** 15
PLACES_MAX = 18


class Term(BaseModel):
    """A node of the contract file. Frozen; unknown keys are refused; `source` names the paper's paragraph."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
        use_attribute_docstrings=True,
        defer_build=True,  # a hundred terms: each is built when a file first has it, and not at import
    )

    source: str | None = None
    """Paragraph of the signed paper, such as `order_form §2.1`; the first word is a key of `documents`."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As the file has it: what must be said and is None was written `never`."""
        unsaid = [name for name, info in type(self).model_fields.items() if info.is_required()]
        written: dict[str, Any] = write(self)
        return written | {name: "never" for name in unsaid if getattr(self, name) is None}


def _sized(value: Decimal, written: object) -> Decimal:
    """The value itself, when it is not negative and no unit can be wrong by orders of magnitude."""
    if value < 0:
        raise ValueError(f"it must not be negative; got {written}")
    if value > AMOUNT_MAX:
        raise ValueError(f"it must not exceed {AMOUNT_MAX:,} (a unit is wrong); got {written}")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -PLACES_MAX:
        raise ValueError(f"it must not have more than {PLACES_MAX} decimal places; got {written}")
    return value


def _share(value: object) -> Decimal:
    share = _sized(units.share(value), value)
    if share > 1:
        raise ValueError(f"a share of this kind lies between 0% and 100%; got {value}")
    return share


def _any_share(value: object) -> Decimal:
    return _sized(units.share(value), value)


def _share_rate(value: object) -> units.ShareRate:
    rate = units.share_rate(value)
    _sized(rate.share, value)
    return rate


def _multiple(value: object) -> Decimal:
    return _sized(units.multiple(value), value)


def _money(value: object) -> Money:
    money = units.money(value)
    _sized(money.amount, value)
    return money


def _money_rate(value: object) -> units.MoneyRate:
    rate = units.money_rate(value)
    _sized(rate.money.amount, value)
    return rate


def _count_rate(value: object) -> units.CountRate:
    rate = units.count_rate(value)
    _sized(Decimal(rate.count), value)
    return rate


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError(f"it must be a plain number, such as 0.85; got {value!r}")
    return _sized(Decimal(value), value)


def _zone(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a time zone is a name such as Europe/Berlin; got {value!r}")
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise PydanticCustomError("time_zone", "no time zone is called {name}", {"name": value}) from error
    return value


def plain(value: Decimal) -> str:
    """A number as the file writes it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: Decimal) -> str:
    """A share as the file writes it: Decimal("0.20") gives `20%`."""
    return f"{plain(value.scaleb(2))}%"


def _written_money(money: Money) -> str:
    return f"{plain(money.amount)} {money.currency}"


def _per(text: str, per: str | None) -> str:
    return f"{text} / {per}" if per else text


def _text(read: Callable[[object], object], write: Callable[[Any], str], pattern: str, example: str) -> Any:
    """A type that is text in the file; a value that was read before passes unread (contracts made in Python)."""

    def before(value: object) -> object:
        known = isinstance(value, (Money, units.MoneyRate, units.CountRate, units.ShareRate, units.Duration))
        return value if known else read(value)

    return [
        BeforeValidator(before),
        PlainSerializer(write, return_type=str),
        WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]}),
    ]


_NUMBER = r"[0-9][0-9_]*(\.[0-9_]+)?"
_EACH = r"( / (hour|day|week|month|quarter|year))"
Share = Annotated[Decimal, *_text(_share, percent, rf"^{_NUMBER} *%$", "20%")]
"""0% to 100%, as a Decimal between 0 and 1."""
AnyShare = Annotated[Decimal, *_text(_any_share, percent, rf"^{_NUMBER} *%$", "105%")]
"""A share that may exceed 100%."""
AShareRate = Annotated[
    units.ShareRate,
    *_text(_share_rate, lambda r: _per(percent(r.share), r.per), rf"^{_NUMBER} *%{_EACH}$", "1% / month"),
]
Multiple = Annotated[Decimal, *_text(_multiple, lambda m: f"{plain(m)}x", rf"^{_NUMBER} *x$", "2x")]
ADuration = Annotated[
    units.Duration,
    *_text(units.duration, str, r"^[0-9_]+ (minute|hour|day|business day|week|month|quarter|year)s?$", "90 days"),
]
AMoney = Annotated[Money, *_text(_money, _written_money, rf"^{_NUMBER} [A-Z]{{3}}$", "1_200_000 USD")]
AMoneyRate = Annotated[
    units.MoneyRate,
    *_text(
        _money_rate,
        lambda r: _per(_written_money(r.money), r.per),
        rf"^{_NUMBER} [A-Z]{{3}}{_EACH}?$",
        "1_200_000 USD / year",
    ),
]
ACountRate = Annotated[
    units.CountRate,
    *_text(_count_rate, lambda r: _per(str(r.count), r.per), rf"^[0-9][0-9_]*{_EACH}?$", "12_000_000_000 / year"),
]
Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number", "minimum": 0})]
"""A plain number at or above zero, exact."""
Zone = Annotated[str, BeforeValidator(_zone), WithJsonSchema({"type": "string", "examples": ["UTC", "Europe/Berlin"]})]
"""An IANA time zone."""
Count = Annotated[int, Field(ge=0, le=10**15)]

Day = date
Instant = datetime | date
"""A date means local midnight in `term.time_zone`; an instant carries its own offset."""
Channel = Literal["realtime", "batch", "flex", "priority"]
Every = Literal["week", "month", "quarter", "year"]


def _never(value: object) -> object:
    return None if value == "never" else value


def known(words: tuple[str, ...], what: str) -> Callable[[str], str]:
    """A validator that lets only these words pass; `what` says what each is, with its article."""

    def check(value: str) -> str:
        if value not in words:
            raise PydanticCustomError("unknown_word", "not {what}", {"word": value, "what": what, "words": words})
        return value

    return check


METER_NAMES = tuple(meter.name for meter in METERS)
PRICE_KEYS = tuple(dict.fromkeys(key for meter in METERS for key in meter.price_keys))
MeterName = Annotated[
    str, AfterValidator(known(METER_NAMES, "a meter")), Field(json_schema_extra={"enum": list(METER_NAMES)})
]
PriceKey = Annotated[
    str, AfterValidator(known(PRICE_KEYS, "a price key")), Field(json_schema_extra={"enum": list(PRICE_KEYS)})
]

_NEVER = {"anyOf": [{"type": "string", "examples": ["12 months", "2026-12-31"]}, {"const": "never"}]}
ExpiresAfter = Annotated[ADuration | None, BeforeValidator(_never), WithJsonSchema(_NEVER)]
"""A duration, or `never` (None)."""
ExpiryDay = Annotated[Day | None, BeforeValidator(_never), WithJsonSchema(_NEVER)]
"""A date, or `never` (None)."""
