"""What each clause of a contract is worth: open the contract, its demand and its stances, and ask the planner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from offtake.catalog.catalog import Catalog
from offtake.contract.contract import Contract
from offtake.contract.patterns import match_any
from offtake.operations.contracts import load_facts, open_contract, open_stances
from offtake.operations.plan_extra import need_plan_extra
from offtake.operations.usage_input import open_usage
from offtake.planner.demand.series import ROWS_PER_YEAR, Series, read_series
from offtake.planner.offers.offer import Offer
from offtake.planner.value.demand import EPOCH, SERIES_MIX, Demand, of_plan, of_series, of_usage
from offtake.planner.value.edits import of_stances, read_edit
from offtake.planner.value.futures import Luck
from offtake.planner.value.situation import Case, Situation, sensitivities
from offtake.planner.value.valuation import Figure, Pair, Priced, Row
from offtake.store.sources import found_files, head_of, is_parquet, text_source
from offtake.usage.record import UsageRecord
from offtake.values.counting import counted
from offtake.values.errors import CatalogError, InputError, UnpricedError
from offtake.values.money import divide

UNITS = ("dollars", "tokens")
PATHS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, as the command line says it. `changes` are PATH=VALUE texts; several are one package."""

    contract: Path
    demand: tuple[Path, ...]
    catalogs: tuple[Path, ...] = ()
    facts: tuple[Path, ...] = ()
    unit: str | None = None
    column: str | None = None
    model: str | None = None
    months: Fraction | None = None
    luck: Luck = field(default_factory=Luck)
    cost_of_capital: Decimal = Decimal(0)
    renewal_increase: Decimal = Decimal("0.20")
    notices: bool = True
    changes: tuple[str, ...] = ()
    stances: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """The answer. `apart` has each change of a package alone; `package` is the whole, `stances` each position alone."""

    question: Question
    contract: Contract
    catalog_version: str
    assumptions: tuple[tuple[str, str], ...]
    months: int
    cost: Figure
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    sensitivities: dict[str, list[Case]]
    package: Priced | None = None
    apart: tuple[Priced, ...] = ()
    stances: tuple[Priced, ...] = ()
    runs: int = 0
    shared: int = 0


def worth_of_clauses(
    offer: Offer, bought: Sequence[UsageRecord], histories: Mapping[str, Sequence[float]], luck: Luck,
    progress: Callable[[str], None] = lambda words: None,
) -> list[Row]:  # fmt: skip
    """The worth of every clause of an offer where a plan sends `bought` there; `histories` are of its workloads.

    Raises as `value_contract`.
    """
    need_plan_extra("numpy")
    demand = of_plan(bought, offer.months.count, histories)
    situation = Situation(contract=offer.contract, demand=demand, catalog=offer.catalog, facts=offer.facts, luck=luck)
    return situation.valuation().rows(progress)


def value_contract(question: Question, progress: Callable[[str], None] = lambda words: None) -> Valued:
    """The worth of every clause, or of the changes where some are named.

    InputError for what cannot be read or does not fit; ContractError for the contract; UnpricedError where the demand
    has no price under the contract.
    """
    need_plan_extra("numpy")
    if not 2 <= question.luck.paths <= PATHS_MAX:
        raise InputError("P674", f"--paths {question.luck.paths} lies outside of 2 to {PATHS_MAX:,}")
    edits = [read_edit(text) for text in question.changes]
    opened = open_contract(question.contract, catalogs=question.catalogs)
    demand = _demand(question, opened.contract, opened.catalog)
    situation = Situation(
        contract=opened.contract, demand=demand, catalog=opened.catalog,
        facts=load_facts(question.facts, opened.contract), luck=question.luck,
        cost_of_capital=question.cost_of_capital, renewal_increase=question.renewal_increase, notices=question.notices,
    )  # fmt: skip
    progress("the contract as it is")
    valuation = situation.valuation()
    package = valuation.priced("all of it" if len(edits) > 1 else "the change", edits) if edits else None
    apart = [valuation.priced("alone", [edit]) for edit in edits] if len(edits) > 1 else []
    rows = [] if edits else valuation.rows(progress)
    stances = []
    if question.stances:
        negotiation = open_stances(question.contract, opened.contract)
        for stance, edit in of_stances(negotiation.stances):
            progress(f"{stance}: {edit}")
            stances.append(valuation.priced(stance, [edit]))
    return Valued(
        question=question, contract=opened.contract, catalog_version=opened.catalog.version,
        assumptions=_assumptions(question, demand), months=len(valuation.costs.outlook.months), cost=valuation.cost,
        rows=tuple(rows), pairs=tuple(valuation.pairs(rows, progress)), sensitivities=sensitivities(situation, rows),
        package=package, apart=tuple(apart), stances=tuple(stances), runs=valuation.costs.runs,
        shared=valuation.costs.asked - valuation.costs.runs,
    )  # fmt: skip


def _demand(question: Question, contract: Contract, catalog: Catalog) -> Demand:
    paths = found_files(question.demand)
    if len(paths) == 1 and not is_parquet(paths[0]) and _is_series(paths[0]):
        if question.months is not None:
            raise InputError("P675", "--months is for usage, and the demand is a series of period,quantity")
        return _of_series(question, paths[0], contract, catalog)
    for name in ("unit", "column", "model"):
        if getattr(question, name) is not None:
            raise InputError("P675", f"--{name} is for a series of period,quantity, and the demand is usage")
    with open_usage(list(paths)) as usage:
        if usage.rejected:
            first, rows = usage.rejected[0], counted(len(usage.rejected), "row")
            raise InputError(
                "P676", f"{rows} of the usage cannot be read, the first: {first.error}",
                where=first.where, hint="offtake import keeps them in a rejects file",
            )  # fmt: skip
        return of_usage(usage.source, catalog, contract.versions[-1].terms.prices.off_peak, question.months)


def _is_series(path: Path) -> bool:
    """Whether the first line is that of a series: `period` and quantities."""
    first = head_of(path).partition(b"\n")[0].decode("utf-8-sig", "replace")
    return first.strip().lower().split(",")[0].strip('" ') == "period"


def _of_series(question: Question, path: Path, contract: Contract, catalog: Catalog) -> Demand:
    (series,) = read_series(text_source(path), [question.column] if question.column else ())
    unit = question.unit or _unit_of(series.name)
    model = question.model or _usual_model(contract, catalog)
    record = UsageRecord(
        id="series", used_at=EPOCH, vendor=contract.signed.vendor, model=model, quantities=SERIES_MIX, context_tokens=0,
        access=contract.signed.scope.access[0],
    )  # fmt: skip
    return of_series(_monthly(series), unit, record, catalog, contract.span.start)


def _monthly(series: Series) -> Sequence[Decimal]:
    """Quantities a month: finer rows are summed, coarser ones divided; rows without a calendar are months."""
    if series.grain is None or series.grain == "month":
        return series.quantities
    rows = ROWS_PER_YEAR[series.grain] // 12
    if rows > 1 and len(series.quantities) >= rows:
        sums = series.windows(rows)
        return [divide(each * ROWS_PER_YEAR[series.grain], rows * 12) for each in sums]
    return [divide(each * ROWS_PER_YEAR[series.grain], 12) for each in series.quantities]


def _unit_of(column: str) -> str:
    return "tokens" if "token" in column.lower() else "dollars"


def _usual_model(contract: Contract, catalog: Catalog) -> str:
    """The vendor's newest model that is in scope, has a price, and has no terms of its own in the contract; else one
    that the contract names.
    """
    terms, start = contract.signed, contract.span.start
    named = [discount.models for discount in terms.prices.discounts if "*" not in discount.models]
    named += list(terms.prices.fixed)
    listed = [each for each in catalog.models(terms.vendor) if match_any(terms.scope.models, each.id)]
    listed = [each for each in listed if not match_any(named, each.id) and (not each.deprecated)]
    listed.sort(key=lambda each: (each.launched is not None, each.launched or start), reverse=True)
    for name in (*(each.id for each in listed if each.launched is None or each.launched <= start), *named):
        try:
            model = catalog.resolve(name, terms.vendor)
            cells = catalog.cells(model.id, model.vendor, "realtime", terms.scope.access[0], "global")
        except (CatalogError, UnpricedError):
            continue
        if any(cell.holds(start) and "output_tokens" in cell.prices for cell in cells):
            return name
    raise InputError("P677", "no model of the contract has a price", hint="say which is meant with --model NAME")


def _assumptions(question: Question, demand: Demand) -> tuple[tuple[str, str], ...]:
    luck = question.luck
    drawn = (
        "growth ratios, month by month"
        if luck.spread is None
        else f"one lognormal level a path, log-sd {luck.spread:%}"
    )
    return (
        ("demand", "; ".join((*demand.words, drawn))),
        ("paths", f"{luck.paths:,}, seed {luck.seed}"),
        ("price-changes", f"{luck.price_changes} a year, of sizes that really happened, up and down"),
        ("uptime", f"median {luck.uptime:.2%} a month, log-sd of downtime {luck.uptime_spread}"),
        ("cost-of-capital", f"{question.cost_of_capital:.1%} a year"),
        ("renewal-increase", f"{question.renewal_increase:.0%}"),
        (
            "notices",
            "every notice that a clause asks for is given" if question.notices else "none but those in --facts",
        ),
    )
