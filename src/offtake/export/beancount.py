"""A journal in beancount's text format, so that an independent double-entry checker can read every cent.

`bean-check` refuses a transaction that is off by a picodollar: all amounts carry 12 decimals, so nothing is tolerated.
After each invoice a balance assertion says what is owed: the sum of the totals so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.export.journal import PAYABLE, PLACES, Transaction, transactions
from offtake.rating.lines import Invoices
from offtake.values.money import ZERO


def text(invoices: Invoices, contract: Contract) -> Iterator[str]:
    """The journal, directive by directive. Nothing is paid in it: the payable is what the invoices ask for together."""
    booked = list(transactions(invoices, contract))
    currency = invoices.currency
    yield f'option "title" "{_plain(contract.signed.contract)}"\noption "operating_currency" "{currency}"\n\n'
    first = min((transaction.day for transaction in booked), default=contract.signed.term.from_)
    for account in sorted({account for transaction in booked for account in transaction.postings}):
        yield f"{first} open {account} {currency}\n"
    owed: dict[str, Decimal] = {}
    for index, transaction in enumerate(booked):
        yield _directive(transaction, currency)
        for account, amount in transaction.postings.items():
            if account.startswith(PAYABLE):
                owed[account] = owed.get(account, ZERO) + amount
        is_last = index + 1 == len(booked) or booked[index + 1].day != transaction.day
        if is_last:
            yield from _balances(transaction.day + timedelta(days=1), owed.items(), currency)


def _directive(transaction: Transaction, currency: str) -> str:
    lines = [f'\n{transaction.day} * "{_plain(transaction.narration)}"']
    lines += [f'  {name}: "{_plain(value)}"' for name, value in transaction.notes.items()]
    lines += [f"  {account}  {amount:.{PLACES}f} {currency}" for account, amount in transaction.postings.items()]
    return "\n".join(lines) + "\n"


def _balances(day: date, owed: Iterable[tuple[str, Decimal]], currency: str) -> Iterator[str]:
    for account, amount in owed:
        yield f"\n{day} balance {account}  {amount:.{PLACES}f} ~ 0 {currency}\n"


def _plain(words: str) -> str:
    """Words inside quotes: one line, nothing that ends the string."""
    return " ".join(words.replace("\\", "/").replace('"', "'").split())
