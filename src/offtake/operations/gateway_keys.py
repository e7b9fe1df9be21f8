"""Gateway keys: made, listed, rotated, revoked. A secret is given out once, when it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from offtake.ledger.budgets import BudgetRule, budget_amount
from offtake.ledger.gateway_key import GatewayKey, with_settings
from offtake.ledger.lots import Lot
from offtake.operations.gateway_store import gateway_ledger
from offtake.store.ledger.keys import create_key, find_key, new_key_id, read_keys, revoke_key, rotate_key
from offtake.store.ledger.leases import BudgetState, budget_states, microseconds, open_budget
from offtake.store.ledger.lots import top_up
from offtake.values.errors import InputError
from offtake.values.units import duration


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key and its new secret."""

    key: GatewayKey
    secret: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new key is to be. `budgets`: texts such as `1USD/month`; `overdraft`: an amount such as `5 USD`."""

    name: str
    budgets: Sequence[str] = ()
    models: Sequence[str] = ()
    scopes: Sequence[str] = ()
    workload: str = ""
    customer: str = ""
    team: str = ""
    tags: Mapping[str, str] | None = None
    clamp: bool = False
    overdraft: str = ""
    expires: str = ""
    models_denied: Sequence[str] = ()
    other_models: Sequence[str] = ()
    contracts: Sequence[str] = ()
    regions: Sequence[str] = ()
    retention_hours_max: int | None = None
    tool_calls_max: int | None = None
    training_refused: bool = False
    rates: Mapping[str, int] | None = None


def make_key(wanted: Wanted, now: datetime, *, config: Path | None, store: Path | None) -> MadeKey:
    """Store a new key; the ledger is made where there is none. InputError for what is no budget, scope or time."""
    key_id = new_key_id()
    overdraft = budget_amount(wanted.overdraft)[0] if wanted.overdraft else 0
    rules = [budget_amount(text) for text in wanted.budgets]
    if len({per for _, per in rules}) < len(rules):
        raise InputError(
            "L720", "two budgets of one period", hint="name one of each: --budget 1USD/day --budget 20USD/month"
        )
    if overdraft and not rules:
        raise InputError("L720", "an overdraft line without a budget", hint="add --budget 100USD/month")
    key = GatewayKey(
        id=key_id, name=wanted.name, created_at=microseconds(now), expires_at=_expiry(wanted.expires, now),
        models=tuple(wanted.models), workload=wanted.workload, customer=wanted.customer, team=wanted.team,
        tags=dict(wanted.tags or {}), clamp=wanted.clamp, models_denied=tuple(wanted.models_denied),
        other_models=tuple(wanted.other_models), contracts=tuple(wanted.contracts), regions=tuple(wanted.regions),
        retention_hours_max=wanted.retention_hours_max, training_refused=wanted.training_refused,
        tool_calls_max=wanted.tool_calls_max,
        rates=dict(wanted.rates or {}),
        budgets=tuple(BudgetRule(f"key:{key_id}", amount, per, overdraft) for amount, per in rules),
    )  # fmt: skip
    if wanted.scopes:
        key = replace(key, scopes=tuple(wanted.scopes))
    fields = {"id": key.id, "name": key.name, "created_at": key.created_at, "expires_at": key.expires_at}
    with_settings(key.settings(), **fields)  # what cannot be read back is not written
    if not wanted.name.strip():
        raise InputError("L722", "a key needs a name", hint="--name search-team")
    with gateway_ledger(config, store, create=True) as ledger:
        return MadeKey(key, create_key(ledger, key))


def rotate(name: str, overlap: str, now: datetime, *, config: Path | None, store: Path | None) -> MadeKey:
    """A new secret; the old one stops after the overlap. InputError for no such key, or one that was revoked."""
    with gateway_ledger(config, store) as ledger:
        key = find_key(ledger, name)
        if key.revoked_at is not None:
            raise InputError("L723", f"the key {key.name} was revoked", hint="`offtake keys create` makes a new one")
        retires_at = microseconds(_after(overlap, now))
        return MadeKey(key, rotate_key(ledger, key.id, microseconds(now), retires_at))


def revoke(name: str, now: datetime, *, config: Path | None, store: Path | None) -> GatewayKey:
    """The key, which opens nothing from now on; workers notice within a second."""
    with gateway_ledger(config, store) as ledger:
        key_id = find_key(ledger, name).id
        revoke_key(ledger, key_id, microseconds(now))
        return find_key(ledger, key_id)


def list_keys(*, config: Path | None, store: Path | None) -> list[tuple[GatewayKey, list[BudgetState]]]:
    """All keys in the order of their creation, each with its budget accounts so far."""
    with gateway_ledger(config, store) as ledger:
        return [(key, budget_states(ledger, f"key:{key.id}")) for key in read_keys(ledger)]


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money for a key's budget: `amount` such as `50USD`; it is drawn by priority, rank, expiry and age."""

    amount: str
    name: str = ""
    expires: str = ""
    priority: int = 0
    rank: int = 0


def add_credit(name: str, asked: TopUp, now: datetime, *, config: Path | None, store: Path | None) -> Lot:
    """Top up the present period of a key's only budget. InputError for no budget, two of them, or no amount."""
    pico, per = budget_amount(asked.amount)
    if per is not None or not pico:
        raise InputError("L720", f"not a top-up: {asked.amount!r}", hint="write an amount above zero, such as 50USD")
    with gateway_ledger(config, store) as ledger:
        key = find_key(ledger, name)
        if len(key.budgets) != 1:
            said = "has no budget" if not key.budgets else f"has {len(key.budgets)} budgets"
            raise InputError("L719", f"the key {key.name} {said}", why="a top-up belongs to one budget")
        at = microseconds(now)
        lot = Lot(
            asked.name or f"lot_{new_key_id().partition('_')[2]}", open_budget(ledger, key.budgets[0], at), pico, at,
            _expiry(asked.expires, now), asked.priority, asked.rank,
        )  # fmt: skip
        top_up(ledger, lot)
        return lot


def _expiry(text: str, now: datetime) -> int | None:
    return microseconds(_after(text, now)) if text else None


def _after(text: str, now: datetime) -> datetime:
    """A date (its first instant, UTC), an instant, or a duration from now on; it is not in the past."""
    try:
        if text.strip() in ("0", "none", "now"):
            return now
        if text[:4].isdigit() and "-" in text:
            found = _instant(text)
        else:
            found = duration(text).after(now)
    except (ValueError, OverflowError) as error:
        raise InputError(
            "L724",
            f"not a time: {text.strip()!r}",
            why=str(error).partition("; got ")[0],
            hint="write 2027-01-01, an instant with its zone, or 90 days",
        ) from error
    if found < now - timedelta(minutes=1):
        raise InputError("L724", f"{text} has passed", hint="write a time to come, or a duration such as 90 days")
    return found


def _instant(text: str) -> datetime:
    if len(text) == len("2027-01-01"):
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs its zone, such as 2027-01-01T00:00:00Z")
    return found.astimezone(UTC)
