"""What a contract costs in the end, path by path: bills, less service credits, with the right to leave, at its time.

Bills come from rating. What rating has no fact for is assumed, says so, and is drawn once, so that every contract that
is compared meets the same luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from offtake.contract.contract import Contract
from offtake.contract.schema.service import Uptime
from offtake.planner.value.costs import Billed, Costs
from offtake.planner.value.exit_right import convenience_of, days_in, monthly_commitment, with_exits
from offtake.planner.value.service_credits import credit_share
from offtake.values.money import EXACT, ROUNDING, ZERO, divide, quantize, total

DAYS_IN_YEAR, PICO_PLACES = 365, 12


@dataclass(frozen=True, slots=True)
class Assumed:
    """What no contract says. `uptimes[path][month]`; `cost_of_capital` and `renewal_increase` are shares a year."""

    uptimes: Sequence[Sequence[Decimal]]
    cost_of_capital: Decimal = ZERO
    renewal_increase: Decimal = Decimal("0.20")


def outcomes(costs: Costs, contract: Contract, assumed: Assumed) -> list[Decimal]:
    """The whole cost of the term on each path."""
    uptime = uptime_of(contract)
    plain = convenience_of(contract) is None and uptime is None and not assumed.cost_of_capital
    if plain:
        return costs.totals(contract)
    billed = costs.billed(contract)
    with localcontext(EXACT):
        flows, stayed = with_exits(costs, contract, billed)
        if uptime is not None:
            flows = _less_credits(costs, contract, uptime, flows, stayed, assumed)
        if not assumed.cost_of_capital:
            return [total(each) for each in flows]
        worth = _worth(contract, max(map(len, flows)), assumed.cost_of_capital)
        return [
            total(quantize(bill * each, PICO_PLACES) for bill, each in zip(bills, worth, strict=False))
            for bills in flows
        ]


def uptime_of(contract: Contract) -> Uptime | None:
    """The uptime promise whose credits can be priced; None where there is none."""
    sla = contract.versions[-1].terms.sla
    uptime = sla.uptime if sla else None
    return uptime if uptime and uptime.credits and uptime.of != "affected_service" else None


def _less_credits(
    costs: Costs, contract: Contract, clause: Uptime, flows: Sequence[Billed], stayed: Sequence[int], assumed: Assumed
) -> list[Billed]:
    """The flows less the credits of each month under the contract; nothing is credited after the buyer has left."""
    outlook = costs.outlook
    bases: Sequence[Billed] = flows
    if clause.of == "commitment_share":
        bases = [[monthly_commitment(contract, month) for month in outlook.months]] * outlook.paths
    elif clause.of == "consumed":
        bases = costs.contracted(contract)
    found: list[Billed] = []
    for path, bills in enumerate(flows):
        under = stayed[path]
        pairs = zip(bills[:under], bases[path], assumed.uptimes[path], strict=False)
        credited = [bill - base * credit_share(clause, uptime) for bill, base, uptime in pairs]
        found.append([*credited, *bills[under:]])
    return found


def _worth(contract: Contract, periods: int, rate: Decimal) -> list[Decimal]:
    """What a dollar that is billed in each period is worth at the start of the term, paid when it is due."""
    payment = contract.versions[-1].terms.payment
    days = days_in(payment.due) if payment else 0
    return [
        quantize(ROUNDING.power(1 + rate, ZERO - divide(Decimal(period * DAYS_IN_YEAR + 12 * days), 12 * DAYS_IN_YEAR)),
                 PICO_PLACES)
        for period in range(periods)
    ]  # fmt: skip
