"""An outlet: one way to buy inference, a vendor's endpoint under one contract, and the rules of the key that asks.

Contracts, prices and endpoints come together here once, when the configuration is read; a request only points at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from offtake.gateway.ask import Refusal
from offtake.planner.routing.accepted import Accepted
from offtake.rating.bound import Bounds
from offtake.rating.compiled import CompiledTerms

Mode = Literal["observe", "enforce"]


@dataclass(frozen=True, slots=True)
class Modes:
    """Whether a rule refuses or only says what it would have refused: per contract, and per rule where named."""

    default: Mode = "enforce"
    rules: Mapping[str, Mode] = field(default_factory=dict)

    def of(self, rule: str) -> Mode:
        """The mode of a rule such as `residency`."""
        return self.rules.get(rule, self.default)


@dataclass(frozen=True, slots=True, eq=False)
class Outlet:
    """A vendor's endpoint under a contract.

    `name` is the endpoint's in the configuration; `vendor` and `access` are the catalogue's words, `region` where it
    serves. `speaks` is the dialect of its wire. `idempotent`: it answers a repeated idempotency key without billing
    twice. `runs_batches`: its vendor has batches of its own there. `accepted`: signed results of `offtake accept`,
    which may admit beside the contract's own lines.
    """

    name: str
    contract: str
    terms: CompiledTerms
    bounds: Bounds
    vendor: str
    access: str = "api"
    region: str = "global"
    speaks: str = ""
    modes: Modes = Modes()
    idempotent: bool = False
    runs_batches: bool = True
    accepted: tuple[Accepted, ...] = ()

    @property
    def id(self) -> str:
        """What tells outlets apart: `acme-2026/anthropic-eu`."""
        return f"{self.contract}/{self.name}"


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What one key may send, beside what the contract serves; None where nothing is limited."""

    requests_per_second: int | None = None
    requests_per_minute: int | None = None
    concurrency: int | None = None
    input_tpm: int | None = None
    output_tpm: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class KeyRules:
    """What a gateway key may do. An empty list of scopes or contracts restricts nothing.

    `models` and `models_denied` are patterns; `scopes` are dialects such as `openai_chat`. `regions`,
    `retention_hours_max` and `training_refused` are what the workload behind the key needs. `clamps`: its output limit
    may be lowered to what the budget pays. `overdraft`: its budgets have a line, so holds may be learned.
    `tool_calls_max`: what is written into requests that let the vendor call its own tools more often, or without end.
    """

    id: str
    models: tuple[str, ...] = ("*",)
    models_denied: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    workload: str = ""
    customer: str = ""
    account: str = ""
    regions: tuple[str, ...] = ()
    retention_hours_max: int | None = None
    training_refused: bool = False
    clamps: bool = False
    overdraft: bool = False
    tool_calls_max: int | None = None
    other_models: tuple[str, ...] = ()
    limits: KeyLimits = KeyLimits()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say: the refusal that is enforced (None: go on), and those that are only observed."""

    refusal: Refusal | None = None
    observed: tuple[Refusal, ...] = ()


ALLOWED = Verdict()
