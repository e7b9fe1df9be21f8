"""What a prompt cache charges and keeps: of a model at a date, or as written on the command line.

All prices are multiples of the input price, as exact fractions. A model with two prices for writes lets its buyer
choose the time to live and marks what is cached (breakpoints); a model with one price, or none, caches by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from offtake.catalog.list_price import ListPrices
from offtake.planner.rated import Pricing
from offtake.usage.record import UsageRecord, validated
from offtake.values.errors import CatalogError, InputError

AUTOMATIC_TTLS = ("5m", "10m", "1h")
"""Who caches by itself promises no time to live: minutes at least, an hour at most off peak."""
READ, WRITES, MINIMUM = Fraction(1, 10), {"5m": Fraction(5, 4), "1h": Fraction(2)}, 1024
METERS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
MILLION = 1_000_000
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_EXAMPLE = "anthropic:read=0.1,write=1.25,ttl=5m,min=1024"


@dataclass(frozen=True, slots=True)
class CacheRules:
    """`read` and `writes` (by TTL) are multiples of the input price. `long_context` is the context above which a
    model's prices rise, None where they do not; `source` says where the rules are from.
    """

    name: str
    read: Fraction
    writes: tuple[tuple[str, Fraction], ...]
    min_prefix_tokens: int
    automatic: bool
    source: str
    long_context: int | None = None

    @property
    def ttls(self) -> tuple[str, ...]:
        """The times to live that can be had."""
        return tuple(ttl for ttl, _ in self.writes)

    def write(self, ttl: str) -> Fraction:
        """What a write costs; a model that caches by itself has one price for it, whatever the TTL."""
        return dict(self.writes).get(ttl, self.writes[0][1])

    @property
    def has_premium(self) -> bool:
        """Whether writing costs more than plain input."""
        return any(write > 1 for _, write in self.writes)


def microseconds(ttl: str) -> int:
    """`5m`, `1h` or `90s` in microseconds. ValueError for anything else."""
    found = re.fullmatch(r"(\d{1,6})([smh])", ttl)
    if not found or not int(found[1]):
        raise ValueError(f"a time to live is written 5m, 1h or 90s; got {ttl!r}")
    return int(found[1]) * _SECONDS[found[2]] * 1_000_000


def of_model(name: str, catalog: ListPrices, at: datetime, minimum: int | None = None) -> CacheRules:
    """The rules of a model from its list prices and facts at an instant; `minimum` comes before what the facts say.

    CatalogError: no such model (K301), no price for input or cache reads at that instant (P613), no minimum (P614).
    """
    facts = catalog.resolve(name)
    cells = [cell for cell in catalog.cells(facts.id, facts.vendor, "realtime", "api", "global") if cell.holds(at)]
    if not cells:
        raise CatalogError("P613", f"{facts.id} has no list price at {at:%Y-%m-%d}", hint="pass another date with --at")
    prices = cells[-1].prices
    plain, read = prices.get("input_tokens"), prices.get("cache_read_tokens")
    if plain is None or read is None or not plain.base:
        raise CatalogError(
            "P613", f"{facts.id} has no list price for input and cache reads", hint=f"such as {_EXAMPLE}"
        )
    least = facts.min_prefix_tokens if minimum is None else minimum
    if least is None:
        raise CatalogError(
            "P614", f"the least prefix that {facts.id} caches is not in the catalogue", why="it is never guessed",
            hint=f"write the rules (--rules {_EXAMPLE}), or add `models: [{{model: {facts.id}, min_prefix_tokens: …, "
            "source: …}]` with --catalog FILE",
        )  # fmt: skip
    costs = {meter: prices.get(meter, plain).base for meter in METERS}
    above = plain.above[0][0] if plain.above else None
    return CacheRules(facts.id, *_multiples(costs), least, _automatic(costs), cells[-1].source, above)


def under(rules: CacheRules, pricing: Pricing, model: str, at: datetime) -> CacheRules:
    """The same rules with the multiples that a contract's prices make. UnpricedError, CatalogError as rating raises."""
    costs = {}
    for meter in METERS:
        row = UsageRecord(id=meter, used_at=at, model=model, quantities={meter: MILLION}, context_tokens=0)
        costs[meter] = pricing.cost(validated(row)).contracted
    if not costs["input_tokens"]:
        raise InputError(
            "P617", f"{model} costs nothing under this contract", why="there is no bill that a cache moves"
        )
    read, writes = _multiples(costs)
    return replace(
        rules, read=read, writes=writes, automatic=_automatic(costs), source=pricing.contract.signed.contract
    )


def _automatic(costs: Mapping[str, Decimal]) -> bool:
    """Whether there is one price for writes, so that nobody chooses how long they are kept."""
    return costs["cache_write_5m_tokens"] == costs["cache_write_1h_tokens"]


def _multiples(costs: Mapping[str, Decimal]) -> tuple[Fraction, tuple[tuple[str, Fraction], ...]]:
    plain, read, five, hour = (Fraction(costs[meter]) for meter in METERS)
    writes = dict.fromkeys(AUTOMATIC_TTLS, five) if five == hour else {"5m": five, "1h": hour}
    return read / plain, tuple((ttl, write / plain) for ttl, write in writes.items())


def is_text(rules: str) -> bool:
    """Whether `--rules` says rules itself, and names no model."""
    return rules.partition(":")[0] in ("anthropic", "openai")


def of_text(text: str) -> CacheRules:
    """`anthropic:read=0.1,write=1.25,ttl=5m,min=1024`, or `openai:…` for a vendor that caches by itself.

    What is left out is 0.1 for a read, 1.25 for a write kept 5 minutes and 2 for one kept an hour (openai: no premium),
    and 1,024 tokens. InputError P612 for what is not understood.
    """
    vendor, _, rest = text.partition(":")
    values: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = (each.strip() for each in part.partition("="))
        if key not in ("read", "write", "ttl", "min") or not equals or key in values:
            raise _bad(text, f"{part.strip()!r} is not read=, write=, ttl= or min=, each once")
        values[key] = value
    automatic = vendor == "openai"
    read = _number(text, values["read"]) if "read" in values else READ
    minimum = _number(text, values["min"]) if "min" in values else Fraction(MINIMUM)
    if minimum.denominator != 1:
        raise _bad(text, "min is a whole number of tokens")
    writes = _writes(text, values, automatic)
    return CacheRules(text, read, writes, int(minimum), automatic, "as written")


def _writes(text: str, values: dict[str, str], automatic: bool) -> tuple[tuple[str, Fraction], ...]:
    known = dict.fromkeys(AUTOMATIC_TTLS, Fraction(1)) if automatic else WRITES
    write = _number(text, values["write"]) if "write" in values else None
    if "ttl" not in values:
        if write is not None and not automatic:
            raise _bad(text, "write= needs ttl=: a write for an hour costs more than one for five minutes")
        return tuple((ttl, write or price) for ttl, price in known.items())
    ttl = values["ttl"]
    try:
        microseconds(ttl)
    except ValueError as error:
        raise _bad(text, str(error)) from None
    if write is None and ttl not in known:
        raise _bad(text, f"ttl={ttl} needs write=: no vendor's price is known for it")
    return ((ttl, known[ttl] if write is None else write),)


def _number(text: str, value: str) -> Fraction:
    if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", value):
        raise _bad(text, f"{value!r} is not a number")
    return Fraction(value)


def _bad(text: str, why: str) -> InputError:
    return InputError("P612", f"cannot read the rules {text!r}", why=why, hint=f"write {_EXAMPLE}, or name a model")


def ttls_of(rules: Sequence[CacheRules]) -> tuple[str, ...]:
    """The times to live to replay: those that can be chosen, else those that a vendor may keep by itself."""
    chosen = next((each for each in rules if not each.automatic), rules[0])
    return chosen.ttls
