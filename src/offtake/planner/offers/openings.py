"""What signing an offer means to a search: its commitment, fees, tiers and reservation as levels of one pool.

The amounts are the contract's own: rating bills the offer without any usage, and asks its commitment what each window
owes. What a level cannot say is simplified, and each simplification is a sentence: the plan that is found is re-rated
with all of its terms, and the difference is shown beside these sentences.

    prepaid 100% at 5% as cash      1.2 M of drawdown for 1.14 M: usage × 0.95 until 1.14 M is paid, × 1 beyond
    counted at list, 20% off        1.2 M at list is used up by 0.96 M of contracted cost
    all units at the tier reached   a level for each tier, at least its threshold paid
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from offtake.contract.schema.commitments import Commitment
from offtake.contract.schema.fees import Reserved
from offtake.contract.schema.prices import Tiers
from offtake.planner.offers.offer import Offer
from offtake.planner.offers.problem import Level, Monthly, Tier
from offtake.rating.clauses.commitment import CommitmentClause
from offtake.rating.compiled import CompiledTerms
from offtake.rating.facts import OverageNotice
from offtake.rating.rate import rate_records
from offtake.values.money import ZERO, total

RESERVED = "capacity.reserved"
WINDOW_MONTHS = {"month": 1, "quarter": 3, "contract_year": 12}


@dataclass(frozen=True, slots=True)
class Opening:
    """An offer's price of entry. `factor` is what its usage costs in all, per dollar of the rate card.

    `committed` and `fees` are dollars over the plan; `levels` wait for their pool; `reserved` is a clause that opens a
    pool of its own, at `reserved_fee`. `simplified` says what the search leaves out.
    """

    factor: float = 1.0
    committed: Decimal = ZERO
    fees: Decimal = ZERO
    levels: tuple[Level, ...] = ()
    reserved: Reserved | None = None
    reserved_fee: Decimal = ZERO
    simplified: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A level as its clauses come to bear on it."""

    offer: Offer
    list_ratio: float
    commitment: float = 0.0
    multiplier: float = 1.0
    overage: float = 1.0
    monthly: Monthly | None = None
    simplified: list[str] = field(default_factory=list)


def opening(offer: Offer, group: str, list_ratio: float) -> Opening:
    """What it takes to buy under an offer. `list_ratio` is contracted ÷ list of what it would serve; `group` names
    the offers of which at most one is signed.
    """
    terms = offer.terms
    factor = 1.0
    if terms.fees and terms.fees.support:
        factor *= 1 + float(terms.fees.support.share)
    if terms.top_ups and offer.is_wallet:
        factor /= 1 + float(terms.top_ups.bonus)
    tiers = terms.prices.tiers
    if not offer.needs_signature and not tiers:
        return Opening(factor=factor)
    fees, reserved_fee = _fees(offer)
    draft = _Draft(offer, list_ratio)
    if terms.top_ups and terms.commitments:
        draft.simplified.append("top_ups: beside a commitment nothing is topped up")
    committed = [_commit(draft, commitment, index) for index, commitment in enumerate(terms.commitments)]
    if _reserved(offer) and (terms.commitments or tiers):
        draft.simplified.append("capacity.reserved: beside it, tiers, prepayment and overage are not searched over")
    credits = total(credit.amount.amount for credit in terms.credits if credit.applies_to != "fees")
    whole = Level(
        name=offer.name, offer=group, pool=0, commitment=draft.commitment, multiplier=draft.multiplier,
        overage=draft.overage, monthly=draft.monthly, fees=max(0.0, float(fees - credits)),
    )  # fmt: skip
    return Opening(
        factor, total(committed), fees, tuple(_tiered(whole, tiers, draft)), _reserved(offer), reserved_fee,
        tuple(draft.simplified),
    )  # fmt: skip


def _reserved(offer: Offer) -> Reserved | None:
    return offer.terms.capacity.reserved if offer.terms.capacity else None


def _fees(offer: Offer) -> tuple[Decimal, Decimal]:
    """What the offer bills whatever is used, commitments apart; and of that, its reserved capacity apart."""
    idle = rate_records([], offer.contract, offer.catalog, offer.facts, span=offer.contract.span)
    fees = [line for invoice in idle.invoices for line in invoice.lines if line.kind in ("fee", "credit")]
    reserved = total(line.amounts.billed for line in fees if line.clause == RESERVED)
    return total(line.amounts.billed for line in fees) - reserved, reserved


def _commit(draft: _Draft, commitment: Commitment, index: int) -> Decimal:
    """Put one commitment into the draft; returns the dollars that it commits over the plan, at face value."""
    path = f"commitments[{index}]"
    if commitment.tokens:
        draft.simplified.append(f"{path} is in tokens: its shortfall is not searched over")
        return ZERO
    offer = draft.offer
    clause = CommitmentClause(CompiledTerms(offer.contract, offer.catalog, offer.facts), commitment.id, path)
    committed = total(clause.committed(each.interval) for each in clause.windows() if each.name == "true_up")
    paid = float(committed)
    if commitment.counts_at == "list":
        paid *= draft.list_ratio
        draft.simplified.append(f"{path} counts at list: searched at {draft.list_ratio:.1%} of it, in contracted cost")
    if commitment.shortfall:
        paid *= float(commitment.shortfall.share)
        draft.simplified.append(f"{path}.shortfall: searched as a smaller commitment")
    if commitment.pool != "all_models":
        draft.simplified.append(f"{path}.pool: all that the offer serves is taken to count")
    if commitment.minimum:
        draft.simplified.append(f"{path}.minimum is not searched over")
    paid = _prepaid(draft, commitment, paid)
    _beyond(draft, commitment, path)
    _windows(draft, commitment, paid, path)
    draft.commitment += paid
    return committed


def _prepaid(draft: _Draft, commitment: Commitment, paid: float) -> float:
    """What is paid for the drawdown, and what a drawn dollar then costs."""
    prepaid = commitment.prepaid
    if not prepaid:
        return paid
    part = float(prepaid.share)
    discount, bonus = part * float(prepaid.discount or 0), part * float(prepaid.bonus or 0)
    if prepaid.as_ == "rate":
        draft.multiplier *= 1 - float(prepaid.discount or 0)
        discount = 0.0
    if part < 1 and (discount or bonus):
        draft.simplified.append(f"{commitment.id}: the prepaid share's price is spread over all of the drawdown")
    cost = (1 - discount) / (1 + bonus)
    draft.multiplier *= cost
    draft.overage /= cost
    return paid * (1 - discount)


def _beyond(draft: _Draft, commitment: Commitment, path: str) -> None:
    """The price beyond the commitment, relative to the price within it."""
    overage = commitment.overage
    if not overage:
        return
    warned = any(isinstance(fact, OverageNotice) for fact in draft.offer.facts)
    surcharged = overage.surcharge and (overage.notice is None or warned)
    if overage.surcharge and not surcharged:
        draft.simplified.append(f"{path}.overage: no notice is expected, so no surcharge")
    if overage.at == "list":
        draft.overage /= draft.list_ratio
    if surcharged and overage.surcharge:
        draft.overage *= 1 + float(overage.surcharge)


def _windows(draft: _Draft, commitment: Commitment, paid: float, path: str) -> None:
    """A commitment that is trued up by the month is searched by the month; any other over the whole plan."""
    if commitment.true_up != "month":
        if commitment.true_up == "quarter":
            draft.simplified.append(f"{path}.true_up: searched over the whole plan, not by the quarter")
        for name in ("rollover", "burst"):
            if getattr(commitment, name):
                draft.simplified.append(f"{path}.{name} is not searched over")
        return
    rollover, burst = commitment.rollover, commitment.burst
    draft.monthly = Monthly(
        amount=paid / draft.offer.months.count,
        rollover=float(rollover.share) if rollover else 0.0,
        window_months=1 if rollover and rollover.into == "next_window" else 3,
        burst=float(burst.up_to) if burst else 1.0,
    )


def _tiered(level: Level, tiers: Tiers | None, draft: _Draft) -> Iterator[Level]:
    """The level, or one with graduated steps, or one for each step that prices all units."""
    if tiers is None:
        yield level
        return
    if tiers.measure.amount == "tokens":
        draft.simplified.append("prices.tiers count tokens: searched at the first tier's price")
        yield level
        return
    months = draft.offer.months.count
    scale = max(1.0, months / WINDOW_MONTHS.get(tiers.window, months))
    scale *= draft.list_ratio if tiers.measure.amount == "list" else 1.0
    steps = [
        (getattr(step.up_to, "amount", None), 1 - float(step.share)) for step in tiers.steps
    ]  # the last step has no end
    ends = [float("inf") if end is None else float(end) * scale for end, _ in steps]
    if tiers.models != "*":
        draft.simplified.append(f"prices.tiers: taken to hold for all models, not for {tiers.models} alone")
    if tiers.kind == "graduated":
        found = (Tier(end, level.multiplier * factor) for end, (_, factor) in zip(ends, steps, strict=True))
        yield replace(level, tiers=tuple(found))
        return
    for number, (start, (_, factor)) in enumerate(zip([0.0, *ends[:-1]], steps, strict=True)):
        name = level.name if number == 0 else f"{level.name} from {start:,.0f}"
        at_least = max(level.commitment, start * factor)
        yield replace(level, name=name, multiplier=level.multiplier * factor, commitment=at_least)
