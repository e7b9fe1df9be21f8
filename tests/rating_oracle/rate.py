"""The oracle: records in (used_at, id) order, meters in schema order, one token at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from offtake.usage.meters import TOKEN_METERS
from offtake.usage.record import UsageRecord
from tests.rating_oracle.commitments import Commitment, Instalments, Token
from tests.rating_oracle.dates import Window, origin_of, windows
from tests.rating_oracle.grants import Grant, grants_of
from tests.rating_oracle.price_list import PriceList
from tests.rating_oracle.reading import Deal, deal_at, money, per, share
from tests.rating_oracle.tiers import Tiers
from tests.rating_oracle.unit_prices import UnitPrices

CLASSES = {
    "input_tokens": "input", "cache_read_tokens": "cache_read", "cache_write_5m_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write",
}  # fmt: skip
Due = tuple[date, str, str, Fraction]
"""Dollars that are due on a day whatever is used: day, kind, clause, amount."""
Bill = dict[tuple[date, str, str], Fraction]
"""Billed dollars by first day of the billing period, kind of line, and clause."""


@dataclass(frozen=True)
class Facts:
    """Opt-ins to price drops as (instant, pattern); top-ups as (day, id, dollars)."""

    opt_ins: list[tuple[datetime, str]] = field(default_factory=list)
    top_ups: list[tuple[date, str, Fraction]] = field(default_factory=list)


def billing_periods(deal: Deal) -> list[Window]:
    """The billing periods of the term."""
    first, until = (date.fromisoformat(deal["term"][key]) for key in ("from", "until"))
    anchor = deal["billing"]["anchor"]
    origin = first if anchor == "anniversary" else date(first.year, 1, anchor)
    return windows(deal["billing"]["period"], origin, first, until)


class Rater:
    """One rating of one deal."""

    def __init__(self, deal: Deal, book: PriceList, facts: Facts, places: int = 12) -> None:
        self.deal = deal
        self.zone = ZoneInfo(deal["term"]["time_zone"])
        self.prices = UnitPrices(deal, book, facts.opt_ins)
        self.bill: Bill = defaultdict(Fraction)
        self.periods = billing_periods(deal)
        self.places = places
        self.usage: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)  # by the grants that may pay it
        self.contracted = self.credited = Fraction(0)
        self.grants = grants_of(deal, facts.top_ups)
        self.dues = sorted([*self._fees(), *self._top_ups(facts)])
        texts = deal.get("commitments", [])
        self.commitments = [Commitment(index, deal, places, self.book) for index in range(len(texts))]
        self.tiers = Tiers(deal, self.book) if "tiers" in deal["prices"] else None
        self.blocks = self._blocks()
        self._book_dues(self.periods[0][0])

    def book(self, kind: str, clause: str, billed: Fraction) -> None:
        """Write into the open billing period."""
        self.bill[self.periods[0][0], kind, clause] += billed

    def rate(self, records: Sequence[UsageRecord]) -> Bill:
        """The bill of the whole term."""
        first, until = (date.fromisoformat(self.deal["term"][key]) for key in ("from", "until"))
        for record in sorted(records, key=lambda record: (record.used_at, record.id)):
            day = record.used_at.astimezone(self.zone).date()
            if first <= day < until:
                self._advance(day)
                self._use(record, day)
        self._advance(until)
        return {key: billed for key, billed in self.bill.items() if billed}

    def _advance(self, to: date) -> None:
        """Close what ends on or before a day, in time order: commitments, tiers, then the period with its grants."""
        while True:
            ends = [each.due() for each in self.commitments]
            ends += [self.tiers.windows[0][1] if self.tiers and self.tiers.windows else None]
            ends += [self.periods[0][1] if self.periods else None]
            ends += [self.dues[0][0] if self.dues else None]
            day = min((end for end in ends if end is not None), default=date.max)
            if day > to or not self.periods:
                return
            self._close(day)

    def _close(self, day: date) -> None:
        """What closes belongs to the old period, what opens to the new one."""
        closing = [each for each in self.commitments if each.due() == day]
        for each in closing:
            each.close(day)
        ending = self.periods[0][1] == day
        for each in self.commitments if ending else ():
            each.take_premium()
        if self.tiers and self.tiers.windows and self.tiers.windows[0][1] == day:
            self.tiers.close()
        if ending:
            self._close_period()
            self.periods.pop(0)
        for each in closing if self.periods else ():
            each.open_next(day)
        self._book_dues(day)

    def _book_dues(self, day: date) -> None:
        while self.dues and self.dues[0][0] <= day and self.periods:
            _, kind, path, amount = self.dues.pop(0)
            self.book(kind, path, amount)

    def _fees(self) -> Iterator[Due]:
        """Each fee is due when its window begins; a clipped window by its part."""
        fees = self.deal.get("fees", {})
        first, until = (date.fromisoformat(self.deal["term"][key]) for key in ("from", "until"))
        texts = {"fees.platform": fees.get("platform"), "fees.license": fees.get("license", {}).get("amount")}
        texts["fees.block.amount"] = fees.get("block", {}).get("amount")
        for path, text in texts.items():
            if text:
                owed = Instalments(self.deal, per(text), per(text), _constant(money(text)), self.places)
                for window in windows(per(text), origin_of(self.deal, per(text)), first, until):
                    yield window[0], "fee", path, owed.owed(window)

    def _top_ups(self, facts: Facts) -> Iterator[Due]:
        for day, _, amount in facts.top_ups if "top_ups" in self.deal else ():
            yield day, "purchase", "top_ups", amount

    def _blocks(self) -> list[tuple[Window, list[Fraction]]]:
        block = self.deal.get("fees", {}).get("block")
        if not block:
            return []
        first, until = (date.fromisoformat(self.deal["term"][key]) for key in ("from", "until"))
        every = per(block["amount"])
        tokens = Instalments(self.deal, every, every, _constant(Fraction(block["includes"]["tokens"])), 0)
        return [(each, [tokens.owed(each)]) for each in windows(every, origin_of(self.deal, every), first, until)]

    def _draw_block(self, token: Token, day: date) -> None:
        for (start, end), left in self.blocks:
            if start <= day < end and left[0] >= 1 and token.open == token.contracted:
                left[0] -= 1
                token.waived, token.open = token.open, Fraction(0)

    def _use(self, record: UsageRecord, day: date) -> None:
        for meter in TOKEN_METERS:
            for _ in range(self.apart(record).get(meter, 0)):
                self._use_token(record, meter, day)

    def apart(self, record: UsageRecord) -> dict[str, int]:
        """Reasoning tokens lie inside output; they stand apart where the list prices them apart."""
        quantities = dict(record.quantities)
        if "reasoning_tokens" in quantities:
            reasoning = quantities.pop("reasoning_tokens")
            if self.prices.book.at(record.model, "realtime", "global", "reasoning_tokens", 0, record.used_at):
                quantities["output_tokens"] -= reasoning
                quantities["reasoning_tokens"] = reasoning
        return quantities

    def _use_token(self, record: UsageRecord, meter: str, day: date) -> None:
        price = self.prices.price(record, meter, self.tiers.tier if self.tiers and self.tiers.tokens else 0)
        policy = self._policy(record, meter)
        self.book("list", "", price.public)
        if policy == "free":
            return
        token = Token(
            record.model, record.access, meter, price.contracted, price.undropped, price.public, price.contracted
        )
        self._pay_uncounted(token, day)
        self._draw_block(token, day)
        for commitment in self.commitments:
            commitment.use(token, day)
        if self.tiers:
            self.tiers.use(token)
        self.contracted += token.contracted
        self.book("contracted", "", token.contracted)
        granted = self.granted
        self.book("usage", "", token.open + granted)
        if policy.startswith("credited"):
            given = token.contracted * share(policy.split()[1])
            self.credited += given
            self.book("credit", "failed_requests", -given)
        key = tuple(k for k, grant in enumerate(self.grants) if grant.counts and grant.fits(token, day))
        self.usage[key] += token.open

    def _policy(self, record: UsageRecord, meter: str) -> str:
        if record.outcome == "ok":
            return "billed"
        if record.outcome == "not_dispatched":
            return "free"
        policy = deal_at(self.deal, record.used_at)["failed_requests"]
        policy = policy if isinstance(policy, str) else policy[record.outcome]
        if isinstance(policy, dict):
            policy = policy.get(CLASSES.get(meter, "output"), policy.get("others"))
        return str(policy)

    def _pay_uncounted(self, token: Token, day: date) -> None:
        """Credits that do not count pay before anything is counted; they stand on the bill as lines of their own."""
        self.granted = Fraction(0)
        for grant in self.grants:
            if not grant.counts and grant.fits(token, day):
                paid = min(grant.left, token.open)
                self._pay(grant, paid)
                token.open -= paid
                self.granted += paid

    def _pay(self, grant: Grant, paid: Fraction) -> None:
        grant.left -= paid
        self.book("credit", grant.clause, -paid)

    def _close_period(self) -> None:
        """Tiers, then fees that are a share of usage, then what grants pay."""
        first = self.periods[0][0]
        if self.tiers:
            self.tiers.settle()
        support = self.deal.get("fees", {}).get("support")
        if support:
            self.book("fee", "fees.support", self.contracted * share(support["share"]))
        billed = [(key[1], amount) for key, amount in self.bill.items() if key[0] == first]
        adjusted = sum((amount for kind, amount in billed if kind == "adjustment"), Fraction(0)) - self.credited
        fees = sum((amount for kind, amount in billed if kind == "fee"), Fraction(0))
        left = sum(self.usage.values(), adjusted)
        last = self.periods[0][1]
        for index, grant in enumerate(self.grants):
            if not grant.counts or grant.start >= last:
                continue
            for key in sorted(self.usage, key=lambda key: (len(key), key)):
                if index in key:
                    paid = max(Fraction(0), min(grant.left, self.usage[key], left))
                    self.usage[key] -= paid
                    left -= paid
                    self._pay(grant, paid)
            if grant.applies_to != "usage":
                paid = max(Fraction(0), min(grant.left, fees))
                fees -= paid
                self._pay(grant, paid)
            if grant.end <= last:
                grant.left = Fraction(0)
        self.usage.clear()
        self.contracted = self.credited = Fraction(0)


def rate(deal: Deal, book: PriceList, records: Sequence[UsageRecord], facts: Facts = Facts()) -> Bill:
    """The bill of the whole term, by period, kind and clause; amounts that are zero are left out."""
    return Rater(deal, book, facts).rate(records)


def _constant(value: Fraction) -> Callable[[Deal, int], Fraction]:
    return lambda deal, year: value


def true_ups(deal: Deal) -> list[Window]:
    """The true-up windows of the first commitment."""
    first, until = (date.fromisoformat(deal["term"][key]) for key in ("from", "until"))
    every = deal["commitments"][0]["true_up"]
    return windows(every, origin_of(deal, every), first, until)


def committed(deal: Deal) -> list[Fraction]:
    """What each of them commits."""
    made = Commitment(0, deal, 12, lambda kind, clause, billed: None)
    return [made.instalments.owed(window) for window in true_ups(deal)]


def contracted_by_day(deal: Deal, book: PriceList, records: Sequence[UsageRecord]) -> list[tuple[date, Fraction]]:
    """The contracted cost of each record of the term, by local day; every outcome but `not_dispatched` is billed."""
    rater = Rater(deal, book, Facts())
    first, until = (date.fromisoformat(deal["term"][key]) for key in ("from", "until"))
    found = []
    for record in records:
        day = record.used_at.astimezone(rater.zone).date()
        if first <= day < until and record.outcome != "not_dispatched":
            cost = sum(
                (rater.prices.price(record, meter, 0).contracted * n for meter, n in rater.apart(record).items()),
                Fraction(0),
            )
            found.append((day, cost))
    return found
