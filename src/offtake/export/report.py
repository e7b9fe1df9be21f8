"""The report of a bill: one HTML page that needs nothing else, prints well, and says the answer first.

Overbilled dollars, the claims that they are made of, the commitment as a chart, what each lever is worth, one line
derived, then every difference as evidence. Plain HTML and CSS: no script, no font, no address of anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

from offtake.assurance.difference import Claim, Difference, Reconciliation
from offtake.assurance.next_dates import NextDate
from offtake.assurance.status import CommitmentStatus
from offtake.export.charts import Drawdown, drawdown_chart
from offtake.export.page import page as html_page
from offtake.export.words import MONTHS, claim_days, claim_words, day_words, meter_words
from offtake.rating.lines import Line
from offtake.values.counting import counted
from offtake.values.errors import Place
from offtake.values.money import ZERO, divide, quantize
from offtake.values.shown import money, share

ONE_DAY = timedelta(days=1)
WIDE, NARROW = (960, 380), (390, 330)


@dataclass(frozen=True, slots=True)
class Lever:
    """The month's tokens in one configuration."""

    name: str
    what: str
    total: Decimal


@dataclass(frozen=True, slots=True)
class Derived:
    """A line and its derivation: (clause, what it did, paper) steps."""

    line: Line
    steps: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """What the report shows. `draws` is what each day drew from the commitment; `again` the command that repeats it."""

    buyer: str
    vendor: str
    zone: ZoneInfo
    at: datetime
    compared: Reconciliation
    commitment: CommitmentStatus
    draws: Mapping[date, Decimal]
    dates: Sequence[NextDate]
    levers: Sequence[Lever]
    derived: Derived
    again: str


def report(page: Page) -> str:
    """The page as HTML text."""
    found = page.compared
    title = f"Overbilled {money(found.overbilled, found.currency)}" if found.overbilled else "The bill is right"
    body = (_answer(page), _claims(page), _commitment(page), _levers(page), _derivation(page), _evidence(page))
    return html_page(f"{title} · {found.contract}", "\n".join((*body, _footer(page))))


def _answer(page: Page) -> str:
    found = page.compared
    over = [claim for claim in found.claims if claim.amount > 0]
    headline = f"Overbilled <b>{money(found.overbilled, found.currency)}</b>" if over else "The bill is right"
    period = _period(found.from_, found.until)
    words = f"The bill asks {money(found.theirs, found.currency)}; your usage under the contract comes to "
    words += f"{money(found.ours, found.currency)}."
    if over:
        count = "One claim" if len(over) == 1 else f"{_number(len(over))} claims"
        words += f" {count}, each with its clause and its evidence."
    if found.underbilled:
        words += f" The bill also forgot {money(found.underbilled, found.currency)}."
    dispute = next((each for each in page.dates if each.clause == "payment.dispute_within"), None)
    if over and dispute:
        at = dispute.at.astimezone(page.zone)
        words += f" The last day to dispute it is <strong>{day_words(at.date())} {at.year}</strong>."
    whose = f"{escape(page.vendor.capitalize())}’s bill to {escape(page.buyer)}, {period}"
    return (
        f'<header>\n<p class="eyebrow">{whose}</p>\n<h1>{headline}</h1>\n<p class="lead">{words}</p>\n</header>\n<main>'
    )


def _claims(page: Page) -> str:
    found = page.compared
    if not found.claims:
        return "<h2>Nothing differs</h2><p>Every row of the bill is what the contract gives.</p>"
    most = max(abs(claim.amount) for claim in found.claims)
    rows = "\n".join(_claim_row(number, claim, most, found) for number, claim in enumerate(found.claims, 1))
    return f"""<h2>What the bill gets wrong</h2>
<p>The largest first. The number leads to the evidence, day by day.</p>
<table class="claims stack">
<caption>Claims against the bill</caption>
<thead><tr><th scope="col">Claim</th><th scope="col">Clause</th><th scope="col">When</th>
<th scope="col" class="n">Overbilled</th></tr></thead>
<tbody>
{rows}
</tbody>
<tfoot><tr><th scope="row" colspan="3">Net of all claims</th>
<td class="n last">{money(found.overbilled - found.underbilled, found.currency)}</td></tr></tfoot>
</table>"""


def _claim_row(number: int, claim: Claim, most: Decimal, found: Reconciliation) -> str:
    first = claim.first
    meters = ", ".join(meter_words(meter) for meter in claim.meters)
    clause = f"{escape(first.source)}<small><code>{escape(first.clause)}</code></small>" if first.source else (
        f"<code>{escape(first.clause)}</code>"
    )  # fmt: skip
    name = escape(first.model or first.channel)
    return (
        f'<tr><th scope="row">{number}. <a href="#claim-{number}">{name}: {escape(claim_words(claim))}</a>'
        f'{_bar(abs(claim.amount), most)}</th><td class="wide">{clause}</td>'
        f'<td class="wide">{claim_days(claim)}<small>{escape(meters)}</small></td>'
        f'<td class="n last">{money(claim.amount, found.currency)}</td></tr>'
    )


def _commitment(page: Page) -> str:
    each = page.commitment
    last = each.window.end.astimezone(page.zone).date()
    rows = _figure_rows(page, last)
    figures = "\n".join(
        f"<div><dt>{name}</dt><dd>{value}<small>{words}</small></dd></div>" for name, value, words in rows
    )
    title, words = "The commitment, drawn day by day", _chart_words(page)
    data = _drawdown(page)
    charts = "\n".join(
        drawdown_chart(data, name, title, words, width=width, height=height)
        for name, (width, height) in (("wide", WIDE), ("narrow", NARROW))
    )
    return f"""<h2>Where the commitment stands</h2>
<p>{escape(words)}</p>
<dl class="figures">
{figures}
</dl>
<figure>
{charts}
<details><summary>The chart as a table</summary><div class="scroll">{_drawn_table(page, data)}</div></details>
</figure>"""


def _figure_rows(page: Page, last: date) -> list[tuple[str, str, str]]:
    each = page.commitment
    gone = f"{share(each.drawn_share or ZERO)} of it, in {share(each.time_share)} of the time"
    rows = [
        ("Committed", _amount(each.committed, each), f"until {day_words(last)} {last.year}"),
        ("Drawn", _amount(each.drawn, each), gone),
        ("Left", _amount(each.left, each), f"pace {quantize(each.pace, 2)} × an even draw" if each.pace else ""),
    ]  # fmt: skip
    if each.projection and each.projection.shortfall.mid:
        span = each.projection.cost
        rows.append(("Projected shortfall", _dollars(span.mid), f"80%: {_dollars(span.low)} to {_dollars(span.high)}"))
    elif each.projection and each.projection.overage.mid:
        over = each.projection.overage
        span_words = f"80%: {_amount(over.low, each)} to {_amount(over.high, each)}"
        rows.append(("Projected beyond it", _amount(over.mid, each), span_words))
    return rows


def _chart_words(page: Page) -> str:
    each = page.commitment
    if each.projection is None:
        return f"{_amount(each.drawn, each)} of {_amount(each.committed, each)} is drawn."
    end, short, over = each.projection.drawn, each.projection.shortfall.mid, each.projection.overage.mid
    words = f"If usage goes on at its level ({each.projection.level}), it reaches {_amount(end.mid, each)}"
    if short:
        return f"{words}: {_amount(short, each)} short of what was promised. Take or pay: a shortfall is paid."
    return f"{words}: {_amount(over, each)} beyond what was promised." if over else f"{words}: what was promised."


def _drawdown(page: Page) -> Drawdown:
    each = page.commitment
    first, until = (at.astimezone(page.zone).date() for at in (each.window.start, each.window.end))
    points, sum_so_far, day = [(first, ZERO)], ZERO, first
    while day < page.at.astimezone(page.zone).date():
        sum_so_far += page.draws.get(day, ZERO)
        day += ONE_DAY
        points.append((day, sum_so_far))
    end = each.projection.drawn if each.projection else None
    return Drawdown(
        first, until, each.committed, points, (end.low, end.mid, end.high) if end else None,
        "$" if each.unit == "USD" else "",
    )  # fmt: skip


def _drawn_table(page: Page, data: Drawdown) -> str:
    """By week: what an even draw would be, and what was drawn."""
    each, days = page.commitment, (data.until - data.first).days
    rows = [
        (day, divide(data.committed * (day - data.first).days, days), drawn)
        for day, drawn in data.drawn[1:]
        if (day - data.first).days % 7 == 0 or day == data.drawn[-1][0]
    ]
    body = "".join(
        f'<tr><th scope="row">before {day_words(day)}</th><td class="n">{_amount(even, each)}</td>'
        f'<td class="n">{_amount(drawn, each)}</td></tr>'
        for day, even, drawn in rows
    )
    return (
        '<table><caption>Drawn of the commitment, by week</caption><thead><tr><th scope="col">Day</th>'
        '<th scope="col" class="n">Even draw</th><th scope="col" class="n">Drawn</th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _levers(page: Page) -> str:
    public = page.levers[0].total
    currency = page.compared.currency
    rows = "\n".join(
        f'<tr><th scope="row">{escape(lever.name)}{_bar(lever.total, public, index < len(page.levers) - 1)}</th>'
        f'<td class="wide soft">{escape(lever.what)}</td><td class="n last">{money(lever.total, currency)}</td>'
        f'<td class="n aside">{share(divide(public - lever.total, public)) if index else ""}</td></tr>'
        for index, lever in enumerate(page.levers)
    )
    return f"""<h2>What each lever is worth</h2>
<p>The tokens of this period, priced again as if they had been run otherwise: usage alone, before commitments and fees.
Cache and batch are taken at each model’s average share, so the last row is near the invoice and not equal to it.</p>
<table class="levers stack">
<caption>The same tokens in each configuration</caption>
<thead><tr><th scope="col">Configuration</th><th scope="col">What it means</th><th scope="col" class="n">Total</th>
<th scope="col" class="n">Below list</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>"""


def _derivation(page: Page) -> str:
    line = page.derived.line
    steps = "\n".join(_step(*step) for step in page.derived.steps)
    return f"""<h2>One line, explained</h2>
<p>{escape(line.model)}, {escape(meter_words(line.meter))}: {_whole(line.quantity)} tokens,
{money(line.amounts.contracted, page.compared.currency)}.</p>
<ol class="steps">
{steps}
</ol>"""


def _step(clause: str, what: str, paper: str) -> str:
    by = f"<code>{escape(clause)}</code>" + (f" · {escape(paper)}" if paper else "")
    return f"<li><div>{escape(what)}<small>{by}</small></div></li>"


def _evidence(page: Page) -> str:
    found = page.compared
    words = "Every difference of every claim: what the bill asks, and what the contract gives."
    parts = [f'<h2 class="evidence">Evidence</h2>\n<p>{words}</p>'] if found.claims else []
    for number, claim in enumerate(found.claims, 1):
        rows = "\n".join(_difference_row(each, found.currency) for each in sorted(claim.differences, key=_by_day))
        first = claim.first
        place = f" · {_place(first.place)}" if first.place else ""
        place += f" · first on the bill at {_place(first.row)}" if first.row else ""
        parts.append(f"""<details{" open" if number == 1 else ""}>
<summary>{number}. {escape(first.model)}: {escape(claim_words(claim))}, {money(claim.amount, found.currency)}</summary>
<p class="soft" id="claim-{number}">{escape(first.why)}<br><code>{escape(first.clause)}</code>{escape(place)}</p>
<div class="scroll"><table><caption>Claim {number}: its differences by day</caption>
<thead><tr><th scope="col">Day</th><th scope="col">Meter</th><th scope="col" class="n">Tokens billed</th>
<th scope="col" class="n">Tokens due</th><th scope="col" class="n">Billed at, a million</th>
<th scope="col" class="n">Contract, a million</th><th scope="col" class="n">Difference</th></tr></thead>
<tbody>
{rows}
</tbody></table></div></details>""")
    return "\n".join(parts) + "\n</main>"


def _difference_row(each: Difference, currency: str) -> str:
    cells = [
        _whole(each.theirs_quantity), _whole(each.ours_quantity), _price(each.theirs_unit_price),
        _price(each.ours_unit_price), money(each.amount, currency),
    ]  # fmt: skip
    numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells)
    return f'<tr><th scope="row">{day_words(each.start)}</th><td>{escape(meter_words(each.meter))}</td>{numbers}</tr>'


def _footer(page: Page) -> str:
    found = page.compared
    return f"""<footer>
<p>Compared {counted(found.bill.rows, "row")} of the bill with {counted(found.control.records, "row")} of usage:
{found.matched:,} of {found.cells:,} cells are equal.
Fair rounding of the bill’s own rows: {money(found.rounding, found.currency)}.</p>
<p>Contract {escape(found.contract)}, sha256 {escape(found.contract_hash)}.
List prices: {escape(found.catalog_version)}.</p>
<p>Run it again:</p>
<pre><code>{escape(page.again)}</code></pre>
</footer>"""


def _bar(value: Decimal, most: Decimal, plain: bool = False) -> str:
    """A bar of the value's share of the most; decoration: the number stands beside it."""
    width = quantize(divide(value * 100, most), 1) if most else ZERO
    return f'<span class="bar{" plain" if plain else ""}" style="width:{width}%" aria-hidden="true"></span>'


def _amount(value: Decimal, each: CommitmentStatus) -> str:
    return f"{_whole(value)} tokens" if each.unit == "token" else money(value, each.unit)


def _dollars(value: Decimal) -> str:
    return money(value, places=0)


def _whole(value: Decimal | int | None) -> str:
    return "" if value is None else f"{quantize(Decimal(value), 0):,f}"


def _price(value: Decimal | None) -> str:
    if value is None:
        return ""
    price = value * 10**6
    return f"${max(price.normalize(), quantize(price, 2), key=_places):f}"


def _places(value: Decimal) -> int:
    return -int(value.as_tuple().exponent)


def _place(place: Place) -> str:
    """The file's name without its folder, with line and column."""
    return str(place).rpartition("/")[2]


def _by_day(each: Difference) -> tuple[date, str]:
    return each.start, each.meter


def _period(first: date, until: date) -> str:
    """`January 2026`, or two dates."""
    last = until - ONE_DAY
    if first.day == 1 and until.day == 1 and (first.year, first.month) == (last.year, last.month):
        return f"{MONTHS[first.month - 1]} {first.year}"
    return f"{day_words(first)} {first.year} to {day_words(last)} {last.year}"


def _number(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[count] if count < len(words) else f"{count:,}"
