"""A level on offer as a contract, so that rating says what it costs: no dollar of the advice is computed here.

Demand in dollars at list becomes usage of one model with one price: a token is a millionth of a dollar. The contract
has the level's discount, its commitment for one year (take or pay, counted at contracted prices) and its fee.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from offtake.catalog.list_price import BandPrice, ModelFacts, PriceCell
from offtake.contract.parse import parse_data
from offtake.rating.compiled import CompiledTerms
from offtake.rating.totals import Bundle, Futures
from offtake.usage.record import UsageRecord, validated
from offtake.values.money import EXACT, ZERO, quantize, total

Applies = Literal["all", "committed"]
"""What the discount covers: all usage, or only what the commitment pays for, with list price beyond."""

_MODEL, _VENDOR, _YEAR = "demand", "offer", 2026
_MICRO = 6


@dataclass(frozen=True, slots=True)
class Level:
    """One level on offer: a share off the list price, for a promise in dollars (what is paid) and a flat fee."""

    discount: Decimal
    commitment: Decimal
    fee: Decimal = ZERO

    def for_part(self, share: Decimal) -> Level:
        """The same level over a part of its window, pro rata, to a cent."""
        parts = [quantize(EXACT.multiply(each, quantize(share, 12)), 2) for each in (self.commitment, self.fee)]
        return Level(self.discount, *parts)


NO_COMMITMENT = Level(ZERO, ZERO)


@dataclass(slots=True)
class RatedOffer:
    """What windows of demand cost under one level, as rating has it, to a cent."""

    level: Level
    applies: Applies
    _piece: Bundle = field(init=False)
    _futures: Futures = field(init=False)

    def __post_init__(self) -> None:
        contract = parse_data(_terms(self.level, self.applies), "the level on offer", {}, "")
        terms = CompiledTerms(contract, _OneDollarAMillion())
        at = datetime(_YEAR, 7, 1, tzinfo=UTC)
        one = UsageRecord(
            id=_MODEL, used_at=at, vendor=_VENDOR, model=_MODEL, quantities={"input_tokens": 1}, context_tokens=0
        )  # fmt: skip
        self._piece = Bundle(terms, at, [validated(one)])
        self._futures = Futures(terms, [_MODEL])

    def cost(self, demand: Decimal) -> Decimal:
        """One window's demand at list, in dollars (to a millionth)."""
        pieces = int(quantize(demand, _MICRO).scaleb(_MICRO))
        return quantize(total(self._futures.billed([[self._piece]], [[pieces]])), 2)


def _terms(level: Level, applies: Applies) -> dict[str, object]:
    prices: dict[str, object] = {"basis": "list", "region_uplift": "catalog", "cache": "catalog"}
    if level.discount and (applies == "all" or level.commitment):
        prices["discounts"] = [{"models": "*", "share": f"{level.discount.scaleb(2):f}%"}]
    terms: dict[str, object] = {
        "contract": "level",
        "buyer": "us",
        "vendor": _VENDOR,
        "term": {"from": date(_YEAR, 1, 1), "until": date(_YEAR + 1, 1, 1), "time_zone": "UTC", "currency": "USD"},
        "billing": {"period": "year", "anchor": 1, "rounding": {"where": "invoice", "places": 2, "mode": "half_even"}},
        "scope": {"models": ["*"], "channels": ["realtime"], "access": ["api"]},
        "prices": prices,
        "failed_requests": "billed",
    }
    if level.commitment:
        promise: dict[str, object] = {
            "id": "level", "amount": f"{level.commitment:f} USD / year", "pool": "all_models",
            "counts_at": "contracted", "true_up": "year",
        }  # fmt: skip
        if applies == "committed":
            promise["overage"] = {"at": "list"}
        terms["commitments"] = [promise]
    if level.fee:
        terms["fees"] = {"platform": f"{level.fee:f} USD / year"}
    return terms


class _OneDollarAMillion:
    """List prices of one model: a dollar for a million tokens."""

    version = "demand in dollars at list"

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        """The one model."""
        return ModelFacts(_MODEL, _VENDOR)

    def models(self, vendor: str) -> Sequence[ModelFacts]:
        """The one model."""
        return (ModelFacts(_MODEL, _VENDOR),)

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        """Its one price, for ever."""
        return (PriceCell(None, None, None, {"input_tokens": BandPrice(Decimal(1).scaleb(-_MICRO))}, self.version),)
