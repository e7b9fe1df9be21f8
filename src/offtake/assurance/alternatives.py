"""What else a vendor could have charged: other prices that the engine gives for the same usage, each with its reason.

A bill is explained by testing these against it, exactly. They are tried in the order of this list; where two give the
same price, the first is the reason.

list price               the public price, without what was negotiated
price before a change    the price as if list prices had not dropped; the price of an earlier day of the term
channel                  the price of another channel, such as realtime for batch
cache kind               the price of another input meter, such as a one-hour write for a five-minute one
context tier             the price of another context band; before the cache kind for what is not cached
volume tier              the price of another token tier
production price         the price without the discount for non-production work
price of another date    the price of a later day of the term
… at list price          another channel, meter, band or day, and that at list price
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from offtake.assurance.expected import Part
from offtake.rating.compiled import CompiledTerms, Lane, RateCard
from offtake.rating.draft import Steps
from offtake.rating.pipeline import UnitPrice
from offtake.usage.meters import BY_NAME, METERS
from offtake.usage.record import CHANNELS, UsageRecord
from offtake.values.errors import CatalogError, ContractError, UnpricedError

_NEGOTIATED = ("prices.discounts", "prices.fixed", "prices.new_models", "prices.steps", "prices.cache", "prices.freeze")
_UNPRICED = (UnpricedError, CatalogError, ContractError)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another price, in picodollars a piece. `what` is it in words; `detail` tells alternatives of one cause apart.

    `clause` is the term that rules it out.
    """

    cause: str
    detail: str
    price: int
    what: str
    clause: str


class Alternatives:
    """Prices of the engine for a part's usage under other circumstances. `zone` is that of the bill's days."""

    def __init__(self, terms: CompiledTerms, zone: tzinfo) -> None:
        self._terms = terms
        self._zone = zone
        self._found: dict[tuple[object, ...], tuple[Alternative, ...]] = {}

    def of(self, part: Part) -> tuple[Alternative, ...]:
        """Every other price of a part, the likeliest reason first, each price once."""
        key = (
            part.model, part.vendor, part.meter, part.channel, part.access, part.region, part.day, part.price,
            part.public, part.clause,
        )  # fmt: skip
        if key not in self._found:
            seen = {part.price}
            found = []
            for each in self._listed(part):
                if each.price not in seen:
                    seen.add(each.price)
                    found.append(each)
            self._found[key] = tuple(found)
        return self._found[key]

    def explaining(self, part: Part, price: int) -> Alternative | None:
        """The alternative that gives exactly this price."""
        return next((each for each in self.of(part) if each.price == price), None)

    def price_of_free(self, part: Part) -> int:
        """What a free part would have cost: the day's price whose list price is the part's. 0 where there is none."""
        for card in self._cards(part, part.channel):
            price = _price(card, part.meter)
            if price and price.public == part.public:
                return price.contracted
        return 0

    def standard(self, model: str, meter: str, channel: str, day: int) -> Part | None:
        """An empty part for usage that our side does not have; None where nothing prices it."""
        part = Part(
            model, "", meter, channel or "realtime", "api", "global", "ok", day, "", (), 0, 0, 0,
            Decimal(0), Decimal(0), Decimal(0),
        )  # fmt: skip
        if meter not in BY_NAME:
            return None
        for card in self._cards(part, part.channel):
            price = _price(card, meter)
            if price:
                return replace(
                    part, price=price.contracted, public=price.public, clause=price.clause, steps=price.steps
                )
        return None

    def clause_of(self, part: Part, steps: Steps) -> str:
        """The first term that made our price and not the other one, of which `steps` is the derivation."""
        paths = {path for path, _ in steps}
        for path, _ in part.steps:
            if path not in paths:
                return path
        return next((path for path, words in part.steps if (path, words) not in steps), part.clause)

    def _listed(self, part: Part) -> Iterator[Alternative]:
        yield Alternative("list price", "", part.public, "the list price", _negotiated_by(part))
        lane = self._lane(part, part.channel, self._noon(part.day))
        if lane is None:
            return
        today = [price for card in self._cards(part, part.channel) if (price := _price(card, part.meter))]
        if any(path == "prices.price_drops" for path, _ in part.steps):
            yield from (self._undropped(price) for price in today if price.contracted == part.price)
        band, tier = self._position(lane, part)
        earlier, later = self._dated(part, band, tier)
        yield from earlier
        kinds, bands = list(self._meters(part, lane, band, tier)), list(self._bands(part, lane, tier))
        is_cached = bool(BY_NAME[part.meter].cache)
        others = [*self._channels(part, band, tier), *(kinds if is_cached else bands), *(bands if is_cached else kinds)]
        yield from (each for each, _ in others)
        yield from self._tiers(part, lane, band)
        for price in today:
            yield self._made(part, "production price", "", price, "the price of production work")
        yield from later
        for each, price in others:
            words = f"{each.what}, at list price"
            yield Alternative(each.cause, f"{each.detail} list", price.public, words, each.clause)

    def _undropped(self, price: UnitPrice) -> Alternative:
        return Alternative(
            "price before a change", "list drop", price.undropped, "the price as if list prices had not fallen",
            "prices.price_drops",
        )  # fmt: skip

    def _dated(self, part: Part, band: int, tier: int) -> tuple[list[Alternative], list[Alternative]]:
        """The prices of other days of the term: earlier ones with the nearest first, later ones with the nearest first.

        Earlier list prices follow the earlier contract prices.
        """
        earlier: list[Alternative] = []
        later: list[Alternative] = []
        earlier_public: list[Alternative] = []
        for at in self._changes(part):
            lane = self._lane(part, part.channel, at)
            price = _price(lane.card(at, min(band, len(lane.thresholds)), tier), part.meter) if lane else None
            if price is None:
                continue
            day = at.astimezone(self._zone).date()
            if day.toordinal() > part.day:
                later.append(self._made(part, "price of another date", f"{day}", price, f"the price from {day} on"))
                continue
            words = f"the price of {day}, before it changed"
            earlier.insert(0, self._made(part, "price before a change", f"{day}", price, words))
            clause = self.clause_of(part, price.steps)
            words = f"the list price of {day}"
            earlier_public.insert(0, Alternative("price before a change", f"{day} list", price.public, words, clause))
        return [*earlier, *earlier_public], later

    def _changes(self, part: Part) -> Iterator[datetime]:
        """Every instant of the term at which the part's price may change, with the start of each phase."""
        for phase in self._terms.phases:
            lane = self._lane(part, part.channel, phase.start)
            yield from lane.starts if lane else ()

    def _channels(self, part: Part, band: int, tier: int) -> Iterator[tuple[Alternative, UnitPrice]]:
        at = self._noon(part.day)
        for channel in CHANNELS:
            lane = self._lane(part, channel, at) if channel != part.channel else None
            price = _price(lane.card(at, min(band, len(lane.thresholds)), tier), part.meter) if lane else None
            if price:
                clause = f"prices.{part.channel}"
                clause = clause if any(path == clause for path, _ in part.steps) else self.clause_of(part, price.steps)
                yield Alternative("channel", channel, price.contracted, f"the {channel} price", clause), price

    def _meters(self, part: Part, lane: Lane, band: int, tier: int) -> Iterator[tuple[Alternative, UnitPrice]]:
        own = BY_NAME[part.meter]
        for meter in METERS:
            if meter.name == own.name or meter.direction != "input" or own.direction != "input" or not meter.is_token:
                continue
            price = _price(lane.card(self._noon(part.day), band, tier), meter.name)
            if price:
                clause, what = _cache_clause(part, price), f"the price of {meter.name}"
                yield Alternative("cache kind", meter.name, price.contracted, what, clause), price

    def _bands(self, part: Part, lane: Lane, tier: int) -> Iterator[tuple[Alternative, UnitPrice]]:
        edges = (0, *lane.thresholds)
        for band, edge in enumerate(edges):
            price = _price(lane.card(self._noon(part.day), band, tier), part.meter)
            if price:
                what = f"the price above {edge:,} tokens of context" if edge else "the price of a short context"
                clause = self.clause_of(part, price.steps)
                yield Alternative("context tier", f"{edge}", price.contracted, what, clause), price

    def _tiers(self, part: Part, lane: Lane, band: int) -> Iterator[Alternative]:
        tiers = self._terms.contract.as_of(self._noon(part.day)).prices.tiers
        for tier, _ in enumerate(tiers.steps if tiers else ()):
            price = _price(lane.card(self._noon(part.day), band, tier), part.meter)
            if price:
                what = f"the price of volume tier {tier + 1}"
                yield Alternative("volume tier", f"{tier}", price.contracted, what, "prices.tiers")

    def _made(self, part: Part, cause: str, detail: str, price: UnitPrice, what: str) -> Alternative:
        return Alternative(cause, detail, price.contracted, what, self.clause_of(part, price.steps))

    def _position(self, lane: Lane, part: Part) -> tuple[int, int]:
        """The context band and the token tier whose price is the part's; (0, 0) where none is."""
        at = self._noon(part.day)
        tiers = self._terms.contract.as_of(at).prices.tiers
        for tier in range(len(tiers.steps) if tiers else 1):
            for band in range(len(lane.thresholds) + 1):
                price = _price(lane.card(at, band, tier), part.meter)
                if price and price.contracted == part.price:
                    return band, tier
        return 0, 0

    def _cards(self, part: Part, channel: str) -> Iterable[RateCard]:
        """The day's rate cards: of every hour that prices apart, every context band."""
        start = datetime.combine(date.fromordinal(part.day), time(), self._zone).astimezone(UTC)
        lane = self._lane(part, channel, self._noon(part.day))
        for band in range(len(lane.thresholds) + 1) if lane else ():
            assert lane is not None
            yield from lane.cards_over(start, start + timedelta(days=1), band)

    def _lane(self, part: Part, channel: str, at: datetime) -> Lane | None:
        record = UsageRecord(
            id="", used_at=at, model=part.model, quantities={}, vendor=part.vendor, channel=channel, access=part.access,
            region=part.region,
        )  # fmt: skip
        if at not in self._terms.contract.span:
            return None
        try:
            return self._terms.lane(record)
        except _UNPRICED:
            return None

    def _noon(self, day: int) -> datetime:
        return datetime.combine(date.fromordinal(day), time(12), self._zone).astimezone(UTC)


def _price(card: RateCard, meter: str) -> UnitPrice | None:
    try:
        return card[meter]
    except _UNPRICED:
        return None


def _negotiated_by(part: Part) -> str:
    """The term that makes our price another than the list price."""
    made = [path for path, _ in part.steps if path.startswith(_NEGOTIATED)]
    first = [path for path in made if not path.startswith(("prices.freeze", "prices.cache"))]
    return (first or made or [part.clause])[0]


def _cache_clause(part: Part, other: UnitPrice) -> str:
    """The cache term of our price, or that of the price billed where ours is plain input."""
    for path in (*(path for path, _ in part.steps), *(path for path, _ in other.steps)):
        if path.startswith("prices.cache"):
            return path
    return "prices.cache"
