"""The routing question as a picture and as one HTML page that needs nothing else: the answer first, then the front."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from html import escape
from importlib.resources import files

from offtake.export.front_chart import Dot, front_chart
from offtake.export.page import page as html_page
from offtake.planner.routing.choose import Choice, Judged
from offtake.planner.routing.confidence import decimal_of
from offtake.planner.routing.recheck import Recheck
from offtake.values.counting import counted
from offtake.values.errors import InputError
from offtake.values.shown import money, share

WIDE, NARROW = (960, 520), (390, 420)
COST_PLACES = 24  # the place of a dot, also of the cheapest task


def picture(choice: Choice, unit: str = "task") -> str:
    """The front as an SVG file of its own; `unit` has a cost each. InputError where no model has a cost."""
    drawn = _chart(choice, "wide", WIDE, unit)
    opening, rest = drawn.split(">", 1)
    return f'{opening} width="{WIDE[0]}" height="{WIDE[1]}">\n<style>\n{_css("routing.css")}</style>\n{rest}\n'


def page(choice: Choice, recheck: Recheck | None, reasons: Mapping[str, str], unit: str = "task") -> str:
    """The page as HTML text."""
    headline, lead = _answer(choice, unit)
    charts = "\n".join(_chart(choice, name, size, unit) for name, size in (("wide", WIDE), ("narrow", NARROW)))
    body = (
        f'<header>\n<p class="eyebrow">{escape(choice.suite)}, floor {_percent(choice.floor)}</p>\n'
        f'<h1>{headline}</h1>\n<p class="lead">{lead}</p>\n</header>\n<main>',
        f"<h2>What each score costs</h2>\n<p>The line joins the models that nothing beats. A whisker ends at what "
        f"the run proves{_sure(choice)}.</p>\n<figure>{charts}</figure>",
        _table(choice, unit),
        _again(choice, recheck) if recheck else "",
        _apart(choice, reasons) if choice.not_comparable else "",
        "</main>",
    )
    title = f"{choice.chosen.run.name if choice.chosen else 'No model passes'} · {choice.suite}"
    return html_page(title, "\n".join(body), ("routing.css",))


def _answer(choice: Choice, unit: str) -> tuple[str, str]:
    best, models = choice.chosen, counted(len(choice.judged), "model")
    if best is None:
        return "No model passes", f"None of {models} proves {_percent(choice.floor)}{_sure(choice)}."
    scored = f"{share(decimal_of(best.run.score))} of {counted(best.run.tasks, 'task')}"
    words = f"The cheapest of {models} that passes {_percent(choice.floor)}{_sure(choice)}: {scored}, "
    words += f"{_thousand(best)} per 1,000 {unit}s."
    over = choice.passed_over
    if over:
        nearest = min(over, key=lambda each: each.tasks_needed or 0)
        name, scored = escape(nearest.run.name), share(decimal_of(nearest.run.score))
        if len(over) == 1:
            words += f" {name} is cheaper and scores {scored}, on too few tasks to prove it: "
            words += f"{nearest.tasks_needed:,} at that score would."
        else:
            words += f" {len(over)} cheaper models score enough, on too few tasks to prove it; "
            words += f"the nearest, {name} ({scored}), needs {nearest.tasks_needed:,} tasks at that score."
    return f"Route to <b>{escape(best.run.name)}</b>", words


def _table(choice: Choice, unit: str) -> str:
    rows = "\n".join(
        f'<tr><td class="n">{number}</td><th scope="row">{escape(each.run.name)}</th>'
        f'<td class="n">{share(decimal_of(each.run.score))}</td><td class="n aside">{share(each.lower)}</td>'
        f'<td class="n aside">{each.run.tasks:,}</td><td class="n">{_thousand(each)}</td>'
        f"<td>{_verdict(each, choice)}</td></tr>"
        for number, each in enumerate(choice.front, 1)
    )
    return f"""<h2>The front</h2>
<p>Every other model costs more and scores no more than one of these.</p>
<div class="scroll"><table class="front-table">
<thead><tr><th scope="col" class="n"></th><th scope="col">Model</th><th scope="col" class="n">Score</th>
<th scope="col" class="n aside">At least</th><th scope="col" class="n aside">Tasks</th>
<th scope="col" class="n">Per 1,000 {unit}s</th><th scope="col">Verdict</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>"""


def _again(choice: Choice, check: Recheck) -> str:
    floor = share(decimal_of(choice.floor) - check.margin)
    return f"""<h2>Check it again</h2>
<p>A suite is not the traffic, and a model can change behind its name.</p>
<dl class="figures">
<div><dt>Holds until</dt><dd>{check.until}<small>or until the model changes</small></dd></div>
<div><dt>Live samples</dt><dd>{check.samples:,}<small>graded as the suite is, prove {floor} or more</small></dd></div>
<div><dt>Withdraw at</dt><dd>{check.withdraw_at:,}<small>passes of them, or fewer</small></dd></div>
<div><dt>Drift below</dt><dd>{share(check.drift_below)}<small>the traffic is not like the suite</small></dd></div>
</dl>"""


def _apart(choice: Choice, reasons: Mapping[str, str]) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{escape(each.run.name)}</th><td class="n">{share(decimal_of(each.run.score))}</td>'
        f"<td>{escape(reasons.get(each.run.name, ''))}</td></tr>"
        for each in choice.not_comparable
    )
    return f"""<h2>Not comparable</h2>
<p>What has no cost cannot be the cheapest of anything: unpriced is not free.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Model</th><th scope="col" class="n">Score</th><th scope="col">Why</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>"""


def _chart(choice: Choice, name: str, size: tuple[int, int], unit: str) -> str:
    dots = [
        Dot(each.run.name, decimal_of(cost, COST_PLACES), decimal_of(each.run.score), each.lower, each.on_front,
            each is choice.chosen)
        for each in choice.judged if (cost := each.run.cost_per_task) is not None
    ]  # fmt: skip
    if not dots:
        raise InputError("P638", "no model has a cost, so there is nothing to draw", hint="give costs, or use --price")
    title = f"Score and cost of {counted(len(dots), 'model')} on {choice.suite}"
    front = (f"{each.run.name} {share(decimal_of(each.run.score))} at {_thousand(each)}" for each in choice.front)
    words = f"Score, and cost of 1,000 {unit}s: {'; '.join(front)}"
    return front_chart(dots, decimal_of(choice.floor), name, title, words, width=size[0], height=size[1], unit=unit)


def _verdict(each: Judged, choice: Choice) -> str:
    if each is choice.chosen:
        return "<strong>chosen</strong>"
    if each.passes:
        return "passes"
    return "not proven" if each.tasks_needed is not None else "below the floor"


def _thousand(each: Judged) -> str:
    cost = each.run.cost_per_task
    return "" if cost is None else money(decimal_of(cost * 1000))


def _percent(value: Fraction) -> str:
    return share(decimal_of(value), 1 if (value * 100).denominator > 1 else 0)


def _sure(choice: Choice) -> str:
    return f" with {share(choice.confidence, 0)} confidence" if choice.confidence > Decimal(0) else ""


def _css(name: str) -> str:
    return files("offtake.export").joinpath(name).read_text(encoding="utf-8")
