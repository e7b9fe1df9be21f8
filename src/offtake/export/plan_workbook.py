"""A plan as a workbook with live formulas: finance changes demand, a discount or a commitment, and every total follows.

What the cells compute is usage × price and the shortfall of a plain commitment. Everything else that rating billed
(tiers, bonuses, overage, credits, roundings) stands as one amount an offer, as billed at today's demand, so that the
totals are those of the plan to the cent; the sheet says that this amount does not follow the inputs.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from offtake.values.counting import counted
from offtake.values.money import ZERO, divide, to_integer, total

if TYPE_CHECKING:
    from offtake.planner.offers.rerate import Billed
    from offtake.planner.offers.result import PlanResult

MILLION = 1_000_000
ACCENT, SOFT = "#B93815", "#A8A29E"
SHEETS = (
    "Answer", "Plan", "Plan usage", "Today", "Today usage", "Instead", "If demand differs", "Demand",
    "Taken for granted",
)  # fmt: skip
NEAR = Decimal("0.01")
USAGE_COLUMNS = ("Offer", "Model", "How", "What", "Tokens at today’s demand", "Price a million", "Costs")
BILL_COLUMNS = ("Offer", "Committed", "Further discount", "Usage", "Shortfall", "Fees", "Other, as billed", "Bill")
FOLLOWS = (
    "Usage follows demand and the further discount; the shortfall follows usage and what is committed.",
    "Other does not: tiers, bonuses, overage, credits and roundings stand as billed at today’s demand.",
    "The sheet If demand differs has whole bills for other demands, with everything rated.",
)
WIDTHS = {
    "Answer": (34, 22, 60), "Instead": (40, 18, 22), "If demand differs": (14, 20, 20, 20), "Demand": (10, 14, 12, 14),
    "Taken for granted": (110,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Usage of one offer at one unit price; `price` is dollars a million."""

    offer: str
    model: str
    channel: str
    meter: str
    quantity: int
    price: Decimal

    @property
    def cost(self) -> Decimal:
        """Exact."""
        return divide(self.price * self.quantity, MILLION)


@dataclass(frozen=True, slots=True)
class BillRow:
    """One offer's bill: what the cells compute and what stands as an amount. `committed` is None where no cell can."""

    offer: str
    committed: Decimal | None
    usage: Decimal
    shortfall: Decimal
    fees: Decimal
    other: Decimal

    @property
    def bill(self) -> Decimal:
        """The whole."""
        return self.usage + self.shortfall + self.fees + self.other


def usage_rows(billed: Sequence[Billed]) -> list[UsageRow]:
    """Usage lines, those of one price together."""
    found: dict[tuple[str, str, str, str, Decimal], int] = {}
    for each in billed:
        for line in each.lines:
            if line.kind == "usage":
                key = each.offer, line.model, line.channel, line.meter, line.unit_price * MILLION
                found[key] = found.get(key, 0) + to_integer(line.quantity)
    return [UsageRow(*key[:4], quantity, key[4]) for key, quantity in found.items()]


def bill_row(each: Billed, rows: Sequence[UsageRow], committed: Decimal) -> BillRow:
    """A bill in its parts; a commitment is a formula only where the formula gives what rating billed."""
    usage = total(row.cost for row in rows if row.offer == each.offer)
    fees = each.kinds.get("fee", ZERO)
    shortfall = max(ZERO, committed - usage)
    follows = bool(committed) and abs(shortfall - each.kinds.get("commitment", ZERO)) <= NEAR
    shortfall = shortfall if follows else ZERO
    return BillRow(each.offer, committed if follows else None, usage, shortfall, fees,
                   each.total - usage - shortfall - fees)  # fmt: skip


def plan_workbook(plan: PlanResult, answer: str) -> bytes:
    """The workbook as bytes; the same plan gives the same bytes."""
    import xlsxwriter

    page = io.BytesIO()
    with xlsxwriter.Workbook(page, {"in_memory": True}) as book:
        book.set_properties({"title": answer, "created": plan.priced_at.replace(tzinfo=None)})
        book.set_calc_mode("auto")
        _Writer(book, plan, answer).write()
    return page.getvalue()


class _Writer:
    """Writes the sheets; every formula carries its value for readers that do not recalculate."""

    def __init__(self, book: Any, plan: PlanResult, answer: str) -> None:
        self.book, self.plan, self.answer = book, plan, answer
        dollars = "$#,##0.00" if plan.currency == "USD" else f'#,##0.00 "{plan.currency}"'
        self.money = book.add_format({"num_format": dollars})
        self.price = book.add_format({"num_format": "0.00####"})
        self.count = book.add_format({"num_format": "#,##0"})
        self.share = book.add_format({"num_format": "0.0%"})
        self.ratio = book.add_format({"num_format": "0.00"})
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
        self.head_of_numbers = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom", "align": "right"}
        )
        self.bold = book.add_format({"bold": True})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.total = book.add_format({"bold": True, "top": 1, "num_format": dollars})
        self.soft = book.add_format({"font_color": "#57534E", "indent": 1})
        self.words = book.add_format({"text_wrap": True, "valign": "top"})
        marked = {"bg_color": "#FDF0EB", "font_color": "#1D4ED8", "border": 1, "border_color": "#E7E5E4"}
        self.input = {
            kind: book.add_format({**marked, "num_format": text})
            for kind, text in (("money", dollars), ("share", "0.0%"), ("ratio", "0.00"))
        }

    def write(self) -> None:
        """All sheets, the answer first."""
        plan = self.plan
        sheets = {name: self.book.add_worksheet(name) for name in SHEETS}
        committed = {each.offer: each.committed for each in plan.sign}
        ends = {}
        for name, billed in (("Plan", plan.billed), ("Today", plan.billed_today)):
            rows = usage_rows(billed)
            self._usage(sheets[f"{name} usage"], f"{name} usage", rows, name)
            bills = [bill_row(each, rows, committed.get(each.offer, ZERO)) for each in billed]
            ends[name] = self._bills(sheets[name], name, bills, len(rows))
        self._answer(sheets["Answer"], ends)
        self._instead(sheets["Instead"])
        self._sensitivity(sheets["If demand differs"])
        self._demand(sheets["Demand"])
        self._granted(sheets["Taken for granted"])
        for name, sheet in sheets.items():
            for column, width in enumerate(WIDTHS.get(name, ())):
                sheet.set_column(column, column, width)
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
            sheet.hide_gridlines(2)

    def _answer(self, sheet: Any, ends: dict[str, str]) -> None:
        plan = self.plan
        saved = divide(plan.saving, plan.today) if plan.today else ZERO
        when = f"over {counted(plan.months, 'month')}, {plan.today_name}"
        sheet.write(0, 0, self.answer, self.title)
        rows: Iterable[tuple[str, str, Decimal, Any, str]] = (
            ("today", f"={ends['Today']}", plan.today, self.money, when),
            ("the plan", f"={ends['Plan']}", plan.cost, self.money, "every vendor’s bill"),
            ("it saves", "=B6-B7", plan.saving, self.money, ""),
            ("as a share", "=IF(B6=0,0,B8/B6)", saved, self.share, ""),
            ("a year", f"=B8*12/{plan.months}", divide(plan.saving * 12, plan.months), self.total, ""),
        )
        sheet.write(2, 0, "Change the marked cells, here and on the sheets Plan and Today: every total follows.")
        sheet.write(3, 0, "demand, as a multiple of today’s", self.bold)
        sheet.write_number(3, 1, 1, self.input["ratio"])
        self.book.define_name("demand", "=Answer!$B$4")
        for number, (name, formula, value, form, words) in enumerate(rows, 5):
            sheet.write(number, 0, name, self.bold)
            sheet.write_formula(number, 1, formula, form, value)
            sheet.write(number, 2, words, self.soft)
        sheet.write(11, 0, f"List prices: {plan.catalog_version}")
        chart = self.book.add_chart({"type": "bar"})
        chart.add_series(
            {
                "categories": "=Answer!$A$6:$A$7", "values": "=Answer!$B$6:$B$7", "gap": 60,
                "data_labels": {"value": True, "num_format": "#,##0"},
                "points": [{"fill": {"color": SOFT}}, {"fill": {"color": ACCENT}}],
            }
        )  # fmt: skip
        chart.set_legend({"none": True})
        chart.set_title({"name": f"Cost over {counted(plan.months, 'month')}", "name_font": {"size": 12}})
        chart.set_x_axis({"min": 0, "num_format": "#,##0", "major_gridlines": {"visible": False}})
        chart.set_y_axis({"reverse": True})
        chart.set_size({"width": 720, "height": 230})
        sheet.insert_chart("A14", chart)

    def _usage(self, sheet: Any, name: str, rows: Sequence[UsageRow], bills: str) -> None:
        self._heads(sheet, USAGE_COLUMNS, 4, (24, 26, 12, 24, 22, 16, 18))
        for number, row in enumerate(rows, 1):
            for column, text in enumerate((row.offer, row.model, row.channel, row.meter)):
                sheet.write_string(number, column, text)
            sheet.write_number(number, 4, row.quantity, self.count)
            sheet.write_number(number, 5, row.price, self.price)
            formula = f"=E{number + 1}*demand*F{number + 1}/{MILLION}"
            sheet.write_formula(number, 6, formula, self.money, row.cost)

    def _bills(self, sheet: Any, name: str, bills: Sequence[BillRow], usage_count: int) -> str:
        """The bills; returns the cell of their total."""
        self._heads(sheet, BILL_COLUMNS, 1, (28, 18, 12, 18, 18, 16, 18, 18))
        usage = f"'{name} usage'!"
        last = usage_count + 1
        for number, row in enumerate(bills, 1):
            at = number + 1
            sheet.write_string(number, 0, row.offer)
            if row.committed is not None:
                sheet.write_number(number, 1, row.committed, self.input["money"])
            sheet.write_number(number, 2, 0, self.input["share"])
            formula = f"=SUMIF({usage}$A$2:$A${last},A{at},{usage}$G$2:$G${last})*(1-C{at})"
            sheet.write_formula(number, 3, formula, self.money, row.usage)
            short = f"=MAX(0,B{at}-D{at})" if row.committed is not None else "=0"
            sheet.write_formula(number, 4, short, self.money, row.shortfall)
            sheet.write_number(number, 5, row.fees, self.money)
            sheet.write_number(number, 6, row.other, self.money)
            sheet.write_formula(number, 7, f"=SUM(D{at}:G{at})", self.money, row.bill)
        end = len(bills) + 1
        sheet.write(end, 0, "all", self.bold)
        whole = total(row.bill for row in bills)
        sheet.write_formula(end, 7, f"=SUM(H2:H{max(end, 2)})" if bills else "=0", self.total, whole)
        for number, words in enumerate(FOLLOWS, end + 2):
            sheet.write(number, 0, words)
        return f"{name}!$H${end + 1}"

    def _instead(self, sheet: Any) -> None:
        self._heads(sheet, ("Instead", "Costs", "More than the plan"), 1)
        for number, each in enumerate(self.plan.alternatives, 1):
            sheet.write_string(number, 0, each.name)
            sheet.write_number(number, 1, each.cost, self.money)
            sheet.write_formula(number, 2, f"=B{number + 1}-Answer!$B$7", self.money, each.more)

    def _sensitivity(self, sheet: Any) -> None:
        """Whole bills, as rated: what the live cells are near to."""
        self._heads(sheet, ("Demand, × today’s", "Today’s way costs", "The plan costs", "It saves"), 0)
        for number, each in enumerate(self.plan.sensitivity, 1):
            sheet.write_number(number, 0, each.demand, self.ratio)
            sheet.write_number(number, 1, each.today, self.money)
            sheet.write_number(number, 2, each.plan, self.money)
            sheet.write_formula(number, 3, f"=B{number + 1}-C{number + 1}", self.money, each.today - each.plan)

    def _demand(self, sheet: Any) -> None:
        columns = ("Month", "1 of 10 below", "Middle", "1 of 10 above")
        self._heads(sheet, columns, 0)
        for number, each in enumerate(self.plan.bands, 1):
            sheet.write_number(number, 0, number)
            for column, value in enumerate((each.p10, each.p50, each.p90), 1):
                sheet.write_number(number, column, value, self.ratio)
        if not self.plan.bands:
            return
        last = len(self.plan.bands)
        chart = self.book.add_chart({"type": "line"})
        for column, color in ((1, SOFT), (2, ACCENT), (3, SOFT)):
            chart.add_series(
                {
                    "name": ["Demand", 0, column], "categories": ["Demand", 1, 0, last, 0],
                    "values": ["Demand", 1, column, last, column], "line": {"color": color, "width": 2},
                }
            )  # fmt: skip
        chart.set_title({"name": "Demand, as a multiple of today’s", "name_font": {"size": 12}})
        chart.set_y_axis({"min": 0, "num_format": "0.0"})
        sheet.insert_chart("F2", chart)

    def _granted(self, sheet: Any) -> None:
        for number, words in enumerate((*self.plan.assumptions, *self.plan.simplified, *self.plan.warnings)):
            sheet.write_string(number, 0, words, self.words)

    def _heads(self, sheet: Any, columns: Sequence[str], words: int, widths: Sequence[int] = ()) -> None:
        """The first row; the first `words` columns hold no numbers."""
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name, self.head if column < words else self.head_of_numbers)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
