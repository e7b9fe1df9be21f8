"""The futures of a valuation: demand paths crossed with a limited number of distinct list-price paths.

Unit prices do not depend on volume, so what is dear is a distinct history of list prices, and not a future. Some fifty
histories, each met by many demands, say as much about a mean; the standard error counts them as what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from offtake.catalog.list_price import ListPrices
from offtake.planner.value.costs import Outlook
from offtake.planner.value.demand import Demand
from offtake.planner.value.price_path import PricePath
from offtake.values.money import quantize
from offtake.values.periods import Interval

if TYPE_CHECKING:
    import numpy as np

    from offtake.contract.schema.prices import OffPeak

PRICE_PATHS = 50
PRICE_PLACES, SHARE_PLACES = 4, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """What the futures are drawn with. `spread` is the log-sd of one lognormal factor a path with mean 1; None draws
    month by month from growth ratios. `uptime` is a median, `uptime_spread` the log-sd of a month's downtime.
    """

    paths: int = 2000
    seed: int = 1
    spread: Decimal | None = None
    price_changes: Decimal = Decimal("0.5")
    uptime: Decimal = Decimal("0.998")
    uptime_spread: Decimal = Decimal(1)


def outlook_of(
    demand: Demand, months: Sequence[Interval], catalog: ListPrices, luck: Luck, cheaper: OffPeak | None = None
) -> Outlook:
    """The futures. The same luck gives the same ones; each kind of luck is drawn apart, so that one can be varied."""
    import numpy as np

    names = list(dict.fromkeys(basket.name for basket in demand.baskets))
    factors = _factors(np.random.default_rng([luck.seed, 1]), demand, len(months), luck)
    rows = [names.index(basket.name) for basket in demand.baskets]
    today = np.array([float(each) for each in demand.today])
    counts = np.rint(factors[:, rows, :] * today[np.newaxis, :, np.newaxis]).astype(np.int64)
    prices = _prices(np.random.default_rng([luck.seed, 2]), demand, months, catalog, luck)
    return Outlook(
        demand.baskets, tuple(months), counts.transpose(0, 2, 1).tolist(), prices,
        [path % len(prices) for path in range(luck.paths)], cheaper,
    )  # fmt: skip


def uptimes_of(paths: int, months: int, luck: Luck) -> list[list[Decimal]]:
    """`[path][month]`: the availability of each month."""
    import numpy as np

    generator = np.random.default_rng([luck.seed, 3])
    worse = np.exp(float(luck.uptime_spread) * generator.standard_normal((paths, months)))
    down = np.minimum((1.0 - float(luck.uptime)) * worse, 1.0)
    return [[quantize(Decimal(repr(1.0 - each)), SHARE_PLACES) for each in row] for row in down.tolist()]


def _factors(generator: np.random.Generator, demand: Demand, months: int, luck: Luck) -> np.ndarray:
    """`[path, name, month]`: the factor on today's volume."""
    import numpy as np

    if luck.spread is not None:
        sd = float(luck.spread)
        level = np.exp(sd * generator.standard_normal((luck.paths, len(demand.histories))) - sd * sd / 2)
        return np.repeat(level[:, :, np.newaxis], months, axis=2)
    from offtake.planner.demand.draw import draw_paths

    return draw_paths(generator, demand.histories, months=months, paths=luck.paths).demand


def _prices(
    generator: np.random.Generator, demand: Demand, months: Sequence[Interval], catalog: ListPrices, luck: Luck
) -> list[PricePath]:
    from offtake.planner.demand.price_changes import price_paths

    records = [record for basket in demand.baskets for record in basket.records]
    vendors = sorted({catalog.resolve(each.model, each.vendor, each.access).vendor for each in records})
    distinct = min(PRICE_PATHS, luck.paths) if luck.price_changes else 1
    drawn = price_paths(generator, distinct, len(vendors), len(months), float(luck.price_changes)).tolist()
    starts = tuple(month.start for month in months)
    found = []
    for path in drawn:
        factors = {
            vendor: (Decimal(1), *(quantize(Decimal(repr(each)), PRICE_PLACES) for each in row[:-1]))
            for vendor, row in zip(vendors, path, strict=True)
        }  # the first month keeps today's prices: they are what is signed
        found.append(PricePath(catalog, starts, factors))
    return found
