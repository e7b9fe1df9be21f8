"""A plan as the vendors would bill it: each part's months as usage, through every contract that the plan buys under.

This is where a plan's dollars come from. The usage goes where the plan sends it, month by month, and every term of the
contracts acts on it: commitments and shortfalls, tiers, rollover, fees, prepaid balances, roundings. A wallet is topped
up at the start of each month with what that month will draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal

from offtake.planner.offers.offer import Offer
from offtake.planner.offers.parts import Part
from offtake.planner.offers.ways import Menu, Way
from offtake.rating.clauses.reserved import SERVED
from offtake.rating.facts import Fact, TopUp
from offtake.rating.lines import Invoices, Line
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from offtake.values.money import EXACT, ZERO, Money, divide, quantize, total

CENT = 2


@dataclass(frozen=True, slots=True)
class Route:
    """Where a part goes: `volumes` are months of today's traffic that go there, month by month of the plan."""

    part: int
    offer: int
    way: Way
    volumes: tuple[Decimal, ...]
    reserved: bool = False


@dataclass(frozen=True, slots=True)
class Billed:
    """What one offer's vendor bills over the plan: its lines, and their sums by kind and by month; `listed` is the same
    usage at list price, and `usage` what was sent there.
    """

    offer: str
    total: Decimal
    listed: Decimal
    kinds: Mapping[str, Decimal] = field(default_factory=dict)
    by_month: tuple[Decimal, ...] = ()
    lines: tuple[Line, ...] = ()
    usage: tuple[UsageRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud commitment that stands already, in dollars over the plan, and what burns it anyway."""

    name: str
    committed: Decimal
    other: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Rerated:
    """What every vendor bills over the plan."""

    billed: tuple[Billed, ...]

    @property
    def total(self) -> Decimal:
        """Σ of the invoices."""
        return total(each.total for each in self.billed)

    def kinds(self) -> dict[str, Decimal]:
        """Σ by kind of line: usage, commitment, fee and so on."""
        found: dict[str, Decimal] = {}
        for each in self.billed:
            for kind, amount in each.kinds.items():
                found[kind] = found.get(kind, ZERO) + amount
        return found


def rerated(
    parts: Sequence[Part], offers: Sequence[Offer], menu: Menu, routes: Sequence[Route], signed: Iterable[int]
) -> Rerated:
    """The bills of a plan. `signed` are offers that are paid for even where nothing goes there.

    InputError P662 where a contract cannot bill what the plan sends there.
    """
    used = sorted({route.offer for route in routes} | set(signed))
    return Rerated(
        tuple(_billed(offers[n], _records(parts, offers[n], menu, [r for r in routes if r.offer == n])) for n in used)
    )


def unburned(cloud: Cloud, offers: Sequence[Offer], bills: Rerated) -> Billed:
    """What is left of a cloud commitment, which is paid, after what the bills of marketplace contracts burn of it."""
    burned = most = ZERO
    for offer in offers:
        for commitment in offer.terms.commitments:
            clause = commitment.marketplace
            if clause and clause.burns == cloud.name:
                spent = total(each.total for each in bills.billed if each.offer == offer.name)
                burned = EXACT.add(burned, EXACT.multiply(spent, clause.share))
                share = clause.cap.share if clause.cap else Decimal(1)
                most = max(most, EXACT.multiply(cloud.committed, share))
    left = max(ZERO, cloud.committed - cloud.other - min(burned, most))
    return Billed(cloud.name, quantize(left, CENT), ZERO, {"commitment": quantize(left, CENT)})


def _records(parts: Sequence[Part], offer: Offer, menu: Menu, routes: Sequence[Route]) -> list[UsageRecord]:
    found = []
    for number, route in enumerate(routes):
        for at, volume in zip(offer.instants, route.volumes, strict=True):
            served = SERVED if route.reserved else ""
            found += [
                replace(record, id=f"{number}/{record.id}", tier_served=served)
                for record in menu.records(parts[route.part], route.way, at, volume)
            ]
    return found


def _billed(offer: Offer, records: Sequence[UsageRecord]) -> Billed:
    invoices = _rated(offer, records, offer.facts)
    if offer.is_wallet:
        invoices = _rated(offer, records, (*offer.facts, *_top_ups(offer, invoices)))
    lines = [line for invoice in invoices.invoices for line in invoice.lines]
    kinds: dict[str, Decimal] = {}
    for line in lines:
        kinds[line.kind] = kinds.get(line.kind, ZERO) + line.amounts.billed
    return Billed(
        offer.name,
        invoices.total,
        total(line.amounts.list for line in lines),
        kinds,
        tuple(invoice.total for invoice in invoices.invoices),
        tuple(lines),
        tuple(records),
    )


def _rated(offer: Offer, records: Sequence[UsageRecord], facts: Sequence[Fact]) -> Invoices:
    span = offer.contract.span if not offer.implied else None
    found = rate_records(records, offer.contract, offer.catalog, facts, span=span)
    if not found.control.complete:
        raise InputError(
            "P662", f"{offer.name} cannot bill what the plan sends there: {found.unpriced[0]}",
            hint="name other models with --quality, or leave the offer out",
        )  # fmt: skip
    return found


def _top_ups(offer: Offer, invoices: Invoices) -> list[Fact]:
    """The cash that, with its bonus, pays each month's invoice: at the start of the month, in whole cents."""
    clause, currency = offer.terms.top_ups, offer.terms.term.currency
    assert clause is not None
    found: list[Fact] = []
    for invoice in invoices.invoices:
        bonus = clause.bonus
        cash = quantize(divide(invoice.total, 1 + bonus), CENT, ROUND_CEILING)
        if clause.minimum and cash < clause.minimum.amount:
            cash = quantize(invoice.total, CENT, ROUND_CEILING)  # too small for the bonus
        if cash > 0:
            at = invoice.period.start
            found.append(TopUp(at=at, id=f"plan-{at:%Y-%m-%d}", amount=Money(cash, currency)))
    return found


def scaled_routes(routes: Sequence[Route], factor: Decimal) -> list[Route]:
    """The same plan with more or less of everything."""
    return [
        replace(route, volumes=tuple(EXACT.multiply(volume, factor) for volume in route.volumes)) for route in routes
    ]
