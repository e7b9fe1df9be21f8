"""What clauses, changes and packages are worth: differences of whole costs on the same futures.

    value of a clause = cost of the contract without it − cost of the contract        above zero: it saves money
    value of a change = cost of the contract − cost of the changed contract           above zero: ask for it

Both are dollars a year: the mean over the futures, what 10% and 90% of them lie below, and the standard error of the
mean. Values do not add up: two clauses that protect against one thing share its worth, so packages are priced whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import combinations

from offtake.contract.contract import Contract
from offtake.planner.value.clauses import Clause, clauses_of
from offtake.planner.value.costs import Costs
from offtake.planner.value.edits import Edit, edited
from offtake.planner.value.outcome import Assumed, outcomes
from offtake.rating.clauses.renewal import ceiling
from offtake.rating.facts import TopUp
from offtake.values.errors import CatalogError, InputError, UnpricedError
from offtake.values.money import EXACT, ROUNDING, ZERO, divide, quantize, total

PLACES, SHARE_PLACES = 2, 6
LOW, HIGH = Decimal("0.1"), Decimal("0.9")
PAIRS_OF = 4
PAIRS_ALWAYS = ("exit.convenience", "prices.price_drops")
"""The textbook overlap: both protect against the same fall of list prices."""
NOTHING = "it changes nothing on these futures"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """Dollars a year: the mean, the 10% and 90% quantiles, the standard error of the mean."""

    mean: Decimal
    low: Decimal
    high: Decimal
    standard_error: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    """One clause and its worth, None where it has no price; `reason` says why, or why it is worth nothing."""

    clause: Clause
    off: str
    value: Figure | None = None
    share: Decimal = ZERO
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Priced:
    """A change, or a package of them, and its worth."""

    name: str
    edits: tuple[Edit, ...]
    value: Figure
    share: Decimal


@dataclass(frozen=True, slots=True)
class Pair:
    """Two clauses, their worth together, and the sum of their worths alone."""

    first: str
    second: str
    together: Figure
    apart: Decimal

    @property
    def overlap(self) -> Decimal:
        """What they share: above zero where each makes the other worth less."""
        return self.apart - self.together.mean


@dataclass
class Valuation:
    """A contract on an outlook."""

    contract: Contract
    costs: Costs
    assumed: Assumed

    def __post_init__(self) -> None:
        self.base = outcomes(self.costs, self.contract, self.assumed)

    @property
    def cost(self) -> Figure:
        """What the contract costs a year."""
        return self._figure(self.base)

    def value_of(self, edits: Sequence[Edit]) -> Figure:
        """What the contract costs less than with the edits: the worth of what they take out."""
        without = outcomes(self.costs, edited(self.contract, edits), self.assumed)
        return self._figure([EXACT.subtract(off, on) for off, on in zip(without, self.base, strict=True)])

    def priced(self, name: str, edits: Sequence[Edit]) -> Priced:
        """What a change saves."""
        figure = self.value_of(edits)
        saves = Figure(_minus(figure.mean), _minus(figure.high), _minus(figure.low), figure.standard_error)
        return Priced(name, tuple(edits), saves, self._share(saves.mean))

    def rows(self, progress: Progress = lambda words: None) -> list[Row]:
        """Every clause of the contract: those with a price by size, then those without."""
        found = []
        for clause in clauses_of(self.contract):
            progress(clause.path)
            found.append(self.row(clause))
        return sorted(found, key=lambda row: (row.value is None, -abs(row.value.mean) if row.value else ZERO))

    def row(self, clause: Clause) -> Row:
        """One clause."""
        if clause.path == "renewal.price_cap" and clause.status == "priced":
            return self._renewal(clause)
        if clause.counterfactual is None:
            return Row(clause, "", reason=clause.reason)
        words = clause.counterfactual.words
        if clause.path == "top_ups.bonus" and not any(isinstance(fact, TopUp) for fact in self.costs.facts):
            return Row(clause, words, reason="top-ups, as dated facts: --facts")
        try:
            value = self.value_of(clause.counterfactual.off(clause.path))
        except (UnpricedError, CatalogError, InputError) as error:
            return Row(clause, words, reason=f"the contract without it cannot be priced: {error.findings[0].what}")
        reason = "" if value.standard_error or value.mean else NOTHING
        return Row(clause, words, value, self._share(value.mean), reason)

    def pairs(self, rows: Sequence[Row], progress: Progress = lambda words: None) -> list[Pair]:
        """The clauses worth most, two by two, and the textbook overlap, by the size of what they share."""
        worth = [row for row in rows if row.value and row.clause.counterfactual]
        named = [row for row in worth if row.clause.path in PAIRS_ALWAYS]
        chosen = list(combinations(worth[:PAIRS_OF], 2))
        chosen += [each for each in combinations(named, 2) if each not in chosen and each[::-1] not in chosen]
        found = []
        for one, other in chosen:
            if one.clause.path.startswith(other.clause.path) or other.clause.path.startswith(one.clause.path):
                continue
            progress(f"{one.clause.path} with {other.clause.path}")
            pair = self._pair(one, other)
            found += [pair] if pair else []
        return sorted(found, key=lambda pair: -abs(pair.overlap))

    def _pair(self, one: Row, other: Row) -> Pair | None:
        edits = [edit for row in (one, other) if row.clause.counterfactual for edit in row.clause.counterfactual.off(
            row.clause.path)]  # fmt: skip
        assert one.value and other.value
        try:
            together = self.value_of(_last_element_first(edits))
        except (UnpricedError, CatalogError, InputError):
            return None
        return Pair(one.clause.path, other.clause.path, together, one.value.mean + other.value.mean)

    def _renewal(self, clause: Clause) -> Row:
        """The next year's usage at the last year's prices, if the vendor asked for the assumed increase."""
        terms = self.contract.versions[-1].terms.renewal
        assert terms is not None
        asked = 1 + self.assumed.renewal_increase
        saved = []
        for months in self.costs.contracted(self.contract):
            year = total(months[-12:])
            capped = ceiling(terms, year)
            saved.append(max(ZERO, EXACT.subtract(EXACT.multiply(year, asked), year if capped is None else capped)))
        months_priced = min(12, len(self.costs.outlook.months))
        value = self._figure(saved, months_priced)
        words = f"the vendor asks {self.assumed.renewal_increase:.0%} more for the year after the term"
        return Row(clause, words, value, self._share(value.mean))

    def _share(self, value: Decimal) -> Decimal:
        cost = self.cost.mean
        return quantize(divide(value, cost), SHARE_PLACES) if cost else ZERO

    def _figure(self, values: Sequence[Decimal], months: int | None = None) -> Figure:
        """Totals of the term as dollars a year."""
        months = months or len(self.costs.outlook.months)
        yearly = [divide(EXACT.multiply(each, Decimal(12)), months) for each in values]
        ordered = sorted(yearly)
        return Figure(
            quantize(_mean(yearly), PLACES),
            quantize(ordered[_place(LOW, len(ordered))], PLACES),
            quantize(ordered[_place(HIGH, len(ordered))], PLACES),
            quantize(self._standard_error(yearly), PLACES),
        )

    def _standard_error(self, values: Sequence[Decimal]) -> Decimal:
        """Of the mean: paths that share a history of list prices are no independent draws of it."""
        groups: dict[int, list[Decimal]] = {}
        for price, value in zip(self.costs.outlook.price_of, values, strict=True):
            groups.setdefault(price, []).append(value)
        alone = _error_of_mean(values)
        return alone if len(groups) < 2 else max(alone, _error_of_mean([_mean(each) for each in groups.values()]))


def _mean(values: Sequence[Decimal]) -> Decimal:
    return divide(_sum(values), len(values))


def _sum(values: Sequence[Decimal]) -> Decimal:
    found = ZERO
    for value in values:
        found = ROUNDING.add(found, value)
    return found


def _error_of_mean(values: Sequence[Decimal]) -> Decimal:
    if len(values) < 2:
        return ZERO
    mean = _mean(values)
    squares = _sum([ROUNDING.power(ROUNDING.subtract(value, mean), 2) for value in values])
    return ROUNDING.sqrt(divide(squares, len(values) * (len(values) - 1)))


def _place(share: Decimal, count: int) -> int:
    """The index of a quantile: the smallest value that at least this share does not exceed."""
    return max(0, int((share * count).to_integral_value(ROUND_CEILING)) - 1)


def _minus(amount: Decimal) -> Decimal:
    return ZERO - amount


def _last_element_first(edits: Sequence[Edit]) -> list[Edit]:
    """Elements that are named by number go from the last to the first, so that no number moves before its turn."""
    return sorted(dict.fromkeys(edits), key=lambda edit: edit.path, reverse=True)
