"""Offers and workloads → the problem that the optimisers take: items, pools, levels, and the cheapest way for each.

Within one pool (a vendor's list prices, an offer) the cheapest admissible model and mode serve best, so that thousands
of routes become one cost for each part and pool. An offer whose card follows several makers' list prices has a pool for
each; one with a signature has one pool for all that it serves. Reserved throughput is a pool of its own, at no price a
token: it comes with its offer, so an offer that has it is tried both ways, signed and not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from offtake.contract.patterns import match
from offtake.planner.demand.paths import Paths
from offtake.planner.levers.rules import Rules
from offtake.planner.offers.admissible import Need, Rejected, exclusions, need_of
from offtake.planner.offers.offer import Offer
from offtake.planner.offers.openings import Opening, opening
from offtake.planner.offers.parts import Part
from offtake.planner.offers.problem import BurnDown, Capacity, Item, Level, Pool, Problem
from offtake.planner.offers.rerate import Cloud
from offtake.planner.offers.ways import CACHE_METERS, Desk, Menu, Priced, Refused
from offtake.values.errors import Finding, InputError
from offtake.values.money import total

MINUTES_A_MONTH = 43_830  # 365.25 days ÷ 12
SHOWN_MAX = 5
SCOPES = ("scope.models", "scope.channels", "scope.access")


@dataclass(frozen=True, slots=True)
class Table:
    """All that is on the table, priced: for each part and offer every admissible way, and who was turned away."""

    parts: tuple[Part, ...]
    offers: tuple[Offer, ...]
    ways: Mapping[tuple[int, int], Sequence[Priced]]
    openings: tuple[Opening, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """What a pool stands for: an offer, the maker whose list prices it follows, and whether it is the reservation."""

    offer: int
    maker: str = ""
    reserved: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """A problem, what its pools stand for, and the way of each (part, pool). `fixed` is paid whatever is decided."""

    problem: Problem
    channels: tuple[Channel, ...]
    best: Mapping[tuple[int, int], Priced]
    forced: frozenset[int] = field(default_factory=frozenset)
    fixed: float = 0.0


def laid_out(parts: Sequence[Part], offers: Sequence[Offer], needs: Sequence[Need], menu: Menu) -> Table:
    """Price every part under every offer. InputError P661 names each workload that nobody may serve, and why."""
    ways: dict[tuple[int, int], Sequence[Priced]] = {}
    rejected: list[Rejected] = []
    for number, offer in enumerate(offers):
        desk = Desk(offer, menu)
        for index, part in enumerate(parts):
            found, reasons = _admitted(desk, part, need_of(needs, part.workload.name))
            rejected += reasons
            if found:
                ways[index, number] = found
    unserved = [index for index in range(len(parts)) if not any(key[0] == index for key in ways)]
    if unserved:
        raise InputError.of([_nobody(parts[index], rejected, needs) for index in unserved[:SHOWN_MAX]])
    openings = tuple(_opening(offer, number, ways) for number, offer in enumerate(offers))
    return Table(tuple(parts), tuple(offers), ways, openings, tuple(dict.fromkeys(rejected)))


def _admitted(desk: Desk, part: Part, need: Need) -> tuple[list[Priced], list[Rejected]]:
    offer, workload = desk.offer, part.workload
    priced, refused = desk.ways(part, need.models if need.models is not None else (workload.model,))
    reasons = [_unsold(offer, workload.name, each) for each in refused]
    admitted = []
    for each in priced:
        against = [*exclusions(offer, need, workload.name, each.way.model), *_barred(desk, part, need, each)]
        reasons += against
        if not against:
            admitted.append(each)
    return admitted, reasons


def _barred(desk: Desk, part: Part, need: Need, priced: Priced) -> Iterator[Rejected]:
    """Why batch cannot be had together with what is needed, or with the cache that it would read."""
    way, menu, offer = priced.way, desk.menu, desk.offer
    if way.channel != "batch":
        return
    rules = Rules(menu.exclusions, offer.catalog, menu.day, need.retention_max == "none", need.region)
    bars = [rules.feature("batch", way.vendor, way.access)]
    if way.cache == "kept" and any(part.workload.quantities.get(meter) for meter in CACHE_METERS):
        bars.append(rules.cache_in_batch(way.vendor, way.access))
    for bar in bars:
        if bar:
            yield Rejected(
                offer.name, part.workload.name, way.model, f"{bar.lever}: {bar.why}", "", None, "it may run in realtime"
            )


def _unsold(offer: Offer, workload: str, refused: Refused) -> Rejected:
    """A model that the paper does not sell, or for which it has no price."""
    what = refused.finding.what.partition(" [")[0]
    clause = next((each for each in SCOPES if each in what), "prices")
    where = None if offer.implied else offer.contract.place(clause)
    whose = "" if clause == SCOPES[0] else workload  # a model that is not sold is sold to nobody
    return Rejected(offer.name, whose, refused.model, what, clause, where, refused.finding.hint)


def _nobody(part: Part, rejected: Sequence[Rejected], needs: Sequence[Need]) -> Finding:
    """What keeps every offer from a part, and what to relax: a need where one decides, else the table."""
    name = part.workload.name
    wanted = need_of(needs, name).models or (part.workload.model,)
    mine = list(dict.fromkeys(each for each in rejected if each.workload in (name, "") and each.model in wanted))
    why = "; ".join(f"{each.offer} ({each.model}): {each.why}" for each in mine[:SHOWN_MAX])
    hints = list(dict.fromkeys(each.relax for each in mine if each.relax))
    where = need_of(needs, name).where
    return Finding(
        "P661", "error", f"no offer may serve {name or 'the usage'} with {part.workload.model}", where, why=why,
        hint="; ".join(hints[:3]) or "add an offer that sells the model, or name other models with --quality",
    )  # fmt: skip


def _opening(offer: Offer, number: int, ways: Mapping[tuple[int, int], Sequence[Priced]]) -> Opening:
    cheapest = [min(found, key=lambda each: each.cost) for (_, owner), found in ways.items() if owner == number]
    paid = total(amount for each in cheapest for amount in each.monthly)
    listed = total(amount for each in cheapest for amount in each.listed)
    return opening(offer, group_of(offer), float(paid / listed) if listed else 1.0)


def group_of(offer: Offer) -> str:
    """Of the contracts that one vendor offers, at most one is signed."""
    return offer.vendor.lower()


def assembled(
    table: Table, paths: Paths, clouds: Sequence[Cloud] = (), signed: frozenset[int] = frozenset(), peak: float = 1.0
) -> Assembled:
    """The problem, where the offers with a reservation that are `signed` are, and the others are not on the table.

    `peak` is the peak-to-mean ratio of the load, by which a reservation is sized.
    """
    channels = tuple(_channels(table, signed))
    best = {
        (index, pool): found
        for pool, channel in enumerate(channels)
        for index in range(len(table.parts))
        if (found := _cheapest(table, index, channel))
    }
    vendors = {vendor: index for index, vendor in enumerate(paths.vendors)}
    pools = tuple(_pool(table, channel, vendors) for channel in channels)
    cost = np.full((len(table.parts), len(channels)), np.nan)
    for (index, pool), found in best.items():
        factor = 0.0 if channels[pool].reserved else table.openings[channels[pool].offer].factor
        cost[index, pool] = float(found.cost) * factor
    names = {name: index for index, name in enumerate(paths.workloads)}
    problem = Problem(
        items=tuple(Item(part.name, part.batchable) for part in table.parts),
        pools=pools,
        unit_cost=cost,
        demand=paths.demand[:, [names[part.workload.name] for part in table.parts], :],
        list_price=paths.list_price,
        weights=paths.weights,
        levels=tuple(_levels(table, channels, signed)),
        capacities=tuple(_capacities(table, channels, peak)),
        burn_downs=tuple(_burn_downs(table, channels, clouds)),
    )
    fixed = sum(float(table.openings[number].reserved_fee + table.openings[number].fees) for number in signed)
    return Assembled(problem, channels, best, signed, fixed)


def _channels(table: Table, signed: frozenset[int]) -> Iterator[Channel]:
    """The pools: of those that come with a reservation only the signed, and no rival of theirs."""
    taken = {group_of(table.offers[number]) for number in signed}
    for number, offer in enumerate(table.offers):
        rival = table.openings[number].levels and group_of(offer) in taken
        if number not in signed and (table.openings[number].reserved or rival):
            continue
        makers = {each.way.vendor for (_, owner), found in table.ways.items() if owner == number for each in found}
        if table.openings[number].levels and number not in signed:
            yield Channel(number, next(iter(makers)) if len(makers) == 1 else "")
            continue
        yield from (Channel(number, maker) for maker in sorted(makers))
        if number in signed:
            yield Channel(number, reserved=True)


def _cheapest(table: Table, index: int, channel: Channel) -> Priced | None:
    found = table.ways.get((index, channel.offer), ())
    clause = table.openings[channel.offer].reserved
    if channel.reserved and clause:
        found = [each for each in found if match(clause.models, each.way.model) and each.way.channel != "batch"]
    elif channel.maker:
        found = [each for each in found if each.way.vendor == channel.maker]
    return min(found, key=lambda each: each.cost, default=None)


def _pool(table: Table, channel: Channel, vendors: Mapping[str, int]) -> Pool:
    offer = table.offers[channel.offer]
    frozen = offer.terms.prices.freeze is not None or channel.reserved
    about = " · reserved" if channel.reserved else f" · {channel.maker}" if channel.maker else ""
    return Pool(offer.name + about, offer.name, None if frozen else vendors.get(channel.maker))


def _levels(table: Table, channels: Sequence[Channel], signed: frozenset[int]) -> Iterator[Level]:
    for pool, channel in enumerate(channels):
        if channel.offer not in signed:
            yield from (replace(level, pool=pool) for level in table.openings[channel.offer].levels)


def _capacities(table: Table, channels: Sequence[Channel], peak: float) -> Iterator[Capacity]:
    """A reservation that is paid for already: one unit, sized in months of its two limits."""
    for pool, channel in enumerate(channels):
        clause = table.openings[channel.offer].reserved
        if channel.reserved and clause:
            limits = (clause.input_tpm * MINUTES_A_MONTH, clause.output_tpm * MINUTES_A_MONTH)
            load = np.array([_load(part, limits) for part in table.parts])
            offer = table.offers[channel.offer]
            yield Capacity(f"{offer.name} · reserved", offer.name, pool, 0.0, 1.0, load, 1, _blocks(peak))


def _load(part: Part, limits: tuple[int, int]) -> float:
    """The share of the reservation that a month of the part takes up, at a constant load."""
    quantities = part.workload.quantities
    output = quantities.get("output_tokens", 0)
    inputs = sum(count for meter, count in quantities.items() if meter.startswith(("input", "cache")))
    return max(inputs / max(limits[0], 1), output / max(limits[1], 1))


def _blocks(peak: float) -> tuple[tuple[float, float], ...]:
    """A day's load as two blocks: an eighth of the hours at the peak, the rest at what keeps the mean."""
    if peak <= 1.0:
        return ((1.0, 1.0),)
    high = min(peak, 8.0)
    return ((0.125, high), (0.875, (1 - 0.125 * high) / 0.875))


def _burn_downs(table: Table, channels: Sequence[Channel], clouds: Sequence[Cloud]) -> Iterator[BurnDown]:
    for cloud in clouds:
        counts: dict[int, float] = {}
        cap = 1.0
        for pool, channel in enumerate(channels):
            for commitment in table.offers[channel.offer].terms.commitments:
                clause = commitment.marketplace
                if clause and clause.burns == cloud.name:
                    counts[pool] = float(clause.share)
                    cap = float(clause.cap.share) if clause.cap else cap
        yield BurnDown(cloud.name, float(cloud.committed), float(cloud.other), counts, cap)
