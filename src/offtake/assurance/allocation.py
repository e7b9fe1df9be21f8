"""Who bears what of the invoices: every dollar by the value of a tag, fees, tier gains and shortfalls included.

    blended    each bears the part of the invoices that its contracted cost is of all contracted cost: one rate for all,
               whoever came first to a prepaid lot or pushed the rest over a step
    marginal   each bears what the invoices would be lower had it used nothing; what these differences leave of the
               invoices is the residual: a fee that anyone alone would cause, a tier that all reached together

Either way the parts and the residual sum exactly to the invoices. Blended parts are whole units of the currency's last
printed place: each gets its part rounded down, and what is left goes to the largest remainders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from offtake.rating.groups import Grouped, GroupPlan
from offtake.rating.lines import Invoices
from offtake.rating.source import Source, Survey
from offtake.usage.record import UsageRecord
from offtake.values.money import EXACT, ZERO, divide, quantize, total
from offtake.values.periods import Interval

Method = Literal["blended", "marginal"]


@dataclass(frozen=True, slots=True)
class Share:
    """One value's part: `usage` is the contracted cost of its own usage, `rest` what it bears besides."""

    value: str
    usage: Decimal
    rest: Decimal

    @property
    def total(self) -> Decimal:
        """What it bears."""
        return EXACT.add(self.usage, self.rest)


@dataclass(frozen=True, slots=True)
class Allocation:
    """Σ shares + residual = `invoiced`. Usage without the tag stands under the empty value."""

    method: Method
    tag: str
    invoiced: Decimal
    shares: tuple[Share, ...]
    residual: Decimal


def blended(invoices: Invoices, tag: str, invoiced: Decimal, places: int) -> Allocation:
    """`invoices` are exact and split by the tag; `invoiced` is what was billed, rounding included."""
    usage = _usage(invoices, tag)
    whole = total(usage.values())
    if not whole:
        return Allocation("blended", tag, invoiced, (), invoiced)
    exact = {value: divide(invoiced * cost, whole) for value, cost in usage.items()}
    parts = largest_remainder(exact, invoiced, places)
    shares = tuple(Share(value, usage[value], parts[value] - usage[value]) for value in sorted(usage))
    return Allocation("blended", tag, invoiced, shares, ZERO)


def marginal(invoices: Invoices, tag: str, invoiced: Decimal, rate_without: Callable[[str], Invoices]) -> Allocation:
    """`rate_without` rates the usage that does not have a value of the tag, exactly and over the same periods."""
    usage = _usage(invoices, tag)
    whole = _exact(invoices)
    shares = []
    for value in sorted(usage):
        saved = whole - _exact(rate_without(value))
        shares.append(Share(value, usage[value], saved - usage[value]))
    return Allocation("marginal", tag, invoiced, tuple(shares), invoiced - total(share.total for share in shares))


def largest_remainder(exact: Mapping[str, Decimal], whole: Decimal, places: int) -> dict[str, Decimal]:
    """Parts at so many places that sum to `whole`, each less than a unit from its exact part."""
    unit = Decimal(1).scaleb(-places)
    parts = {key: quantize(amount, places, ROUND_FLOOR) for key, amount in exact.items()}
    missing = int(divide(whole - total(parts.values()), unit))
    for key in sorted(exact, key=lambda key: (parts[key] - exact[key], key))[:missing]:
        parts[key] += unit
    last = max(exact, key=lambda key: (exact[key].copy_abs(), key))
    parts[last] += whole - total(parts.values())  # where the whole has finer places than the parts
    return parts


def _usage(invoices: Invoices, tag: str) -> dict[str, Decimal]:
    """The contracted cost of usage by the tag's value, less what failed requests are credited with."""
    found: dict[str, Decimal] = {}
    for invoice in invoices.invoices:
        for line in invoice.lines:
            value = line.by.get(f"tag:{tag}")
            if value is not None:
                own = line.amounts.contracted if line.kind == "usage" else line.amounts.billed
                found[value] = found.get(value, ZERO) + own
    return found


def _exact(invoices: Invoices) -> Decimal:
    return total(invoice.total + invoice.residual for invoice in invoices.invoices)


@dataclass(frozen=True, slots=True)
class Without:
    """A source without the usage that has one value of a tag. `grouped` keeps the engine's answers for the rest."""

    source: Source
    tag: str
    value: str
    grouped: list[tuple[GroupPlan, Grouped]] = field(default_factory=list)

    def survey(self, workloads: bool) -> Survey:
        """Of all the usage, so that the same periods are rated."""
        return self.source.survey(workloads)

    def group(self, plan: GroupPlan) -> Grouped:
        """The groups that are left. The plan keeps the tag apart."""
        place = len(plan.dimensions) + plan.tags.index(self.tag)
        known = next((grouped for seen, grouped in self.grouped if seen == plan), None)
        if known is None:
            known = self.source.group(plan)
            self.grouped.append((plan, known))
        return replace(known, groups=[group for group in known.groups if (group.key.values[place] or "") != self.value])

    def ordered(self, interval: Interval) -> Iterator[UsageRecord]:
        """The records that are left."""
        return (record for record in self.source.ordered(interval) if record.tags.get(self.tag, "") != self.value)
