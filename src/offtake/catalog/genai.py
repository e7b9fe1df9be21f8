"""The genai-prices package as a price book. The only module that knows its types.

Prices are taken by asking the package itself (`ModelInfo.get_prices`) at an instant, so that we agree with it by
construction. Where the package prices an unknown request context as standard, this book says "not listed": a batch
price that does not exist at a date is no price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseStartsWith,
    ModelInfo,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from offtake.catalog.list_price import BandPrice
from offtake.catalog.names import key, spellings

# The request contexts that make a channel; the first one that the model lists is meant.
CONTEXTS: dict[str, tuple[dict[str, str], ...]] = {
    "batch": ({"processing": "batch"},),
    "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"}, {"service_tier": "fast"}),
}


class PriceBook:
    """The providers of the package, their models by name, and each model's prices at an instant."""

    version = f"genai-prices {genai_prices.__version__}"

    def __init__(self, providers: Iterable[Provider] | None = None) -> None:
        chosen = get_snapshot().providers if providers is None else providers
        self._providers = {provider.id: provider for provider in chosen}
        self._names: dict[str, dict[str, ModelInfo]] = {}

    @property
    def providers(self) -> tuple[str, ...]:
        """The ids of all providers."""
        return tuple(self._providers)

    def fallbacks(self, provider: str) -> tuple[str, ...]:
        """Providers whose models this one sells at their prices, standard channel only; none for an unknown one."""
        known = self._providers.get(provider)
        return tuple(known.fallback_model_providers or ()) if known else ()

    def models(self, provider: str) -> list[ModelInfo]:
        """The models of a provider, in the package's order; none for an unknown provider."""
        return self._providers[provider].models if provider in self._providers else []

    def find(self, provider: str, name: str) -> ModelInfo | None:
        """The model that a provider lists under this name, or None."""
        names = self._named(provider)
        return next((names[each] for each in spellings(name) if each in names), None)

    def _named(self, provider: str) -> dict[str, ModelInfo]:
        if provider not in self._names:
            names = self._names.setdefault(provider, {})
            models = self.models(provider)
            for model in models:
                names.setdefault(key(model.id), model)
            for exact in (True, False):
                for model in models:
                    for literal in _literals(model.match, exact):
                        names.setdefault(key(literal), model)
        return self._names[provider]


def price_keys(model: ModelInfo, at: datetime, channel: str) -> dict[str, BandPrice] | None:
    """The prices listed at an instant, by price key (`input_mtok`), in dollars for as many pieces as the key says.

    None when the channel is not listed at that instant.
    """
    if channel == "realtime":
        return _bands(model.get_prices(at).__dict__)
    for context in CONTEXTS.get(channel, ()):
        if _listed(model, at, context):
            return _bands(model.get_prices(at, context).__dict__)
    return None


def changes(model: ModelInfo) -> tuple[set[date], set[time]]:
    """The UTC dates, and the UTC times of day, at which some price of the model may change."""
    constraints = [price.constraint for price in model.prices] if isinstance(model.prices, list) else []
    constraints += [variant.constraint for variant in model.price_variants or ()]
    dates = {each.start_date for each in constraints if isinstance(each, StartDateConstraint)}
    times: set[time] = set()
    for each in constraints:
        if isinstance(each, TimeOfDateConstraint):
            times |= {_utc(each.start_time), _utc(each.end_time)}
    return dates, times


def _listed(model: ModelInfo, at: datetime, context: Mapping[str, str]) -> bool:
    return any(
        variant.when.items() <= context.items() and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )


def _bands(prices: Mapping[str, object]) -> dict[str, BandPrice]:
    bands = {}
    for name, price in prices.items():
        if isinstance(price, TieredPrices):
            bands[name] = BandPrice(price.base, tuple((tier.start, tier.price) for tier in price.tiers))
        elif isinstance(price, Decimal):
            bands[name] = BandPrice(price)
    return bands


def _utc(clock: time) -> time:
    if clock.tzinfo is None:
        return clock
    return datetime.combine(date(2000, 1, 2), clock).astimezone(UTC).time()


def _literals(clause: object, exact: bool) -> Iterator[str]:
    """The names inside a match clause. A prefix is taken as a name of its own, never as a prefix."""
    if isinstance(clause, ClauseOr):
        for part in clause.or_:
            yield from _literals(part, exact)
    elif isinstance(clause, ClauseEquals) and exact:
        yield clause.equals
    elif isinstance(clause, ClauseStartsWith) and not exact:
        yield clause.starts_with
    elif isinstance(clause, ClauseEndsWith) and not exact:
        yield clause.ends_with
    elif isinstance(clause, ClauseContains) and not exact:
        yield clause.contains
