"""Plan: usage and the offers on the table → what to sign, at which level, and what to send where.

    usage ──► parts ─┐
    offers ─► cards ─┼─► table ─► search ─► plan ─► re-rated by the exact engine ─► what is shown
    needs ───────────┘

Every dollar of the result is a bill that rating made, but for the search's account of itself. The search decides on
many futures where they are asked for; the bill that is shown is that of the forecast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from offtake.operations.accepted_results import accepted_beside
from offtake.operations.plan_extra import need_plan_extra
from offtake.operations.plan_needs import Quality, admissions, needs_of
from offtake.operations.plan_table import Opener, open_table
from offtake.operations.plan_usage import Observed, observed
from offtake.operations.usage_input import FileProgress, Usage
from offtake.planner.commitment.offer import Level
from offtake.planner.levers.facts import Exclusion, Table, read_exclusions
from offtake.planner.profile.traffic import Batchable
from offtake.store.catalogs import open_catalog
from offtake.usage.reading import ReadOptions
from offtake.values.counting import counted
from offtake.values.errors import CatalogError, InputError
from offtake.values.yaml_text import read_yaml

if TYPE_CHECKING:
    from offtake.catalog.catalog import Catalog
    from offtake.catalog.list_price import ModelFacts
    from offtake.contract.contract import Contract
    from offtake.planner.demand.events import Event
    from offtake.planner.demand.paths import Paths
    from offtake.planner.offers.admissible import Need, Rejected
    from offtake.planner.offers.assemble import Table as Laid
    from offtake.planner.offers.offer import Offer
    from offtake.planner.offers.problem import Watch
    from offtake.planner.offers.rerate import Cloud
    from offtake.planner.offers.result import PlanResult

MONTHS_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a plan is asked for. `usage_months` is how many months the usage stands for, where that is known better
    than its times say. `scenarios` 1 is the forecast alone; `risk` is (weight, level) of CVaR. `tokens` are the tokens
    that other models need, by pattern, per token of today's. `config` or `store` says whose signed results of
    `offtake accept` count: offtake.toml's here, by default.
    """

    horizon: int = 12
    usage_months: Fraction | None = None
    scenarios: int = 1
    seed: int = 1
    risk: tuple[float, float] = (0.0, 0.9)
    contract: Path | None = None
    catalogs: Sequence[Path] = ()
    facts: Sequence[Path] = ()
    at: datetime | date | None = None
    levels: Sequence[Level] = ()
    rules: Sequence[Batchable] = ()
    needs: Sequence[Path] = ()
    quality: Quality = field(default_factory=Quality)
    events: Path | None = None
    clouds: Sequence[Cloud] = ()
    tokens: Mapping[str, Decimal] | None = None
    model: str = ""
    config: Path | None = None
    store: Path | None = None

    @property
    def moment(self) -> datetime:
        """The instant whose list prices are today's."""
        if self.at is None:
            return datetime.now(UTC)
        if isinstance(self.at, datetime):
            return self.at.astimezone(UTC) if self.at.tzinfo else self.at.replace(tzinfo=UTC)
        return datetime(self.at.year, self.at.month, self.at.day, tzinfo=UTC)


def plan_offers(
    usage: Usage,
    offers: Sequence[str],
    asked: Asked,
    searching: Callable[[], AbstractContextManager[Watch]] | None = None,
    progress: FileProgress | None = None,
) -> PlanResult:
    """The plan. `offers` are FILE or FILE@STANCE; list prices and the contract of today are always on the table.

    `searching` opens what watches the search, and is where a search may be stopped with its best plan so far.

    InputError for usage, needs and offers that make no plan (P65x, P66x); ContractError for an offer that is wrong;
    OutsideError where the extra `plan` is not installed.
    """
    need_plan_extra()
    from offtake.planner.offers.assemble import laid_out
    from offtake.planner.offers.planned import Setting, planned
    from offtake.planner.offers.problem import Risk, Watch
    from offtake.planner.offers.ways import Menu

    if not 1 <= asked.horizon <= MONTHS_MAX:
        raise InputError("P669", f"a horizon of {asked.horizon} months", hint=f"--horizon takes 1 to {MONTHS_MAX}")
    catalog = open_catalog(asked.catalogs)
    vendor = catalog.resolve(asked.model).vendor if asked.model else ""
    options = ReadOptions(model=asked.model, vendor=vendor, start=datetime(1970, 1, 1, tzinfo=UTC))
    opener = Opener(asked.horizon, asked.moment, asked.catalogs, asked.facts, asked.levels)
    found, turned_away = open_table(offers, opener)
    seen = observed(usage, options, asked.rules, _thresholds(catalog), asked.usage_months, progress)
    public = opener.public(sorted({part.workload.access for part in seen.parts}))
    today = _today(asked, opener, public)
    kept, foreign = _one_currency(found, today)
    needs, aside = _needs(asked, [offer.contract for offer in (today, *kept)], catalog)
    menu = Menu(asked.tokens or {}, _exclusions(), asked.moment.date())
    table = laid_out(seen.parts, (*_with_today(kept, today), public), needs, menu)
    table = replace(table, rejected=(*turned_away, *foreign, *table.rejected))
    paths, forecast, volumes = _futures(asked, seen, table)
    setting = Setting(
        table=table, menu=menu, today=today, paths=paths, forecast=forecast,
        risk=Risk(*asked.risk), clouds=tuple(asked.clouds), peak=seen.peak, halves=seen.halves,
        volumes=volumes, priced_at=asked.moment, assumptions=_assumptions(asked, seen),
        warnings=(*seen.warnings, *aside),
    )  # fmt: skip
    with searching() if searching else nullcontext(Watch()) as watch:
        return replace(planned(setting, watch), histories=seen.histories)


def _needs(asked: Asked, contracts: Sequence[Contract], catalog: Catalog) -> tuple[tuple[Need, ...], list[str]]:
    """What workloads need, and which signed results beside the contracts do not count, in words."""
    accepted, aside = {}, []
    for contract in {each.file: each for each in contracts}.values():
        accepted[contract.file], unread = accepted_beside(contract, asked.moment, asked.config, asked.store)
        aside += unread
    return needs_of(asked.needs, asked.quality, catalog, admissions(contracts, accepted, asked.moment.date())), aside


def _exclusions() -> tuple[Exclusion, ...]:
    """Which features exclude each other, vendor by vendor: the shipped fact table."""
    text = files("offtake.planner.levers").joinpath("exclusions.yaml").read_text("utf-8")
    return read_exclusions(Table(*read_yaml(text, "exclusions.yaml"), "exclusions.yaml"))


def _thresholds(catalog: Catalog) -> tuple[int, ...]:
    """The contexts above which some model costs more, at its maker."""
    found: set[int] = set()
    for vendor in catalog.vendors:
        for model in catalog.models(vendor):
            if model.vendor == vendor:
                found |= _steps_of(catalog, model)
    return tuple(sorted(found))


def _steps_of(catalog: Catalog, model: ModelFacts) -> set[int]:
    try:
        cells = catalog.cells(model.id, model.vendor, "realtime", "api", "global")
    except CatalogError:  # sold only in regions, at the prices of others
        return set()
    return {start for cell in cells for price in cell.prices.values() for start, _ in price.above}


def _today(asked: Asked, opener: Opener, public: Offer) -> Offer:
    """How everything is bought now: under --contract, else at list."""
    if asked.contract is None:
        return public
    found, turned_away = replace(opener, levels=()).open(asked.contract)
    if turned_away:
        raise InputError("P664", f"the contract of today: {turned_away[0].why}", where=turned_away[0].where)
    return found[0]


def _with_today(offers: Sequence[Offer], today: Offer) -> list[Offer]:
    """The offers, and the contract of today, which may be kept, where it is not among them."""
    known = today.implied or any(offer.contract.hash == today.contract.hash for offer in offers)
    return [*offers] if known else [*offers, today]


def _one_currency(offers: Sequence[Offer], today: Offer) -> tuple[list[Offer], list[Rejected]]:
    """Offers in the currency of today's bill; a rate of exchange is no term of a contract."""
    from offtake.planner.offers.admissible import Rejected

    currency = today.terms.term.currency
    kept = [offer for offer in offers if offer.terms.term.currency == currency]
    foreign = [
        Rejected(
            offer.name, "", "", f"it is in {offer.terms.term.currency}, and today's bill is in {currency}",
            "term.currency", offer.contract.place("term.currency"), f"an offer in {currency}",
        )
        for offer in offers
        if offer not in kept
    ]  # fmt: skip
    return kept, foreign


def _futures(asked: Asked, seen: Observed, table: Laid) -> tuple[Paths, Paths, dict[str, float]]:
    """The paths to decide on, the forecast that is shown, and today's monthly volumes by workload."""
    import numpy as np

    from offtake.planner.demand.draw import draw_paths, level_path

    volumes: dict[str, float] = dict.fromkeys((part.workload.name for part in table.parts), 0.0)
    for part in table.parts:
        volumes[part.workload.name] += float(sum(part.workload.quantities.values()))
    vendors = tuple(sorted({priced.way.vendor for found in table.ways.values() for priced in found}))
    events = _events(asked, tuple(volumes))
    forecast = level_path(tuple(volumes), vendors, months=asked.horizon, events=events, volumes=volumes)
    if asked.scenarios <= 1:
        return forecast, forecast, volumes
    drawn = draw_paths(
        np.random.default_rng(asked.seed), {name: seen.histories.get(name, ()) for name in volumes}, vendors,
        months=asked.horizon, paths=asked.scenarios, events=events, volumes=volumes,
    )  # fmt: skip
    return drawn, forecast, volumes


def _events(asked: Asked, workloads: Sequence[str]) -> tuple[Event, ...]:
    if asked.events is None:
        return ()
    from offtake.planner.demand.events_file import read_events

    return read_events(asked.events.read_text("utf-8-sig"), str(asked.events), workloads)


def _assumptions(asked: Asked, seen: Observed) -> tuple[str, ...]:
    """What the figures take for granted, in words."""
    months = counted(asked.horizon, "month")
    found = [
        f"the usage {seen.stretch.words}; the plan covers {months} at that level",
        f"list prices are those of {asked.moment:%Y-%m-%d}",
        "rows that do not say how they ended count as served",
    ]
    if asked.scenarios > 1:
        found.append(f"{asked.scenarios} drawn futures, seed {asked.seed}; dollars are those of the forecast")
    if not any(part.batchable for part in seen.parts):
        found.append("nothing is known to wait a day; --batchable says what may")
    return tuple(found)
