"""What happens to money, as postings: each function gives one transaction, which sums to zero.

grant        allowance → available       a budget's amount, or more of it
lend         available → lease           durable before the worker uses it
give back    lease → available           what a worker does not need
settle       lease → spent               what a request cost, on every budget that it held
             payable → expense           what we owe for it
set aside    lease → held                a dead worker's holds without an end; the rest of its lease is given back
resolve      held → spent, available     how such a request ended
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from offtake.ledger import accounts
from offtake.ledger.transactions import Postings


def grant(budget: str, pico: int) -> Postings:
    """A budget's amount becomes available; a negative one takes it away."""
    return {accounts.allowance(budget): -pico, accounts.available(budget): pico}


def lend(worker: str, budget: str, pico: int) -> Postings:
    """A worker may spend so much; a negative amount is given back."""
    return {accounts.available(budget): -pico, accounts.lease(worker, budget): pico}


def settle(worker: str, budgets: Iterable[str], vendor: str, contract: str, cost_pico: int) -> Postings:
    """A request's cost: it leaves the worker's lease of every budget that it held, and we owe it to the vendor."""
    postings = owe(vendor, contract, cost_pico)
    for budget in budgets:
        postings[accounts.lease(worker, budget)] = -cost_pico
        postings[accounts.spent(budget)] = cost_pico
    return postings


def owe(vendor: str, contract: str, cost_pico: int) -> dict[str, int]:
    """Usage costs, and the vendor will bill it."""
    return {accounts.expense(vendor, contract): cost_pico, accounts.payable(vendor, contract): -cost_pico}


def set_aside(worker: str, leased: Mapping[str, int], held: Mapping[str, int]) -> Postings:
    """A dead worker's leases (budget → balance) end: its open holds (budget → total) stay held, the rest goes back."""
    postings: dict[str, int] = {}
    for budget in leased.keys() | held.keys():
        balance, kept = leased.get(budget, 0), held.get(budget, 0)
        postings[accounts.lease(worker, budget)] = -balance
        postings[accounts.held(budget)] = kept
        postings[accounts.available(budget)] = balance - kept
    return postings


def resolve(holds: Mapping[str, int], vendor: str, contract: str, cost_pico: int) -> Postings:
    """A request that was left without an end did cost so much (0: nothing): its holds end."""
    postings = owe(vendor, contract, cost_pico)
    for budget, hold in holds.items():
        postings[accounts.held(budget)] = -hold
        postings[accounts.spent(budget)] = cost_pico
        postings[accounts.available(budget)] = hold - cost_pico
    return postings


def fund(budget: str, lot: str, pico: int) -> Postings:
    """A credit lot is there, and the budget is larger by it."""
    return {**grant(budget, pico), accounts.funded(budget): -pico, accounts.lot(lot): pico}


def draw(budget: str, draws: Mapping[str, int], own_pico: int) -> Postings:
    """Lots (→ picodollars) have paid for what the budget spent, and its own amount has paid the rest."""
    paid = {accounts.lot(lot): -pico for lot, pico in draws.items()}
    return {**paid, accounts.funded(budget): -own_pico, accounts.drawn(budget): sum(draws.values()) + own_pico}


def expire(budget: str, lot: str, pico: int) -> Postings:
    """So much of a lot is gone, and the budget is smaller by it."""
    return {**grant(budget, -pico), accounts.lot(lot): -pico, accounts.expired(budget): pico}


def grantable(available_pico: int, floor_pico: int, wanted_pico: int, needed_pico: int, workers: int) -> int:
    """How much to lend: what is wanted, a fair share where that is less, and never less than what is needed.

    Near its end a budget is lent in pieces that halve with each loan, so that the last cents reach whoever asks. 0
    where not even `needed_pico` is there above the floor.
    """
    free = available_pico - floor_pico
    if needed_pico <= 0 or free < needed_pico:
        return 0
    return max(needed_pico, min(wanted_pico, free // (2 * max(workers, 1))))
