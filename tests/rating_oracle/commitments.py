"""One commitment, token by token: what counts, what is paid by lots, what lies beyond, and what its windows owe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tests.rating_oracle.dates import MONTHS, Window, months_on, origin_of, whole_windows, windows
from tests.rating_oracle.reading import Deal, in_pool, money, per, share

Book = Callable[[str, str, Fraction], None]
"""Write (kind, clause, billed) into the open billing period."""


@dataclass
class Token:
    """One token on its way: its costs, and what is left open of it. `waived`: a fee or a shortfall had paid for it."""

    model: str
    access: str
    meter: str
    contracted: Fraction
    undropped: Fraction
    public: Fraction
    open: Fraction
    waived: Fraction = Fraction(0)

    @property
    def list_ratio(self) -> Fraction:
        """List dollars for a contracted dollar."""
        return self.public / self.contracted if self.contracted else Fraction(0)


@dataclass
class Lot:
    """What is left of a drawdown or rollover, in dollars or weighted tokens, from a day until another."""

    left: Fraction
    start: date
    end: date


class Instalments:
    """What each window of an amount owes: unit by unit of (window ∩ the amount's own period), cumulative rounding.

    A unit that an amendment cuts is prorated by days; with `prorate: none` the new amount holds for the whole window.
    """

    def __init__(
        self,
        deal: Deal,
        per: str,
        every: str,
        value: Callable[[Deal, int], Fraction],
        places: int,
    ) -> None:
        self.first, self.until = (date.fromisoformat(deal["term"][key]) for key in ("from", "until"))
        self.per, self.every, self.places = per, every, places
        self.deal, self.value = deal, value
        self.sums: dict[date, Fraction] = {}
        self.amendments = sorted(deal.get("amendments", []), key=lambda each: each["effective"])
        self.months = [months_on(self.first, k) for k in range(-13, 60)]
        self.years: dict[int, list[Fraction]] = {}

    def owed(self, window: Window) -> Fraction:
        """The difference of two rounded cumulative sums."""
        return self._rounded(window[1]) - self._rounded(window[0])

    def _rounded(self, until: date) -> Fraction:
        return Fraction(round(self._cumulative()[until] * 10**self.places), 10**self.places)

    def _cumulative(self) -> dict[date, Fraction]:
        """What is owed from the first day until the end of each window."""
        if not self.sums:
            self.sums[self.first] = total = Fraction(0)
            for window in windows(self.every, origin_of(self.deal, self.every), self.first, self.until):
                total += self._exact(window)
                self.sums[window[1]] = total
        return self.sums

    def _exact(self, window: Window) -> Fraction:
        total = Fraction(0)
        for whole in whole_windows(self.per, origin_of(self.deal, self.per), *window):
            unit = max(whole[0], window[0]), min(whole[1], window[1])
            days = (unit[1] - unit[0]).days
            values = sum(self._value(window, date.fromordinal(unit[0].toordinal() + day)) for day in range(days))
            total += values * self._weight(whole, unit) / days  # the mean of its days
        return total

    def _weight(self, whole: Window, unit: Window) -> Fraction:
        if {*whole, *unit} <= set(self.months):
            return Fraction(self.months.index(unit[1]) - self.months.index(unit[0]), MONTHS[self.per])
        return Fraction((unit[1] - unit[0]).days, (whole[1] - whole[0]).days)

    def _value(self, window: Window, at: date) -> Fraction:
        year = sum(months_on(self.first, 12 * k) <= at for k in (1, 2))
        values = self._values(year)
        value = before = values[0]
        for each, after in zip(self.amendments, values[1:], strict=True):
            effective = date.fromisoformat(each["effective"])
            if each.get("prorate") == "none" and window[0] < effective < window[1]:
                effective = window[0]
            if effective <= at and after != before:
                value = after
            before = after
        return value

    def _values(self, year: int) -> list[Fraction]:
        """The amount of a year as signed, and after each amendment."""
        if year not in self.years:
            numbers = range(len(self.amendments) + 1)
            self.years[year] = [self.value({"amendments": self.amendments[:number]}, year) for number in numbers]
        return self.years[year]


class Commitment:
    """The state of one commitment. Its windows are counted from the start of the term."""

    def __init__(self, index: int, deal: Deal, places: int, book: Book) -> None:
        self.path = f"commitments[{index}]"
        self.text: Deal = deal["commitments"][index]
        self.book = book
        self.first, self.until = (date.fromisoformat(deal["term"][key]) for key in ("from", "until"))
        self.deal, self.places, self.index = deal, places, index
        self.tokens: Deal | None = self.text.get("tokens")
        self.instalments = self._instalments(deal)
        self.true_ups = windows(self.text["true_up"], origin_of(deal, self.text["true_up"]), self.first, self.until)
        self.minimums = self._windows_of_minimum()
        self.floor = (
            Instalments(
                deal, per(self.text["minimum"]), per(self.text["minimum"]),
                lambda text, year: money(self.text["minimum"]), places,
            )
            if "minimum" in self.text
            else None
        )  # fmt: skip
        self.seen = self.first
        self.drawn = self.minimum_drawn = self.beyond = self.beyond_list = Fraction(0)
        self.lots: list[Lot] = []  # rollover
        self.prepaid = Fraction(0)
        self.bonus = Fraction(0)
        self._open(self.true_ups[0])

    def _instalments(self, deal: Deal) -> Instalments:
        amount = self.tokens["amount"] if self.tokens else self.text["amount"]
        places = 0 if self.tokens else self.places
        return Instalments(deal, per(amount), self.text["true_up"], self._amount(self.index), places)

    def _windows_of_minimum(self) -> list[Window]:
        if "minimum" not in self.text:
            return []
        every = per(self.text["minimum"])
        return windows(every, origin_of(self.deal, every), self.first, self.until)

    def _amount(self, index: int) -> Callable[[Deal, int], Fraction]:
        def value(deal: Deal, year: int) -> Fraction:
            text = self.text
            for each in deal["amendments"]:
                for path, value in each["changes"].items():
                    before, _, key = path.partition(f"commitments[{index}].")
                    text = {**text, key: value} if key and not before else text
            if "tokens" in text:
                return Fraction(text["tokens"]["amount"].split(" / ")[0])
            ramped = [step["amount"] for step in text.get("ramp", []) if step["year"] <= year + 1]
            return money(ramped[-1] if ramped else text["amount"])

        return value

    def _open(self, window: Window) -> None:
        self.committed = self.instalments.owed(window)
        self.drawn = self.known = Fraction(0)
        self.window = window
        self._buy(window[0])

    def _buy(self, day: date) -> None:
        """Buy what is committed by the text that is known on a day; an amendment that raises it buys more."""
        prepaid = self.text.get("prepaid")
        if not prepaid:
            return
        known = [each for each in self.deal.get("amendments", []) if date.fromisoformat(each["effective"]) <= day]
        committed = self._instalments({**self.deal, "amendments": known}).owed(self.window)
        more = max(Fraction(0), committed - self.known) * share(prepaid["share"])
        self.known = max(self.known, committed)
        self.prepaid += more
        self.bonus += more * share(prepaid.get("bonus", "0%"))
        self.book("purchase", f"{self.path}.prepaid", more * self._basis())

    def _basis(self) -> Fraction:
        prepaid = self.text["prepaid"]
        return 1 - share(prepaid["discount"]) if prepaid.get("as") == "cash" else Fraction(1)

    def due(self) -> date | None:
        """The next day on which a window closes, or an amendment may raise what is prepaid."""
        days = [window[1] for window in (*self.minimums, *self.true_ups)]
        effective = [date.fromisoformat(each["effective"]) for each in self.deal.get("amendments", [])]
        return min([*days, *(day for day in effective if day > self.seen)], default=None)

    def close(self, day: date) -> None:
        """Close every window that ends on a day, the minimum's first."""
        self.seen = day
        if self.minimums and self.minimums[0][1] == day:
            self._top_up(self.minimums.pop(0))
        if self.true_ups and self.true_ups[0][1] == day:
            self._true_up(self.true_ups.pop(0))

    def open_next(self, day: date) -> None:
        """After a day's closings: the next window opens, or an amendment of that day buys more."""
        if self.true_ups and self.true_ups[0][0] == day:
            self._open(self.true_ups[0])
        elif self.true_ups:
            self._buy(day)

    def use(self, token: Token, day: date) -> None:
        """One token happens."""
        if not in_pool(self.text, token.model, token.access):
            return
        rollover = self.text.get("rollover")
        if rollover and rollover["order"] == "first":
            self._draw_rolled(token, day, token.open)
        value, before = self._value(token, token.open), self.drawn
        self.drawn += value
        self.minimum_drawn += value
        if self.drawn > self.committed and value:
            self._beyond(token, day, (self.drawn - max(self.committed, before)) / value)
        for name in ("prepaid", "bonus"):
            paid = min(getattr(self, name), token.open)
            setattr(self, name, getattr(self, name) - paid)
            token.open -= paid

    def _beyond(self, token: Token, day: date, fraction: Fraction) -> None:
        part = token.open * fraction
        rollover = self.text.get("rollover")
        if rollover and rollover["order"] == "last":
            part -= self._draw_rolled(token, day, part)
        if "overage" in self.text:
            self.beyond += part
            self.beyond_list += part * token.list_ratio

    def _value(self, token: Token, amount: Fraction) -> Fraction:
        """What so many open dollars of a token draw."""
        if self.tokens:
            return self._weight(token) if amount == token.contracted else Fraction(0)
        return amount * token.list_ratio if self.text["counts_at"] == "list" else amount

    def _weight(self, token: Token) -> Fraction:
        assert self.tokens is not None
        weights, name = self.tokens["weights"], token.meter.removesuffix("_tokens")
        found = weights.get(name, weights.get("cache_write", 0) if name.startswith("cache_write") else 0)
        return Fraction(str(found))

    def _draw_rolled(self, token: Token, day: date, limit: Fraction) -> Fraction:
        """Dollars of a token that rolled lots pay: any part of its money, but only whole tokens of a token lot."""
        paid = Fraction(0)
        for lot in sorted(self.lots, key=lambda lot: (lot.end, lot.start)):
            left = limit - paid
            value = self._value(token, left)
            if not lot.start <= day < lot.end or not left or not value or (self.tokens and value > lot.left):
                continue
            drawn = min(value, lot.left)
            lot.left -= drawn
            paid += left * drawn / value
        token.open -= paid
        token.waived += paid
        return paid

    def _top_up(self, window: Window) -> None:
        assert self.floor is not None
        missing = max(Fraction(0), self.floor.owed(window) - self.minimum_drawn)
        self.minimum_drawn = Fraction(0)
        self.drawn += missing
        paid = min(self.prepaid, missing)  # what was prepaid is not paid again
        self.prepaid -= paid
        self.book("commitment", f"{self.path}.minimum", missing - paid)

    def _true_up(self, window: Window) -> None:
        unused = max(Fraction(0), self.committed - self.drawn)
        price = Fraction(str(self.tokens["shortfall_price"])) / 1_000_000 if self.tokens else Fraction(1)
        face = unused * price * share(self.text.get("shortfall", {}).get("share", "100%"))
        self.book("commitment", f"{self.path}.amount", max(Fraction(0), face - self.prepaid))
        self.prepaid = self.bonus = Fraction(0)
        rollover = self.text.get("rollover")
        if rollover and unused:
            base = unused if rollover["of"] == "unused" else self.committed
            start, end = self._usable(rollover, window)
            self.lots.append(Lot(min(unused, base * share(rollover["share"])), start, end))

    def _usable(self, rollover: Deal, window: Window) -> Window:
        after, into = window[1], rollover["into"]
        if into == "rest_of_year":
            years = [each for each in whole_windows("year", self.first, self.first, self.until) if each[0] < after]
            start, end = after, max(after, years[-1][1])
        elif into == "next_quarter":
            quarters = whole_windows("quarter", self.first, self.first, months_on(self.until, 6))
            held = max(k for k, each in enumerate(quarters) if each[0] < after)
            start, end = quarters[held + 1]
        else:
            every = self.text["true_up"]
            following = whole_windows(every, origin_of(self.deal, every), self.first, months_on(after, 13))
            start, end = next((each for each in following if each[0] == after), (after, after))
        end = min(end, self.until)
        if "expires_after" in rollover:
            count, unit = rollover["expires_after"].split()
            months = MONTHS.get(unit.removesuffix("s"))
            in_days = date.fromordinal(start.toordinal() + int(count))
            end = min(end, months_on(start, int(count) * months) if months else in_days)
        return start, end

    def take_premium(self) -> None:
        """At the close of a billing period: what lay beyond costs the overage price."""
        overage = self.text.get("overage")
        if overage and self.beyond:
            price = self.beyond_list if overage["at"] == "list" else self.beyond
            premium = price * (1 + share(overage.get("surcharge", "0%"))) - self.beyond
            self.book("commitment", f"{self.path}.overage", premium)
        self.beyond = self.beyond_list = Fraction(0)
