"""Mistakes that vendors make, planted into a right bill, each with the dollars, the kind and the clause to be found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_UP, Decimal, localcontext

from offtake.rating.lines import Line
from offtake.usage.charge import Charge
from offtake.values.money import EXACT, quantize
from tests.unit.assurance.made_bills import DAY, FEBRUARY, recounted, repriced

_MILLION = 10**6


@dataclass(frozen=True, slots=True)
class Planted:
    """The bill with the mistake in it, and what must be found."""

    charges: list[Charge]
    kind: str
    cause: str
    clause: str
    amount: Decimal


Choose = Callable[[list[Charge]], Charge | None]
Plant = Callable[[list[Charge], Sequence[Line], Choose], Planted | None]
"""(right bill, our lines, choose one of several rows) -> the planted bill; None where the month has no such row."""


def _rows(charges: Sequence[Charge], **wanted: object) -> list[Charge]:
    return [row for row in charges if row.meter and all(getattr(row, name) == value for name, value in wanted.items())]


def _swap(charges: list[Charge], old: Charge, *new: Charge) -> list[Charge]:
    return [each for row in charges for each in (new if row is old else (row,))]


def _line_of(lines: Sequence[Line], row: Charge) -> Line:
    day = f"{row.starts_at:%Y-%m-%d}"
    return next(
        line
        for line in lines
        if (line.by.get("day"), line.model, line.meter, line.channel) == (day, row.model, row.meter, row.channel)
        and line.unit_price == row.unit_price
    )


def _over(before: Sequence[Charge], after: Sequence[Charge]) -> Decimal:
    with localcontext(EXACT):
        return sum((row.amount for row in after), Decimal(0)) - sum((row.amount for row in before), Decimal(0))


def _planted(charges: list[Charge], after: list[Charge], kind: str, cause: str, clause: str) -> Planted:
    return Planted(after, kind, cause, clause, _over(charges, after))


def list_price(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """The discount is forgotten on one row."""
    row = choose(_rows(charges, channel="realtime", meter="output_tokens"))
    if row is None:
        return None
    line = _line_of(lines, row)
    public = _public_of(line)
    index = 1 if row.model == "claude-opus-4-5" else 0
    after = _swap(charges, row, repriced(row, public))
    return _planted(charges, after, "price", "list price", f"prices.discounts[{index}]")


def price_before_a_step(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """The discount that came on 15 February is not given yet."""
    late = [row for row in _rows(charges, meter="output_tokens") if row.starts_at.day >= 15]
    row = choose(late)
    if row is None:
        return None
    after = _swap(charges, row, repriced(row, _price(row) / Decimal("0.9")))
    return _planted(charges, after, "price", "price before a change", "prices.steps[0]")


def batch_as_realtime(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """A batch row at the realtime price, still called batch."""
    row = choose(_rows(charges, channel="batch", meter="output_tokens"))
    if row is None:
        return None
    after = _swap(charges, row, repriced(row, _price(row) * 2))
    return _planted(charges, after, "price", "channel", "prices.batch")


def batch_called_realtime(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """A batch row at the realtime price, called realtime."""
    row = choose(_rows(charges, channel="batch", meter="input_tokens"))
    if row is None:
        return None
    after = _swap(charges, row, replace(repriced(row, _price(row) * 2), channel="realtime"))
    return _planted(charges, after, "price", "channel", "prices.batch")


def hour_write_for_five_minutes(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """Five-minute cache writes at the price of one-hour ones."""
    row = choose(_rows(charges, meter="cache_write_5m_tokens"))
    if row is None:
        return None
    after = _swap(charges, row, repriced(row, _price(row) / Decimal("1.25") * 2))
    return _planted(charges, after, "cache kind", "cache kind", "prices.cache.write_5m")


def read_as_input(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """Cache reads billed as plain input, on the input's meter."""
    row = choose(_rows(charges, meter="cache_read_tokens"))
    if row is None:
        return None
    after = _swap(charges, row, replace(repriced(row, _price(row) * 10), meter="input_tokens"))
    return _planted(charges, after, "cache kind", "cache kind", "prices.cache.read")


def long_context(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """Short requests at the price of a long context (Sonnet's input doubles above 200,000 tokens)."""
    sonnet = _rows(charges, model="claude-sonnet-4-5", meter="input_tokens", channel="realtime")
    row = choose([row for row in sonnet if _price(row) * _MILLION in (Decimal("2.4"), Decimal("2.16"))])
    if row is None:
        return None
    after = _swap(charges, row, repriced(row, _price(row) * 2))
    return _planted(charges, after, "tier", "context tier", "prices.basis")


def failed_request(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """The tokens of requests that timed out, which are free."""
    for line in lines:
        if line.outcome != "timeout" or line.meter != "output_tokens":
            continue
        day = f"{line.by['day']}"
        rows = _rows(charges, meter="output_tokens", model=line.model, channel=line.channel)
        like = [row for row in rows if f"{row.starts_at:%Y-%m-%d}" == day and _public(lines, row) == _public_of(line)]
        if like:
            extra = recounted(replace(like[0], id="extra"), int(line.quantity))
            return _planted(
                charges, [*charges, extra], "failed request billed", "failed request", "failed_requests.timeout"
            )
    return None


def _public(lines: Sequence[Line], row: Charge) -> Decimal:
    return _public_of(_line_of(lines, row))


def _public_of(line: Line) -> Decimal:
    return line.amounts.list / line.quantity


def _price(row: Charge) -> Decimal:
    assert row.unit_price is not None
    return row.unit_price


def _count(row: Charge) -> int:
    assert row.quantity is not None
    return row.quantity


def _clause(lines: Sequence[Line], row: Charge) -> str:
    """The term that sets the row's price; a line that is billed by a policy is named after that."""
    line = _line_of(lines, row)
    if not line.clause.startswith("failed_requests"):
        return line.clause
    return next(
        path
        for path, _ in reversed(line.steps)
        if path.startswith(("prices.discounts", "prices.steps", "prices.cache"))
    )


def duplicate(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """A row that stands twice."""
    row = choose(_rows(charges))
    if row is None:
        return None
    after = [*charges, replace(row, id=f"{row.id}-again")]
    return _planted(charges, after, "quantity", "duplicate", _clause(lines, row))


def another_day(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """Part of a day's tokens stand on the next day: no dollars between, but each day is wrong."""
    pairs = [
        (row, other)
        for row in _rows(charges, meter="input_tokens", channel="realtime")
        for other in _rows(
            charges, meter="input_tokens", channel="realtime", model=row.model, unit_price=row.unit_price
        )
        if other.starts_at == row.starts_at + DAY and _count(row) > 100
    ]
    if not pairs:
        return None
    row, other = pairs[0]
    after = _swap(charges, row, recounted(row, _count(row) - 77))
    after = _swap(after, other, recounted(other, _count(other) + 77))
    return _planted(charges, after, "timing", "timing", "billing.period")


def another_period(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """A row of January on the bill of February."""
    row = choose(_rows(charges, meter="output_tokens"))
    if row is None:
        return None
    starts = FEBRUARY.start - 3 * DAY
    late = replace(row, id="late", starts_at=starts, ends_at=starts + DAY)
    return _planted(charges, [*charges, late], "timing", "timing", "billing.period")


def quantity(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """More tokens than there were."""
    row = choose(_rows(charges, meter="output_tokens"))
    if row is None:
        return None
    after = _swap(charges, row, recounted(row, _count(row) + 12_345))
    return _planted(charges, after, "quantity", "quantity", _clause(lines, row))


def tier_forgotten(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """The volume tier's credit is not on the bill."""
    after = [row for row in charges if "tiers" not in row.description]
    if len(after) == len(charges):
        return None
    return _planted(charges, after, "tier", "volume tier", "prices.tiers.steps[1]")


def fee(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """A fee that no clause gives."""
    extra = replace(
        charges[0], id="fee", kind="fee", model="", meter=None, quantity=None, unit_price=None,
        amount=Decimal("250.00"), description="Premium support surcharge", starts_at=FEBRUARY.start,
        ends_at=FEBRUARY.end,
    )  # fmt: skip
    return _planted(charges, [*charges, extra], "unknown", "unknown charge", "fees.support")


def credit_forgotten(charges: list[Charge], lines: Sequence[Line], choose: Choose) -> Planted | None:
    """Refused answers are billed without their credit."""
    after = [row for row in charges if not (row.kind == "credit" and "failed" in row.description)]
    if len(after) == len(charges):
        return None
    return _planted(charges, after, "failed request billed", "failed request", "failed_requests.refusal")


def rounded_up(charges: list[Charge]) -> tuple[list[Charge], Decimal]:
    """Every usage row rounded up to the cent instead of to the nearest; and what that costs."""
    after, over = [], Decimal(0)
    for row in charges:
        exact = row.amount
        if row.meter:
            row = replace(row, amount=quantize(exact, 2, ROUND_UP))
            over += row.amount - quantize(exact, 2)
        else:
            row = replace(row, amount=quantize(exact, 2))
        after.append(row)
    return after, over


PLANTS: tuple[Plant, ...] = (
    list_price, price_before_a_step, batch_as_realtime, batch_called_realtime, hour_write_for_five_minutes,
    read_as_input, long_context, failed_request, duplicate, another_day, another_period, quantity, tier_forgotten, fee,
    credit_forgotten,
)  # fmt: skip
