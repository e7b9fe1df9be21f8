"""Profile usage: what each workload is like, which lever moves its bill, and which model would be the cheapest.

Usage of any kind is read once. Dollars are those of today's list prices, or of a contract: the traffic is priced as if
it ran at one instant, because a plan is about what it will cost and not about what it did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.operations.contracts import Opened, moment_of, open_contract
from offtake.operations.usage_input import FileProgress, UsageInput, open_usage
from offtake.planner.cache.trace import Trace
from offtake.planner.profile.figures import Profile, figures
from offtake.planner.profile.model_choice import Choice, choose
from offtake.planner.profile.prefixes import PrefixRepeat, prefix_repeats
from offtake.planner.profile.traffic import Batchable, Traffic, observe
from offtake.planner.profile.verdict import Caching, Verdict, judge
from offtake.planner.rated import Pricing
from offtake.rating.breakdown import unrounded
from offtake.store.catalogs import open_catalog
from offtake.store.sources import found_files, head_of, is_parquet, is_sqlite, text_source
from offtake.usage.prefixes.reading import prefix_kind
from offtake.usage.prefixes.request import PrefixRequest
from offtake.usage.reading import ReadOptions
from offtake.usage.record import UsageRecord
from offtake.values.counting import counted
from offtake.values.errors import CatalogError, InputError, UnpricedError


@dataclass(frozen=True, slots=True)
class Profiled:
    """A workload, and what it costs: no verdict where nothing prices it, for the reason in `unpriced`.

    `choice` is there where models were named to compare, `prefix_repeat` where the usage has prefix ids.
    """

    profile: Profile
    prefix_repeat: PrefixRepeat | None = None
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
        opened = signed or Opened(_public(moment, usage), catalog)
        pricing = Pricing(unrounded(opened.contract), opened.catalog)
        traffics = observe(usage.source, _thresholds(usage, pricing, moment, [model, *compare]))
        if not traffics:
            raise InputError(
                "P602", "there is no usage to profile", why=_nothing(usage),
                hint="give files of any kind that `offtake import` knows",
            )  # fmt: skip
    chosen = caching or Caching()
    asked = _Asked(moment, model, compare, rules, pricing, chosen, _prefix_repeats(paths))
    found = [_profiled(traffic, asked) for traffic in traffics]
    found.sort(key=lambda each: (each.verdict is None, -each.verdict.cost.contracted if each.verdict else 0))
    terms = opened.contract.signed
    return ProfiledUsage(
        tuple(found), moment, model, terms.contract, opened.contract.hash, opened.catalog.version,
        terms.term.currency, chosen, usage,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """What holds for every workload."""

    at: datetime
    model: str
    compare: Sequence[str]
    rules: Sequence[Batchable]
    pricing: Pricing
    caching: Caching
    repeats: Mapping[str, PrefixRepeat]


def _profiled(traffic: Traffic, asked: _Asked) -> Profiled:
    profile = figures(traffic, asked.rules)
    repeat = asked.repeats.get(traffic.form.model) or asked.repeats.get("")
    records = [_priced_as(record, asked.model) for record in traffic.records(asked.at)]
    try:
        choice = choose(records, [records[0].model, *asked.compare], asked.pricing) if asked.compare else None
        verdict = judge(records, profile.workload.batchable, asked.pricing, asked.caching)
        return Profiled(profile, repeat, verdict, choice)
    except (CatalogError, UnpricedError) as error:
        return Profiled(profile, repeat, unpriced=error.findings[0].what)


def _prefix_repeats(paths: Sequence[str | Path]) -> dict[str, PrefixRepeat]:
    """What the files with prefix ids say, read once more; nothing where there are none."""
    traces = []
    for path in found_files(paths):
        kind = None if is_parquet(path) or is_sqlite(path) else prefix_kind(head_of(path))
        if kind:
            trace = Trace(kind.clock)
            for row in kind.read(text_source(path)):
                if isinstance(row, PrefixRequest):
                    with suppress(InputError):  # its agent's prompt before is missing
                        trace.add(row)
            traces.append(trace.finish())
    return prefix_repeats(traces)


def _priced_as(record: UsageRecord, model: str) -> UsageRecord:
    return replace(record, model=model, vendor="") if model else record


def _public(moment: datetime, usage: UsageInput) -> Contract:
    lanes = usage.source.survey(False).lanes
    return list_contract(moment.date(), moment.date(), {lane.access for lane in lanes})


def _thresholds(usage: UsageInput, pricing: Pricing, at: datetime, others: Sequence[str]) -> set[int]:
    """Every context above which one of the models costs more; a model that is not known is said later."""
    asked = [
        UsageRecord(
            id="", used_at=at, model=lane.model, vendor=lane.vendor, channel=lane.channel, access=lane.access,
            region=lane.region, quantities={},
        )
        for lane in usage.source.survey(False).lanes
    ]  # fmt: skip
    asked += [UsageRecord(id="", used_at=at, model=other, quantities={}) for other in others if other]
    found: set[int] = set()
    for record in asked:
        with suppress(CatalogError, UnpricedError):
            found.update(pricing.thresholds(record))
    return found


def _moment(at: datetime | date | None) -> datetime:
    if isinstance(at, datetime):
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return datetime(at.year, at.month, at.day, tzinfo=UTC) if at else datetime.now(UTC)


def _nothing(usage: UsageInput) -> str:
    rows = counted(len(usage.rejected), "row")
    return f"{rows} cannot be read, the first: {usage.rejected[0].error}" if usage.rejected else ""
