"""When caching pays, in closed form, from the multiples that rating puts on a model's input price.

Writing w × and reading r × the input price: caching everything pays when more than (w − 1) ÷ (w − r) of the input is
read back, and a write pays for itself after (w − 1) ÷ (1 − r) reads.

    r = 0.1, w = 1.25: a read share above 21.74%, 0.2778 reads a write · w = 2: 52.63%, 1.1111
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from offtake.planner.levers.pricing import Shop
from offtake.planner.levers.running import READ, WRITES
from offtake.planner.workload import Workload
from offtake.values.money import divide, quantize

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class BreakEven:
    """One model with one time to live. The last two are None where a read costs no less than plain input."""

    model: str
    ttl: str
    read_multiple: Decimal
    write_multiple: Decimal
    read_share: Decimal | None
    reads_per_write: Decimal | None


def break_even(workload: Workload, shop: Shop, ttl: str) -> BreakEven:
    """Where caching begins to pay for a workload's model. CatalogError or UnpricedError without a price."""
    plain, read, written = (
        shop.cost(replace(workload, quantities={meter: MILLION})) for meter in ("input_tokens", READ, WRITES[ttl])
    )
    pays = read < plain
    premium = max(Decimal(0), written - plain)
    return BreakEven(
        workload.model, ttl, quantize(divide(read, plain), 4), quantize(divide(written, plain), 4),
        quantize(divide(premium, premium + plain - read), 4) if pays else None,
        quantize(divide(premium, plain - read), 4) if pays else None,
    )  # fmt: skip
