"""Status: what of each commitment is drawn and left, where it is heading, and who bears what of the invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import localcontext
from pathlib import Path

from offtake.assurance.allocation import Allocation, Method, Without, blended, marginal
from offtake.assurance.next_dates import NextDate, next_dates
from offtake.assurance.status import (
    CommitmentStatus,
    LotStatus,
    TierStatus,
    commitment_statuses,
    lot_statuses,
    tier_status,
)
from offtake.contract.contract import Contract
from offtake.operations.accepted_results import accepted_beside, suites_of
from offtake.operations.rate_usage import Session, open_session, refuse_ranges
from offtake.operations.usage_input import FileProgress, Usage
from offtake.planner.routing.accepted import passing
from offtake.rating.breakdown import unrounded
from offtake.rating.clauses.steps import conditions_met
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lines import Invoices
from offtake.rating.planning import GRAINS, By
from offtake.rating.rate import rate
from offtake.rating.source import Survey
from offtake.rating.stopped import Stopped, stop_at
from offtake.values.errors import InputError
from offtake.values.money import EXACT
from offtake.values.periods import Interval

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Status:
    """Where the contract stands at `at`; `invoices`: the periods begun by then, the open one as if closed."""

    at: datetime
    session: Session
    stopped: Stopped
    invoices: Invoices
    commitments: tuple[CommitmentStatus, ...]
    lots: tuple[LotStatus, ...]
    tier: TierStatus | None
    dates: tuple[NextDate, ...]
    allocation: Allocation | None
    warnings: tuple[str, ...]

    @property
    def contract(self) -> Contract:
        """The contract that it is about."""
        return self.session.opened.contract


def commitment_status(
    paths: Usage,
    contract: Path,
    *,
    at: datetime | date | None = None,
    catalogs: Sequence[Path] = (),
    facts: Sequence[Path] = (),
    by: str | None = None,
    allocate: Method = "blended",
    strict: bool = False,
    stance: str | None = None,
    config: Path | None = None,
    store: Path | None = None,
    progress: FileProgress | None = None,
) -> Status:
    """The status at an instant of the term: by default, when the usage ends. `by` is tag:NAME: who bears the invoices.

    `config` or `store` says whose signed results of `offtake accept` count: offtake.toml's here, by default.

    Invoices are those of every billing period that has begun by then, on all usage given, as `rate_usage` has them.
    InputError R411 where the instant lies outside of the term, U191 where `by` is not a tag.
    """
    if by is not None and not by.removeprefix("tag:"):
        raise InputError("U191", f"nothing is allocated by {by!r}", hint="write --by tag:team")
    if by is not None and not by.startswith("tag:"):
        raise InputError("U191", f"invoices are allocated by a tag, not by {by!r}", hint=f"write --by tag:{by}")
    opening = open_session(paths, contract, catalogs=catalogs, facts=facts, stance=stance, progress=progress)
    with opening as session, localcontext(EXACT):
        survey, opened = session.usage.source.survey(False), session.opened
        moment = _moment(at, survey, session)
        known = replace(opened, facts=tuple(fact for fact in opened.facts if fact.at <= moment))
        session = replace(session, opened=known, span=Interval(opened.contract.span.start, moment))
        low, high = _stopped(session, moment)
        accepted, aside = _accepted(opened.contract, moment, config, store)
        invoices = session.rated()
        if strict:
            refuse_ranges(invoices)
        return Status(
            moment, session, low, invoices, commitment_statuses(low, high), lot_statuses(low), tier_status(low),
            next_dates(low, accepted), _allocation(session, invoices, by, allocate) if by else None,
            (*_warnings(survey, moment), *aside),
        )  # fmt: skip


def _accepted(
    contract: Contract, at: datetime, config: Path | None, store: Path | None
) -> tuple[list[tuple[int, str, date]], list[str]]:
    """(place of the suite, model, end) of the signed results that admit, and what does not count, in words."""
    results, aside = accepted_beside(contract, at, config, store)
    suites = enumerate(suites_of(contract, at))
    return [(place, each.model, each.until) for place, suite in suites for each in passing(suite, results)], aside


def _moment(at: datetime | date | None, survey: Survey, session: Session) -> datetime:
    """The instant that is asked for, or the last one of the last row: nothing is left out, and its day is not over."""
    contract = session.opened.contract
    span = contract.span
    if at is not None:
        moment = contract.instant(at)
        if not span.start < moment <= span.end:
            raise InputError(
                "R411", f"{moment} lies outside of the contract's term, {span.start} to {span.end}",
                hint="choose another --at",
            )  # fmt: skip
        return moment
    longest = max((GRAINS[lane.grain] for lane in survey.lanes), default=timedelta(0))
    ends = (survey.last or span.start) + max(longest - INSTANT, INSTANT)
    return min(max(ends, span.start + INSTANT), span.end)


def _stopped(session: Session, at: datetime) -> tuple[Stopped, Stopped | None]:
    """The run at the lower prices, and at the higher where the data leaves any open."""
    opened, source = session.opened, session.usage.source
    terms = CompiledTerms(opened.contract, opened.catalog, opened.facts)
    survey = source.survey(any(version.terms.prices.non_production for version in opened.contract.versions))
    terms = CompiledTerms(opened.contract, opened.catalog, opened.facts, conditions_met(terms, survey, source))
    low = stop_at(source, terms, survey, at)
    return low, stop_at(source, terms, survey, at, "high") if low.uncertain else None


def _allocation(session: Session, invoices: Invoices, by: str, method: Method) -> Allocation:
    tag = by.removeprefix("tag:")
    kept = By(tags=(tag,))
    exact = session.rated(kept, exact=True)
    places = session.opened.contract.signed.billing.rounding.places
    if method == "blended":
        return blended(exact, tag, invoices.total, places)
    opened = session.opened
    seen: list[object] = []

    def rate_without(value: str) -> Invoices:
        rest = Without(session.usage.source, tag, value, seen)  # type: ignore[arg-type]  # filled by Without itself
        return rate(rest, unrounded(opened.contract), opened.catalog, opened.facts, by=kept, span=session.span)

    return marginal(exact, tag, invoices.total, rate_without)


def _warnings(survey: Survey, at: datetime) -> list[str]:
    """What a reader could take for usage that stopped."""
    if survey.last is None:
        return ["there is no usage"]
    days = (at - survey.last) // DAY
    if days > 1:
        return [f"the last usage is {days} days before {at:%Y-%m-%d}: the forecast takes those days as empty"]
    return []
