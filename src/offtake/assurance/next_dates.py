"""The next dates of a contract: what ends, starts, lapses or must be said, soonest first.

Of what recurs only the next occurrence is given. A date is an instant: the local midnight on which it happens; for a
window that ends, the first instant after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from offtake.contract.contract import Contract
from offtake.contract.patterns import canonical
from offtake.rating.clauses.commitment import CommitmentClause
from offtake.rating.clauses.tiers import TiersClause
from offtake.rating.lots import NEVER
from offtake.rating.stopped import Stopped
from offtake.values.periods import windows
from offtake.values.units import Duration

UNCOUNTED = "business day"  # needs a calendar of holidays, which nobody has given us


@dataclass(frozen=True, slots=True, order=True)
class NextDate:
    """What happens at an instant, under which clause."""

    at: datetime
    what: str
    clause: str
    source: str = ""


def next_dates(stopped: Stopped, accepted: Sequence[tuple[int, str, date]] = ()) -> tuple[NextDate, ...]:
    """Every date after the instant, within the term and at its end.

    `accepted`: what signed results admit beside the contract's own lines, as (place in `models.evaluation`, model, the
    first day on which it no longer counts).
    """
    contract = stopped.run.machine.terms.contract
    at = stopped.at
    found = {*_windows(stopped), *_lots(stopped), *_terms(contract, at), *_payments(stopped), *_ending(contract, at)}
    found |= {*_obligations(contract, at), *_amendments(contract), *_admissions(contract, at, accepted)}
    return tuple(
        NextDate(each.at, each.what, each.clause, each.source or contract.source(each.clause))
        for each in sorted(found)
        if each.at > at
    )


def _windows(stopped: Stopped) -> Iterator[NextDate]:
    words = {"true_up": "true-up of the commitment", "minimum": "the minimum falls due", "average": "burst is averaged"}
    for clause in stopped.run.machine.clauses:
        seen = set()
        for window in clause.windows():
            ends = window.interval.end
            if ends <= stopped.at or window.name in seen:
                continue
            seen.add(window.name)
            if isinstance(clause, CommitmentClause) and window.name in words:
                path = f"{clause.path}.{window.name}" if window.name != "average" else f"{clause.path}.burst"
                yield NextDate(ends, f"{clause.id}: {words[window.name]}", path)
            if isinstance(clause, TiersClause) and window.name == "tiers" and ends < clause.terms.contract.span.end:
                yield NextDate(ends, "tiers start again from zero", clause.path)
    period = next((each for each in stopped.run.machine.terms.periods if each.end > stopped.at), None)
    if period:
        yield NextDate(period.end, "the billing period closes", "billing.period")


def _lots(stopped: Stopped) -> Iterator[NextDate]:
    for lot in stopped.run.lots:
        if lot.remaining and lot.expires < NEVER:
            yield NextDate(lot.expires, f"what is left of {lot.name} lapses", lot.clause)


def _terms(contract: Contract, at: datetime) -> Iterator[NextDate]:
    """Steps of prices, ramps, and what the text in force dates."""
    terms = contract.as_of(at)
    for index, step in enumerate(terms.prices.steps):
        yield NextDate(contract.instant(step.from_), "the contracted price steps", f"prices.steps[{index}]")
    years = list(windows("year", contract.signed.term.from_, contract.span, contract.zone))
    for index, commitment in enumerate(terms.commitments):
        for ramp in commitment.ramp:
            if ramp.year <= len(years):
                words = f"{commitment.id}: {ramp.amount} from here on"
                yield NextDate(years[ramp.year - 1].start, words, f"commitments[{index}].ramp")
    for index, credit in enumerate(terms.credits):
        if credit.starts:
            yield NextDate(contract.instant(credit.starts), f"credit {credit.name} can be drawn", f"credits[{index}]")


def _ending(contract: Contract, at: datetime) -> Iterator[NextDate]:
    terms, end = contract.as_of(at), contract.span.end
    yield NextDate(end, "the contract ends", "term.until")
    renewal, leave = terms.renewal, terms.exit
    if renewal and renewal.notice and renewal.notice.unit != UNCOUNTED:
        what = "last day to stop the renewal" if renewal.automatic else "notice of renewal is due"
        yield NextDate(_before(end, renewal.notice, contract), what, "renewal.notice")
    if leave and leave.innovation:
        start = contract.span.start.astimezone(contract.zone)
        yield NextDate(leave.innovation.after.after(start), "the innovation exit opens", "exit.innovation")


def _payments(stopped: Stopped) -> Iterator[NextDate]:
    """Of each dispute and payment deadline the next: they count from the end of a billing period."""
    contract, at = stopped.run.machine.terms.contract, stopped.at
    payment = contract.as_of(at).payment
    deadlines = (
        ("payment is due for the invoice to", payment.due if payment else None, "payment.due"),
        ("last day to dispute the invoice to", payment.dispute_within if payment else None, "payment.dispute_within"),
    )
    for what, duration, clause in deadlines:
        for period in stopped.run.machine.terms.periods:
            if duration is None or duration.unit == UNCOUNTED or period.end > at:
                continue
            ends = period.end.astimezone(contract.zone)
            due = duration.after(ends)
            if due > at:
                yield NextDate(due, f"{what} {ends:%Y-%m-%d}", clause)
                break


def _obligations(contract: Contract, at: datetime) -> Iterator[NextDate]:
    for index, duty in enumerate(contract.as_of(at).obligations):
        words, clause = f"{duty.who}: {duty.what or duty.id}", f"obligations[{index}]"
        if duty.due:
            yield NextDate(contract.instant(duty.due), words, clause)
        elif duty.every:
            spans = windows(duty.every, contract.signed.term.from_, contract.span, contract.zone)
            for window, _ in pairwise((*spans, contract.span)):
                if window.end > at:
                    yield NextDate(window.end, words, clause)
                    break


def _amendments(contract: Contract) -> Iterator[NextDate]:
    for index, version in enumerate(contract.versions[1:]):
        yield NextDate(version.effective, f"{version.document} takes effect", f"amendments[{index}]", version.document)


def _admissions(contract: Contract, at: datetime, accepted: Sequence[tuple[int, str, date]]) -> Iterator[NextDate]:
    """Models that passed an evaluation serve until the last of their admissions ends."""
    models = contract.as_of(at).models
    for index, evaluation in enumerate((models and models.evaluation) or ()):
        path = f"models.evaluation[{index}]"
        lines = enumerate(evaluation.admitted)
        found = [(each.until, f"{path}.admitted[{number}].until", each.model) for number, each in lines]
        found += [(until, path, model) for place, model, until in accepted if place == index]
        last = {canonical(model): (until, clause, model) for until, clause, model in sorted(found)}
        for until, clause, model in last.values():
            yield NextDate(contract.instant(until), f"{model} must pass {evaluation.suite} again", clause)


def _before(end: datetime, duration: Duration, contract: Contract) -> datetime:
    """So long before an instant, by the calendar of the contract's zone."""
    return Duration(-duration.count, duration.unit).after(end.astimezone(contract.zone))
