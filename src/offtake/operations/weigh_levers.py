"""Weigh levers: what pays on this usage without a contract, and what may be asked for at the spend that is left.

Usage is read once, a month of it is made from what was observed, and every way to run it is rated at one instant. The
fact tables lie in the package beside the planner's levers; the user's own rows on gates go over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

from offtake.catalog.catalog import Catalog
from offtake.contract.list_only import list_contract
from offtake.operations.contracts import Opened, open_contract
from offtake.operations.usage_input import FileProgress, UsageInput, open_usage
from offtake.planner.levers.declared import Declared
from offtake.planner.levers.facts import Table, read_asks, read_exclusions, read_gates
from offtake.planner.levers.pricing import Shop
from offtake.planner.levers.rules import Rules
from offtake.planner.levers.running import a_month
from offtake.planner.levers.weigh import Month, Tables, Weighed, weigh
from offtake.planner.levers.worth import Failed
from offtake.planner.profile.stretch import Stretch, stretch_of
from offtake.planner.profile.traffic import Traffic, observe
from offtake.planner.rated import Pricing
from offtake.rating.breakdown import unrounded
from offtake.store.catalogs import open_catalog
from offtake.usage.reading import ReadOptions
from offtake.values.errors import ContractError, InputError, Place
from offtake.values.money import divide
from offtake.values.yaml_text import read_yaml

FAILED = ("http_5xx", "vendor_truncation")


@dataclass(frozen=True, slots=True)
class Aggregator:
    """Whose rate card it is, the instant of its prices, and whether it promises an uptime."""

    contract: str
    at: datetime
    promises_uptime: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeversOfUsage:
    """The levers, and of what: a stretch of usage, at prices of `at`."""

    weighed: Weighed
    at: datetime
    stretch: Stretch
    currency: str
    contract: str
    aggregator: Aggregator | None
    catalog_version: str
    usage: UsageInput


def weigh_levers(
    paths: Sequence[str | Path],
    declared: Declared,
    *,
    model: str = "",
    months: Fraction | None = None,
    contract: Path | None = None,
    stance: str | None = None,
    aggregator: Path | None = None,
    catalogs: Sequence[Path] = (),
    gates: Sequence[Path] = (),
    at: datetime | date | None = None,
    progress: FileProgress | None = None,
) -> LeversOfUsage:
    """The levers of usage files. `months` is how many the usage stands for, where that is said.

    Priced at `at`, by default when the usage ends. InputError P620 where there is no usage, P623 where a workload has
    no price as it runs, P663 where nobody knows how long it is; ContractError P621 for a gates file that is wrong.
    """
    signed = open_contract(contract, catalogs=catalogs, stance=stance) if contract else None
    catalog = signed.catalog if signed else open_catalog(catalogs)
    sold = open_contract(aggregator, catalogs=catalogs) if aggregator else None
    rows = [row for table in (_shipped("gates.yaml"), *map(_own, gates)) for row in read_gates(table)]
    options = ReadOptions(model=model, vendor=catalog.resolve(model).vendor if model else "", start=_instant(at))
    with open_usage(paths, options, progress) as usage:
        traffics, survey = observe(usage.source), usage.source.survey(False)
    if not traffics:
        why = f"the first row that cannot be read: {usage.rejected[0].error}" if usage.rejected else ""
        raise InputError("P620", "there is no usage to weigh", why=why, hint="give files that `offtake import` knows")
    stretch = stretch_of(survey, months)
    opened = signed or _public(catalog, _instant(at) or stretch.last, traffics)
    shops = [_shop(each, at, stretch.last) for each in (opened, sold) if each]
    observed = [_month(each, declared, stretch.months, catalog) for each in traffics]
    rules = Rules(
        read_exclusions(_shipped("exclusions.yaml")), catalog, shops[0].at.date(), declared.zero_retention,
        declared.region,
    )  # fmt: skip
    weighed = weigh(observed, declared, shops, rules, Tables(rows, read_asks(_shipped("asks.yaml"))))
    return LeversOfUsage(
        weighed=weighed, at=shops[0].at, stretch=stretch,
        currency=opened.contract.signed.term.currency, contract=opened.contract.signed.contract,
        aggregator=_aggregator(sold, shops[-1].at) if sold else None, catalog_version=catalog.version, usage=usage,
    )  # fmt: skip


def _aggregator(sold: Opened, at: datetime) -> Aggregator:
    terms = sold.contract.as_of(at)
    return Aggregator(terms.contract, at, terms.sla is not None and terms.sla.uptime is not None)


def _shop(opened: Opened, at: datetime | date | None, last: datetime) -> Shop:
    """Priced at the instant that is asked for, or at the end of the usage; in the term, or at its nearest end."""
    span = opened.contract.span
    moment = last if at is None else opened.contract.instant(at)
    moment = min(max(moment, span.start), span.end - timedelta(microseconds=1))
    return Shop(Pricing(unrounded(opened.contract), opened.catalog), moment, opened.facts)


def _public(catalog: Catalog, moment: datetime, traffics: Sequence[Traffic]) -> Opened:
    return Opened(list_contract(moment.date(), moment.date(), {each.form.access for each in traffics}), catalog)


def _month(traffic: Traffic, declared: Declared, months: Fraction, catalog: Catalog) -> Month:
    """A month of the traffic, with its vendor; a context beyond the model's window is no context but a sum of rows."""
    workload = traffic.workload(declared.batchable)
    known = catalog.resolve(workload.model, workload.vendor, workload.access)
    context = workload.context_tokens
    if context is not None and known.context_window is not None and context > known.context_window:
        context = None
    vendor = workload.vendor or known.vendor
    month = a_month(replace(workload, vendor=vendor, context_tokens=context), 1 / months)
    return Month(month, _failed(traffic, declared.failed), max(traffic.inputs, default=None))


def _failed(traffic: Traffic, declared: Decimal | None) -> Failed:
    """The shares of what failed at the vendor or was cut short by it: as declared (in all), or as the usage says."""
    if declared is not None:
        return [("vendor_truncation", declared)]
    known = sum(count for outcome, count in traffic.outcomes.items() if outcome)
    return [(outcome, divide(Decimal(traffic.outcomes[outcome]), known)) for outcome in FAILED if known]


def _instant(at: datetime | date | None) -> datetime | None:
    if at is None or isinstance(at, datetime):
        return at and (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC))
    return datetime(at.year, at.month, at.day, tzinfo=UTC)


def _shipped(name: str) -> Table:
    return Table(*read_yaml(files("offtake.planner.levers").joinpath(name).read_text("utf-8"), name), name)


def _own(path: Path) -> Table:
    try:
        return Table(*read_yaml(path.read_bytes().decode("utf-8-sig"), str(path)), str(path))
    except UnicodeDecodeError as error:
        raise ContractError("C207", "the file is not UTF-8 text", where=Place(str(path)), why=str(error)) from error
