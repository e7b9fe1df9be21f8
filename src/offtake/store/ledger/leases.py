"""Lending budgets to workers: conditional, durable before it is used, given back when idle or when the worker is dead.

A worker asks for a chunk of a budget and then spends it in memory. All its leases end when its journal was read to the
end: what it settled is posted by then, its requests without an end stay held and are listed as unresolved, the rest
goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from offtake.ledger import accounts, movements
from offtake.ledger.budgets import BudgetRule
from offtake.store.ledger.ledger import Ledger, LedgerError, append_movement
from offtake.store.ledger.posting import holds_of, intent_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A request that was dispatched and whose end nobody wrote down; its holds (budget → picodollars) stay held."""

    request: str
    worker: str
    at: int
    holds: dict[str, int]
    intent: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BudgetState:
    """One budget account: its amount with all top-ups, and where that money is now: the last four sum to it."""

    name: str
    amount_pico: int
    overdraft_pico: int
    available_pico: int
    leased_pico: int
    held_pico: int
    spent_pico: int


def start_worker(ledger: Ledger, worker: str, at: int) -> None:
    """Make a worker known, before it writes its journal. LedgerError where the name was used before."""
    with ledger.transaction():
        if ledger.rows("SELECT 1 FROM workers WHERE name = ?", worker):
            raise LedgerError("L715", f"the worker {worker} is known already", hint="each start has a name of its own")
        ledger.run("INSERT INTO workers VALUES (?, ?, NULL)", worker, at)


def lend(ledger: Ledger, worker: str, rule: BudgetRule, at: int, *, wanted_pico: int, needed_pico: int) -> int:
    """Lend a worker of the budget's present period, durably: the picodollars lent, at least `needed_pico`, or 0.

    0 says that the budget cannot cover what is needed. LedgerError where the worker is not known or was closed.
    """
    with ledger.transaction():
        _check_open(ledger, worker)
        name = open_budget(ledger, rule, at)
        free = ledger.balance(accounts.available(name))
        ((workers,),) = ledger.rows("SELECT count(*) FROM workers WHERE closed_at IS NULL")
        pico = movements.grantable(free, -rule.overdraft_pico, wanted_pico, needed_pico, int(str(workers)))
        if pico:
            append_movement(
                ledger, at, "lend", movements.lend(worker, name, pico), worker=worker, budget=name, pico=pico
            )
        return pico


def lend_passed(ledger: Ledger, worker: str, rule: BudgetRule, pico: int, at: int) -> None:
    """Lend what a worker has let pass while the ledger could not be asked, whether it is there or not.

    Where it is not, the floor of the budget is where it then stands: nothing more is lent. LedgerError where the worker
    is not known or was closed.
    """
    with ledger.transaction():
        _check_open(ledger, worker)
        name = open_budget(ledger, rule, at)
        append_movement(ledger, at, "pass", movements.lend(worker, name, pico), worker=worker, budget=name, pico=pico)
        _floor(ledger, name, rule)


def give_back(ledger: Ledger, worker: str, budget: str, pico: int, at: int) -> None:
    """Take back what a worker does not need. LedgerError where it was not lent so much, or the worker was closed."""
    with ledger.transaction():
        _check_open(ledger, worker)
        if pico < 0 or ledger.balance(accounts.lease(worker, budget)) < pico:
            raise LedgerError(
                "L714", f"{worker} gives back more of {budget} than it was lent", why="nothing was posted"
            )
        postings = movements.lend(worker, budget, -pico)
        append_movement(ledger, at, "give_back", postings, worker=worker, budget=budget, pico=pico)


def close_worker(ledger: Ledger, worker: str, at: int) -> int:
    """End a dead worker's leases, after its journal was posted to the end; how many requests it left unresolved.

    A worker that is closed already, or was never known, is left as it is.
    """
    with ledger.transaction():
        known = ledger.rows("SELECT closed_at FROM workers WHERE name = ?", worker)
        if not known:
            ledger.run("INSERT INTO workers VALUES (?, ?, NULL)", worker, at)
        elif known[0][0] is not None:
            return 0
        prefix = accounts.lease(worker, "")
        leased = {name.removeprefix(prefix): pico for name, pico in ledger.balances_of(prefix).items()}
        held: dict[str, int] = {}
        left = ledger.rows("SELECT holds FROM open_requests WHERE worker = ? AND unresolved_at IS NULL", worker)
        for (holds,) in left:
            for budget, pico in holds_of(str(holds)).items():
                held[budget] = held.get(budget, 0) + pico
        append_movement(
            ledger, at, "close", movements.set_aside(worker, leased, held), worker=worker, unresolved=len(left)
        )
        ledger.run("UPDATE open_requests SET unresolved_at = ? WHERE worker = ? AND unresolved_at IS NULL", at, worker)
        ledger.run("UPDATE workers SET closed_at = ? WHERE name = ?", at, worker)
        ledger.run("DELETE FROM accounts WHERE pico = '0' AND name >= ? AND name < ?", prefix, prefix + "\U0010ffff")
        return len(left)


def open_workers(ledger: Ledger, started_before: int) -> list[str]:
    """Workers that were not closed, dead or alive, and that were made known before an instant."""
    sql = "SELECT name FROM workers WHERE closed_at IS NULL AND started_at < ? ORDER BY name"
    return [str(name) for (name,) in ledger.rows(sql, started_before)]


def open_budget(ledger: Ledger, rule: BudgetRule, at: int) -> str:
    """The budget account of the rule's present period, made and granted where it is new; its name.

    A rule whose amount has changed grants the difference, up or down. Lowered below what is lent, its floor is where it
    then stands: nothing more is lent, and nobody is to blame.
    """
    with ledger.transaction():
        instant = _EPOCH + timedelta(microseconds=at)
        name = rule.account_at(instant)
        rows = ledger.rows("SELECT amount_pico, overdraft_pico FROM budgets WHERE name = ?", name)
        if rows and (int(str(rows[0][0])), int(str(rows[0][1]))) == (rule.amount_pico, rule.overdraft_pico):
            return name
        window = rule.window_at(instant) if rule.per else None
        start, end = (microseconds(window.start), microseconds(window.end)) if window else (None, None)
        ledger.run(
            "INSERT INTO budgets VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "amount_pico = excluded.amount_pico, overdraft_pico = excluded.overdraft_pico",
            name, rule.owner, rule.per, start, end, str(rule.amount_pico), str(rule.overdraft_pico),
        )  # fmt: skip
        change = rule.amount_pico - (int(str(rows[0][0])) if rows else 0)
        append_movement(ledger, at, "grant", movements.grant(name, change), budget=name, pico=change)
        _floor(ledger, name, rule)
        return name


def budget_states(ledger: Ledger, owner: str = "") -> list[BudgetState]:
    """Budget accounts, those of one owner (`key:key_4f…`) or all, by name."""
    with ledger.reading():
        leased: dict[str, int] = {}
        for account, pico in ledger.balances_of("lease:").items():
            budget = account.split(":", 2)[2]
            leased[budget] = leased.get(budget, 0) + pico
        rows = ledger.rows("SELECT name, overdraft_pico FROM budgets WHERE ? IN ('', owner) ORDER BY name", owner)
        return [
            BudgetState(
                str(name), -ledger.balance(accounts.allowance(str(name))), int(str(overdraft)),
                ledger.balance(accounts.available(str(name))),
                leased.get(str(name), 0), ledger.balance(accounts.held(str(name))),
                ledger.balance(accounts.spent(str(name))),
            )
            for name, overdraft in rows
        ]  # fmt: skip


def unresolved(ledger: Ledger) -> list[Unresolved]:
    """Requests that dead workers left without an end, the oldest first."""
    with ledger.reading():
        rows = ledger.rows(
            "SELECT request, worker, at, holds FROM open_requests WHERE unresolved_at IS NOT NULL ORDER BY at, request"
        )
        return [
            Unresolved(str(request), str(worker), int(str(at)), holds_of(str(holds)), intent_of(ledger, str(request)))
            for request, worker, at, holds in rows
        ]


def microseconds(instant: datetime) -> int:
    """An aware instant as the ledger has it."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _check_open(ledger: Ledger, worker: str) -> None:
    rows = ledger.rows("SELECT closed_at FROM workers WHERE name = ?", worker)
    if not rows or rows[0][0] is not None:
        said = "was closed" if rows else "is not known"
        raise LedgerError("L716", f"the worker {worker} {said}", hint="start it again: a worker has one life")


def _floor(ledger: Ledger, name: str, rule: BudgetRule) -> None:
    """What is available of a budget may fall no further than its overdraft line, or than it has fallen already."""
    account = accounts.available(name)
    ledger.run(
        "INSERT INTO accounts VALUES (?, '0', ?) ON CONFLICT (name) DO UPDATE SET floor_pico = excluded.floor_pico",
        account, str(min(-rule.overdraft_pico, ledger.balance(account))),
    )  # fmt: skip
