"""Profile usage: what each workload is like, which lever moves its bill, and which model would be the cheapest.

Usage of any kind is read once. Dollars are those of today's list prices, or of a contract: the traffic is priced as if
it ran at one instant, because a plan is about what it will cost and not about what it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.operations.contracts import Opened, moment_of, open_contract
from offtake.operations.usage_input import FileProgress, UsageInput, open_usage
from offtake.planner.profile.figures import Profile, figures
from offtake.planner.profile.model_choice import Choice, choose
from offtake.planner.profile.traffic import Batchable, Traffic, observe
from offtake.planner.profile.verdict import Caching, Verdict, judge
from offtake.planner.rated import Pricing
from offtake.rating.breakdown import unrounded
from offtake.store.catalogs import open_catalog
from offtake.usage.reading import ReadOptions
from offtake.usage.record import UsageRecord
from offtake.values.errors import CatalogError, InputError, UnpricedError


@dataclass(frozen=True, slots=True)
class Profiled:
    """A workload, and what it costs: no verdict where nothing prices it, for the reason in `unpriced`.

    `choice` is there where models were named to compare.
    """

    profile: Profile
    verdict: Verdict | None = None
    choice: Choice | None = None
    unpriced: str = ""


@dataclass(frozen=True, slots=True)
class ProfiledUsage:
    """Every workload, the dearest first and those without a price last, and how they were priced.

    `model` is the one that all of it was priced as; "" is each workload's own.
    """

    workloads: tuple[Profiled, ...]
    priced_at: datetime
    model: str
    contract: str
    contract_hash: str
    catalog_version: str
    currency: str
    caching: Caching
    usage: UsageInput


def profile_usage(
    paths: Sequence[str | Path],
    *,
    model: str = "",
    compare: Sequence[str] = (),
    contract: Path | None = None,
    catalogs: Sequence[Path] = (),
    at: datetime | date | None = None,
    stance: str | None = None,
    rules: Sequence[Batchable] = (),
    caching: Caching | None = None,
    progress: FileProgress | None = None,
) -> ProfiledUsage:
    """The profile of usage files.

    `model` prices all of it as that model, and is the model of usage that names none. `compare` names models to
    choose among. InputError P602 where there is no usage; CatalogError for a model to compare without a price.
    """
    signed = open_contract(contract, catalogs=catalogs, stance=stance) if contract else None
    moment = moment_of(at, signed.contract) if signed else _moment(at)
    catalog = signed.catalog if signed else open_catalog(catalogs)
    for each in compare:
        catalog.resolve(each)
    vendor = catalog.resolve(model).vendor if model else ""
    options = ReadOptions(model=model, vendor=vendor, start=moment)
    with open_usage(paths, options, progress) as usage:
        traffics = observe(usage.source)
        if not traffics:
            raise InputError(
                "P602", "there is no usage to profile", why=_nothing(usage),
                hint="give files of any kind that `offtake import` knows",
            )  # fmt: skip
    opened = signed or Opened(_public(moment, traffics), catalog)
    pricing = Pricing(unrounded(opened.contract), opened.catalog)
    chosen = caching or Caching()
    found = [_profiled(traffic, rules, moment, model, compare, pricing, chosen) for traffic in traffics]
    found.sort(key=lambda each: (each.verdict is None, -each.verdict.cost.contracted if each.verdict else 0))
    terms = opened.contract.signed
    return ProfiledUsage(
        tuple(found), moment, model, terms.contract, opened.contract.hash, opened.catalog.version,
        terms.term.currency, chosen, usage,
    )  # fmt: skip


def _profiled(
    traffic: Traffic,
    rules: Sequence[Batchable],
    at: datetime,
    model: str,
    compare: Sequence[str],
    pricing: Pricing,
    caching: Caching,
) -> Profiled:
    profile = figures(traffic, rules)
    record = _priced_as(profile.workload.record(at), model)
    try:
        choice = choose(record, [record.model, *compare], pricing) if compare else None
        return Profiled(profile, judge(profile.workload, record, pricing, caching), choice)
    except (CatalogError, UnpricedError) as error:
        return Profiled(profile, unpriced=error.findings[0].what)


def _priced_as(record: UsageRecord, model: str) -> UsageRecord:
    return replace(record, model=model, vendor="") if model else record


def _public(moment: datetime, traffics: Sequence[Traffic]) -> Contract:
    return list_contract(moment.date(), moment.date(), {traffic.form.access for traffic in traffics})


def _moment(at: datetime | date | None) -> datetime:
    if isinstance(at, datetime):
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return datetime(at.year, at.month, at.day, tzinfo=UTC) if at else datetime.now(UTC)


def _nothing(usage: UsageInput) -> str:
    return (
        f"{len(usage.rejected):,} rows cannot be read, the first: {usage.rejected[0].error}" if usage.rejected else ""
    )
