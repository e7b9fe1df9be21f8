"""Dated cells out of a price function: ask it once per date span and daily span, and join equal neighbours.

Whatever decides a price (the package, our facts, a user's file) is one function of the instant; the dates and times
at which it may change are known. Sampling each span once therefore gives all of it, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from offtake.catalog.list_price import BandPrice, PriceCell
from offtake.usage.meters import METERS
from offtake.values.money import EXACT

Listed = tuple[Mapping[str, BandPrice], str]  # price keys and where they come from
Daily = tuple[time, time] | None

_ANY_DAY = date(2020, 1, 1)  # stands for "always" where no price has a date


def build_cells(
    dates: Iterable[date], times: Iterable[time], listed_at: Callable[[datetime], Listed | None]
) -> tuple[PriceCell, ...]:
    """The cells of `listed_at`, in time order; spans where it gives None have no cell.

    `dates` (UTC midnights) and `times` (UTC) are all those at which its answer may change.
    """
    days = sorted(set(dates))
    spans = zip([None, *days], [*days, None], strict=True)
    clocks = _daily_spans(sorted(set(times)))
    cells: list[PriceCell] = []
    open_cells: list[PriceCell] = []  # those of the span before, which equal ones prolong
    for start, end in spans:
        day = start or (end - timedelta(days=1) if end else _ANY_DAY)
        fresh = [
            PriceCell(_midnight(start), _midnight(end), clock, meter_prices(listed[0]), listed[1])
            for clock in clocks
            if (listed := listed_at(datetime.combine(day, clock[0] if clock else time(), UTC))) is not None
        ]
        if len(fresh) == len(clocks) and all(_same(cell, fresh[0]) for cell in fresh):
            fresh = [PriceCell(fresh[0].start, fresh[0].end, None, fresh[0].prices, fresh[0].source)]
        if len(fresh) == len(open_cells) and all(
            _same(old, new) and old.daily == new.daily for old, new in zip(open_cells, fresh, strict=True)
        ):
            fresh = [
                PriceCell(old.start, new.end, old.daily, old.prices, old.source)
                for old, new in zip(open_cells, fresh, strict=True)
            ]
            del cells[len(cells) - len(open_cells) :]
        cells += fresh
        open_cells = fresh
    return tuple(cells)


def meter_prices(keys: Mapping[str, BandPrice]) -> dict[str, BandPrice]:
    """Dollars a piece by meter: of each meter's price keys the most specific one that is listed."""
    prices = {}
    for meter in METERS:
        found = next((keys[name] for name in meter.price_keys if name in keys), None)
        if found is not None:
            prices[meter.name] = scaled(found, EXACT.divide(Decimal(1), Decimal(meter.per)))
    return prices


def scaled(price: BandPrice, factor: Decimal) -> BandPrice:
    """A price times a factor, in every band, exact."""
    above = tuple((start, EXACT.multiply(higher, factor)) for start, higher in price.above)
    return BandPrice(EXACT.multiply(price.base, factor), above)


def _daily_spans(times: list[time]) -> list[Daily]:
    if len(times) < 2:
        return [None]
    return list(zip(times, [*times[1:], times[0]], strict=True))


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


def _same(one: PriceCell, other: PriceCell) -> bool:
    return one.prices == other.prices and one.source == other.source
