"""A table and its futures → the plan, with all that is shown beside it.

The search proposes; the bills decide: on one path every alternative is re-rated too, and where the exact engine finds
one cheaper than the search's own answer (tiers, rollover and roundings that the search leaves out), it is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

import numpy as np

from offtake.planner.demand.bands import bands
from offtake.planner.demand.paths import Paths
from offtake.planner.offers.admissible import Rejected
from offtake.planner.offers.assemble import Table, group_of
from offtake.planner.offers.decide import Question, Settled, alternatives, decide, routes_of, settle
from offtake.planner.offers.evaluate import Books, routes_today, sensitivity, waterfall
from offtake.planner.offers.offer import Offer
from offtake.planner.offers.problem import Risk, Watch
from offtake.planner.offers.rerate import Cloud, Rerated, Route, scaled_routes
from offtake.planner.offers.result import Alternative, BackTest, DemandMonth, PlanResult, Search, Sent, Signed
from offtake.planner.offers.ways import CACHE_METERS, Menu
from offtake.values.errors import ContractError, UnpricedError
from offtake.values.money import ZERO, divide, quantize, total

PLACES = 4
CENTS = 2
TOO_SHORT = "less than 14 days of usage are too few to judge the plan by"


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """All that a plan is made from. `halves` are each workload's volume in the two halves of the usage, or None."""

    table: Table
    menu: Menu
    today: Offer
    paths: Paths
    forecast: Paths
    risk: Risk
    clouds: tuple[Cloud, ...]
    peak: float
    halves: Mapping[str, tuple[float, float]] | None
    volumes: Mapping[str, float]
    priced_at: datetime
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def asked(self, paths: Paths) -> Question:
        """The question on these futures."""
        return Question(self.table, paths, self.risk, self.clouds, self.peak)

    def factor(self, paths: Paths, part: int, month: int) -> float:
        """Demand of a part on the first path."""
        name = self.table.parts[part].workload.name
        return float(paths.demand[0, paths.workloads.index(name), month])

    def on(self, paths: Paths, routes: Sequence[Route]) -> list[Route]:
        """Whole parts, at the demand of the first path."""
        months = range(paths.months)
        return [
            replace(each, volumes=tuple(_decimal(self.factor(paths, each.part, month)) for month in months))
            for each in routes
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A signing with its routes on the forecast, and what it is billed."""

    name: str
    settled: Settled
    routes: list[Route]
    bills: Rerated


def planned(setting: Setting, watch: Watch) -> PlanResult:
    """The plan, re-rated."""
    books = Books(setting.table.parts, (*setting.table.offers, setting.today), setting.menu, setting.clouds)
    found = decide(setting.asked(setting.paths), watch)
    plan, others, unbilled = _billed(setting, books, setting.forecast, found, setting.paths.demand.shape[0] == 1)
    setting = replace(setting, table=replace(setting.table, rejected=(*setting.table.rejected, *unbilled)))
    today = setting.on(setting.forecast, routes_today(books, setting.forecast.months))
    return _result(setting, books, found, plan, others, today, watch)


def _billed(
    setting: Setting, books: Books, paths: Paths, found: Settled, cheapest: bool
) -> tuple[Candidate, list[Candidate], list[Rejected]]:
    """A signing on a single path, billed, with its alternatives; where `cheapest` is said, the smallest bill of all."""
    question = setting.asked(paths)
    settled = settle(question, frozenset(level.name for level in found.levels), found.assembled.forced) or found
    plan = _candidate("", setting, books, paths, settled)
    others, unbilled = _others(setting, books, paths, alternatives(question, settled))
    if cheapest:
        plan, others = _cheapest_bill(setting, plan, others)
    return plan, others, unbilled


def _candidate(name: str, setting: Setting, books: Books, paths: Paths, settled: Settled) -> Candidate:
    routes = routes_of(settled, partial(setting.factor, paths))
    return Candidate(name, settled, routes, books.bill(routes, settled.signed))


def _others(
    setting: Setting, books: Books, paths: Paths, found: Iterable[tuple[str, Settled]]
) -> tuple[list[Candidate], list[Rejected]]:
    """The alternatives, billed; and those that the exact engine cannot bill, such as for want of a fact."""
    others, unbilled = [], []
    for name, each in found:
        try:
            others.append(_candidate(name, setting, books, paths, each))
        except (ContractError, UnpricedError) as error:
            first = error.findings[0]
            unbilled.append(Rejected(name, "", "", first.what, first.path, first.where, first.hint))
    return others, unbilled


def _cheapest_bill(setting: Setting, plan: Candidate, others: list[Candidate]) -> tuple[Candidate, list[Candidate]]:
    """The candidate with the smallest bill, and the rest."""
    best = min((plan, *others), key=lambda each: each.bills.total)
    if best is plan or best.bills.total >= plan.bills.total:
        return plan, others
    names = [setting.table.offers[number].name for number in plan.settled.signed]
    name = f"sign {', '.join(names)}" if names else "sign nothing"
    return best, [*(each for each in others if each is not best), replace(plan, name=name)]


def _result(
    setting: Setting,
    books: Books,
    found: Settled,
    plan: Candidate,
    others: Sequence[Candidate],
    today: Sequence[Route],
    watch: Watch,
) -> PlanResult:
    bills_today = books.bill(today)
    cost, bill_today = plan.bills.total, bills_today.total
    forecast_cost = _decimal(plan.settled.cost, CENTS)
    chosen = plan.settled if setting.paths.demand.shape[0] == 1 else found
    bound = min(found.bound, chosen.cost)
    search = Search(
        _decimal(chosen.cost, CENTS), _decimal(bound, CENTS),
        _decimal(max(0.0, chosen.cost - bound) / max(abs(chosen.cost), 1e-9), 6), forecast_cost, found.method,
        setting.paths.demand.shape[0], found.solution.stopped,
    )  # fmt: skip
    return PlanResult(
        currency=setting.today.terms.term.currency,
        months=setting.forecast.months,
        priced_at=setting.priced_at,
        catalog_version=setting.today.catalog.version,
        today_name=setting.today.name,
        today=bill_today,
        cost=cost,
        sign=tuple(_signed(setting, plan)),
        route=tuple(_sent(setting, plan)),
        search=search,
        difference=cost - forecast_cost,
        simplified=_simplified(setting, plan),
        binding=_binding(setting, chosen, others, cost),
        rejected=setting.table.rejected,
        billed=plan.bills.billed,
        billed_today=bills_today.billed,
        alternatives=tuple(
            sorted(
                (Alternative(each.name, each.bills.total, each.bills.total - cost) for each in others),
                key=lambda each: each.cost,
            )
        ),
        waterfall=tuple(waterfall(books, today, plan.routes, cost, bill_today)),
        bands=_bands(setting),
        sensitivity=sensitivity(books, today, partial(_at, setting, plan), plan.settled.signed),
        backtest=_backtest(setting, books, today, watch),
        not_judged=TOO_SHORT if setting.halves is None else "not judged" if watch.stop() else "",
        assumptions=(*setting.assumptions, *_of_moves(setting, plan)),
        warnings=setting.warnings,
    )


def _at(setting: Setting, plan: Candidate, factor: Decimal) -> list[Route]:
    """The plan's routes with more or less of everything. A reservation holds what it holds: beside one, the same
    signatures are routed anew.
    """
    if any(route.reserved for route in plan.routes):
        paths = replace(setting.forecast, demand=setting.forecast.demand * float(factor))
        names = frozenset(level.name for level in plan.settled.levels)
        settled = settle(setting.asked(paths), names, plan.settled.assembled.forced)
        if settled:
            return routes_of(settled, partial(setting.factor, paths))
    return scaled_routes(plan.routes, factor)


def _signed(setting: Setting, plan: Candidate) -> list[Signed]:
    rows = []
    levels = {plan.settled.assembled.channels[level.pool].offer: level.name for level in plan.settled.levels}
    for number in plan.settled.signed:
        offer, entry = setting.table.offers[number], setting.table.openings[number]
        billed = total(each.total for each in plan.bills.billed if each.offer == offer.name)
        binding = plan.settled.solution.binding
        rows.append(
            Signed(
                offer.name, offer.vendor, offer.contract.file, levels.get(number, offer.name), entry.committed,
                entry.fees + entry.reserved_fee, billed, binding.get(group_of(offer), binding.get(offer.name, "")),
                offer,
            )
        )  # fmt: skip
    return rows


def _binding(setting: Setting, chosen: Settled, others: Sequence[Candidate], cost: Decimal) -> dict[str, str]:
    """Vendor by vendor; a vendor of whom nothing is signed is held back by what its cheapest paper adds.

    A paper that costs less on the forecast costs more over the futures: the search says by how much.
    """
    offers = setting.table.offers
    vendors = {offer.name: group_of(offer) for offer in offers}
    found = {vendors.get(name, name): words for name, words in chosen.solution.binding.items()}
    signed = {group_of(offers[number]) for number in chosen.signed}
    added: dict[str, str] = {}
    for each in sorted(others, key=lambda each: each.bills.total):
        more = each.bills.total - cost
        for number in each.settled.signed:
            offer = offers[number]
            if more and group_of(offer) not in signed:
                dearer = f"not signed: {offer.name} adds {more:,.0f} to the bill"
                cheaper = f"not signed: {offer.name} costs less on the forecast, and more over the futures"
                words = dearer if more > 0 else found.get(group_of(offer), cheaper)
                added.setdefault(group_of(offer), words)
    return {**found, **added}


def _sent(setting: Setting, plan: Candidate) -> list[Sent]:
    rows = []
    posed = plan.settled.assembled
    best = {
        (part, posed.channels[pool].offer, posed.channels[pool].reserved, priced.way): priced
        for (part, pool), priced in posed.best.items()
    }
    volume: dict[int, Decimal] = {}
    for route in plan.routes:
        volume[route.part] = volume.get(route.part, ZERO) + total(route.volumes)
    for route in plan.routes:
        workload = setting.table.parts[route.part].workload
        share = divide(total(route.volumes), volume[route.part])
        month = ZERO if route.reserved else best[route.part, route.offer, False, route.way].cost * share
        rows.append(
            Sent(
                workload.name, setting.table.parts[route.part].batchable, workload.model, workload.channel,
                setting.table.offers[route.offer].name, route.way, route.reserved, quantize(share, PLACES),
                quantize(month, CENTS),
            )
        )  # fmt: skip
    return rows


def _of_moves(setting: Setting, plan: Candidate) -> list[str]:
    """What is taken for granted where a part moves to another model."""
    moved = [
        setting.table.parts[route.part].workload
        for route in plan.routes
        if route.way.model != setting.table.parts[route.part].workload.model
    ]
    found = ["another model is taken to need as many tokens; --tokens says otherwise"] if moved else []
    if any(meter in workload.quantities for workload in moved for meter in CACHE_METERS):
        found.append("another model is taken to read as much from its cache as today's does")
    return found


def _simplified(setting: Setting, plan: Candidate) -> tuple[str, ...]:
    used = {route.offer for route in plan.routes} | set(plan.settled.signed)
    return tuple(
        f"{setting.table.offers[number].name}: {words}"
        for number in sorted(used)
        for words in setting.table.openings[number].simplified
    )


def _bands(setting: Setting) -> tuple[DemandMonth, ...]:
    """Demand as multiples of today's, workloads weighed by their tokens."""
    weights = [setting.volumes.get(name, 0.0) for name in setting.paths.workloads]
    whole = sum(weights) or 1.0
    found = bands(setting.paths, [weight / whole for weight in weights])
    return tuple(
        DemandMonth(*(_decimal(each, PLACES) for each in row))
        for row in zip(found.low, found.middle, found.high, strict=True)
    )


def _backtest(setting: Setting, books: Books, today: Sequence[Route], watch: Watch) -> BackTest | None:
    """Decide on the first half of the usage, and bill the second."""
    if setting.halves is None or watch.stop():
        return None
    first, second = (_half(setting, half) for half in (0, 1))
    fitted = _billed(setting, books, first, decide(setting.asked(first), watch), True)[0].settled
    names, forced = frozenset(level.name for level in fitted.levels), fitted.assembled.forced
    judged = settle(setting.asked(second), names, forced)
    nothing = settle(setting.asked(second), frozenset(), frozenset())
    if judged is None or nothing is None:
        return None
    plan = _candidate("", setting, books, second, judged).bills.total
    bare = _candidate("", setting, books, second, nothing).bills.total
    as_now = books.bill(setting.on(second, today)).total
    if not fitted.signed:
        verdict = "nothing would have been signed"
    elif plan <= bare:
        verdict = "signing would have saved money"
    else:
        verdict = "signing would have lost money: the second half brought less than the first promised"
    relative = quantize(divide(plan, as_now), PLACES) if as_now else ZERO
    names_of = tuple(setting.table.offers[number].name for number in fitted.signed)
    return BackTest(names_of, plan, as_now, bare, relative, verdict)


def _half(setting: Setting, half: int) -> Paths:
    """A single path at the level of one half of the usage."""
    assert setting.halves is not None
    factors = np.array([setting.halves.get(name, (1.0, 1.0))[half] for name in setting.forecast.workloads])
    demand = np.broadcast_to(factors[None, :, None], setting.forecast.demand.shape).copy()
    return replace(setting.forecast, demand=demand)


def _decimal(value: float, places: int = 6) -> Decimal:
    return quantize(Decimal(repr(float(value))), places)
