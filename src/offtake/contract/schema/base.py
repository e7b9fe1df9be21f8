"""The base of every term, and the field types that read what people write.

A field type is the exact value it means: `Share` is a Decimal between its bounds, `AMoney` a Money. The text forms
live in `values/units.py`; pydantic only calls them, and `contract/parse.py` adds file, line and column.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from offtake.values import units
from offtake.values.money import Money


class Term(BaseModel):
    """A node of the contract file. Frozen; unknown keys are refused; `source` names the paper's paragraph."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, arbitrary_types_allowed=True)

    source: str | None = Field(default=None, description="Paragraph of the signed paper, such as `order_form §2.1`.")


def _text(reader: Any, pattern: str, example: str) -> Any:
    def read(value: object) -> object:
        return value if not isinstance(value, (str, int)) or isinstance(value, bool) else reader(value)

    return [
        BeforeValidator(read),
        PlainSerializer(str, return_type=str),
        WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]}),
    ]


def _share(value: object) -> Decimal:
    if isinstance(value, Decimal):
        raise ValueError(f"a share is written with a percent sign, such as 20%; got {value}")
    share = units.share(value)
    if not 0 <= share <= 1:
        raise ValueError(f"a share of this kind lies between 0% and 100%; got {value}")
    return share


def _any_share(value: object) -> Decimal:
    share = units.share(value)
    if share < 0:
        raise ValueError(f"a share is not negative; got {value}")
    return share


_NUMBER = r"-?[0-9][0-9_]*(\.[0-9_]+)?"
Share = Annotated[Decimal, *_text(_share, rf"^{_NUMBER}\s*%$", "20%")]
"""0% to 100%, as a Decimal between 0 and 1."""
AnyShare = Annotated[Decimal, *_text(_any_share, rf"^{_NUMBER}\s*%$", "105%")]
"""A share that may exceed 100%."""
Multiple = Annotated[Decimal, *_text(units.multiple, rf"^{_NUMBER}\s*x$", "2x")]
ADuration = Annotated[
    units.Duration, *_text(units.duration, r"^[0-9_]+ (minute|hour|day|business day|week|month|quarter|year)s?$", "90 days")
]
AMoney = Annotated[Money, *_text(units.money, rf"^{_NUMBER} [A-Z]{{3}}$", "1_200_000 USD")]
AMoneyRate = Annotated[
    units.MoneyRate,
    *_text(units.money_rate, rf"^{_NUMBER} [A-Z]{{3}}( / (hour|day|week|month|quarter|year))?$", "1_200_000 USD / year"),
]
ACountRate = Annotated[
    units.CountRate, *_text(units.count_rate, r"^[0-9][0-9_]*( / (hour|day|week|month|quarter|year))?$", "12_000_000_000 / year")
]


def _decimal(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"not a number: {value}")
    return value


Number = Annotated[
    Decimal, BeforeValidator(_decimal), Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0}), PlainSerializer(str)
]
"""A plain number at or above zero, exact."""

Day = date
Instant = datetime | date
"""A date means local midnight in `term.time_zone`; an instant carries its own offset."""
