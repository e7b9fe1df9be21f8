"""Transactions: amounts posted to accounts, which sum to zero; and what they do to balances.

A transaction is a mapping of account → picodollars. Nothing is ever taken back: a mistake is corrected by another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Postings = Mapping[str, int]


def checked(postings: Postings) -> dict[str, int]:
    """The postings without those of nothing. ValueError where they do not sum to zero."""
    total = sum(postings.values())
    if total:
        raise ValueError(f"a transaction sums to zero, this one to {total} picodollars: {dict(postings)}")
    return {account: pico for account, pico in postings.items() if pico}


def netted(transactions: Iterable[Postings]) -> dict[str, int]:
    """Several transactions as one: each account moves once, whatever the number of requests."""
    found: dict[str, int] = {}
    for postings in transactions:
        for account, pico in postings.items():
            found[account] = found.get(account, 0) + pico
    return checked(found)


def moved(balances: Mapping[str, int], postings: Postings) -> dict[str, int]:
    """The new balances of the accounts that the postings touch."""
    return {account: balances.get(account, 0) + pico for account, pico in postings.items()}


def below_floor(balances: Postings, floors: Postings, before: Postings) -> list[str]:
    """Accounts that a movement took below their floor, or further below it; those without a floor are never."""
    return [
        account
        for account, balance in balances.items()
        if account in floors and balance < floors[account] and balance < before.get(account, 0)
    ]
