"""A gateway key: who calls, what it may use, and which budgets it draws. Its secret is not here, only its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from offtake.ledger.budgets import BudgetRule
from offtake.values.errors import InputError
from offtake.values.periods import PERIODS

RATES = ("requests_per_minute", "concurrency", "input_tpm", "output_tpm")
"""What of a key may be limited beside its budgets."""
_LISTS = ("scopes", "models", "models_denied", "other_models", "contracts", "regions")
SCOPES = ("inference", "batch", "files", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """What a key grants. `models`: patterns, all where empty. `clamp`: may lower max_tokens to what the budget holds.

    A denial wins over `models`. `other_models` may stand in where a suite admits them. Where `contracts` or `regions`
    are empty, they restrict nothing. `rates`: by the names of `RATES`. `tool_calls_max` is written into requests.
    `budgets` are the key's own; those of its team and customer come from the configuration. Instants in microseconds.
    `overdraft_pico` is how far its budgets may be overdrawn; 0 makes them hard.
    """

    id: str
    name: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    scopes: tuple[str, ...] = ("inference", "batch", "files")
    models: tuple[str, ...] = ()
    workload: str = ""
    customer: str = ""
    team: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    budgets: tuple[BudgetRule, ...] = ()
    clamp: bool = False
    models_denied: tuple[str, ...] = ()
    other_models: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    retention_hours_max: int | None = None
    tool_calls_max: int | None = None
    training_refused: bool = False
    rates: Mapping[str, int] = field(default_factory=dict)

    @property
    def overdraft_pico(self) -> int:
        """The overdraft line of its budgets; 0 where they are hard."""
        return min((rule.overdraft_pico for rule in self.budgets), default=0)

    def settings(self) -> dict[str, object]:
        """What of it is stored as JSON; amounts as text, because they may exceed 64 bits."""
        return {
            **{name: list(getattr(self, name)) for name in _LISTS},
            "workload": self.workload,
            "customer": self.customer,
            "team": self.team,
            "tags": dict(self.tags),
            "budgets": [
                {"amount_pico": str(rule.amount_pico), "per": rule.per, "overdraft_pico": str(rule.overdraft_pico)}
                for rule in self.budgets
            ],
            "clamp": self.clamp,
            "retention_hours_max": self.retention_hours_max,
            "tool_calls_max": self.tool_calls_max,
            "training_refused": self.training_refused,
            "rates": dict(self.rates),
        }


def with_settings(settings: Mapping[str, object], **fields: object) -> GatewayKey:
    """The key of stored settings and its other fields. InputError for a scope or period that is none of ours."""
    values = {**settings, **fields}
    for name in _LISTS:
        values[name] = tuple(_texts(values.get(name)))
    unknown = next((scope for scope in _texts(values["scopes"]) if scope not in SCOPES), None)
    if unknown is not None:
        raise InputError("L721", f"unknown scope {unknown!r}", hint=f"one of: {', '.join(SCOPES)}")
    budgets = values.get("budgets")
    rules = [rule for rule in budgets if isinstance(rule, Mapping)] if isinstance(budgets, list) else []
    values["budgets"] = tuple(_rule(f"key:{values['id']}", rule) for rule in rules)
    return GatewayKey(**values)  # type: ignore[arg-type]  # the names are those of `settings`


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def _rule(owner: str, rule: Mapping[str, object]) -> BudgetRule:
    per = next((period for period in PERIODS if period == rule["per"]), None)
    return BudgetRule(owner, int(str(rule["amount_pico"])), per, int(str(rule["overdraft_pico"])))
