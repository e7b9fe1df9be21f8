"""Where a contract stands at an instant: what of each commitment is drawn and left, and where it is heading.

Money and tokens are those of a rating run that stopped there. A forecast moves only what is still to come; what a
shortfall would cost is priced by the clause that will charge it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from offtake.assurance.forecast import Level, Range, level
from offtake.rating.clauses import minimum, overage, shortfall
from offtake.rating.clauses.commitment import CommitmentClause
from offtake.rating.clauses.tiers import MEASURED, TiersClause, band
from offtake.rating.lots import NEVER, Lot
from offtake.rating.stopped import Stopped
from offtake.values.money import ZERO, divide, from_pico, total
from offtake.values.periods import Interval

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Projection:
    """The end of the window if usage goes on at its level, in the commitment's unit; costs in dollars.

    `cost` is what the shortfall would cost, `premium` what the part beyond would cost on top of its contracted cost
    (None where that needs more than a level). `high` goes with `low` of the other side: the less is drawn, the more is
    short.
    """

    level: Level
    drawn: Range
    shortfall: Range
    cost: Range
    overage: Range
    premium: Range | None


@dataclass(frozen=True, slots=True)
class Minimum:
    """The floor inside the floor, of its open window: `missing` becomes a top-up if nothing more is drawn."""

    window: Interval
    amount: Decimal
    drawn: Decimal

    @property
    def missing(self) -> Decimal:
        """What is not drawn yet."""
        return minimum.top_up(self.amount, self.drawn)


@dataclass(frozen=True, slots=True)
class CommitmentStatus:
    """One commitment in the window that holds the instant. `unit` is USD (or another currency) or token.

    `drawn_high` differs from `drawn` where the data cannot decide a price.
    """

    id: str
    clause: str
    source: str
    unit: str
    window: Interval
    time_share: Decimal
    committed: Decimal
    drawn: Decimal
    drawn_high: Decimal
    minimum: Minimum | None
    projection: Projection | None

    @property
    def left(self) -> Decimal:
        """What is still to be drawn."""
        return shortfall.unused(self.committed, self.drawn)

    @property
    def drawn_share(self) -> Decimal | None:
        """Drawn ÷ committed."""
        return divide(self.drawn, self.committed) if self.committed else None

    @property
    def pace(self) -> Decimal | None:
        """Drawn share ÷ share of time gone: 1 is on pace, below it too slow. None at the first instant."""
        return divide(self.drawn_share, self.time_share) if self.drawn_share is not None and self.time_share else None


@dataclass(frozen=True, slots=True)
class LotStatus:
    """Money or tokens that are there before usage is: a prepaid drawdown, a rollover, a credit, a top-up."""

    clause: str
    name: str
    unit: str
    granted: Decimal
    remaining: Decimal
    starts: datetime
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class TierStatus:
    """Where spend stands among the tiers: the share in force for the next unit, and how far the next step is."""

    clause: str
    source: str
    unit: str
    measured: Decimal
    share: Decimal
    next_share: Decimal | None
    left: Decimal | None


def commitment_statuses(low: Stopped, high: Stopped | None = None) -> tuple[CommitmentStatus, ...]:
    """Every commitment of the contract. `high` is the same run at the higher prices, where the data leaves any open."""
    found = []
    for clause in low.commitments:
        window = _window(clause, low.at, "true_up")
        drawn = low.amount(clause, "drawn")
        least = _minimum(clause, low) if clause.text.minimum else None
        contract = clause.terms.contract
        found.append(
            CommitmentStatus(
                clause.id, clause.path, contract.source(clause.path), _unit(clause), window,
                divide(Decimal((low.at - window.start) // INSTANT), (window.end - window.start) // INSTANT),
                low.amount(clause, "committed"), drawn, high.amount(clause, "drawn") if high else drawn, least,
                _projection(clause, low, window, drawn, least),
            )
        )  # fmt: skip
    return tuple(found)


def lot_statuses(stopped: Stopped) -> tuple[LotStatus, ...]:
    """Every lot that still holds something at the instant, soonest to expire first."""
    machine = stopped.run.machine
    currency = machine.terms.contract.signed.term.currency
    found = []
    for lot in sorted(stopped.run.lots, key=lambda lot: (lot.expires, *lot.order)):
        if lot.remaining and lot.expires > stopped.at:
            expires = lot.expires if lot.expires < NEVER else None
            unit = currency if lot.weights is None else "token"
            held = _held(lot, lot.granted), _held(lot, lot.remaining)
            found.append(LotStatus(lot.clause, lot.name, unit, *held, lot.starts, expires))
    return tuple(found)


def _held(lot: Lot, units: Decimal | int) -> Decimal:
    return from_pico(int(units)) if lot.weights is None else Decimal(units)


def tier_status(stopped: Stopped) -> TierStatus | None:
    """Where the tiers stand; None for a contract without."""
    machine = stopped.run.machine
    clause = next((clause for clause in machine.clauses if isinstance(clause, TiersClause)), None)
    if clause is None:
        return None
    contract = machine.terms.contract
    measured = int(stopped.run.accounts.get(MEASURED, 0))
    in_tokens = clause.text.measure.amount == "tokens"
    reached = band(clause.edges, measured)
    ahead = clause.edges[reached] - measured if reached < len(clause.edges) else None
    steps = clause.text.steps

    def amount(units: int) -> Decimal:
        return Decimal(units) if in_tokens else from_pico(units)

    return TierStatus(
        clause.path, contract.source(clause.path), "token" if in_tokens else contract.signed.term.currency,
        amount(measured), steps[reached].share, steps[reached + 1].share if ahead is not None else None,
        amount(ahead) if ahead is not None else None,
    )  # fmt: skip


def _window(clause: CommitmentClause, at: datetime, name: str) -> Interval:
    """The window that holds an instant; at the end of the term the last one."""
    found = [window.interval for window in clause.windows() if window.name == name and window.interval.start <= at]
    return found[-1]


def _unit(clause: CommitmentClause) -> str:
    return clause.terms.contract.signed.term.currency if clause.weights is None else "token"


def _minimum(clause: CommitmentClause, stopped: Stopped) -> Minimum:
    window = _window(clause, stopped.at, "minimum")
    drawn = from_pico(int(stopped.run.accounts.get(f"{clause.path}.minimum_drawn", 0)))
    return Minimum(window, clause.minimum_in(window), drawn)


def _projection(
    clause: CommitmentClause, stopped: Stopped, window: Interval, drawn: Decimal, least: Minimum | None
) -> Projection | None:
    """None where there is no history, or the window is over."""
    contract = clause.terms.contract
    today = stopped.at.astimezone(contract.zone).date()
    if stopped.first is None or stopped.at >= window.end:
        return None
    seen = level(stopped.draws[clause.path], stopped.first.astimezone(contract.zone).date(), today)
    if seen is None:
        return None
    days = divide(Decimal((window.end - stopped.at) // INSTANT), DAY // INSTANT)
    places = 0 if clause.weights is not None else contract.signed.billing.rounding.places
    rest = seen.rest(days, places)
    floor = _floor(clause, stopped.at, window, least)
    end = Range(*(drawn + max(value, floor) for value in (rest.low, rest.mid, rest.high)))
    committed = stopped.amount(clause, "committed")
    short = Range(*(shortfall.unused(committed, value) for value in (end.high, end.mid, end.low)))
    beyond = Range(*(max(ZERO, value - committed) for value in (end.low, end.mid, end.high)))
    cost = Range(*(shortfall.amount(clause.text, units) for units in (short.low, short.mid, short.high)))
    return Projection(seen, end, short, cost, beyond, _premium(clause, stopped.at, beyond))


def _floor(clause: CommitmentClause, at: datetime, window: Interval, least: Minimum | None) -> Decimal:
    """What minimums will add to the window at least: a top-up counts toward the total."""
    if least is None:
        return ZERO
    later = [each.interval for each in clause.windows() if each.name == "minimum" and at < each.interval.start]
    return least.missing + total(clause.minimum_in(each) for each in later if each.end <= window.end)


def _premium(clause: CommitmentClause, at: datetime, beyond: Range) -> Range | None:
    """Only a surcharge on contracted cost follows from what is drawn alone."""
    text = clause.text.overage
    if text is None or clause.weights is not None or clause.text.counts_at != "contracted" or text.at != "contracted":
        return None
    if clause.bursts:
        return None  # what is beyond is settled month by month
    period = clause.terms.periods[clause.terms.period(min(at, clause.terms.contract.span.end - INSTANT))]
    share = overage.surcharge(text, clause.id, period, clause.terms.book.facts)
    return Range(*(overage.premium(text, share, value, ZERO) for value in (beyond.low, beyond.mid, beyond.high)))
