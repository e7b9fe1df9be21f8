"""Any invoices export conforming rows and balanced books, and their sums are the invoices' sums."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from offtake.export import focus
from offtake.export.focus_check import TOLERANCE, check
from offtake.export.journal import transactions
from offtake.rating.lines import Amounts, Invoice, Line
from offtake.usage.meters import METERS
from offtake.values.money import ZERO, divide, from_pico
from offtake.values.periods import Interval
from tests.unit.export.made import TERM, contract, invoices, month, other, purchase, unused

SPLITS = st.dictionaries(st.sampled_from(["account", "tag:team", "workload"]), st.text("abcé\"'\\,", max_size=5))


@st.composite
def usage_lines(draw: st.DrawFn, period: Interval) -> Line:
    """Usage at any price, prepaid or not; list prices may be a mean that no decimal writes."""
    meter = draw(st.sampled_from(METERS))
    quantity = draw(st.integers(0, 10**15))
    public, contracted = draw(st.integers(0, 10**11)), draw(st.integers(0, 10**11))
    cost = from_pico(contracted * quantity)
    commitment = draw(st.sampled_from(["", "spend", "listed", "tokens", "wallet"]))
    is_paid = bool(commitment) and draw(st.booleans())
    listed = divide(from_pico(public * quantity), draw(st.sampled_from([1, 3])))
    effective = draw(st.sampled_from([cost, divide(cost, 3)])) if is_paid else cost
    return Line(
        id=f"u-{meter.name}-{quantity}-{contracted}",
        clause="prices",
        kind="usage",
        period=period,
        quantity=Decimal(quantity),
        unit_price=from_pico(contracted),
        amounts=Amounts(listed, cost, effective, ZERO if is_paid else cost),
        why="usage",
        model=draw(st.sampled_from(["claude-opus-4-7", "gpt-5.4"])),
        meter=meter.name,
        vendor=draw(st.sampled_from(["", "anthropic"])),
        channel=draw(st.sampled_from(["realtime", "batch"])),
        access="api",
        region=draw(st.sampled_from(["", "global", "eu"])),
        outcome=draw(st.sampled_from(["", "ok"])),
        commitment=commitment,
        commitment_status="used" if commitment else "",
        by=draw(SPLITS),
        corrects=draw(st.sampled_from([None, None, month(1)])),
    )  # fmt: skip


@st.composite
def any_lines(draw: st.DrawFn, period: Interval) -> list[Line]:
    cents = st.integers(-(10**12), 10**12).map(lambda number: Decimal(number).scaleb(-2))
    lines = draw(st.lists(usage_lines(period), max_size=3))
    for kind, clause in (("fee", "fees.platform"), ("credit", "credits[0]"), ("adjustment", "prices.tiers")):
        lines += [other(kind, clause, period, amount) for amount in draw(st.lists(cents, max_size=1))]
    for paid in draw(st.lists(st.integers(1, 10**9), max_size=1)):
        lines += [purchase(TERM, paid, paid), unused(period, paid, 0)]
    return lines


@given(st.lists(st.integers(1, 12), unique=True, max_size=2).flatmap(
    lambda months: st.tuples(*(st.tuples(st.just(month(n)), any_lines(month(n))) for n in sorted(months)))
))  # fmt: skip
def test_any_invoices_export_conforming_rows_and_balanced_books(made: tuple[tuple[Interval, list[Line]], ...]) -> None:
    of = invoices(*made)
    rows = list(focus.rows(of, contract()))
    payable = {focus.invoice_id(invoice, contract()): invoice.total for invoice in of.invoices}
    assert [] == [str(violation) for violation in check(rows, payable=payable)]
    for name, column in (("effective", "EffectiveCost"), ("billed", "BilledCost")):
        assert abs(_sum(of.invoices, name) - sum(row[column] for row in rows)) <= TOLERANCE  # type: ignore[misc]
    assert sum(len(lines) for _, lines in made) == len(rows)
    owed = ZERO
    for transaction in transactions(of, contract()):
        assert ZERO == sum(transaction.postings.values(), ZERO)
        owed -= transaction.postings.get("Liabilities:Payable:Solora", ZERO)
    assert abs(of.total - owed) <= TOLERANCE * 100  # each line is booked with 12 decimals


def _sum(of: tuple[Invoice, ...], name: str) -> Decimal:
    return sum((getattr(line.amounts, name) for invoice in of for line in invoice.lines), ZERO)
