"""A plan as one HTML page that needs nothing else: the answer first, then what it rests on, with pictures.

It works offline and prints well: no script, no font, no address of anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from offtake.export.page import NARROW, WIDE, table
from offtake.export.page import page as html_page
from offtake.export.plan_charts import Rung, waterfall
from offtake.export.plan_sections import crossover, demand, prompt_caching, sensitivity, worth_of_clauses
from offtake.values.counting import counted
from offtake.values.money import ZERO, divide
from offtake.values.shown import money, share

if TYPE_CHECKING:
    from offtake.export.plan_contents import PlanPage
    from offtake.planner.offers.result import PlanResult, Sent, Signed

ROWS_MAX = 60
NAMES_MAX = 4
WARNINGS_MAX = 20
NO_GAP = Decimal("0.00005")


def plan_page(page: PlanPage) -> str:
    """The page as HTML text."""
    sections: tuple[Callable[[PlanPage], str], ...] = (
        _answer, _waterfall, _routes, demand, _instead, sensitivity, worth_of_clauses, prompt_caching, crossover,
        _turned_away, _granted,
    )  # fmt: skip
    body = "\n".join(part for section in sections if (part := section(page)))
    return html_page(page.answer, f"{body}\n</main>\n{_footer(page)}", ("tornado.css", "plan.css"))


def _answer(page: PlanPage) -> str:
    plan, dollars = page.plan, _dollars(page.plan)
    saved = divide(plan.saving * 12, plan.months)
    if saved > 0:
        headline = f"Save <b>{dollars(saved)}</b> a year"
    else:
        headline = f"Costs <b>{dollars(-saved)}</b> a year more" if saved < 0 else "Stay as you are"
    steps = "\n".join(f"<li>{words}</li>" for words in _steps(plan))
    about = [f"Taken for granted: {words}" for words in plan.assumptions[:1]]
    about += [f"Left out: {words}" for words in plan.warnings[:1]]
    scale = "".join(f'<p class="soft">{escape(words)}.</p>\n' for words in about)
    return (
        f'<header>\n<p class="eyebrow">{escape(page.usage)}</p>\n<h1>{headline}</h1>\n<p class="lead">{_lead(plan)}'
        f'</p>\n<ul class="do">\n{steps}\n</ul>\n{scale}</header>\n<main>'
    )


def _lead(plan: PlanResult) -> str:
    """What is paid today and under the plan, how near to the best that is, and when it would lose money."""
    dollars = _dollars(plan)
    futures = f", on {plan.search.paths:,} drawn futures" if plan.search.paths > 1 else ""
    months = counted(plan.months, "month")
    today = f"{dollars(plan.today)} over {months} as it is bought now ({escape(plan.today_name)})"
    if plan.saving:
        less = "less" if plan.saving > 0 else "more"
        part = f", {share(divide(abs(plan.saving), plan.today))} {less}" if plan.today else ""
        words = [f"{today}; {dollars(plan.cost)} with this plan{part}."]
    else:
        words = [f"{today}; nothing on the table costs less{futures}."]
    near = f"at most {share(plan.search.gap, 2)} from the best possible{futures}."
    if plan.search.stopped:
        words.append(f"The search was stopped: this is its best plan so far, {near}")
    elif plan.search.gap > NO_GAP:
        words.append(f"It is {near}")
    elif plan.saving:
        words.append(f"No other choice among these offers costs less{futures}.")
    if plan.saving > 0:
        for moves in ("falls", "grows"):
            losing = [
                each for each in plan.sensitivity if each.plan > each.today and (each.demand > 1) == (moves == "grows")
            ]
            if losing:
                nearest = min(losing, key=lambda each: abs(each.demand - 1))
                words.append(
                    f"<strong>It loses money if demand {moves}</strong>: at {_times(nearest.demand)} today’s, "
                    f"{dollars(nearest.plan - nearest.today)}."
                )
    return " ".join(words)


def _times(factor: Decimal) -> str:
    return f"{factor.normalize():f} ×"


def _steps(plan: PlanResult) -> Iterable[str]:
    """What to do, in order: what to sign, what to send where."""
    for each in plan.sign:
        yield _to_sign(each, plan)
    if not plan.sign:
        signable = any(each.name.startswith("sign ") for each in plan.alternatives)
        usage = "over the drawn futures" if plan.search.paths > 1 else "on this usage"
        why = f"No signature on the table pays {usage}." if signable else "Nothing here needs a signature."
        yield f"<strong>Sign nothing.</strong> {why}"
    for offer in dict.fromkeys(each.offer for each in plan.route):
        rows = [each for each in _largest_first(plan.route) if each.offer == offer]
        moved = [each for each in rows if each.way.model != each.today]
        batch = [each for each in rows if each.way.channel == "batch" != each.channel_today]
        what = "everything" if len(rows) == len(plan.route) else _named(rows, plan)
        words = f"<strong>Buy {what} under {escape(offer)}.</strong>"
        if batch:
            words += f" Move to batch: {_named(batch, plan)}."
        if moved:
            models = [f"{escape(each.workload or 'all usage')} to {escape(each.way.model)}" for each in moved]
            words += f" Change the model: {_listed(models)}."
        yield words


def _to_sign(each: Signed, plan: PlanResult) -> str:
    dollars = _dollars(plan)
    promise = f" and commit {dollars(each.committed)}" if each.committed else ""
    fees = f", {'all' if each.fees == each.billed else dollars(each.fees)} of it fees" if each.fees else ""
    return (
        f"<strong>Sign {escape(each.level)}{promise}</strong>: its bill is {dollars(each.billed)} over "
        f"{counted(plan.months, 'month')}{fees}."
    )


def _named(rows: Sequence[Sent], plan: PlanResult) -> str:
    """The workloads of these rows; of one that goes elsewhere too, which part of it and how much."""
    names = []
    for each in rows:
        name, all_of_it = each.workload or "all usage", [row for row in plan.route if row.workload == each.workload]
        if any(row not in rows for row in all_of_it):
            if len({row.can_wait for row in all_of_it}) > 1:
                name += " that can wait" if each.can_wait else " that cannot wait"
            name = name if each.share == 1 else f"{share(each.share)} of {name}"
        names.append(escape(name))
    return _listed(list(dict.fromkeys(names)))


def _listed(names: Sequence[str]) -> str:
    """a, b and c; a long list is cut and counted."""
    shown = [*names[:NAMES_MAX], *([f"{len(names) - NAMES_MAX} more"] if len(names) > NAMES_MAX else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _waterfall(page: PlanPage) -> str:
    plan = page.plan
    if not plan.saving or not plan.waterfall:
        return ""
    rungs = [Rung(plan.waterfall[0].name, ZERO, plan.waterfall[0].cost, True)]
    rungs += [Rung(step.name, step.cost + step.saving, step.cost, False) for step in plan.waterfall[1:]]
    rungs.append(Rung("the plan", ZERO, plan.cost, True))
    words = "; ".join(f"{step.name}: {money(step.cost, plan.currency, 0)} left to pay" for step in plan.waterfall)
    pictures = "\n".join(
        waterfall(rungs, name, "From today’s bill to the plan’s", words, width=width, currency=plan.currency)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return (
        "<h2>Where the saving comes from</h2>\n"
        f"<p>Each step is a bill of its own, over {counted(plan.months, 'month')}.</p>\n<figure>{pictures}</figure>"
    )


def _routes(page: PlanPage) -> str:
    plan = page.plan
    rows = [
        (
            escape(each.workload or "all usage") + ("<small>can wait a day</small>" if each.can_wait else ""),
            escape(each.offer), _changed(each.way.model, each.today),
            _changed("reserved" if each.reserved else each.way.channel, each.channel_today),
            "all" if each.share == 1 else share(each.share), money(each.month, plan.currency, 0),
        )
        for each in _largest_first(plan.route)[:ROWS_MAX]
    ]  # fmt: skip
    more = f"<p>… and {len(plan.route) - ROWS_MAX:,} more.</p>" if len(plan.route) > ROWS_MAX else ""
    words = "The largest first, at the rate card, before commitments and fees. A new model or way is marked."
    columns = ("Workload", "Buy under", "Model", "How", "Share", "A month")
    return f"<h2>What goes where</h2>\n<p>{words}</p>\n{table(columns, rows, numbers=2)}{more}"


def _largest_first(route: Sequence[Sent]) -> list[Sent]:
    return sorted(route, key=lambda each: each.month, reverse=True)


def _changed(to: str, before: str) -> str:
    if to == before:
        return escape(to)
    return f'<span><span class="changed">{escape(to)}</span><small>today {escape(before)}</small></span>'


def _instead(page: PlanPage) -> str:
    plan = page.plan
    if not plan.alternatives:
        return ""
    rows = [
        (escape(each.name), money(each.cost, plan.currency, 0), money(each.more, plan.currency, 0))
        for each in plan.alternatives
    ]
    about = "Each alternative re-rated on the same usage."
    if any(each.more < 0 for each in plan.alternatives):
        about += f" What costs less here costs more on the {plan.search.paths:,} drawn futures."
    bound = "".join(f"<li><b>{escape(name)}</b> {escape(words)}</li>" for name, words in plan.binding.items())
    return (
        "<h2>Why not the others</h2>\n<p>"
        + about
        + "</p>\n"
        + table(("Instead", "Costs", "More than the plan"), rows, numbers=2)
        + (f'\n<h3>What holds each vendor</h3>\n<ul class="words">{bound}</ul>' if bound else "")
    )


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
    found += [f"simpler in the search than in the bill: {words}" for words in page.plan.simplified]
    found += [f"warning: {words}" for words in page.plan.warnings[:WARNINGS_MAX]]
    items = "".join(f"<li>{escape(words)}</li>" for words in found)
    return f'<h2>Taken for granted</h2>\n<p>Each can be said otherwise.</p>\n<ul class="words">{items}</ul>'


def _footer(page: PlanPage) -> str:
    plan = page.plan
    apart = money(abs(plan.difference), plan.currency)
    more = "more" if plan.difference > 0 else "less"
    differs = "the same" if apart == money(ZERO, plan.currency) else f"{apart} {more}"
    return (
        f"<footer>\n<p>Every dollar above was rated by the same engine that checks bills; the search’s own figure is "
        f"{money(plan.search.forecast, plan.currency)}, and the bill is {differs}.</p>\n"
        f"<p>List prices: {escape(plan.catalog_version)}. Solver: {escape(plan.search.solver)}.</p>\n"
        f"<p>Run it again:</p>\n<pre><code>{escape(page.again)}</code></pre>\n</footer>"
    )


def _dollars(plan: PlanResult) -> Callable[[Decimal], str]:
    return lambda amount: money(amount, plan.currency, 0)
