"""The chart of accounts: what each account holds, how it is named, and below what it may never fall.

Amounts are whole picodollars (1e-12 USD), positive for a debit. An account is `kind:rest`; the rest names a budget, a
worker and a budget, or a vendor and a contract. What we owe, what may be spent, and which lot paid are three sets of
books; each sums to zero for itself.

    expense         what usage has cost: accrued, before the vendor's invoice
    payable         what we owe the vendor for it

    allowance       the counter account of all that a budget was granted
    available       what it can still lend
    lease           what was lent to one worker and is not settled yet
    held            the holds of requests that a dead worker left without an end
    spent           what requests have cost

    lot             what is left of one credit lot
    drawn           what lots have paid of a budget's spend
    expired         what lots lost when they expired
    funded          the counter account of all lots of a budget
"""

from __future__ import annotations

KINDS = (
    "expense", "payable", "allowance", "available", "lease", "held", "spent", "lot", "drawn", "expired", "funded",
)  # fmt: skip
FLOORED = ("available", "lease", "held", "lot")  # what cannot be owed: lending more than is there is refused


def expense(vendor: str, contract: str) -> str:
    """What usage has cost, before the vendor's invoice."""
    return f"expense:{vendor}:{contract}"


def payable(vendor: str, contract: str) -> str:
    """What we owe the vendor for it; a credit, so it is negative."""
    return f"payable:{vendor}:{contract}"


def allowance(budget: str) -> str:
    """The counter account of what a budget was granted: minus the grant."""
    return f"allowance:{budget}"


def available(budget: str) -> str:
    """What a budget can still lend. Its floor is minus the overdraft line, and zero without one."""
    return f"available:{budget}"


def lease(worker: str, budget: str) -> str:
    """What a worker was lent and has not settled yet."""
    return f"lease:{worker}:{budget}"


def held(budget: str) -> str:
    """The holds of requests that a dead worker left without an end."""
    return f"held:{budget}"


def spent(budget: str) -> str:
    """What requests have cost."""
    return f"spent:{budget}"


def lot(name: str) -> str:
    """What is left of one credit lot."""
    return f"lot:{name}"


def drawn(budget: str) -> str:
    """What lots have paid of a budget's spend."""
    return f"drawn:{budget}"


def expired(budget: str) -> str:
    """What lots of a budget lost when they expired."""
    return f"expired:{budget}"


def funded(budget: str) -> str:
    """The counter account of all lots of a budget: minus what they were granted."""
    return f"funded:{budget}"


def kind_of(account: str) -> str:
    """The kind that an account's name begins with. ValueError for a name that is not in the chart."""
    kind, colon, _ = account.partition(":")
    if not colon or kind not in KINDS:
        raise ValueError(f"no account of the chart is named {account!r}")
    return kind


def has_floor(account: str) -> bool:
    """Whether the account may never fall below its floor."""
    return kind_of(account) in FLOORED
