"""The lock: the list prices that a contract was priced with, beside it in `prices.lock.yaml`.

Most prices of the package carry no date, so that an upgrade of it may change what was charged last year. The lock
keeps each price with its dates, source and package version; frozen and closed periods read only the lock.
The same prices give the same bytes: rows are sorted, prices are plain decimals, nothing depends on the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from offtake.catalog.list_price import BandPrice, ListPrices, ModelFacts, Offer, PriceCell
from offtake.catalog.names import family, key, nearest, read_reference, spellings
from offtake.usage.meters import BY_NAME, ORDER
from offtake.values.errors import CatalogError, ContractError, Place
from offtake.values.money import EXACT
from offtake.values.yaml_text import step

HEADER = """\
# List prices as they were when locked; written by `offtake catalog lock`. Frozen and closed periods read only this.
# Dollars per million tokens, or per thousand searches or requests; `over`: for a request with more context tokens.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One price that the lock and the catalogue do not share; None where one of them has none."""

    offer: Offer
    meter: str
    start: datetime | None
    locked: str | None
    listed: str | None

    def __str__(self) -> str:
        since = f" from {self.start:%Y-%m-%d}" if self.start else ""
        return (
            f"{self.offer.model} {self.meter} ({self.offer.channel}, {self.offer.access}, {self.offer.region}){since}: "
            f"{self.locked or 'not locked'} → {self.listed or 'no longer listed'}"
        )


class Lock:
    """`ListPrices` that answers only from a lock file; everything else is a CatalogError."""

    def __init__(
        self,
        offers: Mapping[Offer, tuple[PriceCell, ...]],
        names: Mapping[str, str],
        facts: Mapping[str, ModelFacts],
        version: str,
    ) -> None:
        self.offers = dict(offers)
        self.names = dict(names)
        self._facts = dict(facts)
        self._version = version

    @property
    def version(self) -> str:
        """`lock` and the hash of the file."""
        return self._version

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        """A locked model by its id, or by a name under which it was locked. CatalogError K301 otherwise."""
        reference = read_reference(name, {offer.vendor for offer in self.offers})
        known = {key(each): model for each, model in {**{each: each for each in self._facts}, **self.names}.items()}
        for spelling in [key(name), *spellings(reference.name)]:
            if spelling in known:
                return self._facts[known[spelling]]
        close = nearest(reference.name, list(self._facts))
        raise CatalogError("K301", f"no model {name!r} in the lock", hint=f"locked: {', '.join(close or self._facts)}")

    def models(self, vendor: str) -> tuple[ModelFacts, ...]:
        """The models of the lock that a vendor sells."""
        return tuple(facts for facts in self._facts.values() if vendor in ("", facts.vendor))

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        """The locked prices; none where this was not locked."""
        return self.offers.get(Offer(model, vendor, channel, access, region), ())


def write_lock(catalog: ListPrices, offers: Iterable[Offer], names: Mapping[str, str] | None = None) -> str:
    """The text of a lock for these offers. `names`: other names under which a locked model is used, to its id."""
    chosen = sorted(
        set(offers), key=lambda offer: (offer.vendor, offer.model, offer.access, offer.region, offer.channel)
    )
    lines = [HEADER + "lock: 1", f"catalog: {_quoted(catalog.version)}", "models:"]
    for vendor, model in dict.fromkeys((offer.vendor, offer.model) for offer in chosen):
        facts = catalog.resolve(model, vendor)
        row = {
            "model": _quoted(model),
            "vendor": _quoted(vendor),
            "names": f"[{', '.join(_quoted(name) for name, of in sorted((names or {}).items()) if of == model)}]",
            "launched": _day(facts.launched),
            "deprecated": _day(facts.deprecated),
            "min_prefix_tokens": facts.min_prefix_tokens,
            "context_window": facts.context_window,
        }
        lines.append(f"  - {_flow(row)}")
    lines.append("prices:")
    for offer in chosen:
        for cell in catalog.cells(offer.model, offer.vendor, offer.channel, offer.access, offer.region):
            lines += _cell_lines(offer, cell)
    return "\n".join(lines) + "\n"


def read_lock(data: object, places: Mapping[str, Place], digest: str = "") -> Lock:
    """A lock from its parsed text. ContractError K32x where it is no lock of ours."""
    place = places.get("")
    if not isinstance(data, dict) or data.get("lock") != 1:
        raise ContractError(
            "K321", "this is not a price lock", where=place, hint="write it with `offtake catalog lock`"
        )
    offers: dict[Offer, list[PriceCell]] = {}
    facts: dict[str, ModelFacts] = {}
    names: dict[str, str] = {}
    path = ""
    try:
        for index, row in enumerate(data["models"]):
            path = step("models", index)
            facts[row["model"]] = _facts(row)
            names |= dict.fromkeys(row["names"], row["model"])
        for index, row in enumerate(data["prices"] or []):
            path = step("prices", index)
            offer = Offer(row["model"], row["vendor"], row["channel"], row["access"], row["region"])
            offers.setdefault(offer, []).append(_cell(row))
    except (KeyError, TypeError, ValueError) as error:
        raise ContractError(
            "K322",
            f"this row of the lock is damaged: {error}",
            where=places.get(path, place),
            hint="restore the file from version control, or lock again",
        ) from error
    return Lock({offer: tuple(cells) for offer, cells in offers.items()}, names, facts, f"lock {digest}".strip())


def diff(lock: Lock, catalog: ListPrices) -> list[Change]:
    """Every locked price that the catalogue lists otherwise today, and every new one of a locked offer."""
    changes: list[Change] = []
    for offer, cells in lock.offers.items():
        try:
            listed = catalog.cells(offer.model, offer.vendor, offer.channel, offer.access, offer.region)
        except CatalogError:
            listed = ()
        ours, theirs = _prices(cells), _prices(listed)
        for start, daily, meter in sorted({*ours, *theirs}, key=str):
            one, other = ours.get((start, daily, meter)), theirs.get((start, daily, meter))
            if one != other:
                changes.append(Change(offer, meter, start, _shown(meter, one), _shown(meter, other)))
    return sorted(changes, key=lambda each: (str(each.offer), str(each.start), ORDER[each.meter]))


_Slot = tuple[datetime | None, tuple[time, time] | None, str]


def _prices(cells: Iterable[PriceCell]) -> dict[_Slot, BandPrice]:
    return {(cell.start, cell.daily, meter): price for cell in cells for meter, price in cell.prices.items()}


def _shown(meter: str, price: BandPrice | None) -> str | None:
    if price is None:
        return None
    per = BY_NAME[meter].per
    return "".join([_plain(price.base, per), *(f" [over {start}: {_plain(each, per)}]" for start, each in price.above)])


def _cell_lines(offer: Offer, cell: PriceCell) -> list[str]:
    head = {
        "model": _quoted(offer.model),
        "vendor": _quoted(offer.vendor),
        "channel": offer.channel,
        "access": _quoted(offer.access),
        "region": _quoted(offer.region),
        "from": _day(cell.start),
        "until": _day(cell.end),
        "daily": _quoted("-".join(f"{each:%H:%M:%S}" for each in cell.daily)) if cell.daily else None,
        "source": _quoted(cell.source),
    }
    lines = [f"    {name}: {value}" for name, value in head.items() if value is not None]
    lines[0] = f"  - {lines[0].lstrip()}"
    lines.append("    prices:" if cell.prices else "    prices: {}")
    for meter in sorted(cell.prices, key=ORDER.__getitem__):
        price, per = cell.prices[meter], BY_NAME[meter].per
        bands = ", ".join(f"{{over: {start}, price: {_plain(each, per)}}}" for start, each in price.above)
        value = f"{{base: {_plain(price.base, per)}, above: [{bands}]}}" if bands else _plain(price.base, per)
        lines.append(f"      {meter}: {value}")
    return lines


def _cell(row: Mapping[str, Any]) -> PriceCell:
    daily = row.get("daily")
    clocks = [time.fromisoformat(each) for each in daily.split("-")] if daily else []
    prices = {meter: _band(BY_NAME[meter].per, value) for meter, value in row["prices"].items()}
    return PriceCell(
        _midnight(row.get("from")),
        _midnight(row.get("until")),
        (clocks[0], clocks[1]) if clocks else None,
        prices,
        row["source"],
    )


def _band(per: int, value: Any) -> BandPrice:
    if not isinstance(value, dict):
        return BandPrice(_piece(value, per))
    above = tuple((int(band["over"]), _piece(band["price"], per)) for band in value["above"])
    return BandPrice(_piece(value["base"], per), above)


def _facts(row: Mapping[str, Any]) -> ModelFacts:
    return ModelFacts(
        row["model"],
        row["vendor"],
        family(row["model"]),
        row.get("context_window"),
        _midnight(row.get("launched")),
        _midnight(row.get("deprecated")),
        row.get("min_prefix_tokens"),
    )


def _piece(value: object, per: int) -> Decimal:
    if type(value) not in (int, Decimal):
        raise ValueError(f"{value!r} is no price")
    return EXACT.divide(Decimal(str(value)), Decimal(per))


def _plain(price: Decimal, per: int) -> str:
    return f"{EXACT.multiply(price, Decimal(per)).normalize(EXACT):f}"


def _day(instant: datetime | None) -> str | None:
    return f"{instant:%Y-%m-%d}" if instant else None


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


def _flow(row: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in row.items() if value is not None) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
