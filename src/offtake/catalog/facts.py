"""Catalogue files: dated prices and facts that the price book lacks, ours (`facts.yaml`) and the user's (`--catalog`).

One shape for both; every row names its source:

    prices:   {model, vendor, channel, access, region, from, until, source, input_mtok: 3, output_mtok: …}
    aliases:  {name, model, source}
    models:   {model (a pattern), vendor, launched, deprecated, min_prefix_tokens, context_window, source}
    batch:    {vendor, from, until, share, keys (all | uncached), window, source}   while the book lists no batch price
    cache:    {vendor, price, times, of, from, source}                        a cache price the book lacks
    regions:  {access, vendor, models, regions, uplift, from, source}         the first row that fits counts
    access, vendors, makers: how clouds and vendors are called, and who makes models

A price is dollars for as many pieces as its key says (`_mtok`: a million tokens, `_kcount`: a thousand), or
`{base: 3, above: [{over: 200_000, price: 6}]}` by the context of one request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from offtake.catalog.list_price import BandPrice
from offtake.catalog.names import key, nearest
from offtake.usage.meters import METERS
from offtake.usage.record import CHANNELS
from offtake.values.errors import ContractError, Finding, Place
from offtake.values.units import Duration, duration, share
from offtake.values.yaml_text import step

PRICE_KEYS = tuple(dict.fromkeys(name for meter in METERS for name in meter.price_keys))


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """Prices by price key from a date; they replace the book's for the same keys."""

    model: str
    prices: Mapping[str, BandPrice]
    source: str
    vendor: str = ""
    channel: str = "realtime"
    access: str = "api"
    region: str = "global"
    start: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a model."""

    name: str
    model: str
    source: str


@dataclass(frozen=True, slots=True)
class ModelNote:
    """What is known of the models that a pattern matches."""

    model: str
    source: str
    vendor: str = ""
    launched: date | None = None
    deprecated: date | None = None
    min_prefix_tokens: int | None = None
    context_window: int | None = None


@dataclass(frozen=True, slots=True)
class BatchShare:
    """A vendor's batch discount: `share` off the realtime price, promised within `window`.

    From `until` on only a listed batch price counts: the book would list the model's if it had one.
    """

    vendor: str
    start: date
    share: Decimal
    source: str
    until: date | None = None
    keys: str = "all"
    window: Duration | None = None


@dataclass(frozen=True, slots=True)
class CachePrice:
    """A cache price that is a multiple of another one, where the book lists none of its own."""

    vendor: str
    price: str
    times: Decimal
    of: str
    start: date
    source: str


@dataclass(frozen=True, slots=True)
class RegionUplift:
    """What a region costs more than `global`; 0% where it is known to cost the same."""

    access: str
    regions: tuple[str, ...]
    uplift: Decimal
    source: str
    vendor: str = ""
    models: tuple[str, ...] = ("*",)
    start: date | None = None

    def fits(self, access: str, vendor: str, model: str, region: str) -> bool:
        """Whether this row speaks of such use. A region fits its geography: us-east-1 fits us."""
        return (
            self.access == access
            and self.vendor in ("", vendor)
            and any(fnmatchcase(model, pattern) for pattern in self.models)
            and any(region == each or region.startswith(f"{each}-") for each in self.regions)
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows of one catalogue file, or of several, the later after the earlier."""

    prices: tuple[ListedPrice, ...] = ()
    aliases: tuple[Alias, ...] = ()
    models: tuple[ModelNote, ...] = ()
    batch: tuple[BatchShare, ...] = ()
    cache: tuple[CachePrice, ...] = ()
    regions: tuple[RegionUplift, ...] = ()
    access: Mapping[str, str] = field(default_factory=dict)
    vendors: Mapping[str, str] = field(default_factory=dict)
    makers: tuple[str, ...] = ()

    def and_then(self, other: Facts) -> Facts:
        """Both, with the other's rows where they speak of the same thing."""
        return Facts(
            self.prices + other.prices,
            other.aliases + self.aliases,
            other.models + self.models,
            other.batch + self.batch,
            other.cache + self.cache,
            other.regions + self.regions,
            {**self.access, **other.access},
            {**self.vendors, **other.vendors},
            self.makers + other.makers,
        )


def read_facts(data: object, places: Mapping[str, Place]) -> Facts:
    """Facts from a parsed catalogue file. ContractError (K31x) with every problem and its place."""
    reader = _Reader(places)
    facts = reader.facts(data)
    if reader.findings:
        raise ContractError.of(reader.findings)
    return facts


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected a word, got {value!r}; quote it if it looks like a number")
    return value.strip()


def _date(value: object) -> date:
    if type(value) is not date:
        raise ValueError(f"expected a date such as 2026-01-31 (UTC), got {value!r}")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"expected a whole number at or above zero, got {value!r}")
    return value


def _number(value: object) -> Decimal:
    if type(value) not in (int, Decimal) or (number := Decimal(str(value))) < 0:
        raise ValueError(f"expected a number at or above zero, such as 0.25, got {value!r}")
    return number


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"expected a list of words, got {value!r}")
    return tuple(_text(each) for each in value)


def _price(value: object) -> BandPrice:
    if not isinstance(value, dict):
        return BandPrice(_number(value))
    if set(value) != {"base", "above"} or not isinstance(value["above"], list):
        raise ValueError("a price by context is {base: 3, above: [{over: 200_000, price: 6}]}")
    above = []
    for band in value["above"]:
        if not isinstance(band, dict) or set(band) != {"over", "price"}:
            raise ValueError(f"a band is {{over: 200_000, price: 6}}, got {band!r}")
        above.append((_count(band["over"]), _number(band["price"])))
    if [start for start, _ in above] != sorted({start for start, _ in above}):
        raise ValueError("bands rise: each `over` is larger than the one before")
    return BandPrice(_number(value["base"]), tuple(above))


def _channel(value: object) -> str:
    if value not in CHANNELS:
        raise ValueError(f"a channel is one of {', '.join(CHANNELS)}; got {value!r}")
    return str(value)


def _batch_keys(value: object) -> str:
    if value not in ("all", "uncached"):
        raise ValueError(f"`keys` is all, or uncached: cache prices stay as they are; got {value!r}")
    return str(value)


def _price_key(value: object) -> str:
    if value not in PRICE_KEYS:
        raise ValueError(f"no price key {value!r}; known: {', '.join(PRICE_KEYS)}")
    return str(value)


_Readers = Mapping[str, Callable[[Any], object]]
_NAMED: dict[str, tuple[type, _Readers]] = {
    "aliases": (Alias, {"name": _text, "model": _text, "source": _text}),
    "models": (
        ModelNote,
        {"model": _text, "vendor": _text, "launched": _date, "deprecated": _date, "min_prefix_tokens": _count,
         "context_window": _count, "source": _text},
    ),
    "batch": (
        BatchShare,
        {"vendor": _text, "from": _date, "until": _date, "share": share, "keys": _batch_keys,
         "window": duration, "source": _text},
    ),
    "cache": (
        CachePrice,
        {"vendor": _text, "price": _price_key, "times": _number, "of": _price_key, "from": _date, "source": _text},
    ),
    "regions": (
        RegionUplift,
        {"access": _text, "vendor": _text, "models": _words, "regions": _words, "uplift": share, "from": _date,
         "source": _text},
    ),
    "prices": (
        ListedPrice,
        {"model": _text, "vendor": _text, "channel": _channel, "access": _text, "region": _text, "from": _date,
         "until": _date, "source": _text, **dict.fromkeys(PRICE_KEYS, _price)},
    ),
}  # fmt: skip
_REQUIRED = {
    "aliases": ("name", "model", "source"),
    "models": ("model", "source"),
    "batch": ("vendor", "from", "share", "source"),
    "cache": ("vendor", "price", "times", "of", "from", "source"),
    "regions": ("access", "regions", "uplift", "source"),
    "prices": ("model", "source"),
}


class _Reader:
    """Reads sections and rows; collects a finding for each problem and goes on."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self.places = places
        self.findings: list[Finding] = []

    def facts(self, data: object) -> Facts:
        if not isinstance(data, dict):
            self._find("K311", "a catalogue file is a mapping", "", hint="start with `prices:` and a list of rows")
            return Facts()
        sections: dict[str, Any] = {}
        for name, value in data.items():
            if name in _NAMED:
                sections[name] = tuple(self._rows(name, value))
            elif name in ("access", "vendors") and isinstance(value, dict):
                sections[name] = {word.lower(): str(each or "") for word, each in value.items()}
            elif name == "makers":
                sections[name] = self._read(name, _words, value) or ()
            else:
                self._unknown(name, name, [*_NAMED, "access", "vendors", "makers"])
        return Facts(**sections)

    def _rows(self, section: str, rows: object) -> list[object]:
        if not isinstance(rows, list):
            self._find("K311", f"`{section}` is a list of rows", section, hint="begin each row with a dash")
            return []
        return [
            made
            for index, row in enumerate(rows)
            if (made := self._row(section, step(section, index), row)) is not None
        ]

    def _row(self, section: str, path: str, row: object) -> object | None:
        kind, readers = _NAMED[section]
        if not isinstance(row, dict):
            self._find(
                "K311", f"a row of `{section}` is a mapping", path, hint=f"such as {{{', '.join(_REQUIRED[section])}}}"
            )
            return None
        before = len(self.findings)
        values: dict[str, Any] = {}
        for name, value in row.items():
            if name in readers:
                values[name] = self._read(step(path, name), readers[name], value)
            else:
                self._unknown(name, step(path, name), list(readers))
        for name in _REQUIRED[section]:
            if name not in row:
                self._find(
                    "K313", f"this row of `{section}` lacks `{name}`", path, hint="every row says where it is from"
                )
        if section == "prices":
            values["prices"] = {name: values.pop(name) for name in PRICE_KEYS if name in values}
            if not values["prices"]:
                self._find("K313", "this row has no price", path, hint="such as input_mtok: 3")
        if "from" in values:
            values["start"] = values.pop("from")
        return kind(**values) if len(self.findings) == before else None

    def _read(self, path: str, reader: Callable[[Any], Any], value: object) -> Any:
        try:
            return reader(value)
        except ValueError as error:
            self._find("K314", str(error), path)
            return None

    def _unknown(self, name: str, path: str, known: list[str]) -> None:
        close = nearest(name, known)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        self._find("K312", f"unknown key {name!r}", path, hint=hint)

    def _find(self, code: str, what: str, path: str, hint: str = "") -> None:
        where = self.places.get(path) or self.places.get("")
        self.findings.append(Finding(code, "error", what, where=where, path=path, hint=hint))


def alias_of(facts: Facts, name: str) -> str:
    """The model that a name is an alias of, or the name itself."""
    return next((alias.model for alias in facts.aliases if key(alias.name) == key(name)), name)
