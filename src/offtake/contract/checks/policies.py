"""Exactly one policy: failed requests, commitments and their pools, and shares that are a share of something.

C246 an outcome is not decided   C247 a meter without a weight   C248 pools overlap
C249 burst without an average    C250 a share of nothing         C251 a reference to nothing
C253 two units in one amount     C254 an amount without a period
C262 a source names no document
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from offtake.contract.checks.subject import Subject
from offtake.contract.paths import PathError, at, locate
from offtake.contract.patterns import match, match_any
from offtake.contract.schema.commitments import Commitment, Pool, weight_of
from offtake.contract.schema.failures import CLASSES, OUTCOMES, policy_of
from offtake.contract.schema.walk import leaves
from offtake.values.errors import Finding
from offtake.values.units import CountRate, MoneyRate

TEXT_METERS = (
    "input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
)  # fmt: skip


def every_outcome_is_decided(subject: Subject) -> Iterator[Finding]:
    """Who pays for what went wrong: every outcome × token class."""
    terms = subject.terms.failed_requests
    why = "usage with this outcome could not be rated"
    if terms is None:
        what = "nothing says who pays for failed requests"
        yield subject.error("C246", "", what, why, "add `failed_requests: billed`, or decide outcome by outcome")
        return
    for outcome in OUTCOMES:
        open_classes = [each for each in CLASSES if policy_of(terms, outcome, each) is None]
        if len(open_classes) == len(CLASSES):
            what = f"nothing says who pays for `{outcome}`"
            yield subject.error(
                "C246", "failed_requests", what, why, f"add `{outcome}: free`, `billed` or `credited 50%`"
            )
        elif open_classes:
            what = f"`{outcome}` does not decide {', '.join(open_classes)}"
            yield subject.error("C246", f"failed_requests.{outcome}", what, why, "name them, or add `others`")


def every_meter_has_a_weight(subject: Subject) -> Iterator[Finding]:
    """A token commitment weighs each meter of text; audio and images only where they are in use."""
    for index, commitment in enumerate(subject.terms.commitments):
        weights = commitment.tokens.weights if commitment.tokens else {}
        missing = [name.removesuffix("_tokens") for name in TEXT_METERS if weights and weight_of(weights, name) is None]
        if missing:
            path = f"commitments[{index}].tokens.weights"
            what = f"no weight for {', '.join(missing)}"
            why = "every text model is sold by these meters, and nothing says how such a token counts"
            yield subject.error("C247", path, what, why, f"add `{missing[0]}: 1`, or the weight agreed")


def pools_are_disjoint(subject: Subject) -> Iterator[Finding]:
    """One token draws one commitment."""
    for (one, first), (other, second) in combinations(enumerate(subject.terms.commitments), 2):
        shared = _shared(subject, first, second)
        if shared:
            what = f"{shared} counts toward two commitments, `{first.id}` and `{second.id}`"
            why = f"`{first.id}` is at {subject.place(f'commitments[{one}].pool')}; nothing says which is drawn"
            hint = "split the pools by models, access or affiliates"
            yield subject.error("C248", f"commitments[{other}].pool", what, why, hint)


def _shared(subject: Subject, first: Commitment, second: Commitment) -> str:
    pools = [each.pool if isinstance(each.pool, Pool) else Pool() for each in (first, second)]
    for attribute in ("access", "affiliates"):
        lists = [getattr(pool, attribute) for pool in pools]
        if all(each is not None for each in lists) and not set(lists[0]) & set(lists[1]):
            return ""
    for model in subject.models:
        if all(pool.models is None or match_any(pool.models, model.id) for pool in pools):
            return model.id
    return ""


def bursts_average_out(subject: Subject) -> Iterator[Finding]:
    """Over a yearly pool a month may exceed its twelfth only if usage averages out."""
    for index, each in enumerate(subject.terms.commitments):
        rate = each.amount or (each.tokens.amount if each.tokens else None)
        if each.burst and not each.burst.average_within and rate and rate.per == "year":
            path = f"commitments[{index}].burst"
            what = "a burst over a yearly commitment does not say within what it averages out"
            why = f"`{each.id}` is a year's; without an average every month could be a burst"
            yield subject.error("C249", path, what, why, "add `average_within: quarter` or `year`")


def shares_have_a_base(subject: Subject) -> Iterator[Finding]:
    """A share of a commitment needs a commitment; a limit that is referred to must be there."""
    terms = subject.terms
    uptime = terms.sla.uptime if terms.sla else None
    capacity = terms.capacity
    if not terms.commitments:
        hint = "add a commitment, or choose another base"
        bases: list[tuple[str, str | None]] = [("sla.uptime.of", uptime.of if uptime else None)]
        bases += [
            (
                "exit.convenience.fee_base",
                terms.exit.convenience.fee_base if terms.exit and terms.exit.convenience else None,
            )
        ]
        bases += [("capacity.credits.of", capacity.credits.of if capacity and capacity.credits else None)]
        for path, base in bases:
            if base == "commitment_share":
                yield subject.error(
                    "C250", path, f"`{path}` is a share of a commitment, and there is none", "it would be 0", hint
                )
    if capacity and capacity.no_throttle_below and not capacity.limits:
        what = "`no_throttle_below: limits`, and there are no limits"
        yield subject.error("C250", "capacity.no_throttle_below", what, "", "add `limits`")
    if capacity and capacity.credits and not capacity.limits:
        what = "capacity credits without limits"
        yield subject.error("C250", "capacity.credits", what, "nothing says which minute was throttled", "add `limits`")
    if terms.prices.price_drops and terms.prices.fixed and not terms.prices.freeze:
        what = "price drops under fixed prices need `freeze`"
        why = "a drop is measured from the list price at `freeze.at`"
        yield subject.error("C250", "prices.price_drops", what, why, "add `freeze: {at: …}`, the day of signing")
    for index, each in enumerate(terms.commitments):
        if each.tokens and each.prepaid:
            what = "a token commitment is prepaid, and nothing says at which price"
            yield subject.error("C250", f"commitments[{index}].prepaid", what, "", "prepay a commitment in money")


def commitments_count_in_one_unit(subject: Subject) -> Iterator[Finding]:
    """A prepaid drawdown is dollars of the contract price: list dollars do not draw it."""
    for index, each in enumerate(subject.terms.commitments):
        if each.prepaid and not each.tokens and each.counts_at == "list":
            what = "the commitment is prepaid, and counts at list price"
            why = "what was prepaid is drawn at contract prices, so the two would never meet"
            yield subject.error("C253", f"commitments[{index}].prepaid", what, why, "write `counts_at: contracted`")


def amounts_have_a_period(subject: Subject) -> Iterator[Finding]:
    """What is owed again and again says how often."""
    fees = subject.terms.fees
    found: list[tuple[str, object]] = []
    for index, each in enumerate(subject.terms.commitments):
        tokens = each.tokens.amount if each.tokens else None
        found += [(f"commitments[{index}].amount", each.amount), (f"commitments[{index}].tokens.amount", tokens)]
        found += [(f"commitments[{index}].minimum", each.minimum)]
    if fees:
        found += [("fees.platform", fees.platform), ("fees.license.amount", fees.license and fees.license.amount)]
        found += [("fees.block.amount", fees.block and fees.block.amount)]
        found += [("fees.seats.price", fees.seats and fees.seats.price)]
    for path, rate in found:
        if isinstance(rate, (MoneyRate, CountRate)) and rate.per is None:
            what = f"`{path}` does not say for what period"
            yield subject.error("C254", path, what, "a year and a whole term are both plausible", "add `/ year`")


def references_lead_somewhere(subject: Subject) -> Iterator[Finding]:
    """Paths, affiliates and papers that other terms name."""
    terms = subject.terms
    for index, obligation in enumerate(terms.obligations):
        if obligation.gates is None:
            continue
        path = f"obligations[{index}].gates"
        try:
            found = at(subject.version.data, locate(obligation.gates, subject.version.data)) is not None
            why, hint = "the language has such a term, but this contract does not use it", ""
        except PathError as error:
            found, why, hint = False, str(error), error.hint
        if not found:
            yield subject.error("C251", path, f"{obligation.gates!r} names no term of this contract", why, hint)
    known = terms.scope.affiliates
    for index, commitment in enumerate(terms.commitments):
        for name in (commitment.pool.affiliates or []) if isinstance(commitment.pool, Pool) else []:
            if known != "all" and not any(match(each, name) for each in known):
                what = f"{name!r} is no affiliate of the scope"
                why = f"the scope is at {subject.place('scope.affiliates')}"
                yield subject.error("C251", f"commitments[{index}].pool.affiliates", what, why)


def sources_name_papers(subject: Subject) -> Iterator[Finding]:
    """The first word of each `source`, and `protection.precedence`, are keys of `documents`."""
    documents = subject.terms.documents
    if not documents:
        return
    hint = f"add it to `documents`, which has: {', '.join(documents)}"
    for path, value in leaves(subject.terms):
        if (
            path.endswith("source")
            and isinstance(value, str)
            and value.split()[0:1] not in ([name] for name in documents)
        ):
            yield subject.warning("C262", path, f"{value!r} starts with no name of `documents`", "", hint)
    for name in (subject.terms.protection.precedence or []) if subject.terms.protection else []:
        if name not in documents:
            yield subject.warning("C262", "protection.precedence", f"{name!r} is no name of `documents`", "", hint)


CHECKS = (
    every_outcome_is_decided,
    every_meter_has_a_weight,
    pools_are_disjoint,
    bursts_average_out,
    shares_have_a_base,
    commitments_count_in_one_unit,
    amounts_have_a_period,
    references_lead_somewhere,
    sources_name_papers,
)
