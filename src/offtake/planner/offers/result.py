"""What a plan says: what to sign, what to send where, what that costs, and everything that a report shows beside it.

Dollars are re-rated, but for `Search`, which is the optimiser's own account of itself. Shares are rounded for reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from offtake.planner.offers.admissible import Rejected
from offtake.planner.offers.offer import Offer
from offtake.planner.offers.rerate import Billed
from offtake.planner.offers.ways import Way


@dataclass(frozen=True, slots=True)
class Signed:
    """A contract to sign. `committed` and `fees` are over the plan; `billed` is what its vendor bills in all; `paper`
    is the contract as it was priced: at this level, as this stance, for the plan's months.
    """

    offer: str
    vendor: str
    file: str
    level: str
    committed: Decimal
    fees: Decimal
    billed: Decimal
    binding: str
    paper: Offer


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a part of a workload goes: `share` of it over the plan, `month` what an average month of that costs at the
    offer's rate card, before its commitment, tiers and fees. `today` is the model of today.
    """

    workload: str
    can_wait: bool
    today: str
    channel_today: str
    offer: str
    way: Way
    reserved: bool
    share: Decimal
    month: Decimal


@dataclass(frozen=True, slots=True)
class Search:
    """The optimiser's figures in dollars over the plan. `objective` is what it minimised, in the mean of the paths (or
    with risk); `forecast` is its cost on the forecast path alone, which is what is re-rated.
    """

    objective: Decimal
    bound: Decimal
    gap: Decimal
    forecast: Decimal
    solver: str
    paths: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Alternative:
    """What was not chosen, re-rated: `more` is what it costs beyond the plan."""

    name: str
    cost: Decimal
    more: Decimal


@dataclass(frozen=True, slots=True)
class Step:
    """A step from today's bill to the plan's: what is left to pay after it, and what it saves."""

    name: str
    cost: Decimal
    saving: Decimal


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The plan, and today's way of buying, with demand at so many times the forecast."""

    demand: Decimal
    plan: Decimal
    today: Decimal


@dataclass(frozen=True, slots=True)
class DemandMonth:
    """Demand in a month as a multiple of today's, weighed at today's cost: in 10, 50 and 90% of the paths at most."""

    p10: Decimal
    p50: Decimal
    p90: Decimal


@dataclass(frozen=True, slots=True)
class BackTest:
    """Signed on the first half of the usage, judged on the second, at a year's scale of the plan's months.

    `nothing` is the second half without a signature. `verdict` says whether signing would have lost money.
    """

    signed: tuple[str, ...]
    plan: Decimal
    today: Decimal
    nothing: Decimal
    relative_cost: Decimal
    verdict: str


@dataclass(frozen=True, slots=True)
class PlanResult:
    """See the module. `months` is the horizon; `today` is the forecast bought as it is bought now (`today_name`);
    `not_judged` says why there is no back-test; `histories` are the volumes by workload that growth was read from.
    """

    currency: str
    months: int
    priced_at: datetime
    catalog_version: str
    today_name: str
    today: Decimal
    cost: Decimal
    sign: tuple[Signed, ...]
    route: tuple[Sent, ...]
    search: Search
    difference: Decimal
    simplified: tuple[str, ...]
    binding: Mapping[str, str]
    rejected: tuple[Rejected, ...]
    billed: tuple[Billed, ...]
    billed_today: tuple[Billed, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    waterfall: tuple[Step, ...] = ()
    bands: tuple[DemandMonth, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    backtest: BackTest | None = None
    not_judged: str = ""
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    histories: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def saving(self) -> Decimal:
        """Over the plan, against today."""
        return self.today - self.cost
