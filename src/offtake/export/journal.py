"""Invoices as double entry: what was used is an expense, what was billed is owed, and what was paid before is an asset.

For each line the expense is its effective cost E and the payable its billed amount B; the difference B − E has one
place, and every transaction sums to zero:

    purchase            B 1,200  E 0     prepaid asset +1,200
    covered usage       B 0      E 48    prepaid asset −48
    unused drawdown     B 0      E 972   breakage, out of the prepaid asset
    shortfall           B 972    E 972   breakage, owed
    credit earned       B 0      E −50   service-credit receivable +50
    credit given        B −50    E 0     service-credit receivable −50
    any other line      B 5.00   E 4.999 rounding +0.001

Usage that is partly prepaid hides what its billed part was rounded by; the invoice's residual gives their sum back.
Amounts have 12 decimals, as our smallest price has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.export.commitments import commitment_name
from offtake.rating.lines import Invoice, Invoices, Line
from offtake.values.money import ZERO, quantize

PLACES = 12
EXPENSE = "Expenses:LLM"
BREAKAGE = "Expenses:Breakage"
ROUNDING = "Expenses:Rounding"
PREPAID = "Assets:Prepaid"
RECEIVABLE = "Assets:Service-Credits"
PAYABLE = "Liabilities:Payable"
WALLET = "top_ups"
_KINDS = {"fee": "fees", "adjustment": "adjustments", "commitment": "overage"}


@dataclass(frozen=True, slots=True)
class Transaction:
    """Postings that sum to zero, by account; debits are positive. `notes` say which line and clause made them."""

    day: date
    narration: str
    postings: Mapping[str, Decimal]
    notes: Mapping[str, str] = field(default_factory=dict)


def transactions(invoices: Invoices, contract: Contract) -> Iterator[Transaction]:
    """One transaction a line that moves money, dated on the last local day of its invoice, then its rounding."""
    for invoice in invoices.invoices:
        day = (invoice.period.end.astimezone(contract.zone) - timedelta(microseconds=1)).date()
        payable = _account(PAYABLE, contract.signed.vendor)
        rounded = ZERO
        hidden_in = ""
        for line in invoice.lines:
            balance = commitment_name(line, contract)
            postings = _postings(line, balance, payable)
            rounded += postings.get(ROUNDING, ZERO)
            between = _between(line, balance)
            hides = line.kind == "usage" and line.amounts.billed and between.startswith(PREPAID)
            hidden_in = between if hides else hidden_in
            if postings:
                yield Transaction(day, line.why or line.clause, postings, {"line": line.id, "clause": line.clause})
        closing = _rounding(invoice, payable, rounded, hidden_in)
        if closing:
            yield Transaction(day, "Rounding", closing, {"clause": "billing.rounding"})


def _postings(line: Line, balance: str, payable: str) -> dict[str, Decimal]:
    cost, billed = quantize(line.amounts.effective, PLACES), quantize(line.amounts.billed, PLACES)
    exact = _exact(line, billed)
    return _merged(
        (_expense(line, balance), cost),
        (_between(line, balance), exact - cost),
        (ROUNDING, billed - exact),
        (payable, -billed),
    )


def _exact(line: Line, billed: Decimal) -> Decimal:
    """What a line billed before it was rounded, where quantity and price still say so: not for usage, part of which
    may be prepaid.
    """
    exact = quantize(line.quantity * line.unit_price, PLACES)
    return exact if line.kind != "usage" and abs(exact - billed) < 1 else billed


def _rounding(invoice: Invoice, payable: str, rounded: Decimal, hidden_in: str) -> dict[str, Decimal]:
    """What rounding is still to be booked: the invoice's own, and that which partly prepaid usage hides."""
    billed = sum((quantize(line.amounts.billed, PLACES) for line in invoice.lines), ZERO)
    owed = quantize(invoice.total, PLACES) - billed
    left = -quantize(invoice.residual, PLACES) - rounded if hidden_in else owed
    return _merged((ROUNDING, left), (payable, -owed), (hidden_in or ROUNDING, owed - left))


def _expense(line: Line, balance: str) -> str:
    """Where the cost of a line belongs: its model, or what kind of line it is."""
    is_lost = line.kind == "commitment" and line.commitment_status == "unused"
    if is_lost or (line.kind == "credit" and line.amounts.effective > 0):
        return _account(BREAKAGE, balance or line.clause.split(".", 1)[0])
    if line.kind == "credit":
        return _account(EXPENSE, "credits")
    if line.model:
        return _account(EXPENSE, line.model)
    return _account(
        EXPENSE, {"fee": "fees", "adjustment": "adjustments", "commitment": "overage"}.get(line.kind, "other")
    )


def _between(line: Line, balance: str) -> str:
    """Where the difference of billed and effective belongs: one asset a commitment, one for the wallet."""
    is_owed = line.kind == "commitment" and line.amounts.billed
    if not is_owed and (balance or line.kind == "purchase" or line.clause.startswith(WALLET)):
        return _account(PREPAID, balance or WALLET)
    is_awaited = line.kind == "credit" and not (line.amounts.billed and line.amounts.effective)
    return RECEIVABLE if is_awaited else ROUNDING


def _merged(*postings: tuple[str, Decimal]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for account, amount in postings:
        total[account] = total.get(account, ZERO) + amount
    return {account: amount for account, amount in total.items() if amount}


def _account(root: str, name: str) -> str:
    """An account below a root, as beancount spells it: capitals, digits and hyphens."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
    return f"{root}:{plain[:1].upper()}{plain[1:]}" if plain else root
