"""A decided plan, looked at from all sides with the exact engine: its bill, the steps to it, and how it stands if
demand does not come as forecast. Every figure here is a re-rating.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from offtake.planner.offers.offer import Offer
from offtake.planner.offers.parts import Part
from offtake.planner.offers.rerate import Cloud, Rerated, Route, rerated, scaled_routes, unburned
from offtake.planner.offers.result import Sensitivity, Step
from offtake.planner.offers.ways import Desk, Menu, Way
from offtake.values.errors import CatalogError, InputError, UnpricedError

FACTORS = tuple(Decimal(each) for each in ("0.5", "0.8", "1.2", "1.5"))
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Books:
    """What bills are made from. The last of the offers is the way in which everything is bought today."""

    parts: tuple[Part, ...]
    offers: tuple[Offer, ...]
    menu: Menu
    clouds: tuple[Cloud, ...] = ()

    @property
    def today(self) -> int:
        """The index of today's way of buying."""
        return len(self.offers) - 1

    def bill(self, routes: Sequence[Route], signed: Sequence[int] = ()) -> Rerated:
        """What every vendor bills."""
        bills = rerated(self.parts, self.offers, self.menu, routes, signed)
        return Rerated((*bills.billed, *(unburned(cloud, self.offers, bills) for cloud in self.clouds)))


def routes_today(books: Books, months: int) -> list[Route]:
    """Every part as it runs now. InputError P664 where today's way of buying has no price for it."""
    offer = books.offers[books.today]
    desk = Desk(offer, books.menu)
    found = []
    for number, part in enumerate(books.parts):
        way = _way_today(desk, part)
        if way is None:
            raise InputError(
                "P664", f"{offer.name} has no price for {part.name}, so today's cost is not known",
                hint="name the contract that it is bought under with --contract, or its prices with --catalog",
            )  # fmt: skip
        found.append(Route(number, books.today, way, (ONE,) * months))
    return found


def _way_today(desk: Desk, part: Part) -> Way | None:
    """The cheapest cache reading of today's model and channel, with the cache as it is where that has a price."""
    try:
        priced, _ = desk.ways(part, (part.workload.model,))
    except (CatalogError, UnpricedError):
        return None
    same = [each.way for each in priced if each.way.channel == part.workload.channel]
    order = ("kept", "writes as input", "off")
    return min(same, key=lambda way: order.index(way.cache), default=None)


def waterfall(books: Books, today: Sequence[Route], plan: Sequence[Route], cost: Decimal, bill: Decimal) -> list[Step]:
    """From today's bill to the plan's: what runs in batch, then other models and caches, then where it is bought.

    A step that changes nothing is left out.
    """
    own = {route.part: route.way for route in today}
    batched, moved = [], []
    for route in plan:
        way = own[route.part]
        batch = way._replace(channel="batch") if route.way.channel == "batch" else way
        batched.append(replace(route, offer=books.today, reserved=False, way=batch))
        moved.append(replace(route, offer=books.today, reserved=False, way=way if route.reserved else route.way))
    steps = [Step("today", bill, Decimal(0))]
    for name, routes in (("what can wait in batch", batched), ("models and cache", moved)):
        after = _cost(books, routes)
        if after is not None and after != steps[-1].cost:
            steps.append(Step(name, after, steps[-1].cost - after))
    return [*steps, Step("where it is bought", cost, steps[-1].cost - cost)]


def _cost(books: Books, routes: Sequence[Route]) -> Decimal | None:
    """The bill, or None where today's way of buying does not sell it so."""
    try:
        return books.bill(routes).total
    except InputError:
        return None


def sensitivity(
    books: Books, today: Sequence[Route], plan_at: Callable[[Decimal], Sequence[Route]], signed: Sequence[int]
) -> tuple[Sensitivity, ...]:
    """The same signatures with less and with more of everything; `plan_at` has the plan's routes at a factor."""
    return tuple(
        Sensitivity(
            factor, books.bill(plan_at(factor), signed).total, books.bill(scaled_routes(today, factor)).total
        )
        for factor in FACTORS
    )  # fmt: skip
