"""The invoice that the simulated vendors would send for a meter: a second count, made apart from our rating.

Each line of the meter is priced by itself, at its instant, straight from the genai-prices package: tokens × price ÷ a
million, in Decimal, never rounded. Nothing here is shared with the catalogue's prices or with rating, but the table
of regions' uplifts, which the package does not have. Lines are then added up by day, model, channel, region, meter and
unit price; the CSV is one that `offtake compare` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, TieredPrices

from offtake.catalog.facts import RegionUplift, read_facts
from offtake.values.errors import InputError, Place
from offtake.values.yaml_text import read_yaml

COLUMNS = (
    "id", "starts_at", "ends_at", "vendor", "model", "channel", "meter", "quantity", "unit_price", "amount", "currency",
    "description",
)  # fmt: skip
# The price keys of each meter, the most telling first, and how many pieces a price is for.
_KEYS: dict[str, tuple[tuple[str, ...], int]] = {
    "input_tokens": (("input_mtok",), 1_000_000),
    "cache_read_tokens": (("cache_read_mtok", "input_mtok"), 1_000_000),
    "cache_write_5m_tokens": (("cache_write_mtok", "input_mtok"), 1_000_000),
    "cache_write_1h_tokens": (("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"), 1_000_000),
    "output_tokens": (("output_mtok",), 1_000_000),
    "web_searches": (("web_searches_kcount",), 1_000),
}
_CONTEXTS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
Discounts = tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """What rows of the invoice are told apart by."""

    day: datetime
    vendor: str
    model: str
    channel: str
    region: str
    meter: str
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """Items and their quantities, in order; and what had no price, which is not free but is not on the invoice."""

    items: Mapping[Item, int]
    unpriced: tuple[str, ...]

    @property
    def total(self) -> Decimal:
        """Dollars, exact."""
        with _exact():
            return sum((item.unit_price * quantity for item, quantity in self.items.items()), Decimal(0))

    def rows(self) -> Iterator[list[str]]:
        """The rows of the CSV, as `COLUMNS` has them."""
        for number, (item, quantity) in enumerate(self.items.items(), 1):
            with _exact():
                amount = item.unit_price * quantity
            where = "" if item.region == "global" else f", {item.region}"
            yield [
                f"SANDBOX-{number:06d}", _instant(item.day), _instant(item.day + timedelta(days=1)), item.vendor,
                item.model, item.channel, item.meter, str(quantity), _plain(item.unit_price), _plain(amount), "USD",
                f"{item.model} {item.meter.replace('_', ' ')} ({item.channel}{where})",
            ]  # fmt: skip


def invoice_of(lines: Iterable[Mapping[str, Any]], discounts: Discounts = ()) -> Invoice:
    """The invoice for lines of a meter. `discounts`: (pattern of models, share off list); the first that fits."""
    uplifts = _uplifts()
    quantities: dict[Item, int] = {}
    unpriced: dict[str, None] = {}
    with _exact():
        for line in lines:
            at = datetime.fromisoformat(line["used_at"]).astimezone(UTC)
            found = _model(line)
            for meter, quantity in line["quantities"].items():
                if meter == "reasoning_tokens":  # inside of the output
                    continue
                price = _unit_price(found, meter, line, at) if found else None
                if price is None:
                    unpriced[f"{line['model']} {meter} ({line['channel']})"] = None
                    continue
                price *= _factor(line, at, uplifts) * _kept(str(line["model"]), discounts)
                day = at.replace(hour=0, minute=0, second=0, microsecond=0)
                item = Item(day, line["vendor"], line["model"], line["channel"], line["region"], meter, price)
                quantities[item] = quantities.get(item, 0) + quantity
    ordered = sorted(quantities, key=lambda each: (each.day, each.vendor, each.model, each.channel, each.meter))
    return Invoice({item: quantities[item] for item in ordered}, tuple(unpriced))


def read_meter(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a meter's file; InputError with its place for a line that no meter wrote."""
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                line = msgspec.json.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InputError(
                    "U108", "this line is not JSON", where=Place(str(path), number), why=str(error)
                ) from error
            wrong = _wrong(line)
            if wrong:
                hint = "name the file that `offtake sandbox --meter` wrote"
                raise InputError(
                    "U109", "no meter wrote this line", where=Place(str(path), number), why=wrong, hint=hint
                )
            yield line


def _wrong(line: object) -> str:
    """What makes this no line of a meter; "" where nothing does."""
    if not isinstance(line, dict):
        return "it is no JSON object"
    words = ("used_at", "vendor", "model", "channel", "region")
    missing = [name for name in words if not isinstance(line.get(name), str)]
    quantities = line.get("quantities")
    if not isinstance(quantities, dict) or type(line.get("context_tokens")) is not int:
        missing.append("quantities or context_tokens")
    elif any(name not in _KEYS and name != "reasoning_tokens" for name in quantities):
        return "it counts by meters that the sandbox does not have"
    elif any(type(count) is not int or count < 0 for count in quantities.values()):
        return "a quantity is no whole number"
    return f"it lacks {', '.join(missing)}" if missing else ""


def _model(line: Mapping[str, Any]) -> ModelInfo | None:
    try:
        return get_snapshot().find_provider_model(line["model"], None, line["vendor"], None)[1]
    except LookupError:
        return None


def _unit_price(model: ModelInfo, meter: str, line: Mapping[str, Any], at: datetime) -> Decimal | None:
    """Dollars a piece, as listed for this request; None where nothing is listed."""
    context = dict(_CONTEXTS.get(line["channel"], {}))
    if line.get("speed") == "fast":
        context["speed"] = "fast"
    if line["channel"] != "realtime" and not _listed(model, context, at):
        return None
    prices = model.get_prices(at, context or None)
    names, pieces = _KEYS[meter]
    price = next((each for name in names if (each := getattr(prices, name, None)) is not None), None)
    if isinstance(price, TieredPrices):
        reached = [tier.price for tier in price.tiers if line["context_tokens"] > tier.start]
        price = reached[-1] if reached else price.base
    return None if price is None else price / pieces


def _listed(model: ModelInfo, context: Mapping[str, str], at: datetime) -> bool:
    """Whether a channel has prices of its own; the package would answer with the standard ones."""
    return any(
        variant.when.items() <= context.items() and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )


def _factor(line: Mapping[str, Any], at: datetime, uplifts: tuple[RegionUplift, ...]) -> Decimal:
    """1.1 where a region costs 10% more."""
    if line["region"] == "global":
        return Decimal(1)
    row = next((row for row in uplifts if row.fits("api", line["vendor"], line["model"], line["region"])), None)
    held = row is not None and (row.start is None or row.start <= at.date())
    return 1 + row.uplift if row is not None and held else Decimal(1)


def _uplifts() -> tuple[RegionUplift, ...]:
    text = files("offtake.catalog").joinpath("facts.yaml").read_text("utf-8")
    return read_facts(*read_yaml(text, "facts")).regions


def _kept(model: str, discounts: Discounts) -> Decimal:
    return next((1 - share for pattern, share in discounts if fnmatchcase(model, pattern)), Decimal(1))


def _instant(day: datetime) -> str:
    return day.strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(number: Decimal) -> str:
    with _exact():
        return f"{number.normalize():f}"


def _exact() -> Any:
    return localcontext(Context(prec=60))
