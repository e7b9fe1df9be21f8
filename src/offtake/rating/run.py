"""A run: the state of a contract's windows as usage passes in time order.

The same machine serves the monthly invoice (pieces are groups) and the gateway (a piece is one request): advance to an
instant, which closes and opens windows, then use a piece. A `Position` is its state between two requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from offtake.rating.compiled import CompiledTerms
from offtake.rating.invoice import Booked, invoice
from offtake.rating.lines import Amounts, Invoice, Kind, Line
from offtake.rating.lots import Lot
from offtake.rating.piece import Piece
from offtake.rating.usage_lines import UsageLines
from offtake.rating.window_clauses import window_clauses
from offtake.rating.windows import Charge, Cut, Window, WindowClause
from offtake.values.money import ZERO, divide, from_pico, quantize
from offtake.values.periods import Interval

START = datetime(1, 1, 1, tzinfo=UTC)
ONE = Decimal(1)
END = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """A window of a clause opens or closes. Closings come before openings; then the order of the clauses decides.

    `act` is what the clause does then; `invoices` marks the last closing of a billing period.
    """

    at: datetime
    opens: bool
    order: int
    window: Window
    act: Callable[[Window, Run], None]
    of_period: bool
    invoices: bool = False


class Position(NamedTuple):
    """Where a run stands between two requests: what cumulative terms need to price the next one. Never changed.

    Nothing opens or closes before `until`.
    """

    next_event: int
    until: datetime
    accounts: Mapping[str, Decimal | int]
    lots: tuple[Lot, ...]


class Run:
    """See the module. `accounts` are named running sums of the clauses; `lines` those of the period that is open."""

    next_event = 0
    period: Interval | None = None
    now = START
    used_at = START

    def __init__(self, machine: Machine, collect: bool = True) -> None:
        self.machine = machine
        self.terms = machine.terms
        self.collect = collect
        self.accounts: dict[str, Decimal | int] = {}
        self.lots: list[Lot] = []
        if collect:
            self.usage = UsageLines()
            self.lines: list[Line] = []
            self.invoices: list[Invoice] = []

    def advance(self, to: datetime) -> None:
        """Close and open every window up to an instant, in order; a billing period's end makes its invoice."""
        schedule, index = self.machine.schedule, self.next_event
        while index < len(schedule) and (event := schedule[index]).at <= to:
            index += 1
            if event.at > self.now:
                self.now = event.at
            if event.opens and event.of_period:
                self.period = event.window.interval
            event.act(event.window, self)
            if event.invoices:
                self._invoice(event.window.interval)
        self.next_event = index

    def use(self, piece: Piece) -> None:
        """Let every clause act on a piece, in their order, and book it."""
        self.now = self.used_at = piece.at
        for clause in self.machine.booking if self.collect else self.machine.acting:
            clause.use(piece, self)
        if self.collect:
            self.usage.add(piece)

    def cuts(self) -> list[Cut]:
        """The measures whose thresholds lie ahead."""
        return [cut for clause in self.machine.cutting for cut in clause.cuts(self)]

    def crosses(self, pieces: Sequence[Piece]) -> bool:
        """Whether pieces together go beyond a threshold at which the order of records may decide money."""
        return any(sum(cut.measure(piece) for piece in pieces) > cut.left[0] for cut in self.cuts())

    def billed_as(self, kind: Kind) -> Decimal:
        """What the window clauses have billed as one kind in the open period."""
        return sum((line.amounts.billed for line in self.lines if line.kind == kind), ZERO)

    @property
    def credited(self) -> Decimal:
        """What failed-request policies give back in the open period, in picodollars."""
        return self.usage.credited

    @property
    def tier(self) -> int:
        """The token tier that the next token falls in."""
        return int(self.accounts.get("prices.tiers.tier", 0))

    def add(self, account: str, amount: Decimal | int) -> None:
        """Add to a running sum, which starts at zero."""
        self.accounts[account] = self.accounts.get(account, 0) + amount

    def take(self, account: str) -> int:
        """A sum of picodollars, which starts again at zero."""
        return int(self.accounts.pop(account, 0))

    def line(
        self,
        clause: str,
        kind: Kind,
        billed: Decimal,
        why: str | Callable[[], str],
        *,
        key: str = "",
        quantity: Decimal | None = None,
        unit_price: Decimal | None = None,
        unit: str = "",
        effective: Decimal | None = None,
        commitment: str = "",
        unused: bool = False,
    ) -> None:
        """Write a line of a window clause into the open period; nothing where no invoices are made.

        Without a quantity it is one `unit`, or so many of the currency where no unit is named; without a unit price,
        `billed` is spread over the quantity. `why` may be a function, asked only where a line is written.
        """
        if not self.collect:
            return
        assert self.period is not None
        contract = self.terms.contract
        if quantity is None:
            quantity, unit_price = (ONE, billed) if unit else (billed, ONE)
        elif unit_price is None:
            unit_price = divide(billed, quantity)
        self.lines.append(
            Line(
                id="/".join(part for part in (f"{contract.day(self.period.start)}", clause, kind, key) if part),
                clause=clause,
                kind=kind,
                period=self.period,
                quantity=quantity,
                unit_price=quantize(unit_price or ZERO, 12).normalize() + ZERO,
                unit=unit or contract.signed.term.currency,
                amounts=Amounts(effective=billed if effective is None else effective, billed=billed),
                why=why if isinstance(why, str) else why(),
                source=contract.source(clause),
                commitment=commitment,
                commitment_status="unused" if unused else "used" if commitment else "",
            )
        )

    def book(self, charges: Iterable[Charge], kind: Kind, commitment: str = "", key: str = "") -> None:
        """Write a line for each charge."""
        for charge in charges:
            self.line(
                charge.path, kind, charge.amount.scaleb(-12), charge.why(), quantity=from_pico(charge.base),
                unit_price=charge.share, commitment=commitment, key="/".join(filter(None, (key, charge.key))),
            )  # fmt: skip

    def position(self) -> Position:
        """The state, to be taken up again."""
        return Position(self.next_event, self.until, self.accounts, tuple(copy(lot) for lot in self.lots))

    @property
    def until(self) -> datetime:
        """Nothing opens or closes before this."""
        schedule = self.machine.schedule
        return schedule[self.next_event].at if self.next_event < len(schedule) else END

    def _invoice(self, period: Interval) -> None:
        if self.collect:
            booked = Booked([*self.usage.lines(period, self.terms), *self.lines])
            self.invoices.append(invoice(period, booked, self.terms.contract.as_of(period.start).billing.rounding))
        self.usage = UsageLines()
        self.lines = []


class Machine:
    """The window clauses of a contract, and when their windows open and close. Made once, shared by every run."""

    def __init__(self, terms: CompiledTerms) -> None:
        self.terms = terms
        self.clauses = window_clauses(terms)
        self.acting = tuple(clause for clause in self.clauses if clause.acts_on_usage)
        self.booking = (*self.acting, self.clauses[-1])  # the grants, which only invoices need
        self.cutting = tuple(clause for clause in self.acting if clause.may_cut)
        self.schedule = _schedule(self.clauses)

    def start(self, collect: bool = True) -> Run:
        """A run before the term begins."""
        return Run(self, collect)

    def resume(self, position: Position) -> Run:
        """A run for one request, at a position."""
        run = Run(self, collect=False)
        run.next_event = position.next_event
        run.accounts = dict(position.accounts)
        run.lots = [copy(lot) for lot in position.lots] if position.lots else []
        return run


def _schedule(clauses: Sequence[WindowClause]) -> tuple[Event, ...]:
    """Every opening and closing of the term, in order. A billing period opens once: no clause acts on it."""
    events = []
    periods: set[Window] = set()
    for order, clause in enumerate(clauses):
        for window in clause.windows():
            start, end, of_period = window.interval.start, window.interval.end, window.name == "period"
            if not of_period or window not in periods:
                events.append(Event(start, True, order, window, clause.opens, of_period))
            if of_period:
                periods.add(window)
            invoices = of_period and clause is clauses[-1]
            events.append(Event(end, False, order, window, clause.closes, of_period, invoices))
    return tuple(sorted(events, key=_moment))


def _moment(event: Event) -> tuple[datetime, bool, bool, int]:
    """Closings, then the billing period that opens, so that every other opening can write into it."""
    return event.at, event.opens, event.opens and not event.of_period, event.order
