"""Demand for a valuation: what grows together, its volume today, and its history, out of usage or of a plain series.

Counts are whole: usage is cut into thousandths of a month, a series into units of 4,000 input and 1,000 output tokens
of one model. A future multiplies those, so that every future is a set of records that rating can price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise, product

from offtake.catalog.list_price import ListPrices
from offtake.contract.list_only import list_contract
from offtake.contract.schema.prices import OffPeak
from offtake.planner.profile.stretch import stretch_of
from offtake.planner.value.costs import Basket
from offtake.rating.clauses.off_peak import edges, is_off_peak
from offtake.rating.compiled import CompiledTerms
from offtake.rating.groups import PRICE_DIMENSIONS, Group, GroupPlan, Slice
from offtake.rating.source import Source
from offtake.rating.totals import Bundle
from offtake.usage.record import UsageRecord
from offtake.values.counting import counted
from offtake.values.errors import InputError
from offtake.values.money import EXACT, divide, from_pico, to_integer
from offtake.values.periods import Interval

PARTS_OF_A_MONTH = 1000
BASKETS_MAX = 8
"""Beyond so many workloads all of them grow as one: luck that averages out needs no paths of its own."""
SERIES_MIX = {"input_tokens": 4_000, "output_tokens": 1_000}
LEVEL_PERIODS = 4
INSTANT = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIMENSIONS = (*PRICE_DIMENSIONS, "workload", "account")


@dataclass(frozen=True, slots=True)
class Demand:
    """`today[i]` is basket i's count in a month of today; `histories[name]` its past by month, oldest first.

    `words` says what was taken to be so.
    """

    baskets: tuple[Basket, ...]
    today: tuple[Decimal, ...]
    histories: Mapping[str, Sequence[float]]
    words: tuple[str, ...] = ()


def of_series(
    quantities: Sequence[Decimal], unit: str, record: UsageRecord, catalog: ListPrices, at: datetime
) -> Demand:
    """Demand by month as dollars at list or as tokens, oldest first, of the model of `record`.

    Today's level is the mean of the last four months. UnpricedError where the model has no list price at `at`.
    """
    basket = Basket(record.model, (record,))
    recent = quantities[-LEVEL_PERIODS:]
    level = divide(sum(recent, Decimal(0)), len(recent))
    worth = Decimal(sum(SERIES_MIX.values()))
    if unit == "dollars":
        with localcontext(EXACT):
            listed = CompiledTerms(list_contract(at.date(), at.date(), [record.access]), catalog)
            worth = from_pico(Bundle(listed, at, (record,)).contracted)
    words = (
        f"{'dollars at list' if unit == 'dollars' else 'tokens'} of {record.model}, 4 input to 1 output, in realtime"
    )
    history = [float(each) for each in quantities]
    return Demand((basket,), (divide(level, worth),), {basket.name: history}, (words,))


def of_usage(
    source: Source, catalog: ListPrices, off_peak: OffPeak | None = None, months: Fraction | None = None
) -> Demand:
    """Demand as the usage has it: its models, channels, outcomes, contexts and hours stay in proportion.

    `off_peak` tells the cheaper hours apart; `months` is how many it stands for, where that is said. InputError P673
    where there is no usage, P663 where nobody knows how long it is.
    """
    survey = source.survey(True)
    if survey.first is None or survey.last is None:
        raise InputError("P673", "the usage is empty", hint="name a file with at least one row")
    span = Interval(survey.first, survey.last + INSTANT)
    models = {key.model: _thresholds(catalog, key.model, key.vendor, key.access) for key in survey.lanes}
    stretch, cut = stretch_of(survey, months), _months(span)
    slices = tuple(_slices(cut, off_peak))
    bands = {model: edges for model, edges in models.items() if edges}
    plan = GroupPlan(span, slices, bands, DIMENSIONS)
    groups = source.group(plan).groups
    names = sorted({_value(group, "workload") for group in groups})
    names = names if len(names) <= BASKETS_MAX else [""]
    share = divide(stretch.per_month, PARTS_OF_A_MONTH)
    baskets, histories = [], {}
    for cheaper, name in product((False, True), names):
        mine = [group for group in groups if len(names) == 1 or _value(group, "workload") == name]
        grows = name or "all usage"
        histories[grows] = _history(mine, len(cut))
        inside = [group for group in mine if group.key.slice_key % 2 == cheaper]
        records = _records(f"{grows}/{'off-peak' if cheaper else 'peak'}", inside, bands, share)
        if records:
            baskets.append(Basket(grows, records, cheaper))
    if not baskets:
        raise InputError("P673", "the usage has no tokens", hint="name a file with at least one priced row")
    unknown = sum(group.rows for group in groups if _value(group, "outcome") == "")
    words = [f"the usage {stretch.words}"]
    words += [f"{counted(unknown, 'row')} without an outcome taken as ok"] if unknown else []
    return Demand(tuple(baskets), (Decimal(PARTS_OF_A_MONTH),) * len(baskets), histories, tuple(words))


def of_plan(records: Sequence[UsageRecord], months: int, histories: Mapping[str, Sequence[float]]) -> Demand:
    """Demand as a plan of so many months sends it to one contract; workloads grow as their `histories` did.

    InputError P673 where nothing is sent there.
    """
    alike: dict[tuple[object, ...], list[UsageRecord]] = {}
    for record in records:
        alike.setdefault(tuple(getattr(record, name) for name in (*DIMENSIONS, "context_tokens")), []).append(record)
    apart = len({record.workload for record in records}) <= BASKETS_MAX
    baskets: dict[str, list[UsageRecord]] = {}
    parts = months * PARTS_OF_A_MONTH
    for number, same in enumerate(alike.values()):
        first = same[0]
        meters = dict.fromkeys(meter for record in same for meter in record.quantities)
        sums = {meter: sum(record.quantities.get(meter, 0) for record in same) for meter in meters}
        quantities = {meter: part for meter, each in sums.items() if (part := each // parts)}
        if quantities:
            grows = (first.workload if apart else "") or "all usage"
            each = replace(
                first, id=f"{grows}/{number:06}", used_at=EPOCH, quantities=quantities, outcome=first.outcome or "ok",
                count=sum(record.count for record in same) // parts, context_tokens=first.context_tokens or 0,
            )  # fmt: skip
            baskets.setdefault(grows, []).append(each)
    if not baskets:
        raise InputError("P673", "the plan sends nothing there")
    found = tuple(Basket(name, tuple(rows)) for name, rows in baskets.items())
    pasts = {name: histories.get("" if name == "all usage" else name, ()) for name in baskets}
    return Demand(found, (Decimal(PARTS_OF_A_MONTH),) * len(found), pasts)


def _slices(months: Sequence[Interval], off_peak: OffPeak | None) -> Iterator[Slice]:
    """A class of instants for each month: twice its number, and one more in the cheaper hours."""
    for index, month in enumerate(months):
        at = [month.start, *(edges(off_peak, month) if off_peak else ()), month.end]
        for start, end in pairwise(sorted(set(at))):
            yield Slice(start, end, 2 * index + bool(off_peak and is_off_peak(off_peak, start)))


def _records(
    name: str, groups: Sequence[Group], bands: Mapping[str, tuple[int, ...]], share: Decimal
) -> tuple[UsageRecord, ...]:
    """One record for each combination, with a thousandth of a month's quantities."""
    sums: dict[tuple[object, ...], dict[str, int]] = {}
    counts: dict[tuple[object, ...], int] = {}
    for group in groups:
        key: tuple[object, ...] = (*group.key.values, max(group.key.band, 0))  # an unknown band counts as the lowest
        into = sums.setdefault(key, {})
        counts[key] = counts.get(key, 0) + group.count
        for meter, quantity in group.quantities.items():
            into[meter] = into.get(meter, 0) + quantity
    found = []
    for number, key in enumerate(sorted(sums, key=repr)):
        quantities = {meter: part for meter, each in sums[key].items() if (part := to_integer(each * share))}
        if quantities:
            found.append(_record(f"{name}/{number:06}", key, quantities, to_integer(counts[key] * share), bands))
    return tuple(found)


def _record(
    id: str, key: tuple[object, ...], quantities: Mapping[str, int], count: int, bands: Mapping[str, tuple[int, ...]]
) -> UsageRecord:
    values = dict(zip(DIMENSIONS, (str(each or "") for each in key), strict=False))
    band = int(str(key[-1]))
    thresholds = bands.get(values["model"], ())
    return UsageRecord(
        id=id, used_at=EPOCH, model=values["model"], quantities=quantities,
        vendor=values["vendor"], channel=values["channel"], access=values["access"], region=values["region"],
        outcome=values["outcome"] or "ok", tier_served=values["tier_served"], workload=values["workload"],
        account=values["account"], count=count, context_tokens=thresholds[band - 1] + 1 if band else 0,
    )  # fmt: skip


def _history(groups: Sequence[Group], months: int) -> list[float]:
    """Tokens by month; the first and last month may be cut, so they are left out where others remain."""
    volumes = [0.0] * months
    for group in groups:
        volumes[group.key.slice_key // 2] += float(sum(group.quantities.values()))
    return volumes[1:-1] if months > 2 else []


def _thresholds(catalog: ListPrices, name: str, vendor: str, access: str) -> tuple[int, ...]:
    model = catalog.resolve(name, vendor, access)
    cells = catalog.cells(model.id, model.vendor, "realtime", access, "global")
    edges = {start for cell in cells for price in cell.prices.values() for start, _ in price.above}
    return tuple(sorted(edges))


def _months(span: Interval) -> list[Interval]:
    found, start = [], span.start
    while start < span.end:
        first = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        end = min((first + timedelta(days=32)).replace(day=1), span.end)
        found.append(Interval(start, end))
        start = end
    return found


def _value(group: Group, dimension: str) -> str:
    return group.key.values[DIMENSIONS.index(dimension)] or ""
