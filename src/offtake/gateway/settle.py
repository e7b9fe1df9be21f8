"""What a request has cost: the vendor's usage as a record, priced under the contract that it was sent under.

Four ends are kept apart. Not dispatched: no record, the hold ends. Known: the vendor's own figures. The vendor's zero:
nothing, whatever we might have guessed. Unknown: an estimate that is flagged, never less than what was seen, and
reconciled when the vendor's report comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from offtake.gateway.admit.question import clause_of
from offtake.gateway.ask import Ask, Quantities, Served
from offtake.gateway.callers import Caller
from offtake.gateway.journal.events import Settle
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.rating.clauses.reserved import SERVED
from offtake.rating.compiled import CompiledTerms
from offtake.rating.request import cost_on, priced_plainly
from offtake.usage.outcomes import channel_of
from offtake.usage.record import UsageRecord
from offtake.usage.usage_objects import context_of
from offtake.values.errors import InputError, OfftakeError
from offtake.values.money import to_integer

BYTES_A_TOKEN = 4
"""What a guess of tokens divides bytes by; a guess is always marked as one."""
STANDARD = frozenset(("", "standard", "default", "auto"))
"""Tiers that records leave out: rating acts on none of them, and no audit asks for one."""


class Costs(msgspec.Struct):
    """What one request used, what that costs in picodollars, and why.

    The first fields are those of a usage record. `clauses` made its prices; `verdict` is a failed request's. `others`:
    the same of other models that worked inside its answer. Each is a request of its own in the books.
    """

    vendor: str
    model: str
    quantities: Quantities
    usage_known: bool
    outcome: str
    channel: str
    region: str
    context_tokens: int
    tier_requested: str
    tier_served: str
    vendor_request_id: str
    cost_pico: int = 0
    list_pico: int = 0
    clauses: tuple[str, ...] = ()
    verdict: str = ""
    evidence: dict[str, str] = {}
    others: tuple[Costs, ...] = ()

    @property
    def total_pico(self) -> int:
        """What the client's request costs: its own model and the others."""
        return self.cost_pico + sum([each.cost_pico for each in self.others]) if self.others else self.cost_pico


def costs_of(
    outlet: Outlet, model: str, ask: Ask, key: KeyRules, served: Served, at: datetime, *,
    written_bytes: int, hold_pico: int, reserved: bool = False,
) -> Costs:  # fmt: skip
    """The costs of a request of a key that was dispatched at an instant (UTC).

    `written_bytes` is what came of the answer, for an estimate; `reserved`: it was served from reserved capacity.
    Usage that no term prices is not free: it costs its hold, and says so.
    """
    quantities = served.quantities
    known = quantities is not None
    if quantities is None:
        quantities = _estimate(ask, served, written_bytes)
    is_standard = served.tier in STANDARD
    found = Costs(
        outlet.vendor, model, quantities, known, served.outcome, "realtime" if is_standard else _channel(served.tier),
        _region(outlet, served), context_of(quantities), ask.tier,
        SERVED if reserved else "" if is_standard else served.tier, served.vendor_request_id,
    )  # fmt: skip
    try:
        if served.outcome == "ok" and found.tier_served != SERVED:
            lane = outlet.terms.lane_of(
                at, outlet.vendor, model, found.channel, outlet.access, found.region, key.workload, key.account
            )
            found.cost_pico, found.list_pico, paths = cost_on(lane, at, quantities, found.context_tokens)
            found.clauses = named(outlet.terms, paths, outlet.terms.contract.version_number(at))
        else:
            _decide(found, outlet, key, at)
    except OfftakeError as error:
        found.cost_pico, found.evidence = hold_pico, {"unpriced": error.code}
    return found


def _decide(found: Costs, outlet: Outlet, key: KeyRules, at: datetime) -> None:
    """Price what a clause of its own decides: a failed request, or one that reserved capacity served."""
    record = UsageRecord(
        id="", used_at=at, model=found.model, quantities=found.quantities, vendor=outlet.vendor, channel=found.channel,
        access=outlet.access, region=found.region, context_tokens=found.context_tokens, outcome=found.outcome,
        usage_known=found.usage_known, tier_requested=found.tier_requested, tier_served=found.tier_served,
        account=key.account, workload=key.workload,
    )  # fmt: skip
    piece = priced_plainly(outlet.terms, record)
    credited = sum(entry.credited for entry in piece.entries)
    found.cost_pico = piece.contracted - to_integer(credited) if credited else piece.contracted
    found.list_pico = piece.public if found.outcome != "ok" else sum(entry.public for entry in piece.entries)
    paths = tuple(dict.fromkeys([entry.policy or entry.price.clause for entry in piece.entries]))
    version = outlet.terms.contract.version_number(at)
    found.clauses = named(outlet.terms, paths, version)
    decided = [entry.policy for entry in piece.entries if entry.policy]
    if decided and found.outcome != "ok":
        found.verdict = _clause(outlet.terms, decided[0], version)


def settle_line(
    id: str, at: int, used_at: int, caller: Caller, outlet: Outlet, accounts: Sequence[str], costs: Costs,
    evidence: dict[str, str], latency_ms: int | None = None, first_ms: int | None = None,
) -> Settle:  # fmt: skip
    """The line of the journal for a request that has ended; `accounts` hold for it."""
    key = caller.key
    return Settle(
        id, at, used_at, key.id, accounts, costs.cost_pico, outlet.contract, costs.vendor, costs.model,
        costs.quantities, costs.outcome or "ok", costs.usage_known, key.customer, costs.channel, outlet.access,
        costs.region, key.workload, key.customer, caller.tags, costs.context_tokens, latency_ms, first_ms,
        costs.tier_requested, costs.tier_served, costs.vendor_request_id, costs.list_pico, costs.clauses,
        costs.verdict, evidence,
    )  # fmt: skip


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


def _region(outlet: Outlet, served: Served) -> str:
    """Where it ran, as far as the vendor says; the outlet's own region otherwise."""
    return outlet.region if served.region in ("", "not_available", "global") else served.region


@lru_cache(maxsize=4_096)
def named(terms: CompiledTerms, paths: tuple[str, ...], version: int) -> tuple[str, ...]:
    """Clauses of a version of the contract as answers and books name them."""
    return tuple(_clause(terms, path, version) for path in paths)


@lru_cache(maxsize=4_096)
def _clause(terms: CompiledTerms, path: str, version: int) -> str:
    return clause_of(terms.contract, path, terms.contract.versions[version].effective)
