"""Who calls: the gateway key in a request's headers, with its rules and budgets: an HMAC and a look-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from offtake.contract.patterns import match_any
from offtake.gateway.admit.limits import Limits, limits_of
from offtake.gateway.ask import Refusal
from offtake.gateway.outlet import KeyLimits, KeyRules
from offtake.ledger.budgets import BudgetRule
from offtake.ledger.gateway_key import GatewayKey
from offtake.operations.serve_config import NonUrgentSettings
from offtake.store.ledger.keys import KeyBook

BEARER = b"bearer "
FOR_EVER = 2**63
HINT = "send a gateway key as the client's API key; `offtake keys create` makes one"


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """A key that may call, what it may do, every budget that its requests draw, and its rates at this worker.

    `patience`: its workload is marked as non-urgent.
    """

    key: GatewayKey
    rules: KeyRules
    budgets: tuple[BudgetRule, ...]
    tags: Mapping[str, str]
    rates: tuple[Limits, ...] = ()
    patience: NonUrgentSettings | None = None


class Rates:
    """What keys have sent lately at one of several workers, which has a part of each rate; it outlives a reading."""

    def __init__(self, worker: int = 0, workers: int = 1) -> None:
        self._worker, self._workers = worker, workers
        self._known: dict[str, Limits] = {}

    def of(self, rules: KeyRules) -> tuple[Limits, ...]:
        """The limits of a key, the same ones each time; none where nothing of it is limited."""
        if rules.limits == KeyLimits():
            return ()
        if rules.id not in self._known:
            clause = f"key {rules.id}"
            self._known[rules.id] = limits_of(rules.limits, lambda _: clause, self._worker, self._workers)
        return (self._known[rules.id],)


class Callers:
    """The keys of one reading of the store. `shared` are the budgets of teams, customers and workloads, by owner."""

    def __init__(
        self, book: KeyBook, shared: Mapping[str, BudgetRule], anonymous: GatewayKey | None = None,
        rates: Rates | None = None, non_urgent: Sequence[NonUrgentSettings] = (),
    ) -> None:  # fmt: skip
        self._book = book
        self._shared = shared
        self._rates = rates or Rates()
        self._non_urgent = non_urgent
        self._known: dict[str, Caller] = {}
        self._anonymous = self._ready(_caller(anonymous, shared)) if anonymous else None

    @staticmethod
    def of(key: GatewayKey, shared: Mapping[str, BudgetRule]) -> Caller:
        """The caller that a key makes, whether or not it is still good."""
        return _caller(key, shared)

    def find(self, headers: Mapping[bytes, bytes], at: int, scope: str) -> Caller | Refusal:
        """The caller of a request at an instant in microseconds, or why there is none."""
        if self._anonymous is not None:
            return self._anonymous
        presented = _presented(headers)
        if not presented:
            return Refusal("key", "G201", "no gateway key", hint=HINT)
        found = self._book.find(presented)
        if found is None:
            return Refusal("key", "G202", "this is no key of this gateway", hint=HINT)
        if found.ends_at is not None and found.ends_at <= at:
            return Refusal("key", "G203", f"the key {found.key.name} was {found.why}", f"key {found.key.id}", HINT)
        if scope not in found.key.scopes:
            hint = f"it may: {', '.join(found.key.scopes)}"
            return Refusal("policy", "G308", f"this key may not do {scope}", f"key {found.key.id}", hint)
        caller = self._known.get(found.key.id)
        if caller is None:
            caller = self._known[found.key.id] = self._ready(_caller(found.key, self._shared))
        return caller

    def until(self, headers: Mapping[bytes, bytes]) -> int:
        """The instant in microseconds until which the caller of such a request stays who it is."""
        found = None if self._anonymous is not None else self._book.find(_presented(headers))
        return FOR_EVER if found is None or found.ends_at is None else found.ends_at

    def _ready(self, caller: Caller) -> Caller:
        """The caller with what this worker knows of it."""
        patience = next((each for each in self._non_urgent if match_any([each.workload], caller.key.workload)), None)
        return replace(caller, rates=self._rates.of(caller.rules), patience=patience)


def _presented(headers: Mapping[bytes, bytes]) -> str:
    """The key as OpenAI's clients send it, or as Anthropic's do."""
    value = headers.get(b"x-api-key") or headers.get(b"authorization", b"")
    if value[:7].lower() == BEARER:
        value = value[7:]
    return value.strip().decode("latin-1")


def _caller(key: GatewayKey, shared: Mapping[str, BudgetRule]) -> Caller:
    owners: Sequence[str] = (f"team:{key.team}", f"customer:{key.customer}", f"workload:{key.workload}")
    budgets = (*key.budgets, *(shared[owner] for owner in owners if owner in shared))
    overdraft = bool(budgets) and all(rule.overdraft_pico for rule in budgets)
    rules = KeyRules(
        key.id, key.models or ("*",), key.models_denied, contracts=key.contracts, workload=key.workload,
        customer=key.customer, account=key.customer, regions=key.regions, retention_hours_max=key.retention_hours_max,
        training_refused=key.training_refused, clamps=key.clamp, overdraft=overdraft, other_models=key.other_models,
        limits=KeyLimits(**key.rates), tool_calls_max=key.tool_calls_max,
    )  # fmt: skip
    tags = dict(key.tags) | ({"team": key.team} if key.team else {})
    return Caller(key, rules, budgets, tags)
