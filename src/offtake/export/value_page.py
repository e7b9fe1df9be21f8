"""The value of a contract's clauses as one HTML page that needs nothing else: the answer, the tornado, the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Protocol

from offtake.export.page import NARROW, WIDE, table
from offtake.export.page import page as html_page
from offtake.export.tornado import Bar, tornado
from offtake.values.shown import money, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offtake.contract.contract import Contract
    from offtake.planner.value.situation import Case
    from offtake.planner.value.valuation import Figure, Pair, Priced, Row

BARS_MAX = 14


class Valued(Protocol):
    """What the page shows: the answer of `operations/value_contract.py`."""

    @property
    def contract(self) -> Contract: ...
    @property
    def catalog_version(self) -> str: ...
    @property
    def assumptions(self) -> Sequence[tuple[str, str]]: ...
    @property
    def cost(self) -> Figure: ...
    @property
    def rows(self) -> Sequence[Row]: ...
    @property
    def pairs(self) -> Sequence[Pair]: ...
    @property
    def sensitivities(self) -> Mapping[str, Sequence[Case]]: ...
    @property
    def package(self) -> Priced | None: ...
    @property
    def apart(self) -> Sequence[Priced]: ...
    @property
    def stances(self) -> Sequence[Priced]: ...


def value_page(found: Valued) -> str:
    """The page as HTML text."""
    signed = found.contract.signed
    headline, lead = _answer(found)
    body = (
        f'<header>\n<p class="eyebrow">{escape(signed.vendor.capitalize())} and {escape(signed.buyer)}: '
        f'{escape(signed.contract)}</p>\n<h1>{headline}</h1>\n<p class="lead">{lead}</p>\n</header>\n<main>',
        _picture(found), _changes(found), _clauses(found), _pairs(found), _cases(found), _rest(found), _assumed(found),
        "</main>",
    )  # fmt: skip
    title = f"{signed.contract}: what each clause is worth"
    return html_page(title, "\n".join(part for part in body if part), ("tornado.css",))


def _answer(found: Valued) -> tuple[str, str]:
    currency = found.contract.signed.term.currency
    cost = found.cost
    costs = (
        f"The contract costs {money(cost.mean, currency, 0)} a year; in 8 of 10 futures between "
        f"{money(cost.low, currency, 0)} and {money(cost.high, currency, 0)}."
    )
    if found.package:
        saves = found.package.value.mean
        verb = "saves" if saves >= 0 else "costs"
        return f"The change {verb} <b>{money(abs(saves), currency, 0)}</b> a year", costs
    best = next((row for row in found.rows if row.value and row.value.mean > 0), None)
    if best is None or best.value is None:
        return "No clause saves money here", costs
    amount = money(best.value.mean, currency, 0)
    words = f"<code>{escape(best.clause.path)}</code> is worth most: without it, {escape(best.off)}. {costs}"
    return f"<b>{amount}</b> a year hang on one clause", words


def _picture(found: Valued) -> str:
    bars = [
        Bar(row.clause.path, row.value.mean, row.value.low, row.value.high)
        for row in found.rows
        if row.value and (row.value.mean or row.value.high or row.value.low)
    ][:BARS_MAX]
    bars = bars or [Bar(_words(each), each.value.mean, each.value.low, each.value.high) for each in _all_changes(found)]
    if not bars:
        return ""
    words = "; ".join(f"{bar.name} {money(bar.mean)}" for bar in bars)
    currency = found.contract.signed.term.currency
    charts = "\n".join(
        tornado(bars, name, "Worth a year", words, width=width, currency=currency)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return (
        "<h2>What it is worth a year</h2>\n<p>A bar is the mean of all futures; the line spans 8 of 10. Left of zero "
        f"a clause costs the buyer money.</p>\n<figure>{charts}</figure>"
    )


def _all_changes(found: Valued) -> list[Priced]:
    return [*([found.package] if found.package else []), *found.apart, *found.stances]


def _changes(found: Valued) -> str:
    every = _all_changes(found)
    if not every:
        return ""
    currency = found.contract.signed.term.currency
    rows = [(escape(_words(each)), escape(each.name), *_amounts(each.value, currency)) for each in every]
    return _table(
        "Changes", "A package is priced whole: its parts need not add up.",
        ("Change", "As", "Saves a year", "8 of 10 futures", "± error"), rows, numbers=3,
    )  # fmt: skip


def _clauses(found: Valued) -> str:
    currency = found.contract.signed.term.currency
    rows = [
        (
            f"<code>{escape(row.clause.path)}</code>"
            + (f"<small>{escape(row.clause.source)}</small>" if row.clause.source else ""),
            escape(row.reason or row.off), *_amounts(row.value, currency), share(row.share),
        )
        for row in found.rows
        if row.value
    ]  # fmt: skip
    if not rows:
        return ""
    return _table(
        "Clause by clause", "The bill without the clause, less the bill with it, on the same futures.",
        ("Clause", "Without it", "Worth a year", "8 of 10 futures", "± error", "Share"), rows, numbers=4,
    )  # fmt: skip


def _pairs(found: Valued) -> str:
    currency = found.contract.signed.term.currency
    rows = [
        (
            f"<code>{escape(pair.first)}</code> and <code>{escape(pair.second)}</code>",
            *(money(each, currency, 0) for each in (pair.together.mean, pair.apart, pair.overlap)),
        )
        for pair in found.pairs
    ]
    if not rows:
        return ""
    return _table(
        "Values do not add up",
        "Two clauses that protect against one thing share its worth: the clauses worth most, two by two, and the right "
        "to leave with price drops where the contract has both.",
        ("Clauses", "Together", "Sum alone", "Overlap"), rows, numbers=3,
    )  # fmt: skip


def _cases(found: Valued) -> str:
    currency = found.contract.signed.term.currency
    rows = [
        (
            f"<code>{escape(path)}</code>",
            escape(case.assumption),
            escape(case.value),
            money(case.worth.mean, currency, 0),
        )
        for path, cases in found.sensitivities.items()
        for case in cases
    ]
    if not rows:
        return ""
    return _table(
        "What the assumptions do", "The same clauses where one assumption is another, on the first futures.",
        ("Clause", "Assumption", "At", "Worth a year"), rows, numbers=1,
    )  # fmt: skip


def _rest(found: Valued) -> str:
    rows = [
        (
            f"<code>{escape(row.clause.path)}</code>",
            "needs" if row.clause.status != "not_priceable" else "no price", escape(row.reason),
        )
        for row in found.rows
        if not row.value
    ]  # fmt: skip
    if not rows:
        return ""
    words = "A clause without a price is not a clause without worth."
    return _table("Without a price", words, ("Clause", "", "Why"), rows, numbers=0)


def _assumed(found: Valued) -> str:
    rows = [(escape(name), escape(words)) for name, words in found.assumptions]
    rows.append(("list prices", escape(found.catalog_version)))
    return _table("Taken to be so", "Each can be said otherwise on the command line.", ("What", "How"), rows, numbers=0)


def _amounts(figure: Figure, currency: str) -> tuple[str, str, str]:
    span = f"{money(figure.low, currency, 0)} to {money(figure.high, currency, 0)}"
    return money(figure.mean, currency, 0), span, money(figure.standard_error, currency, 0)


def _words(priced: Priced) -> str:
    return "; ".join(str(edit) for edit in priced.edits)


def _table(title: str, words: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> str:
    """A part of the page that is a table; its last `numbers` columns are numbers."""
    return f"<h2>{title}</h2>\n<p>{words}</p>\n{table(columns, rows, numbers=numbers)}"
