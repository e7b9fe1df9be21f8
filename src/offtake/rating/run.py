"""A run: the state of a contract's windows as usage passes in time order.

The same machine serves the monthly invoice (pieces are groups) and the gateway (a piece is one request): advance to an
instant, which closes and opens windows, then use a piece. A `Position` is its state between two requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from offtake.rating.compiled import CompiledTerms
from offtake.rating.invoice import Booked, invoice
from offtake.rating.lines import Amounts, Invoice, Kind, Line
from offtake.rating.lots import Lot
from offtake.rating.piece import Piece
from offtake.rating.usage_lines import UsageLines
from offtake.rating.window_clauses import window_clauses
from offtake.rating.windows import Cut, Window, WindowClause
from offtake.values.money import ZERO
from offtake.values.periods import Interval

START = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """A window of a clause opens or closes. Closings come before openings; then the order of the clauses decides."""

    at: datetime
    opens: bool
    order: int
    window: Window
    clause: WindowClause


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: what cumulative terms need to price the next request. Immutable."""

    next_event: int = 0
    accounts: Mapping[str, Decimal | int] = field(default_factory=dict)
    lots: tuple[Lot, ...] = ()


@dataclass(slots=True)
class Run:
    """See the module. `accounts` are named running sums of the clauses; `lines` those of the period that is open."""

    terms: CompiledTerms
    schedule: tuple[Event, ...]
    clauses: tuple[WindowClause, ...]
    collect: bool = True
    next_event: int = 0
    accounts: dict[str, Decimal | int] = field(default_factory=dict)
    lots: list[Lot] = field(default_factory=list)
    usage: UsageLines = field(default_factory=UsageLines)
    lines: list[Line] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    period: Interval | None = None
    now: datetime = START

    def advance(self, to: datetime) -> None:
        """Close and open every window up to an instant, in order; a billing period's end makes its invoice."""
        while self.next_event < len(self.schedule) and self.schedule[self.next_event].at <= to:
            event = self.schedule[self.next_event]
            self.next_event += 1
            self.now = max(self.now, event.at)
            if event.opens and event.window.name == "period":
                self.period = event.window.interval
            if event.opens:
                event.clause.opens(event.window, self)
            else:
                event.clause.closes(event.window, self)
                if event.window.name == "period" and event.clause is self.clauses[-1]:
                    self._invoice(event.window.interval)

    def use(self, piece: Piece) -> None:
        """Let every clause act on a piece, in their order, and book it."""
        self.now = piece.at
        for clause in self.clauses:
            clause.use(piece, self)
        if self.collect:
            self.usage.add(piece)

    def cuts(self) -> list[Cut]:
        """The measures whose thresholds lie ahead."""
        return [cut for clause in self.clauses for cut in clause.cuts(self)]

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
        why: str,
        *,
        key: str = "",
        quantity: Decimal = Decimal(1),
        unit_price: Decimal | None = None,
        unit: str = "USD",
        contracted: Decimal = ZERO,
        public: Decimal | None = None,
        effective: Decimal | None = None,
        commitment: str = "",
        unused: bool = False,
    ) -> None:
        """Write a line of a window clause into the open period."""
        assert self.period is not None
        contract = self.terms.contract
        self.lines.append(
            Line(
                id="/".join(part for part in (f"{self.period.start:%Y-%m-%d}", clause, kind, key) if part),
                clause=clause,
                kind=kind,
                period=self.period,
                quantity=quantity,
                unit_price=billed if unit_price is None else unit_price,
                unit=contract.signed.term.currency if unit == "USD" else unit,
                amounts=Amounts(
                    list=contracted if public is None else public,
                    contracted=contracted,
                    effective=billed if effective is None else effective,
                    billed=billed,
                ),
                why=why,
                source=contract.source(clause),
                commitment=commitment,
                commitment_status="unused" if unused else "used" if commitment else "",
            )
        )

    def position(self) -> Position:
        """The state, to be taken up again."""
        return Position(self.next_event, dict(self.accounts), tuple(copy(lot) for lot in self.lots))

    def _invoice(self, period: Interval) -> None:
        if self.collect:
            booked = Booked([*self.usage.lines(period, self.terms), *self.lines])
            self.invoices.append(invoice(period, booked, self.terms.contract.as_of(period.start).billing.rounding))
        self.usage = UsageLines()
        self.lines = []


def new_run(terms: CompiledTerms, position: Position | None = None, collect: bool = True) -> Run:
    """A run at the start of the term, or at a position."""
    clauses = window_clauses(terms)
    run = Run(terms, schedule(clauses), clauses, collect)
    if position:
        run.next_event = position.next_event
        run.accounts.update(position.accounts)
        run.lots = [copy(lot) for lot in position.lots]
    return run


def schedule(clauses: Iterable[WindowClause]) -> tuple[Event, ...]:
    """Every opening and closing of the term, in order."""
    events = []
    for order, clause in enumerate(clauses):
        for window in clause.windows():
            events.append(Event(window.interval.start, True, order, window, clause))
            events.append(Event(window.interval.end, False, order, window, clause))
    return tuple(sorted(events, key=lambda event: (event.at, event.opens, event.order)))
