"""The right to leave: what a contract costs when the buyer leaves as soon as leaving looks cheaper.

The rule looks back only, so its value is a lower bound of the right's: at the end of a month the buyer compares the
last three months' bills with the list price of the month's usage, over what is left after the notice, and leaves when
the difference is more than the fee. What is owed until then is the same contract with an earlier end, re-rated;
afterwards the usage pays the list price of its day.

Example: fee 3 months of a commitment of 100,000 a month, notice 60 days, 12 months left: staying costs 100,000 a month,
list would cost 60,000. (100,000 − 60,000) × 10 = 400,000 > 300,000: leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from offtake.contract.contract import Contract, Version
from offtake.contract.list_only import list_contract
from offtake.contract.schema.commitments import Commitment
from offtake.contract.schema.ending import Convenience
from offtake.planner.value.costs import Billed, Costs
from offtake.rating.committed import contract_year
from offtake.values.money import ZERO, divide, quantize, total
from offtake.values.periods import Interval
from offtake.values.units import Duration

PICO_PLACES = 12
LOOK_BACK = 3
"""Months of bills that the rule looks at: a true-up of a quarter is spread over it."""
DAYS_IN_MONTH = Decimal("30.4375")
MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}


def convenience_of(contract: Contract) -> Convenience | None:
    """The right to leave without a reason; None where there is none, or where invoices are not monthly."""
    terms = contract.versions[-1].terms
    return terms.exit.convenience if terms.exit and terms.billing.period == "month" else None


def monthly_commitment(contract: Contract, month: Interval) -> Decimal:
    """A month's share of what is committed in dollars."""
    terms = contract.as_of(month.start)
    year = contract_year(contract, month)
    return total(_monthly(each, year) for each in terms.commitments)


def with_exits(costs: Costs, contract: Contract, billed: Sequence[Billed]) -> tuple[list[Billed], list[int]]:
    """What each month costs, and how many months are under the contract, path by path, where the buyer may leave by
    the rule.
    """
    clause = convenience_of(contract)
    stayed = [len(bills) for bills in billed]
    if clause is None:
        return list(billed), stayed
    outlook = costs.outlook
    years = outlook.months[0].start.date(), outlook.months[-1].end.date()
    access = {record.access for basket in outlook.baskets for record in basket.records}
    listed = costs.contracted(list_contract(*years, access))
    fees = [_fee(clause, contract, month) for month in outlook.months]
    leaving: dict[int, list[tuple[int, Decimal]]] = {}
    for path, bills in enumerate(billed):
        decided = _leaves(clause, bills, listed[path], fees)
        if decided:
            leaving.setdefault(decided[0], []).append((path, decided[1]))
    found = list(billed)
    for last, paths in leaving.items():
        shorter = costs.of_paths([path for path, _ in paths]).billed(_until(contract, outlook.months[last]))
        for (path, fee), bills in zip(paths, shorter, strict=True):
            left = [*bills[: last + 1], *listed[path][last + 1 :]]
            left[last] += fee
            found[path], stayed[path] = left, last + 1
    return found, stayed


def _leaves(
    clause: Convenience, bills: Billed, listed: Billed, fees: Sequence[Decimal | None]
) -> tuple[int, Decimal] | None:
    """(the last month under contract, the fee), or None where the buyer stays."""
    notice = int(divide(Decimal(days_in(clause.notice)), DAYS_IN_MONTH).to_integral_value(ROUND_CEILING))
    for month in range(LOOK_BACK - 1, len(bills) - 1):
        usual = quantize(divide(total(bills[month + 1 - LOOK_BACK : month + 1]), LOOK_BACK), PICO_PLACES)
        stated = fees[month]
        fee = usual * clause.fee_months if stated is None else stated
        last = month + notice
        if last < len(bills) - 1 and (usual - listed[month]) * (len(bills) - 1 - last) > fee:
            return last, fee
    return None


def days_in(duration: Duration) -> int:
    """About how many days a duration has: 30 a month, five business days a week."""
    if duration.months is not None:
        return duration.months * 30
    if duration.unit == "business day":
        return -(-duration.count * 7 // 5)
    return duration.count * {"week": 7, "day": 1}.get(duration.unit, 0)


def _fee(clause: Convenience, contract: Contract, month: Interval) -> Decimal | None:
    """The fee in dollars, or None where it is months of what was billed."""
    return None if clause.fee_base == "billed" else clause.fee_months * monthly_commitment(contract, month)


def _monthly(commitment: Commitment, year: int) -> Decimal:
    if commitment.amount is None:
        return ZERO
    ramped = [step.amount.amount for step in commitment.ramp if step.year <= year + 1]
    amount = ramped[-1] if ramped else commitment.amount.money.amount
    return quantize(divide(amount, MONTHS_IN.get(commitment.amount.per or "year", 12)), PICO_PLACES)


def _until(contract: Contract, last: Interval) -> Contract:
    """The same contract, with a term that ends with a month."""
    end = last.end.astimezone(contract.zone).date()

    def shorter(version: Version) -> Version:
        term = version.terms.term.model_copy(update={"until": end})
        return replace(version, terms=version.terms.model_copy(update={"term": term}))

    kept = [version for version in contract.versions if version.effective < last.end]
    return replace(contract, versions=tuple(shorter(version) for version in kept))
