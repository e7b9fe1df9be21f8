"""Terms that can have no effect (C260): each is a warning that says why. A promise that does nothing was paid for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from offtake.contract.checks.subject import Subject
from offtake.contract.schema.commitments import Commitment
from offtake.contract.schema.prices import ChannelPrice
from offtake.values.errors import Finding
from offtake.values.money import EXACT
from offtake.values.periods import shift_months

_PER_YEAR = {"month": 12, "quarter": 4, "year": 1}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def prices_that_never_apply(subject: Subject) -> Iterator[Finding]:
    """Channels, new models, price drops, uplifts and steps that nothing in the scope can meet."""
    prices, scope, term = subject.terms.prices, subject.terms.scope, subject.terms.term
    for name in ("batch", "flex", "priority"):
        if getattr(prices, name) and name not in scope.channels:
            yield subject.no_effect(f"prices.{name}", f"{name} is not among `scope.channels`", "add it to the scope")
    if prices.new_models and not any("*" in pattern for pattern in scope.models):
        yield subject.no_effect("prices.new_models", "the scope names its models in full, so no new one comes into it")
    if prices.price_drops and not prices.freeze and not prices.fixed:
        why = "prices that are not frozen follow the list price down anyway"
        yield subject.no_effect("prices.price_drops", why, "add `freeze`, or remove it")
    residency = subject.terms.residency
    if prices.region_uplift == "waived" and residency and set(residency.regions) == {"global"}:
        yield subject.no_effect(
            "prices.region_uplift", "`residency` allows only the global region, which has no uplift"
        )
    for index, step in enumerate(prices.steps):
        at = subject.contract.instant(step.from_)
        if at >= subject.contract.span.end:
            yield subject.no_effect(
                f"prices.steps[{index}]", f"it takes effect at the end of the term ({term.until}) or later"
            )
        elif step.share == 0:
            yield subject.no_effect(f"prices.steps[{index}]", "a step of 0% changes no price")


def levers_that_change_nothing(subject: Subject) -> Iterator[Finding]:
    """Shares of nothing, bands that are all alike, and exclusive groups of levers that are not there."""
    prices = subject.terms.prices
    if prices.tiers and len({tier.share for tier in prices.tiers.steps}) == 1:
        yield subject.no_effect("prices.tiers", "every band has the same share")
    for name in ("off_peak", "non_production"):
        clause = getattr(prices, name)
        if clause and clause.share == 0:
            yield subject.no_effect(f"prices.{name}", "it takes 0% off")
    off_peak = prices.off_peak
    if off_peak and off_peak.weekends and off_peak.days == "all" and off_peak.hours == "00:00-24:00":
        yield subject.no_effect("prices.off_peak.weekends", "every hour of every day is off-peak already")
    for index, group in enumerate(prices.combine.exclusive if prices.combine else []):
        there = [name for name in group if _is_lever(getattr(prices, name))]
        if len(there) < 2:
            gone = ", ".join(name for name in group if name not in there)
            yield subject.no_effect(f"prices.combine.exclusive[{index}]", f"there is no {gone} share under `prices`")


def _is_lever(clause: object) -> bool:
    return clause is not None and (not isinstance(clause, (ChannelPrice, str)) or bool(getattr(clause, "share", None)))


def commitments_without_teeth(subject: Subject) -> Iterator[Finding]:
    """Parts of a commitment that its own windows leave no room for."""
    for index, each in enumerate(subject.terms.commitments):
        path = f"commitments[{index}]"
        yield from _rollover(subject, path, each)
        if each.shortfall and each.shortfall.share == 0:
            yield subject.no_effect(
                path, "a shortfall that costs 0% makes the commitment no promise", "remove `shortfall`"
            )
        if each.overage and each.overage.notice and not each.overage.surcharge:
            yield subject.no_effect(f"{path}.overage.notice", "there is no surcharge that notice could waive")
        if each.prepaid and each.prepaid.share == 0:
            yield subject.no_effect(f"{path}.prepaid", "0% is prepaid")
        if each.amount and each.minimum and each.amount.per and each.minimum.per:
            minimum = _yearly(each.minimum.money.amount, each.minimum.per)
            if minimum is not None and minimum >= (_yearly(each.amount.money.amount, each.amount.per) or minimum + 1):
                yield subject.no_effect(path, "its `minimum` alone reaches the amount", "lower the minimum")
        yield from _ramps(subject, path, each)


def _yearly(amount: Decimal, per: str) -> Decimal | None:
    return EXACT.multiply(amount, Decimal(_PER_YEAR[per])) if per in _PER_YEAR else None


def _rollover(subject: Subject, path: str, commitment: Commitment) -> Iterator[Finding]:
    rollover = commitment.rollover
    if rollover is None:
        return
    here = f"{path}.rollover"
    term = subject.terms.term
    if rollover.share == 0:
        yield subject.no_effect(here, "0% rolls over")
    if rollover.into == "rest_of_year" and commitment.true_up == "year":
        why = "what is unused is known when the year ends, and then nothing is left of it"
        yield subject.no_effect(here, why, "settle by quarter or month, or roll into `next_window`")
    elif shift_months(term.from_, _MONTHS[commitment.true_up]) >= term.until:
        why = f"the term ends with its first {commitment.true_up}, so no later window can draw what rolls over"
        yield subject.no_effect(here, why)
    window = 3 if rollover.into == "next_quarter" else _MONTHS[commitment.true_up]
    if rollover.into == "rest_of_year":
        window = 12
    months = rollover.expires_after.months if rollover.expires_after else None
    if months is not None and months > window:
        why = f"what rolled over lapses after {window} months in any case, at the end of {rollover.into}"
        yield subject.no_effect(f"{here}.expires_after", why)


def _ramps(subject: Subject, path: str, commitment: Commitment) -> Iterator[Finding]:
    term = subject.terms.term
    for index, step in enumerate(commitment.ramp):
        if shift_months(term.from_, 12 * (step.year - 1)) >= term.until:
            yield subject.no_effect(f"{path}.ramp[{index}]", f"contract year {step.year} starts after the term ends")


def credits_out_of_time(subject: Subject) -> Iterator[Finding]:
    """Grants that are gone before they can be drawn."""
    term = subject.terms.term
    for index, credit in enumerate(subject.terms.credits):
        start = credit.starts or term.from_
        if credit.expires is not None and credit.expires <= start:
            yield subject.no_effect(f"credits[{index}]", f"it lapses on {credit.expires}, and starts on {start}")
        elif start >= term.until:
            yield subject.no_effect(f"credits[{index}]", f"it starts on {start}, and the term ends on {term.until}")


def promises_without_a_base(subject: Subject) -> Iterator[Finding]:
    """Service credits on nothing, watched commitments that are not there, tests that were not agreed."""
    terms = subject.terms
    uptime = terms.sla.uptime if terms.sla else None
    whole = any(each.prepaid and each.prepaid.share == 1 for each in terms.commitments)
    if uptime and uptime.credits and uptime.of == "billed" and whole:
        why = "a commitment is prepaid in full, so the month's bill for usage is 0 and so is a share of it"
        yield subject.no_effect("sla.uptime.credits", why, "use `of: commitment_share` or `consumed`")
    if uptime and not uptime.credits and (uptime.cap is not None or uptime.claim_within):
        yield subject.no_effect(
            "sla.uptime.cap" if uptime.cap is not None else "sla.uptime.claim_within", "there are no credits"
        )
    if terms.alerts and not terms.commitments:
        for name in ("over_commitment", "forecast_shortfall"):
            if getattr(terms.alerts, name) is not None:
                yield subject.no_effect(f"alerts.{name}", "there is no commitment to watch")
    if terms.exit and terms.exit.quality_regression and not (terms.models and terms.models.acceptance):
        why = "no `models.acceptance` says what quality was agreed"
        yield subject.no_effect("exit.quality_regression", why, "add `models.acceptance: {suite: …, floor: …}`")
    seats = terms.fees.seats if terms.fees else None
    if seats and seats.true_down and terms.term.until - terms.term.from_ <= timedelta(days=366):
        yield subject.no_effect("fees.seats.true_down", "the count falls at an anniversary, and the term has none")
    for index, obligation in enumerate(terms.obligations):
        if obligation.due and not terms.term.from_ <= obligation.due <= terms.term.until:
            yield subject.no_effect(f"obligations[{index}].due", f"{obligation.due} is outside of the term")


CHECKS = (
    prices_that_never_apply,
    levers_that_change_nothing,
    commitments_without_teeth,
    credits_out_of_time,
    promises_without_a_base,
)
