"""What one token costs: list → freeze → discount or fixed → steps → price drop → combine → cache multiple → grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from offtake.usage.record import UsageRecord
from tests.rating_oracle.dates import midnight, months_on, off_peak
from tests.rating_oracle.price_list import PriceList
from tests.rating_oracle.reading import Deal, deal_at, in_pool, share

CACHE = {
    "cache_read_tokens": "read", "cache_write_5m_tokens": "write_5m", "cache_write_1h_tokens": "write_1h",
}  # fmt: skip
INPUTS = ("input_tokens", *CACHE)
KEYS = {"input_tokens": "input_mtok", "output_tokens": "output_mtok", "reasoning_tokens": "output_reasoning_mtok"}


class UnpricedTokenError(Exception):
    """No term gives a price."""


@dataclass(frozen=True)
class Price:
    """Dollars a token: contracted, as if nothing had dropped, and what anyone pays."""

    contracted: Fraction
    undropped: Fraction
    public: Fraction


def on_grid(price: Fraction) -> Fraction:
    """To 1e-12, half-even."""
    return Fraction(round(price * 10**12), 10**12)


def context_of(record: UsageRecord) -> int:
    """All input of one request."""
    if record.context_tokens is not None:
        return record.context_tokens
    return sum(record.quantities.get(meter, 0) for meter in INPUTS)


class UnitPrices:
    """The price of one token of a record, for a deal and a list."""

    def __init__(self, deal: Deal, book: PriceList, opt_ins: list[tuple[datetime, str]]) -> None:
        self.deal = deal
        self.book = book
        self.opt_ins = opt_ins

    def price(self, record: UsageRecord, meter: str, tier: int) -> Price:
        """The price of one token of a meter, in the token tier that the buyer is in."""
        deal = deal_at(self.deal, record.used_at)
        prices = deal["prices"]
        cache = prices.get("cache")
        times = Fraction(1)
        own = public = self._public(record, meter, prices)
        if isinstance(cache, dict) and meter in CACHE:
            times = Fraction(str(cache[CACHE[meter]]))
            meter = "input_tokens"
            public = own if own is not None else self._public(record, meter, prices)
        listed = self._listed(record, meter, prices, record.used_at)
        if listed is None:
            raise UnpricedTokenError(meter)
        contracted, undropped = self._negotiated(record, meter, prices, listed, deal)
        factor = self._combined(record, prices, tier) * times
        return Price(
            on_grid(contracted * factor), on_grid(undropped * factor), on_grid(listed if public is None else public)
        )

    def _listed(self, record: UsageRecord, meter: str, prices: Deal, at: datetime) -> Fraction | None:
        channel = "realtime" if isinstance(prices.get(record.channel), dict) else record.channel
        region = "global" if prices.get("region_uplift") == "waived" else record.region
        return self.book.at(record.model, channel, region, meter, context_of(record), at)

    def _public(self, record: UsageRecord, meter: str, prices: Deal) -> Fraction | None:
        found = self.book.at(record.model, record.channel, record.region, meter, context_of(record), record.used_at)
        return found if found is not None else self._listed(record, meter, prices, record.used_at)

    def _negotiated(
        self, record: UsageRecord, meter: str, prices: Deal, listed: Fraction, deal: Deal
    ) -> tuple[Fraction, Fraction]:
        reference = self._reference(prices)
        frozen = self._first(record, meter, prices, reference)
        price = listed
        if "freeze" in prices and frozen is not None:
            price = frozen
        fixed = prices.get("fixed", {}).get(record.model)
        if fixed:
            price = Fraction(str(fixed[KEYS[meter]])) / 1_000_000
        else:
            price *= 1 - self._discount(record, meter, prices, reference)
        for commitment in deal.get("commitments", []):
            prepaid = commitment.get("prepaid", {})
            if prepaid.get("as") == "rate" and in_pool(commitment, record.model, record.access):
                price *= 1 - share(prepaid["discount"])
        for step in prices.get("steps", []):
            if self._day(step["from"]) <= record.used_at and fnmatchcase(record.model, step.get("models", "*")):
                price *= 1 - share(step["share"])
        undropped = price
        drops = prices.get("price_drops")
        if drops and frozen and ("freeze" in prices or fixed) and self._follows(record, drops):
            seen = self._seen(record, meter, prices, drops, reference)
            candidate = seen if drops["basis"] == "list" else seen * price / frozen
            price = min(price, candidate) if seen < frozen else price
        return price, undropped

    def _discount(self, record: UsageRecord, meter: str, prices: Deal, reference: datetime) -> Fraction:
        fitting = [
            each
            for each in prices.get("discounts", [])
            if fnmatchcase(record.model, each["models"])
            and record.channel in each.get("channels", [record.channel])
            and meter in each.get("meters", [meter])
        ]
        best = max(fitting, key=lambda each: ("*" not in each["models"], len(each["models"])), default=None)
        launched = self.book.launched.get(record.model)
        if "new_models" in prices and launched and launched > reference and (best is None or "*" in best["models"]):
            return share(prices["new_models"]["share"])
        return share(best["share"]) if best else Fraction(0)

    def _reference(self, prices: Deal) -> datetime:
        return self._day(prices["freeze"]["at"] if "freeze" in prices else self.deal["term"]["from"])

    def _day(self, text: str) -> datetime:
        return midnight(date.fromisoformat(text), self.deal["term"]["time_zone"])

    def _first(self, record: UsageRecord, meter: str, prices: Deal, at: datetime) -> Fraction | None:
        """The list price at an instant, or the first one after it."""
        for moment in [at, *(start for start in self._starts(record, prices) if start > at)]:
            price = self._listed(record, meter, prices, moment)
            if price is not None:
                return price
        return None

    def _starts(self, record: UsageRecord, prices: Deal) -> list[datetime]:
        channel = "realtime" if isinstance(prices.get(record.channel), dict) else record.channel
        return [each.start for each in self.book.book.get((record.model, channel), ())]

    def _follows(self, record: UsageRecord, drops: Deal) -> bool:
        return drops["trigger"] == "automatic" or any(
            at <= record.used_at and fnmatchcase(record.model, models) for at, models in self.opt_ins
        )

    def _seen(self, record: UsageRecord, meter: str, prices: Deal, drops: Deal, reference: datetime) -> Fraction:
        """The list price that counts: the latest change older than the lag; with a ratchet, the lowest so far."""
        changes = [at for at in self._starts(record, prices) if reference < at <= record.used_at]
        passed = [at for at in changes if self._later(at, drops.get("lag")) <= record.used_at]
        first = self._first(record, meter, prices, reference)
        assert first is not None
        seen = [self._listed(record, meter, prices, at) for at in passed]
        counted = [first, *(price for price in seen if price is not None)]
        return min(counted) if drops.get("ratchet") else counted[-1]

    def _later(self, at: datetime, lag: str | None) -> datetime:
        if lag is None:
            return at
        count, unit = lag.split()
        zone = ZoneInfo(self.deal["term"]["time_zone"])
        local = at.astimezone(zone)
        if unit.startswith("day"):
            return (local.replace(tzinfo=None) + timedelta(days=int(count))).replace(tzinfo=zone).astimezone(at.tzinfo)
        return datetime.combine(months_on(local.date(), int(count)), local.time(), zone).astimezone(at.tzinfo)

    def _combined(self, record: UsageRecord, prices: Deal, tier: int) -> Fraction:
        """1 − what the circumstances of the one request give."""
        found: dict[str, Fraction] = {}
        tiers = prices.get("tiers")
        if tiers and tiers["kind"] == "graduated" and tiers["measure"]["amount"] == "tokens":
            matches = fnmatchcase(record.model, tiers.get("models", "*"))
            found["tiers"] = share(tiers["steps"][tier]["share"] if matches else "0%")
        if "off_peak" in prices and off_peak(prices["off_peak"], record.used_at):
            found["off_peak"] = share(prices["off_peak"]["share"])
        dev = prices.get("non_production")
        if dev and any(fnmatchcase(record.workload, pattern) for pattern in dev["workloads"]):
            found["non_production"] = share(dev["share"])
        channel: Any = prices.get(record.channel)
        surcharge = Fraction(0)
        if isinstance(channel, dict) and "share" in channel:
            found[record.channel] = share(channel["share"])
        if isinstance(channel, dict) and "surcharge" in channel:
            surcharge = share(channel["surcharge"])
        combine = prices.get("combine", {"how": "multiply"})
        for group in combine.get("exclusive", []):
            present = sorted((name for name in group if name in found), key=lambda name: found[name])
            for name in present[:-1]:
                del found[name]
        rest = Fraction(1)
        if combine["how"] == "best_of":
            rest = 1 - max(found.values(), default=Fraction(0))
        elif combine["how"] == "add":
            rest = max(Fraction(0), 1 - sum(found.values(), Fraction(0)))
        else:
            for each in found.values():
                rest *= 1 - each
        return rest * (1 + surcharge)
