"""Credit lots on disk: a budget is topped up, its spend is laid on its lots, and what is left of a lot expires.

A lot that expires takes with it only what is available: money that is lent to a worker goes when it comes back. So no
request that was let in is left without its money.
"""

from __future__ import annotations

from offtake.ledger import accounts, movements
from offtake.ledger.lots import Lot, draws
from offtake.store.ledger.ledger import Ledger, LedgerError, append_movement


def top_up(ledger: Ledger, lot: Lot) -> None:
    """Add a lot to a budget that is there. LedgerError for no such budget, or a name that another lot has."""
    with ledger.transaction():
        if not ledger.rows("SELECT 1 FROM budgets WHERE name = ?", lot.budget):
            raise LedgerError("L719", f"no budget {lot.budget}", hint="`offtake keys list` shows budgets that are used")
        if ledger.rows("SELECT 1 FROM lots WHERE name = ?", lot.name):
            raise LedgerError("L719", f"there is a lot named {lot.name}", hint="each top-up has a name of its own")
        settle_lots(ledger, lot.created_at)
        _draw(ledger, lot.budget, [], lot.created_at)  # what was spent until now is not paid by what comes now
        ledger.run(
            "INSERT INTO lots VALUES (?, ?, ?, ?, ?, ?, ?)",
            lot.name, lot.budget, str(lot.granted_pico), lot.created_at, lot.expires_at, lot.priority, lot.rank,
        )  # fmt: skip
        postings = movements.fund(lot.budget, lot.name, lot.granted_pico)
        append_movement(
            ledger, lot.created_at, "fund", postings, budget=lot.budget, lot=lot.name, pico=lot.granted_pico
        )


def settle_lots(ledger: Ledger, at: int) -> None:
    """Lay what was spent on the open lots, in their burn order, and let expire what has come to its end.

    Run every minute, this has a resolution of a minute: what was spent since the last run is paid by a lot that expires
    meanwhile.
    """
    with ledger.transaction():
        by_budget: dict[str, list[Lot]] = {}
        for lot in read_lots(ledger):
            by_budget.setdefault(lot.budget, []).append(lot)
        for budget, lots in by_budget.items():
            left = left_of(ledger)
            over = [lot for lot in lots if lot.expires_at is not None and lot.expires_at <= at and left[lot.name]]
            for lot in sorted(over, key=lambda lot: lot.expires_at or 0):
                _draw(ledger, budget, lots, (lot.expires_at or at) - 1)
                _expire(ledger, lot, at)
            _draw(ledger, budget, lots, at)


def read_lots(ledger: Ledger) -> list[Lot]:
    """All lots, by name."""
    rows = ledger.rows(
        "SELECT name, budget, granted_pico, created_at, expires_at, priority, rank FROM lots ORDER BY name"
    )
    return [
        Lot(
            str(name), str(budget), int(str(granted)), int(str(created)),
            None if expires is None else int(str(expires)), int(str(priority)), int(str(rank)),
        )
        for name, budget, granted, created, expires, priority, rank in rows
    ]  # fmt: skip


def left_of(ledger: Ledger) -> dict[str, int]:
    """What is left of each lot."""
    return {name.partition(":")[2]: pico for name, pico in ledger.balances_of("lot:").items()}


def _draw(ledger: Ledger, budget: str, lots: list[Lot], at: int) -> None:
    spent, drawn = accounts.spent(budget), accounts.drawn(budget)
    balances = ledger.balances([spent, drawn])
    pico = balances[spent] - balances[drawn]
    if pico > 0:
        found = draws(lots, left_of(ledger), pico, at)
        own = pico - sum(found.values())
        shown = {lot: str(drawn) for lot, drawn in found.items()}
        append_movement(ledger, at, "draw", movements.draw(budget, found, own), budget=budget, lots=shown)


def _expire(ledger: Ledger, lot: Lot, at: int) -> None:
    left, available = accounts.lot(lot.name), accounts.available(lot.budget)
    balances = ledger.balances([left, available])
    pico = min(balances[left], balances[available])
    if pico > 0:
        postings = movements.expire(lot.budget, lot.name, pico)
        append_movement(ledger, at, "expire", postings, budget=lot.budget, lot=lot.name, pico=pico)
