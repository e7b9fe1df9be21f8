"""A plan as one HTML page that needs nothing else: the answer first, then what it rests on, with pictures.

It works offline and prints well: no script, no font, no address of anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from offtake.export.page import page as html_page
from offtake.export.page import table
from offtake.export.plan_charts import Fan, Rung, Square, fan, squares, waterfall
from offtake.export.tornado import Bar, short, tornado
from offtake.values.money import ZERO, divide, total
from offtake.values.shown import money, share

if TYPE_CHECKING:
    from offtake.planner.crossover import Cell, Crossover
    from offtake.planner.offers.result import PlanResult, Sent, Signed

WIDE, NARROW = 960, 390
BARS_MAX = 8
ROWS_MAX = 60
MAPS_MAX = 4


@dataclass(frozen=True, slots=True)
class CacheRow:
    """One workload's cache: the read share at which it pays, what was measured, or the range that it must lie in."""

    workload: str
    model: str
    pays_above: Decimal | None
    measured: Decimal | None
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Worth:
    """What the clauses of one contract to sign are worth a year."""

    offer: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Where:
    """Who is cheaper where: an aggregator's surface over these models."""

    aggregator: str
    models: Sequence[str]
    found: Crossover


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What the page shows. `answer` is the plan in one line, `usage` what was read, `again` the command."""

    plan: PlanResult
    answer: str
    usage: str
    cache: Sequence[CacheRow]
    where: Where | None
    worth: Sequence[Worth]
    notes: Sequence[str]
    again: str


def plan_page(page: PlanPage) -> str:
    """The page as HTML text."""
    sections: tuple[Callable[[PlanPage], str], ...] = (
        _answer, _waterfall, _routes, _demand, _instead, _sensitivity, _worth, _cache, _where, _turned_away, _granted,
    )  # fmt: skip
    body = "\n".join(part for section in sections if (part := section(page)))
    return html_page(page.answer, f"{body}\n</main>\n{_footer(page)}", ("value.css", "plan.css"))


def _answer(page: PlanPage) -> str:
    plan, dollars = page.plan, _dollars(page.plan)
    saved = divide(plan.saving * 12, plan.months)
    if saved > 0:
        headline = f"Save <b>{dollars(saved)}</b> a year"
    else:
        headline = "Stay as you are" if not plan.sign else f"Costs <b>{dollars(-saved)}</b> a year more"
    steps = "\n".join(f"<li>{words}</li>" for words in _steps(plan))
    futures = f" in the mean of {plan.search.paths} futures" if plan.search.paths > 1 else ""
    lead = (
        f"{share(divide(plan.saving, plan.today)) if plan.today else '0%'} of the {dollars(plan.today)} that the same "
        f"usage costs over {plan.months} months under {escape(plan.today_name)}. This plan is within "
        f"{share(plan.search.gap, 2)} of the best possible{futures}."
    )
    return (
        f'<header>\n<p class="eyebrow">{escape(page.usage)}</p>\n<h1>{headline}</h1>\n<p class="lead">{lead}</p>\n'
        f'<ul class="do">\n{steps}\n</ul>\n</header>\n<main>'
    )


def _steps(plan: PlanResult) -> Iterable[str]:
    """What to do, in order: what to sign, what to send where."""
    for each in plan.sign:
        yield _to_sign(each, plan)
    if not plan.sign:
        yield "<strong>Sign nothing.</strong> No commitment on the table pays on this usage."
    for offer in dict.fromkeys(each.offer for each in plan.route):
        rows = [each for each in plan.route if each.offer == offer]
        moved = [each for each in rows if each.way.model != each.today]
        batch = [each for each in rows if each.way.channel == "batch" != each.channel_today]
        words = f"<strong>Buy {_parts(rows, plan)} under {escape(offer)}.</strong>"
        if batch:
            words += f" Move to batch: {_named(batch)}."
        if moved:
            words += " Change the model: " + ", ".join(
                f"{escape(each.workload or 'all usage')} to {escape(each.way.model)}" for each in moved[:4]
            ) + ("." if len(moved) <= 4 else f" and {len(moved) - 4} more.")  # fmt: skip
        yield words


def _to_sign(each: Signed, plan: PlanResult) -> str:
    dollars = _dollars(plan)
    words = f"<strong>Sign {escape(each.level)}"
    words += f" at {dollars(each.committed)}</strong>" if each.committed else "</strong>"
    fees = f", {dollars(each.fees)} of it fees" if each.fees else ""
    return f"{words}: {dollars(each.billed)} in all over {plan.months} months{fees}."


def _parts(rows: Sequence[Sent], plan: PlanResult) -> str:
    return "all of it" if len(rows) == len(plan.route) else f"{len(rows)} of {len(plan.route)} parts"


def _named(rows: Sequence[Sent]) -> str:
    names = list(dict.fromkeys(each.workload or "all usage" for each in rows))
    return escape(", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else ""))


def _waterfall(page: PlanPage) -> str:
    plan = page.plan
    if not plan.waterfall:
        return ""
    rungs = [Rung(plan.waterfall[0].name, ZERO, plan.waterfall[0].cost, True)]
    rungs += [Rung(step.name, step.cost + step.saving, step.cost, False) for step in plan.waterfall[1:]]
    rungs.append(Rung("the plan", ZERO, plan.cost, True))
    words = "; ".join(f"{step.name}: {money(step.cost, plan.currency, 0)} left to pay" for step in plan.waterfall)
    pictures = "\n".join(
        waterfall(rungs, name, "From today’s bill to the plan’s", words, width=width, currency=plan.currency)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    rows = [
        (escape(step.name), money(step.saving, plan.currency), money(step.cost, plan.currency))
        for step in plan.waterfall
    ]
    figures = table(("Step", "Saves", "Left to pay"), rows, numbers=2)
    return (
        f"<h2>Where the saving comes from</h2>\n<p>Each step is a bill of its own, over {plan.months} months.</p>\n"
        f"<figure>{pictures}\n<details><summary>The chart as a table</summary>{figures}</details></figure>"
    )


def _routes(page: PlanPage) -> str:
    plan = page.plan
    rows = [
        (
            f"{escape(each.workload or 'all usage')}{' (can wait)' if each.can_wait else ''}"
            f"<small>today {escape(each.today)}, {escape(each.channel_today)}</small>",
            escape(each.offer), escape(each.way.model), escape("reserved" if each.reserved else each.way.channel),
            share(each.share), money(each.month, plan.currency, 0),
        )
        for each in plan.route[:ROWS_MAX]
    ]  # fmt: skip
    more = f"<p>… and {len(plan.route) - ROWS_MAX:,} more.</p>" if len(plan.route) > ROWS_MAX else ""
    words = "A month at the offer’s rate card, before its commitment and fees."
    columns = ("Workload", "Buy under", "Model", "How", "Share", "A month")
    return f"<h2>What goes where</h2>\n<p>{words}</p>\n{table(columns, rows, numbers=2)}{more}"


def _demand(page: PlanPage) -> str:
    plan = page.plan
    if not plan.bands:
        return ""
    parts = []
    offers = [(each.offer, each.committed) for each in plan.sign if each.committed]
    for offer, committed in offers or [("", ZERO)]:
        rows = [each for each in plan.route if not offer or each.offer == offer]
        month = total(each.month for each in rows)
        low, middle, high = ([getattr(band, name) * month for band in plan.bands] for name in ("p10", "p50", "p90"))
        promised = divide(committed, plan.months) if committed else None
        data = Fan(low, middle, high, promised)
        title = f"Demand under {offer} against its commitment" if offer else "Demand"
        words = (
            f"By the month: {short(low[-1], plan.currency)} to {short(high[-1], plan.currency)} in the last month in 8 "
            f"of 10 futures" + (f"; {short(promised, plan.currency)} a month are promised." if promised else ".")
        )
        charts = "\n".join(
            fan(data, name, title, words, width=width, height=height, currency=plan.currency)
            for name, width, height in (("wide", WIDE, 320), ("narrow", NARROW, 280))
        )
        parts.append(f"<p>{escape(words)}</p>\n<figure>{charts}</figure>")
    futures = plan.search.paths
    about = (
        f"{futures} drawn futures; the band holds 8 of 10." if futures > 1
        else "One future, at today’s level: --scenarios 200 draws others, and the band with them."
    )  # fmt: skip
    tested = f"<p>{escape(_back_test(plan))}</p>"
    return f"<h2>Demand against the commitment</h2>\n<p>{about}</p>\n" + "\n".join(parts) + tested


def _back_test(plan: PlanResult) -> str:
    test = plan.backtest
    if test is None:
        return "The usage is too short to judge the plan on its own past."
    return (
        f"Judged on your own past: decided on the first half of the usage, billed on the second, {test.verdict}: "
        f"{money(test.plan, plan.currency, 0)} against {money(test.nothing, plan.currency, 0)} without a signature."
    )


def _instead(page: PlanPage) -> str:
    plan = page.plan
    if not plan.alternatives:
        return ""
    rows = [
        (escape(each.name), money(each.cost, plan.currency, 0), money(each.more, plan.currency, 0))
        for each in plan.alternatives
    ]
    bound = "".join(f"<li><b>{escape(name)}</b> {escape(words)}</li>" for name, words in plan.binding.items())
    return (
        "<h2>Why not the others</h2>\n<p>Each alternative re-rated on the same usage.</p>\n"
        + table(("Instead", "Costs", "More than the plan"), rows, numbers=2)
        + (f'\n<h3>What holds each vendor</h3>\n<ul class="words">{bound}</ul>' if bound else "")
    )


def _sensitivity(page: PlanPage) -> str:
    plan = page.plan
    if not plan.sensitivity:
        return ""
    rows = [
        (
            f"{each.demand.normalize():f} × today’s demand", money(each.today, plan.currency, 0),
            money(each.plan, plan.currency, 0), money(each.today - each.plan, plan.currency, 0),
        )
        for each in plan.sensitivity
    ]  # fmt: skip
    bars = [
        Bar(f"demand × {each.demand.normalize():f}", saved, saved, saved)
        for each in plan.sensitivity
        for saved in (each.today - each.plan,)
    ]
    bars.append(Bar("as planned", plan.saving, plan.saving, plan.saving))
    bars.sort(key=lambda bar: bar.mean, reverse=True)
    pictures = "\n".join(
        tornado(bars, name, "What the plan saves if demand differs", "", width=width, currency=plan.currency)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    figures = table(("If demand is", "Today’s way costs", "The plan costs", "It saves"), rows, numbers=3)
    return (
        f"<h2>If demand differs</h2>\n<p>The same plan, with more or less of everything: what it saves over "
        f"{plan.months} months.</p>\n<figure>{pictures}</figure>\n{figures}"
    )


def _worth(page: PlanPage) -> str:
    parts = []
    for each in page.worth:
        bars = list(each.bars)[:BARS_MAX]
        words = "; ".join(f"{bar.name} {money(bar.mean, page.plan.currency, 0)}" for bar in bars)
        pictures = "\n".join(
            tornado(
                bars, name, f"Worth of the clauses of {each.offer}", words, width=width, currency=page.plan.currency
            )
            for name, width in (("wide", WIDE), ("narrow", NARROW))
        )
        parts.append(
            f"<h2>What each clause of {escape(each.offer)} is worth a year</h2>\n<p>The bill without the clause, less "
            "the bill with it, on the same drawn futures; the line spans 8 of 10. Left of zero it costs you money. "
            f"This is the list to negotiate from.</p>\n<figure>{pictures}</figure>"
        )
    return "\n".join(parts)


def _cache(page: PlanPage) -> str:
    if not page.cache:
        return ""
    rows = [
        (
            f"{escape(each.workload or 'all usage')}<small>{escape(each.model)}</small>",
            share(each.pays_above, 2) if each.pays_above is not None else "always",
            share(each.measured) if each.measured is not None else "not measured",
            "" if each.measured is not None else f"{share(each.low)} to {share(each.high)}",
        )
        for each in page.cache[:ROWS_MAX]
    ]  # fmt: skip
    return (
        "<h2>Prompt caching</h2>\n<p>What the input costs with a cache, as a share of what it costs without one. Where "
        "nothing was measured, the range is all that can be said: no hit rate is made up.</p>\n"
        + table(("Workload", "Pays above, of input read", "Measured", "Must lie in"), rows, numbers=3)
    )


def _where(page: PlanPage) -> str:
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
    about = (
        f"Spend a month at list price across, the discount of a direct deal upwards; with the {share(bonus, 0)} bonus. "
        "The amount is what direct deals save a month against the aggregator; empty where no vendor negotiates yet."
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

    rows = [(share(each, 0), [square(by_place[spend, each]) for spend in spends]) for each in discounts]
    columns = [short(spend, currency) for spend in spends]
    title = f"{vendors} vendor" + ("s" if vendors > 1 else "")
    assert page.where is not None
    models = ", ".join(page.where.models[:vendors])
    pictures = "\n".join(
        squares(columns, rows, name, f"Who is cheaper with {title}", "", width=width)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return f"<div><h3>{title}: {escape(models)}</h3>{pictures}</div>"


def _turned_away(page: PlanPage) -> str:
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for each in page.plan.rejected:
        reasons.setdefault((each.offer, each.why, each.relax), []).append(each.workload)
    if not reasons:
        return ""
    rows = [
        (escape(offer), escape(", ".join(dict.fromkeys(name for name in names if name)) or "all"), escape(why),
         escape(relax))
        for (offer, why, relax), names in list(reasons.items())[:ROWS_MAX]
    ]  # fmt: skip
    return "<h2>Turned away</h2>\n<p>What may not be used, and what would change that.</p>\n" + table(
        ("Offer", "For", "Because", "What would change it"), rows, numbers=0
    )


def _granted(page: PlanPage) -> str:
    found = [*page.plan.assumptions, *page.notes]
    found += [f"not searched over, but billed: {words}" for words in page.plan.simplified]
    found += [f"warning: {words}" for words in page.plan.warnings[:20]]
    items = "".join(f"<li>{escape(words)}</li>" for words in found)
    return f'<h2>Taken for granted</h2>\n<p>Each can be said otherwise.</p>\n<ul class="words">{items}</ul>'


def _footer(page: PlanPage) -> str:
    plan = page.plan
    return (
        f"<footer>\n<p>Every dollar above was rated by the same engine that checks bills; the search’s own figure is "
        f"{money(plan.search.forecast, plan.currency)}, and the bill differs from it by "
        f"{money(plan.difference, plan.currency)}.</p>\n"
        f"<p>List prices: {escape(plan.catalog_version)}, as of {plan.priced_at:%Y-%m-%d}. Solver: "
        f"{escape(plan.search.solver)}.</p>\n"
        f"<p>Run it again:</p>\n<pre><code>{escape(page.again)}</code></pre>\n</footer>"
    )


def _dollars(plan: PlanResult) -> Callable[[Decimal], str]:
    return lambda amount: money(amount, plan.currency, 0)
