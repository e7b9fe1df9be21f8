"""Rate usage files: what they cost under a contract, or at list price, with control totals over every row.

One opened and rated contract also answers the faces that ask for more: parts by workload, day or tag, one total a
record, and corrections of what was booked before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.operations.contracts import Opened, instant_of, load_facts, open_contract
from offtake.operations.usage_input import FileProgress, Usage, UsageInput, open_usage
from offtake.rating.breakdown import Breakdown, break_down, by_of, unrounded
from offtake.rating.corrections import Booked, booked_lines, corrections
from offtake.rating.lines import Invoices, Line
from offtake.rating.planning import By
from offtake.rating.rate import rate
from offtake.rating.source import Source
from offtake.store.catalogs import open_catalog
from offtake.usage.rows import Rejected
from offtake.values.counting import counted
from offtake.values.errors import InputError, Place
from offtake.values.money import total
from offtake.values.periods import Interval


@dataclass(frozen=True, slots=True)
class Rated:
    """Invoices, and what was asked for beside them. `breakdowns` are in the order of the invoices."""

    contract: Contract
    invoices: Invoices
    breakdowns: tuple[Breakdown, ...] = ()
    corrections: tuple[Line, ...] | None = None
    rejected: tuple[Rejected, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def unallocated(self) -> Decimal:
        """What no part carries, over all invoices."""
        return total(each.unallocated for each in self.breakdowns)


@dataclass(frozen=True, slots=True)
class Session:
    """Open usage with the contract that prices it, and the span that was asked for."""

    usage: UsageInput
    opened: Opened
    span: Interval | None

    def rated(self, by: By | None = None, exact: bool = False, span: Interval | None = None) -> Invoices:
        """The invoices, with control totals over every row of the files."""
        contract = unrounded(self.opened.contract) if exact else self.opened.contract
        found = rate(
            self.usage.source, contract, self.opened.catalog, self.opened.facts, by=by or By(), span=span or self.span
        )
        return replace(found, control=self.usage.counted(found.control))


def rate_usage(
    paths: Sequence[str | Path],
    contract: Path | None = None,
    *,
    catalogs: Sequence[Path] = (),
    facts: Sequence[Path] = (),
    since: datetime | date | None = None,
    until: datetime | date | None = None,
    at: datetime | date | None = None,
    by: str = "line",
    previous: Path | None = None,
    strict: bool = False,
    stance: str | None = None,
    progress: FileProgress | None = None,
) -> Rated:
    """Rate usage files. `by` is line, model, workload, day or tag:NAME; without a contract the prices are list prices.

    `since` and `until` choose the billing periods that are shown; usage before them still counts where a term
    accumulates. `at`: facts and periods that begin later do not count. `strict`: InputError R413 where the data cannot
    decide a price. `previous` is a JSON document of invoices that were booked: its periods are corrected.
    """
    kept = by_of(by)
    opening = open_session(
        paths, contract, catalogs=catalogs, facts=facts, since=since, until=until, at=at, stance=stance,
        progress=progress,
    )  # fmt: skip
    with opening as session:
        booked = _booked(previous, session) if previous else None
        span = _reaching(session, booked[0]) if booked else None
        invoices = session.rated(span=span)
        if strict:
            refuse_ranges(invoices)
        breakdowns: tuple[Breakdown, ...] = ()
        if by != "line":
            breakdowns = break_down(invoices, session.rated(kept, exact=True, span=span), by)
        corrected = corrections(*booked, invoices, session.span) if booked else None
        usage = session.usage
        return Rated(session.opened.contract, invoices, breakdowns, corrected, usage.rejected, usage.conflicts)


@contextmanager
def open_session(
    paths: Usage,
    contract: Path | None = None,
    *,
    catalogs: Sequence[Path] = (),
    facts: Sequence[Path] = (),
    since: datetime | date | None = None,
    until: datetime | date | None = None,
    at: datetime | date | None = None,
    stance: str | None = None,
    progress: FileProgress | None = None,
) -> Iterator[Session]:
    """Usage files opened together with their contract; both are checked before the first is read.

    Of a gateway's ledger it is what was settled under this contract.
    """
    opened = open_contract(contract, catalogs=catalogs, facts=facts, stance=stance) if contract else None
    name = opened.contract.signed.contract if opened else ""
    with open_usage(paths, progress=progress, contract=name) as usage:
        if opened is None:
            public = list_prices_for(usage.source)
            opened = Opened(public, open_catalog(catalogs), load_facts(facts, public))
        now = instant_of(at, opened.contract)
        if now:
            opened = replace(opened, facts=tuple(fact for fact in opened.facts if fact.at <= now))
        yield Session(usage, opened, _span(opened.contract, since, until, now))


def list_prices_for(source: Source) -> Contract:
    """List prices as a contract over all of this usage, in every access form that it uses."""
    survey = source.survey(False)
    today = datetime.now(UTC)
    return list_contract(
        (survey.first or today).date(), (survey.last or today).date(), {lane.access for lane in survey.lanes}
    )


def refuse_ranges(invoices: Invoices) -> None:
    """InputError R413 where any line has a range."""
    unsure = [line for invoice in invoices.invoices for line in invoice.lines if line.high is not None]
    if unsure:
        first = unsure[0]
        raise InputError(
            "R413",
            f"the data cannot decide {counted(len(unsure), 'line')}, the first {first.id}: "
            f"{first.amounts.billed:f} to {(first.high or first.amounts).billed:f}",
            why="its rows are coarser than a clause needs, or do not say their outcome",
            hint="give finer usage, or leave --strict to see the range",
        )


def _span(
    contract: Contract, since: datetime | date | None, until: datetime | date | None, now: datetime | None
) -> Interval | None:
    start, end = instant_of(since, contract), instant_of(until, contract)
    end = min((each for each in (end, now) if each), default=None)
    if start is None and end is None:
        return None
    whole = contract.span
    start, end = start or whole.start, end or whole.end
    if start >= end:
        raise InputError(
            "U190", f"the span ends ({end:%Y-%m-%d}) before it starts ({start:%Y-%m-%d})",
            why="without --from it starts with the contract's term", hint="choose another --from, --until or --at",
        )  # fmt: skip
    return Interval(start, end)


def _booked(path: Path, session: Session) -> tuple[tuple[Interval, ...], tuple[Booked, ...]]:
    """The booked lines of an invoices document that is about this contract and currency."""
    contract = session.opened.contract
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:  # not JSON, or not text
        raise InputError("U108", "this is not JSON", where=Place(str(path)), why=str(error)) from error
    found = booked_lines(document, contract.zone, str(path))
    for name, ours in (("contract", contract.signed.contract), ("currency", contract.signed.term.currency)):
        if isinstance(document, Mapping) and document.get(name) != ours:
            raise InputError(
                "U193", f"these invoices are of another {name}: {document.get(name)!r}", where=Place(str(path)),
                why=f"this run has {ours!r}",
            )  # fmt: skip
    return found


def _reaching(session: Session, booked: tuple[Interval, ...]) -> Interval | None:
    """What to rate so that every booked period is rated again, also one whose usage is all gone."""
    if session.span or not booked:
        return session.span
    survey = session.usage.source.survey(False)
    starts = [period.start for period in booked] + ([survey.first] if survey.first else [])
    ends = [period.end for period in booked] + ([survey.last + timedelta(microseconds=1)] if survey.last else [])
    return Interval(min(starts), max(ends))
