"""Where a line of a batch may run and what it may cost at most there: by the vendor's batch API, or one by one.

A batch of a vendor comes first: it has the contract's `batch` price. Where no outlet with the model has one, the line
is an ordinary request at the ordinary price, because that is what the vendor bills.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from offtake.gateway.admit.hold import hold_of, others_of, shape_of
from offtake.gateway.admit.learned import Learned
from offtake.gateway.admit.quote import unpriced
from offtake.gateway.admit.scope import unknown_model
from offtake.gateway.amend import amended
from offtake.gateway.ask import Ask, BadAsk, Refusal
from offtake.gateway.batch.lines import Line
from offtake.gateway.callers import Caller
from offtake.gateway.dialects import Dialect, of_path
from offtake.gateway.in_force import InForce
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.gateway.prepare import Spoken, prepare
from offtake.gateway.route.candidates import Candidate, candidates
from offtake.gateway.vendors.endpoint import Endpoint
from offtake.values.errors import CatalogError, OfftakeError

TIERS = ("", "auto", "default", "batch", "standard_only")
"""Service tiers that a line may ask for: in a batch they all mean the batch."""


@dataclass(frozen=True, slots=True)
class Scales:
    """What lines are weighed with. `native`: endpoints whose vendor runs batches on their own wire."""

    in_force: InForce
    endpoints: Mapping[str, Endpoint]
    native: frozenset[str]
    learned: Learned


@dataclass(frozen=True, slots=True)
class Weighed:
    """A line that may run: where, the request in the words of that vendor, and the most that it can cost."""

    outlet: Outlet
    model: str
    native: bool
    spoken: Spoken
    hold_pico: int


def read_ask(line: Line, headers: Mapping[bytes, bytes], rules: KeyRules) -> tuple[Dialect, Ask]:
    """A key's line as its dialect reads it. BadAsk where it cannot, or asks for what no batch does."""
    dialect = of_path(line.url)
    if dialect is None:
        raise BadAsk("G902", f"nothing is served at {line.url}")
    ask = amended(dialect, dialect.read(line.url, headers, line.body), rules, headers)
    if ask.stream:
        raise BadAsk("G903", "a batch does not stream", hint="leave `stream` out")
    if ask.tier not in TIERS:
        raise BadAsk("G903", f"a batch has no service tier {ask.tier!r}", hint="leave `service_tier` out")
    return dialect, ask


def weigh(
    line: Line, headers: Mapping[bytes, bytes], caller: Caller, scales: Scales, at: datetime
) -> Weighed | Refusal:
    """Where a line of this caller runs, and its hold; or why it runs nowhere."""
    try:
        dialect, ask = read_ask(line, headers, caller.rules)
        selling = scales.in_force.selling(ask.model)
    except BadAsk as error:
        return error.refusal
    except CatalogError as error:
        return unknown_model(error)
    refusal: Refusal | None = None
    for native in (True, False):
        there = tuple(pair for pair in selling if (pair[0].name in scales.native) is native)
        if not there:
            continue
        # A vendor keeps a batch until it is read, which zero retention does not allow.
        asked = replace(ask, tier="batch" if native else "", stores=ask.stores or native)
        routes = candidates(
            asked, there, caller.rules, scales.in_force.routing, scales.in_force.policy, scales.learned, at,
            time.monotonic_ns(),
        )  # fmt: skip
        for candidate in routes.candidates:
            spoken = speak(dialect, asked, candidate.outlet, candidate.model, scales, at)
            hold = spoken if isinstance(spoken, Refusal) else _hold(spoken.ask, candidate, caller.rules, at)
            if not isinstance(spoken, Refusal) and not isinstance(hold, Refusal):
                return Weighed(candidate.outlet, candidate.model, native, spoken, hold)
            refusal = refusal or (hold if isinstance(hold, Refusal) else None)
        refusal = refusal or (None if routes.candidates else routes.refusal())
    return refusal or Refusal("model", "G511", "no outlet serves this model")


def speak(dialect: Dialect, ask: Ask, outlet: Outlet, model: str, scales: Scales, at: datetime) -> Spoken | Refusal:
    """A line's request in the words of the outlet's vendor; the same at every time for the same line."""
    found = prepare(outlet, model, dialect, ask, scales.endpoints[outlet.name].wire.dialects, int(at.timestamp()))
    if isinstance(found, Refusal):
        return found
    return found._replace(ask=replace(found.ask, tier=ask.tier))


def _hold(ask: Ask, candidate: Candidate, rules: KeyRules, at: datetime) -> int | Refusal:
    """The true upper bound of its cost."""
    outlet = candidate.outlet
    try:
        ceiling = outlet.bounds.ceiling(shape_of(ask, outlet, candidate.model, rules), at)
        return hold_of(ask, ceiling, others_of(ask, outlet, rules, at) if ask.other_models else 0).pico
    except OfftakeError as error:
        return unpriced(error)
