"""A charge: one money row of a vendor's bill. Another fact than usage, never mixed with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from offtake.values.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One row of an invoice, as the vendor printed it.

    `starts_at` and `ends_at` (half-open, UTC) are the charge period. `meter`, `quantity` and `unit_price` (dollars a
    piece) are None where the bill does not break the amount down. `kind`: usage | fee | credit | tax.
    """

    id: str
    starts_at: datetime
    ends_at: datetime
    amount: Decimal
    currency: str
    vendor: str = ""
    model: str = ""
    meter: str | None = None
    quantity: int | None = None
    unit_price: Decimal | None = None
    channel: str = "realtime"
    kind: str = "usage"
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    where: Place | None = None
