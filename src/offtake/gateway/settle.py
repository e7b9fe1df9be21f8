"""What a request has cost: the vendor's usage as a record, priced under the contract that it was sent under.

Four ends are kept apart. Not dispatched: no record, the hold ends. Known: the vendor's own figures. The vendor's zero:
nothing, whatever we might have guessed. Unknown: an estimate that is flagged, never less than what was seen, and
reconciled when the vendor's report comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from offtake.gateway.admit.question import clause_of
from offtake.gateway.ask import Ask, Quantities, Served
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.rating.compiled import CompiledTerms
from offtake.rating.piece import Piece
from offtake.rating.request import priced_plainly
from offtake.usage.outcomes import channel_of
from offtake.usage.record import UsageRecord
from offtake.usage.usage_objects import context_of
from offtake.values.errors import InputError, OfftakeError
from offtake.values.money import to_integer

BYTES_A_TOKEN = 4
"""What a guess of tokens divides bytes by; a guess is always marked as one."""


class Costs(msgspec.Struct, frozen=True):
    """What one request costs in picodollars, and why. `clauses` made its prices; `verdict` is a failed request's.

    `others`: the same of other models that worked inside its answer. Each is a request of its own in the books.
    """

    record: UsageRecord
    cost_pico: int
    list_pico: int
    clauses: tuple[str, ...]
    verdict: str = ""
    evidence: Mapping[str, str] | None = None
    others: tuple[Costs, ...] = ()

    @property
    def total_pico(self) -> int:
        """What the client's request costs: its own model and the others."""
        return self.cost_pico + sum(each.cost_pico for each in self.others) if self.others else self.cost_pico


def costs_of(
    outlet: Outlet, model: str, ask: Ask, key: KeyRules, served: Served, at: datetime, *,
    written_bytes: int, hold_pico: int, reserved: bool = False,
) -> Costs:  # fmt: skip
    """The costs of a request of a key that was dispatched at an instant (UTC).

    `written_bytes` is what came of the answer, for an estimate; `reserved`: it was served from reserved capacity.
    Usage that no term prices is not free: it costs its hold, and says so.
    """
    known = served.quantities is not None
    quantities = served.quantities if served.quantities is not None else _estimate(ask, served, written_bytes)
    record = UsageRecord(
        id="", used_at=at, model=model, quantities=quantities, vendor=outlet.vendor, channel=_channel(served.tier),
        access=outlet.access, region=_region(outlet, served), context_tokens=context_of(quantities),
        outcome=served.outcome, usage_known=known, tier_requested=ask.tier,
        tier_served="reserved" if reserved else _tier(served),
        vendor_request_id=served.vendor_request_id, account=key.account, workload=key.workload, customer=key.customer,
        key_id=key.id,
    )  # fmt: skip
    try:
        piece = priced_plainly(outlet.terms, record)
    except OfftakeError as error:
        return Costs(record, hold_pico, 0, (), evidence={"unpriced": error.code})
    clauses = _clauses(outlet, piece, at)
    if served.outcome == "ok":
        listed = sum([entry.price.public * entry.quantity for entry in piece.entries])
        return Costs(record, piece.contracted, listed, clauses)
    credited = sum(entry.credited for entry in piece.entries)
    cost = piece.contracted - to_integer(credited) if credited else piece.contracted
    return Costs(record, cost, piece.public, clauses, _verdict(outlet, piece, at))


def with_others(
    costs: Costs, outlet: Outlet, ask: Ask, key: KeyRules, served: Served, at: datetime, hold_pico: int
) -> Costs:
    """The costs with those of `served.others`, each at the same outlet's prices of its own model.

    One that no term prices costs what is left of the hold: unpriced is not free.
    """
    others: list[Costs] = []
    left = hold_pico - costs.cost_pico
    for name, quantities in served.others:
        try:
            model = outlet.terms.catalog.resolve(name, outlet.vendor, outlet.access).id
        except OfftakeError:
            model = name
        one = replace(served, quantities=quantities, model=name, others=())
        others.append(costs_of(outlet, model, ask, key, one, at, written_bytes=0, hold_pico=max(left, 0)))
        left -= others[-1].cost_pico
    return replace(costs, others=tuple(others))


def _estimate(ask: Ask, served: Served, written_bytes: int) -> Quantities:
    """What was used at least, and what nobody said by its size: never less than what was seen."""
    if served.at_least:
        output = max(served.at_least.get("output_tokens", 0), written_bytes // BYTES_A_TOKEN)
        return {**served.at_least, "output_tokens": output} if output else served.at_least
    guessed = {"input_tokens": len(ask.body) // BYTES_A_TOKEN + 1, "output_tokens": written_bytes // BYTES_A_TOKEN}
    return {meter: tokens for meter, tokens in guessed.items() if tokens}


def _channel(tier: str) -> str:
    """The channel that a served tier is priced in; a word that nobody knows is the realtime price, and is recorded."""
    try:
        return channel_of(tier)
    except InputError:
        return "realtime"


def _tier(served: Served) -> str:
    """The tier as records have it: only what rating acts on or an audit asks for."""
    return "" if served.tier in ("", "standard", "default", "auto") else served.tier


def _region(outlet: Outlet, served: Served) -> str:
    """Where it ran, as far as the vendor says; the outlet's own region otherwise."""
    return outlet.region if served.region in ("", "not_available", "global") else served.region


def _clauses(outlet: Outlet, piece: Piece, at: datetime) -> tuple[str, ...]:
    paths = tuple(dict.fromkeys([entry.policy or entry.price.clause for entry in piece.entries]))
    return _named(outlet.terms, paths, outlet.terms.contract.version_number(at))


def _verdict(outlet: Outlet, piece: Piece, at: datetime) -> str:
    """The clause that decided what a failed request costs."""
    paths = [entry.policy for entry in piece.entries if entry.policy]
    return _clause(outlet.terms, paths[0], outlet.terms.contract.version_number(at)) if paths else ""


@lru_cache(maxsize=4_096)
def _named(terms: CompiledTerms, paths: tuple[str, ...], version: int) -> tuple[str, ...]:
    return tuple(_clause(terms, path, version) for path in paths)


@lru_cache(maxsize=4_096)
def _clause(terms: CompiledTerms, path: str, version: int) -> str:
    return clause_of(terms.contract, path, terms.contract.versions[version].effective)
