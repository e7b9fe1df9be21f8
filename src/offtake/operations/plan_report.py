"""What a plan's report shows beside the plan: caching, the crossover, and what the clauses to sign are worth.

Each is an answer of its own command, asked on the same usage. Where one has no answer here, the page says why and goes
on: a report is not lost because a model's cache rules are not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from offtake.export.plan_contents import CacheRow, ClauseWorth, PlanPage, Where, Worth
from offtake.export.plan_page import plan_page
from offtake.export.plan_workbook import plan_workbook
from offtake.operations.cache_economics import cache_economics
from offtake.operations.contracts import load_contract
from offtake.operations.find_crossover import find_crossover
from offtake.operations.plan_offers import Asked
from offtake.operations.value_contract import worth_of_clauses
from offtake.planner.cache.break_even import break_even
from offtake.planner.cache.tally import decimal
from offtake.planner.crossover import Axes
from offtake.planner.value.futures import Luck
from offtake.rating.clauses.reserved import SERVED
from offtake.store.files import replacing
from offtake.usage.record import UsageRecord
from offtake.values.counting import counted
from offtake.values.errors import OfftakeError
from offtake.values.money import divide

if TYPE_CHECKING:
    from offtake.planner.offers.result import PlanResult, Signed

PATHS = 100
MODELS_MAX = 4
SPENDS = tuple(Decimal(each) for each in (10_000, 25_000, 50_000, 100_000, 150_000, 250_000, 500_000, 1_000_000))
DISCOUNTS = tuple(divide(Decimal(each), 100) for each in (10, 15, 20, 25, 30, 35, 40))


@dataclass(slots=True)
class Beside:
    """The page's other parts as they are found; `notes` say what could not be."""

    cache: list[CacheRow] = field(default_factory=list)
    where: Where | None = None
    worth: list[Worth] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, what: str, error: OfftakeError) -> None:
        """An answer that this usage or these offers do not have."""
        self.notes.append(f"{what}: {error.findings[0].what}")


def page_of(
    plan: PlanResult, answer: str, usage: Sequence[Path], offers: Sequence[str], asked: Asked, again: str,
    progress: Callable[[str], None] = lambda words: None,
) -> PlanPage:  # fmt: skip
    """The plan with what a reader asks next. `offers` are FILE or FILE@STANCE; `again` is the command."""
    beside = Beside()
    progress("caching")
    _add_cache(beside, usage, asked)
    progress("the crossover")
    _add_crossover(beside, plan, offers, asked)
    for each in plan.sign:
        _add_worth(beside, plan, each, progress)
    names = ", ".join(path.name for path in usage[:3]) + (f" and {len(usage) - 3} more" if len(usage) > 3 else "")
    words = f"A plan for {names}, {counted(plan.months, 'month')} from {plan.priced_at:%Y-%m-%d}"
    return PlanPage(plan, answer, words, beside.cache, beside.where, beside.worth, beside.notes, again)


def write_report(
    file: Path, plan: PlanResult, answer: str, usage: Sequence[Path], offers: Sequence[str], asked: Asked, again: str,
    progress: Callable[[str], None] = lambda words: None,
) -> None:  # fmt: skip
    """The plan as a page, or as a workbook where `file` ends in .xlsx; whole or not at all. See `page_of`."""
    if file.suffix.lower() == ".xlsx":
        content = plan_workbook(plan, answer)
    else:
        content = plan_page(page_of(plan, answer, usage, offers, asked, again, progress)).encode()
    with replacing(file) as whole:
        whole.write(content)


def _add_cache(beside: Beside, usage: Sequence[Path], asked: Asked) -> None:
    for path in usage:
        try:
            found = cache_economics(path, rules=asked.model, catalogs=asked.catalogs)
        except OfftakeError as error:
            beside.note(f"caching of {path.name}", error)
            continue
        beside.notes += [f"caching of {path.name}: {words}" for words in found.left_out]
        for row in found.observed:
            ttl = row.rules.ttls[0]
            needed = break_even(row.rules, ttl).read_share
            low, high = row.ratios(ttl)
            pays_above = decimal(needed) if needed is not None else None
            beside.cache.append(CacheRow(row.workload, row.model, pays_above, row.measured(), low, high))


def _add_crossover(beside: Beside, plan: PlanResult, offers: Sequence[str], asked: Asked) -> None:
    """The surface of the first offer that sells top-ups, over the models that were used most."""
    for text in offers:
        path = Path(text.partition("@")[0])
        terms = load_contract(path).signed
        if terms.top_ups is None or terms.commitments:
            continue
        by_model: dict[str, Decimal] = {}
        for each in plan.route:
            by_model[each.today] = by_model.get(each.today, Decimal(0)) + each.month
        models = tuple(sorted(by_model, key=lambda model: -by_model[model])[:MODELS_MAX])
        try:
            found = find_crossover(
                Axes(models, SPENDS, DISCOUNTS, ()), aggregator=path, catalogs=asked.catalogs, at=asked.at
            )
        except OfftakeError as error:
            beside.note(f"the crossover of {path.name}", error)
            continue
        beside.where = Where(terms.contract, models, found.crossover)
        return


def _add_worth(beside: Beside, plan: PlanResult, signed: Signed, progress: Callable[[str], None]) -> None:
    """What the clauses are worth on what is bought under them. A plan that was stopped has no time for it."""
    if plan.search.stopped:
        beside.notes.append(f"what the clauses of {signed.offer} are worth was not asked: the search was stopped")
        return
    bought = [record for each in plan.billed if each.offer == signed.offer for record in each.usage]
    try:
        found = worth_of_clauses(
            signed.paper, bought, plan.histories, Luck(paths=PATHS), lambda words: progress(f"{signed.offer}: {words}")
        )
    except OfftakeError as error:
        beside.note(f"what the clauses of {signed.offer} are worth", error)
        return
    clauses = [
        ClauseWorth(row.clause.path, row.reason or row.off, row.value.mean, row.value.low, row.value.high)
        for row in found
        if row.value and (row.value.mean or row.value.high or row.value.low)
    ]
    if not clauses:
        beside.notes.append(f"no clause of {signed.offer} moves the bill of what the plan buys under it")
    else:
        beside.worth.append(Worth(signed.offer, clauses))
        beside.notes.append(
            f"the worth of clauses is the mean of {PATHS} drawn futures of {counted(plan.months, 'month')}, on what "
            "the plan buys under it; every notice that a clause asks for is given"
            + ("; a reservation is taken to serve the same share of each" if _is_reserved(bought) else "")
        )


def _is_reserved(bought: Sequence[UsageRecord]) -> bool:
    return any(each.tier_served == SERVED for each in bought)
