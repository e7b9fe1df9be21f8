"""Drawing paths: a level without trend, each workload's own luck and a luck that all share, and what is known to come.

factor in month h = growth ratio ^ √h     one ratio a workload and path: its story, wider the further ahead
                    × 0 from some month   in the paths in which it is switched off
                    × 10 from some month  in the paths in which it takes off
                    × events              launch, migration, retirement
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import erf
from typing import TYPE_CHECKING

import numpy as np

from offtake.planner.demand.events import Event, with_events
from offtake.planner.demand.growth import RATIO_MAX, Growth, growth_of
from offtake.planner.demand.paths import Paths
from offtake.planner.demand.price_changes import CHANGES_PER_YEAR, price_paths

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of 255 real customers of all sizes 10% vanished from one week to the next and 5% grew 16-fold. A workload that is
# large enough to be planned for does so less often; how much less is an assumption, to be varied.
SWITCHED_OFF, TENFOLD = 0.05, 0.01
TOGETHER = 0.3
"""How far workloads move together: the correlation of their luck (an assumption, to be varied)."""
PATHS = 200

_normal_shares = np.frompyfunc(lambda z: (1.0 + erf(z / 2.0**0.5)) / 2.0, 1, 1)


def draw_paths(
    generator: np.random.Generator,
    histories: Mapping[str, Sequence[float]],
    vendors: Sequence[str] = (),
    *,
    months: int = 12,
    paths: int = PATHS,
    events: Sequence[Event] = (),
    volumes: Mapping[str, float] | None = None,
    together: float = TOGETHER,
    switched_off: float = SWITCHED_OFF,
    tenfold: float = TENFOLD,
    price_changes_per_year: float = CHANGES_PER_YEAR,
) -> Paths:
    """So many equally likely paths of `months` months.

    `histories` has each workload's volumes by period of equal length, oldest first; empty where nothing is known. From
    eight periods on its own growth ratios are used, below that the reference. `volumes` are today's by workload, needed
    where an event moves demand between workloads (the mean of the history where absent). `together` is a correlation,
    0 to 1; `switched_off` and `tenfold` are shares of paths, each in at least one path where it is above zero.
    """
    names = tuple(histories)
    demand = _growth(generator, [growth_of(history) for history in histories.values()], months, paths, together)
    for place in range(len(names)):
        _case(generator, demand[:, place], switched_off, 0.0)
        _case(generator, demand[:, place], tenfold, RATIO_MAX)
    happens = generator.random((paths, len(events))) < np.array([event.probability for event in events])
    today = volumes if volumes is not None else _means(histories)
    return Paths(
        names,
        tuple(vendors),
        with_events(demand, names, events, today, happens),
        price_paths(generator, paths, len(vendors), months, price_changes_per_year),
        np.full(paths, 1.0 / paths),
    )


def level_path(
    workloads: Sequence[str],
    vendors: Sequence[str] = (),
    *,
    months: int = 12,
    events: Sequence[Event] = (),
    volumes: Mapping[str, float] | None = None,
) -> Paths:
    """The plain forecast as a single path: today's level and prices, and the events that are likelier than not."""
    happens = np.array([[event.probability >= 0.5 for event in events]], dtype=np.bool_)
    demand = np.ones((1, len(workloads), months))
    today = volumes if volumes is not None else dict.fromkeys(workloads, 1.0)
    changed = with_events(demand, tuple(workloads), events, today, happens)
    return Paths(tuple(workloads), tuple(vendors), changed, np.ones((1, len(vendors), months)), np.ones(1))


def _growth(
    generator: np.random.Generator, growths: Sequence[Growth], months: int, paths: int, together: float
) -> NDArray[np.float64]:
    shared = generator.standard_normal((paths, 1))
    own = generator.standard_normal((paths, len(growths)))
    luck = _normal_shares(together**0.5 * shared + (1.0 - together) ** 0.5 * own).astype(np.float64)
    ratios = np.stack([growth.ratio(luck[:, place]) for place, growth in enumerate(growths)], axis=1)
    widened = ratios[:, :, np.newaxis] ** np.sqrt(np.arange(1, months + 1))
    return np.asarray(np.minimum(widened, RATIO_MAX), dtype=np.float64)


def _case(generator: np.random.Generator, demand: NDArray[np.float64], share: float, factor: float) -> None:
    """Multiply a share of the paths, but at least one, from a month of their own on."""
    paths, months = demand.shape
    if share <= 0 or paths < 2:
        return
    chosen = generator.permutation(paths)[: max(1, round(share * paths))]
    starts = generator.integers(0, months, chosen.size)
    after = np.arange(months) >= starts[:, np.newaxis]
    demand[chosen] = np.where(after, demand[chosen] * factor, demand[chosen])


def _means(histories: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: float(np.mean(history)) if len(history) else 0.0 for name, history in histories.items()}
