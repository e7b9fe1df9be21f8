"""When caching pays on a model, from the multiples that rating puts on its input price at an instant.

The closed form is the one of `planner/cache`; here the multiples are those that would be billed, under whatever
contract is in force.

    r = 0.1, w = 1.25: a read share above 21.74%, 0.2778 reads a write · w = 2: 52.63%, 1.1111
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from offtake.planner.cache.break_even import break_even as closed_form
from offtake.planner.cache.rules import CacheRules
from offtake.planner.levers.pricing import Shop
from offtake.planner.levers.running import READ, WRITES
from offtake.planner.workload import Workload
from offtake.values.money import divide, quantize

MILLION = 1_000_000
PLACES = 4


@dataclass(frozen=True, slots=True)
class BreakEven:
    """One model with one time to live. `read_share` is 0 where writes carry no premium; both are None where a read
    costs no less than plain input.
    """

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
    reads, writes = (Fraction(cost) / Fraction(plain) if plain else Fraction(1) for cost in (read, written))
    point = closed_form(CacheRules(workload.model, reads, ((ttl, max(writes, Fraction(1))),), 0, False, "rated"), ttl)
    return BreakEven(
        workload.model, ttl, _shown(reads), _shown(writes),
        None if point.read_share is None else _shown(point.read_share),
        None if point.reads_per_write is None else _shown(point.reads_per_write),
    )  # fmt: skip


def _shown(ratio: Fraction) -> Decimal:
    return quantize(divide(Decimal(ratio.numerator), ratio.denominator), PLACES)
