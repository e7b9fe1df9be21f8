"""The dearest that a request can cost, before it is sent: what a hard budget holds.

Nobody knows yet how much of the input is read from a cache or written to one, which context band it falls in, which
tier serves it, or which state of the contract it ends in. So every price that may hold is looked up on the rate cards
that price the request afterwards, and the dearest of each direction is kept as an integer:

    bound = input tokens × dearest input class + output tokens × dearest output class + searches + requests

at the context band that all input together may reach. A ceiling is those integers for one shape of request until the
next change of a price; with one at hand a bound is two look-ups and a few multiplications.

Clauses that add up over a window (tiers in money, shortfall, fees) belong to invoices. A premium for usage beyond a
commitment is part of the bound, because one request may be charged it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from offtake.contract.schema.terms import Terms
from offtake.rating.ceiling import Ceiling, Rates, Shape
from offtake.rating.clauses import prepaid
from offtake.rating.compiled import CompiledTerms, Lane, RateCard
from offtake.rating.pipeline import UnitPrice
from offtake.usage.meters import METERS
from offtake.usage.record import UsageRecord
from offtake.values.errors import CatalogError, InputError, UnpricedError
from offtake.values.money import ZERO

SHAPES_MAX = 4_096
INSTANT = timedelta(microseconds=1)
TURN_MAX = timedelta(minutes=10)
"""How long after it was admitted a request may still be priced: the time that a vendor has to answer."""


class Bounds:
    """The ceilings of one contract, compiled when a shape is first asked for and again when a price changes."""

    def __init__(self, terms: CompiledTerms, turn: timedelta = TURN_MAX) -> None:
        self.terms = terms
        self.turn = turn
        self._ceilings: dict[Shape, Ceiling] = {}

    def ceiling(self, shape: Shape, at: datetime) -> Ceiling:
        """The ceiling of a shape for a request admitted at a UTC instant.

        UnpricedError or CatalogError where no channel and region of the shape is priced, InputError (R411) outside of
        the contract's term.
        """
        found = self._ceilings.get(shape)
        if found is None or not found.since <= at < found.until:
            if len(self._ceilings) >= SHAPES_MAX:
                self._ceilings.clear()
            found = self._ceilings[shape] = compile_ceiling(self.terms, shape, at, self.turn)
        return found

    def bound(
        self, shape: Shape, at: datetime, input_tokens_max: int | None, output_tokens_max: int | None, tools: int = 0
    ) -> int:
        """The dearest that one request can cost, in picodollars. See `ceiling` and `Ceiling.pico`."""
        return self.ceiling(shape, at).pico(input_tokens_max, output_tokens_max, tools)


def compile_ceiling(terms: CompiledTerms, shape: Shape, at: datetime, turn: timedelta) -> Ceiling:
    """The ceiling of a shape, from every rate card that may price a request admitted at `at`."""
    span = terms.contract.span
    if at not in span:
        raise InputError("R411", f"{at} lies outside of the contract's term, {span.start} to {span.end}")
    last = min(at + turn, span.end - INSTANT)
    lanes = list(_lanes(terms, shape, at, last))
    thresholds = tuple(sorted({edge for lane, _ in lanes for edge in lane.thresholds}))
    instants = [(lane, instant) for lane, first in lanes for instant in _instants(lane, max(at, first), last)]
    bands = [_dearest(_cards(instants, context), shape) for context in _contexts(thresholds)]
    inputs, outputs, requests, searches, slacks = zip(*bands, strict=True)
    expected = lanes[0][0]
    plain = [expected.card(at, bisect_left(expected.thresholds, each)) for each in _contexts(thresholds)]
    return Ceiling(
        at, _until(terms, lanes, at, turn), thresholds, _rising(inputs), _rising(outputs), max(requests),
        max(searches), max(slacks), expected.model.context_window,
        tuple(_rates(card, "contracted") for card in plain), tuple(_rates(card, "public") for card in plain),
    )  # fmt: skip


def _lanes(terms: CompiledTerms, shape: Shape, at: datetime, last: datetime) -> Iterator[tuple[Lane, datetime]]:
    """Every lane that may price it, with the first instant at which it may: the next phase's too, near its start."""
    problem: UnpricedError | CatalogError | None = None
    found = False
    later = terms.phases[terms.phase(at) + 1 : terms.phase(last) + 1]
    for first in [at, *(phase.start for phase in later)]:
        for channel in shape.channels:
            for region in shape.regions:
                try:
                    lane = terms.lane(_record(shape, channel, region, first))
                    _check_priced(lane, first)
                except (UnpricedError, CatalogError) as error:
                    problem = problem or error
                    continue
                found = True
                yield lane, first
    if not found:
        raise problem or UnpricedError("R401", f"{shape.model} has no price in any of {', '.join(shape.channels)}")


def _record(shape: Shape, channel: str, region: str, at: datetime) -> UsageRecord:
    return UsageRecord(
        id="", used_at=at, model=shape.model, quantities={}, vendor=shape.vendor, account=shape.account,
        channel=channel, access=shape.access, region=region, workload=shape.workload,
    )  # fmt: skip


def _check_priced(lane: Lane, at: datetime) -> None:
    """UnpricedError where neither input nor output has a price: such a lane can serve nothing."""
    card = lane.card(at, 0)
    if _priced(card, "input_tokens") is None and _priced(card, "output_tokens") is None:
        card["input_tokens"]


def _instants(lane: Lane, first: datetime, last: datetime) -> Iterator[datetime]:
    """One instant in each state that the lane is in from `first` to `last`."""
    begin, end = (max(bisect_right(lane.starts, each) - 1, 0) for each in (first, last))
    found = {lane.states[index]: max(first, lane.starts[index]) for index in range(end, begin - 1, -1)}
    return iter(found.values())


def _until(terms: CompiledTerms, lanes: list[tuple[Lane, datetime]], at: datetime, turn: timedelta) -> datetime:
    """How long the same states are the ones that a request may meet between its admission and its end."""
    edges = {start for lane, _ in lanes for start in lane.starts}
    edges |= {terms.phases[terms.phase(each)].end for each in (at, at + turn)}
    return min([*(edge for edge in edges if edge > at), *(edge - turn for edge in edges if edge - turn > at)])


def _contexts(thresholds: tuple[int, ...]) -> list[int]:
    """The smallest context of each band."""
    return [0, *(threshold + 1 for threshold in thresholds)]


def _cards(instants: list[tuple[Lane, datetime]], context: int) -> Iterator[tuple[str, RateCard]]:
    """Every card that may price a request of this context, whatever tier it meets, with its model."""
    for lane, at in instants:
        tiers = lane.compiled.contract.as_of(at).prices.tiers
        for tier in range(len(tiers.steps) if tiers else 1):
            yield lane.model.id, lane.card(at, bisect_left(lane.thresholds, context), tier)


def _dearest(cards: Iterable[tuple[str, RateCard]], shape: Shape) -> tuple[int, int, int, int, int]:
    """The dearest (input, output, request, search, slack) on these cards, in picodollars."""
    names = [_meters(shape, direction) for direction in ("input", "output")]
    names += [["requests"], ["web_searches", "storage_searches"]]
    found = [0, 0, 0, 0, 0]
    for model, card in cards:
        premiums = _premiums(card.terms, model, shape)
        for index, meters in enumerate(names):
            prices = (price for name in meters if (price := _priced(card, name)))
            found[index] = max(found[index], *(_with_premiums(price, premiums) for price in prices), 0)
        # Where a charge is split, each of its parts may be rounded up by one.
        found[4] = max(found[4], len(premiums) * len(METERS) * 2)
    return found[0], found[1], found[2], found[3], found[4]


def _meters(shape: Shape, direction: str) -> list[str]:
    """The meters of a direction that a request of this shape may fill."""
    return [
        meter.name
        for meter in METERS
        if meter.direction == direction
        and (not meter.cache.startswith("write") or meter.cache.removeprefix("write_") in shape.writes)
        and all(media in shape.media for media in ("audio", "image") if media in meter.name)
    ]


def _premiums(terms: Terms, model: str, shape: Shape) -> list[tuple[bool, Decimal]]:
    """(priced at list, surcharge) of each commitment whose overage may hold: as if any notice had been given."""
    return [
        (each.overage.at == "list", each.overage.surcharge or ZERO)
        for each in terms.commitments
        if each.overage and prepaid.in_pool(each, model, shape.access, shape.account or None)
    ]


def _with_premiums(price: UnitPrice, premiums: list[tuple[bool, Decimal]]) -> int:
    """A unit price and what every overage may add to it, rounded up."""
    dearest = price.contracted
    for at_list, surcharge in premiums:
        beyond = (price.public if at_list else price.contracted) * (1 + surcharge) - price.contracted
        dearest += max(int(beyond.to_integral_value(ROUND_CEILING)), 0)
    return dearest


def _priced(card: RateCard, meter: str) -> UnitPrice | None:
    try:
        return card[meter]
    except UnpricedError:
        return None


def _rates(card: RateCard, cost: str) -> Rates:
    found = [_priced(card, name) for name in ("input_tokens", "cache_read_tokens", "output_tokens")]
    return Rates(*(getattr(price, cost) if price else 0 for price in found))


def _rising(prices: tuple[int, ...]) -> tuple[int, ...]:
    """The dearest up to each band: a request may also turn out shorter than its limit."""
    return tuple(max(prices[: index + 1]) for index in range(len(prices)))
