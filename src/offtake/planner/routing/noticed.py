"""What a reader notices: problems are collected, each with its place, so that one run shows all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from offtake.planner.routing.evaluation import TOKEN_METERS, Item
from offtake.usage import fields
from offtake.values.errors import Finding, InputError, Place

_PASSED, _FAILED = ("true", "pass", "passed", "yes"), ("false", "fail", "failed", "no")
_GRADES = {"C": Fraction(1), "P": Fraction(1, 2), "I": Fraction(0), "N": Fraction(0)}


@dataclass(slots=True)
class Noticed:
    """Findings so far. A reader that meets a problem gives None for the value and goes on."""

    findings: list[Finding] = field(default_factory=list)
    _scores: dict[tuple[str, bool], Fraction] = field(default_factory=dict)  # a million tasks have few distinct scores

    def error(self, code: str, what: str, where: Place, *, why: str = "", hint: str = "") -> None:
        """Something that ends the run when all files are read."""
        self.findings.append(Finding(code, "error", what, where=where, why=why, hint=hint))

    def warning(self, code: str, what: str, where: Place, *, why: str = "", hint: str = "") -> None:
        """Something that the reader of the answer must know."""
        self.findings.append(Finding(code, "warning", what, where=where, why=why, hint=hint))

    def score(self, value: Any, where: Place, *, percent: bool = False) -> Fraction | None:
        """A score as a share of the best: 0.702, 70.2%, true, pass, C (correct), P (partly), I (incorrect)."""
        if isinstance(value, bool):
            return Fraction(value)
        words = str(value).strip()
        if (known := self._scores.get((words, percent))) is not None:
            return known
        found = self._read_score(words, value, where, percent)
        if found is not None:
            self._scores[words, percent] = found
        return found

    def _read_score(self, words: str, value: Any, where: Place, percent: bool) -> Fraction | None:
        if words in _GRADES:
            return _GRADES[words]
        if words.lower() in _PASSED + _FAILED:
            return Fraction(words.lower() in _PASSED)
        percent, words = percent or words.endswith("%"), words.removesuffix("%")
        try:
            found = Fraction(fields.amount("score", words)) / (100 if percent else 1)
        except InputError as error:
            self.error("P631", error.findings[0].what, where, hint="a score is 0.702, 70.2%, true or false")
            return None
        if 0 <= found <= 1:
            return found
        hint = "is it a percentage? write 70.2%, or name the column score_percent; divide points by the most to be had"
        self.error("P631", f"the score {value} lies outside of 0 to 1", where, hint=hint)
        return None

    def tasks(self, value: Any, where: Place) -> int | None:
        """How many tasks a run had, at least one."""
        found = self._count("n", value, where)
        if found == 0:
            self.error("P632", "n is 0: a run of no tasks proves nothing", where, hint="remove it, or run the suite")
            return None
        return found

    def passes(self, value: Any, tasks: int, where: Place) -> Fraction | None:
        """Passes of so many tasks as a score."""
        found = self._count("passes", value, where)
        if found is not None and found > tasks:
            self.error("P632", f"{found:,} passes of {tasks:,} tasks", where, hint="passes are at most n")
            return None
        return None if found is None else Fraction(found, tasks)

    def cost(self, value: Any, where: Place, whose: str, *, of_item: bool = False) -> Decimal | None:
        """Dollars that a run or an item cost. Nothing, and zero, mean that nobody knows: unpriced is not free."""
        words = fields.text(value).removeprefix("$")
        if not words:
            return None
        try:
            found = fields.amount("cost", words)
        except InputError as error:
            self.error("P634", error.findings[0].what, where, hint="a cost is dollars, such as 10.3713")
            return None
        if found < 0:
            self.error(
                "P634", f"the cost {words} of {whose} is negative", where, hint="give what it cost before credits"
            )
            return None
        if found == 0 and not of_item:
            hint = "give what it cost to run, also for one's own hardware; or its tokens, with --price"
            self.warning("P634", f"the cost of {whose} is 0, so it is not known", where, hint=hint)
        return found or None

    def partly_costed(self, model: str, items: Sequence[Item]) -> None:
        """Say once for a run that the cost of some of its items is not known."""
        costed = sum(item.cost is not None for item in items)
        if 0 < costed < len(items):
            what = (
                f"{model}: the cost of {costed:,} of {len(items):,} items is known; the others count for the score only"
            )
            self.warning("P634", what, items[0].where, hint="give every item its cost, or its tokens with --price")

    def tokens(self, values: Mapping[str, Any], where: Place) -> dict[str, int]:
        """Tokens by meter, out of columns or keys that are named like our meters."""
        found = {meter: self._count(meter, values[meter], where) for meter in TOKEN_METERS if values.get(meter)}
        return {meter: quantity for meter, quantity in found.items() if quantity}

    def day(self, value: Any, where: Place) -> date | None:
        """The date of a run; instants lose their time."""
        if isinstance(value, date):
            return value
        words = fields.text(value)[:10]
        try:
            return date.fromisoformat(words) if words else None
        except ValueError:
            self.error("P631", f"{words!r} is not a date", where, hint="year-month-day, such as 2026-02-28")
            return None

    def _count(self, name: str, value: Any, where: Place) -> int | None:
        try:
            return fields.whole(name, value)
        except InputError as error:
            self.error("P632", error.findings[0].what, where, hint="a whole number that is not negative")
            return None
