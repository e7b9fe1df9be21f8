"""The parts of a plan's page that stand beside the plan: demand, its sensitivity, clauses, caching, the crossover."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from offtake.export.page import NARROW, WIDE, table
from offtake.export.plan_charts import Fan, Square, fan, squares
from offtake.export.tornado import Bar, short, tornado
from offtake.values.counting import counted
from offtake.values.money import ZERO, divide, total
from offtake.values.shown import money, share

if TYPE_CHECKING:
    from offtake.export.plan_contents import CacheRow, PlanPage, Worth
    from offtake.planner.crossover import Cell
    from offtake.planner.offers.result import PlanResult

BARS_MAX, ROWS_MAX, MAPS_MAX = 8, 60, 4
COLUMNS_NARROW = 5
ONE = Decimal(1)


def demand(page: PlanPage) -> str:
    """By the month, against what is promised."""
    plan = page.plan
    if not plan.bands or (not plan.sign and plan.search.paths == 1):
        return ""
    parts = []
    offers = [(each.offer, each.committed) for each in plan.sign if each.committed]
    for offer, committed in offers or [("", ZERO)]:
        rows = [each for each in plan.route if not offer or each.offer == offer]
        month = total(each.month for each in rows)
        if not month:
            continue
        low, middle, high = ([getattr(band, name) * month for band in plan.bands] for name in ("p10", "p50", "p90"))
        promised = divide(committed, plan.months) if committed else None
        data = Fan(low, middle, high, promised)
        title = f"Demand under {offer} against its commitment" if offer else "Demand"
        words = _in_words(data, plan)
        charts = "\n".join(
            fan(data, name, title, words, width=width, height=height, currency=plan.currency)
            for name, width, height in (("wide", WIDE, 320), ("narrow", NARROW, 280))
        )
        parts.append(f"<p>{escape(words)}</p>\n<figure>{charts}</figure>")
    futures = plan.search.paths
    about = (
        f"{futures:,} drawn futures; the band holds 8 of 10." if futures > 1
        else "One future, at today’s level; --scenarios 200 draws others, and a band of them."
    )  # fmt: skip
    if any(each.reserved for each in plan.route):
        about += " What a reservation serves is not in it."
    tested = f"<p>{escape(_back_test(plan))}</p>"
    title = "Demand against the commitment" if offers else "Demand"
    return f"<h2>{title}</h2>\n<p>{about}</p>\n" + "\n".join(parts) + tested if parts else ""


def _in_words(data: Fan, plan: PlanResult) -> str:
    low, middle, high = (short(values[-1], plan.currency) for values in (data.low, data.middle, data.high))
    bought = f"{low} to {high} in the last month in 8 of 10 futures" if low != high else f"{middle} in the last month"
    return f"Bought: {bought}." + (
        f" Promised: {short(data.promised, plan.currency)} a month." if data.promised else ""
    )


def _back_test(plan: PlanResult) -> str:
    test = plan.backtest
    if test is None:
        return "Not judged on your own past" + ("." if plan.search.stopped else f": {plan.not_judged}.")
    against = (
        f"{money(test.plan, plan.currency, 0)} against {money(test.nothing, plan.currency, 0)} without a signature"
    )
    return f"Judged on your own past: decided on the first half of the usage, billed on the second, {test.verdict}" + (
        f": {against}." if test.signed else "."
    )


def sensitivity(page: PlanPage) -> str:
    """The same plan with more or less of everything."""
    plan = page.plan
    cases = [(each.demand, each.today, each.plan) for each in plan.sensitivity]
    if not any(today != planned for _, today, planned in cases):
        return ""
    cases = sorted([*cases, (ONE, plan.today, plan.cost)])
    named = [(f"{demand.normalize():f} × today’s", today, planned) for demand, today, planned in cases]
    rows = [
        (name, *(money(each, plan.currency, 0) for each in (today, planned, today - planned)))
        for name, today, planned in named
    ]
    bars = [Bar(name, today - planned, today - planned, today - planned) for name, today, planned in named]
    words = "; ".join(f"{name}: {saved}" for name, _, _, saved in rows)
    pictures = "\n".join(
        tornado(bars, name, "What the plan saves if demand differs", words, width=width, currency=plan.currency)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    figures = table(("Demand", "Today’s way costs", "The plan costs", "It saves"), rows, numbers=3)
    return (
        f"<h2>If demand differs</h2>\n<p>The same plan, with more or less of everything: what it saves over "
        f"{counted(plan.months, 'month')}.</p>\n<figure>{pictures}</figure>\n{figures}"
    )


def worth_of_clauses(page: PlanPage) -> str:
    """A tornado for each contract to sign."""
    return "\n".join(_worth(each, page.plan.currency) for each in page.worth)


def _worth(worth: Worth, currency: str) -> str:
    shown = list(worth.clauses)[:BARS_MAX]
    bars = [Bar(each.clause, each.mean, each.low, each.high) for each in shown]
    rows = [
        (
            f"<code>{escape(each.clause)}</code>", escape(each.without), money(each.mean, currency, 0),
            f"{money(each.low, currency, 0)} to {money(each.high, currency, 0)}",
        )
        for each in shown
    ]  # fmt: skip
    words = "; ".join(f"{bar.name} {money(bar.mean, currency, 0)}" for bar in bars)
    pictures = "\n".join(
        tornado(bars, name, f"Worth of the clauses of {worth.offer}", words, width=width, currency=currency)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return (
        f"<h2>What each clause of {escape(worth.offer)} is worth a year</h2>\n<p>The bill without the clause, less "
        "the bill with it, on the same drawn futures; the line spans 8 of 10. Left of zero the clause costs you money. "
        f"Negotiate from the top of this list.</p>\n<figure>{pictures}</figure>\n"
        + table(("Clause", "Without it", "Worth a year", "8 of 10 futures"), rows, numbers=2)
    )


def prompt_caching(page: PlanPage) -> str:
    """What a cache does to the cost of input, workload by workload."""
    if not page.cache:
        return ""
    rows = [
        (
            f"{escape(each.workload or 'all usage')}<small>{escape(each.model)}</small>", _effect(each),
            f"{share(each.pays_above, 2)} of input" if each.pays_above else "any share",
        )
        for each in page.cache[:ROWS_MAX]
    ]  # fmt: skip
    return (
        "<h2>Prompt caching</h2>\n<p>What a cache does to the cost of input. Where the usage has no cache reads, a "
        "range is all that can be said: no hit rate is made up.</p>\n"
        + table(("Workload", "Input costs", "Pays if more is read again than"), rows, numbers=1)
    )


def _effect(row: CacheRow) -> str:
    """Less or more than without a cache: as measured, or between what and what."""
    if row.measured is not None:
        return f"{_against_none(row.measured)}, as measured"
    if row.low == row.high == ONE:
        return "the same: no prompt is long enough"
    return f"between {_against_none(row.low)} and {_against_none(row.high)}: not measured"


def _against_none(ratio: Decimal) -> str:
    if ratio == ONE:
        return "the same"
    return f"{share(abs(ONE - ratio))} {'less' if ratio < ONE else 'more'}"


def crossover(page: PlanPage) -> str:
    """Who is cheaper where: a map for each number of vendors."""
    if page.where is None:
        return ""
    cells = page.where.found.cells
    bonus = max(cell.bonus for cell in cells)
    maps = []
    for vendors in sorted({cell.vendors for cell in cells})[:MAPS_MAX]:
        mine = [cell for cell in cells if cell.vendors == vendors and cell.bonus == bonus]
        maps.append(_map(mine, vendors, page))
    key = "".join(
        f'<li><i class="{kind}"></i>{words}</li>'
        for kind, words in (
            ("aggregator", f"{escape(page.where.aggregator)} is cheaper"), ("direct", "direct deals are cheaper"),
            ("mixed", "cheapest: some of each"),
        )
    )  # fmt: skip
    now = divide(page.plan.today, page.plan.months)
    about = (
        f"This usage costs {money(now, page.plan.currency, 0)} a month today. Spend a month at list price across, the "
        f"discount of a direct deal upwards; with the {share(bonus, 0)} bonus. The amount is what direct deals save a "
        "month against the aggregator; empty where no vendor negotiates yet."
    )
    return (
        f'<h2>An aggregator, or direct deals</h2>\n<p>{about}</p>\n<ul class="key">{key}</ul>\n'
        f'<div class="maps">{"".join(maps)}</div>'
    )


def _map(cells: Sequence[Cell], vendors: int, page: PlanPage) -> str:
    spends = sorted({cell.spend for cell in cells})
    discounts = sorted({cell.discount for cell in cells}, reverse=True)
    by_place = {(cell.spend, cell.discount): cell for cell in cells}
    currency = page.plan.currency

    def square(cell: Cell) -> Square:
        return Square(cell.cheapest, "" if cell.opens == "no" else short(cell.difference, currency))

    def drawn(name: str, width: int, spends: Sequence[Decimal]) -> str:
        rows = [(share(each, 0), [square(by_place[spend, each]) for spend in spends]) for each in discounts]
        columns = [short(spend, currency) for spend in spends]
        return squares(columns, rows, name, f"Who is cheaper with {title}", "", width=width)

    title = f"{vendors} vendor" + ("s" if vendors > 1 else "")
    assert page.where is not None
    models = ", ".join(page.where.models[:vendors])
    few = spends if len(spends) <= COLUMNS_NARROW else spends[1::2]
    pictures = f"{drawn('wide', WIDE, spends)}\n{drawn('narrow', NARROW, few)}"
    return f"<div><h3>{title}: {escape(models)}</h3>{pictures}</div>"
