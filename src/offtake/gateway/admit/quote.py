"""What an outlet says to one kind of request of one key: may it run here, which text is blocked, what it costs at most.

That depends on who asks and for what, and on no word of the prompt. So it is worked out once for each kind of request
and kept until the first instant at which it may change: a price (`Ceiling.until`), a date of the contract (each is a
local midnight, and those fall on quarters of an hour), a decision of a person (`Policy.version`), a new reading of the
files (which makes new `Quotes`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from offtake.gateway.admit.behaviour import Blocks, blocks_of
from offtake.gateway.admit.hold import shape_of
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.question import Question, clause_of
from offtake.gateway.admit.residency import keeps_nothing
from offtake.gateway.admit.scope import unknown_model
from offtake.gateway.ask import Ask, Refusal
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.rating.ceiling import Ceiling
from offtake.values.errors import CatalogError, OfftakeError

KINDS_MAX = 16_384
QUARTER_SECONDS = 900


class Quote(Struct):
    """Leave to send such requests. `observed`: what the rules would have refused; `ceiling` bounds what one costs.

    `place`: the outlet's id and the model. `keeps_nothing`: the contract has zero retention. `at`: when it was made.
    """

    question: Question
    place: tuple[str, str]
    observed: tuple[Refusal, ...]
    blocks: Blocks | None
    ceiling: Ceiling
    keeps_nothing: bool
    at: datetime
    _clauses: dict[str, str] = {}

    def answer(self, body: bytes) -> Refusal | tuple[Refusal, ...]:
        """The refusal of a body that holds what the contract blocks, or what was only observed of it."""
        found = self.blocks.found_in(body) if self.blocks is not None else None
        if found is None:
            return self.observed
        return found if self.question.outlet.modes.of("block") == "enforce" else (*self.observed, found)

    def clause(self, path: str) -> str:
        """A term of the contract as answers name it."""
        found = self._clauses.get(path)
        if found is None:
            found = self._clauses[path] = clause_of(self.question.outlet.terms.contract, path, self.at)
        return found


class Said(Struct):
    """What several outlets say to the same requests: quotes in their order, and why the others have none."""

    quotes: tuple[Quote, ...]
    refusals: tuple[Refusal, ...]
    since: datetime
    until: datetime
    version: int


class Quotes:
    """The quotes of one reading of the files, as one worker asks for them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], Said] = {}

    def of(
        self, ask: Ask, selling: tuple[tuple[Outlet, str], ...], key: KeyRules, policy: Policy, at: datetime
    ) -> Said:
        """What the outlets that sell a model say to such a request at an instant (UTC)."""
        kind = key, selling, ask.dialect, ask.tier, ask.region, ask.stores, ask.cache_writes, ask.media
        said = self._kept.get(kind)
        if said is None or said.version != policy.version or not said.since <= at < said.until:
            if len(self._kept) >= KINDS_MAX:  # tiers and regions come from clients, and keys come and go
                self._kept.clear()
            said = self._kept[kind] = _asked(ask, selling, key, policy, at)
        return said


def _asked(ask: Ask, selling: tuple[tuple[Outlet, str], ...], key: KeyRules, policy: Policy, at: datetime) -> Said:
    found = [_said(ask, outlet, model, key, policy, at) for outlet, model in selling]
    quotes = tuple(each for each in found if isinstance(each, Quote))
    refusals = tuple(each for each in found if isinstance(each, Refusal))
    quarter = int(at.timestamp()) // QUARTER_SECONDS
    until = datetime.fromtimestamp((quarter + 1) * QUARTER_SECONDS, UTC)
    return Said(quotes, refusals, at, min([until, *(each.ceiling.until for each in quotes)]), policy.version)


def _said(ask: Ask, outlet: Outlet, model: str, key: KeyRules, policy: Policy, at: datetime) -> Quote | Refusal:
    try:
        shape = shape_of(ask, outlet, model, key)
        region = ask.region or outlet.region
        question = Question(outlet, key, ask.dialect, model, shape.channels[0], region, ask.stores)
        verdict = policy.decide(question, at)
        if verdict.refusal is not None:
            return verdict.refusal
        ceiling = outlet.bounds.ceiling(shape, at)
    except OfftakeError as error:
        return unpriced(error)
    contract, place = outlet.terms.contract, (outlet.id, model)
    blocks, nothing = blocks_of(contract, at), keeps_nothing(contract, at)
    return Quote(question, place, verdict.observed, blocks, ceiling, nothing, at)


def unpriced(error: OfftakeError) -> Refusal:
    """The refusal of a request that no term prices, or whose cost nothing bounds: unpriced is not free."""
    if isinstance(error, CatalogError) and error.code == "K301":
        return unknown_model(error)
    found = error.findings[0]
    return Refusal("policy", "G402", found.what, str(found.where or ""), found.hint)
