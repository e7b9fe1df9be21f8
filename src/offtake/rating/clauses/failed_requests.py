"""Failed requests: who pays for what went wrong, by outcome and token class.

Clause: `failed_requests`. Source: S1 "Failed-request billing policy"; S2 has none; LiteLLM #31835 asks for it.

Why it matters: self-serve billing charges output tokens even of truncated answers. `free` units cost nothing and
count neither to tiers nor to a commitment; `credited 50%` bills in full and gives half back in the same period. What
was never sent to the vendor (`not_dispatched`) is always free; `max_tokens` reached is `ok`.

Example: 1% of 1.5 B output tokens fail at $25.00/M: 15 M × $25.00/M = $375.00 a month that `http_5xx: free` keeps.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.schema.failures import OUTCOMES, policy_of
from offtake.contract.schema.terms import Terms
from offtake.usage.meters import BY_NAME
from offtake.usage.record import UsageRecord
from offtake.values.errors import UnpricedError
from offtake.values.money import ZERO

ONE = Decimal(1)


def token_class(meter: str) -> str:
    """The class of a meter: input, cache_read, cache_write or output; searches and the like follow the output."""
    found = BY_NAME[meter]
    if found.cache:
        return "cache_read" if found.cache == "read" else "cache_write"
    return "input" if found.direction == "input" else "output"


def shares(terms: Terms, record: UsageRecord, meter: str) -> tuple[Decimal, Decimal]:
    """What is billed of a meter, as (lowest, highest): 0 free, 1 billed, −share billed with that share credited.

    The two differ only for a row whose source does not say its outcome. UnpricedError where the contract is silent.
    """
    policy = terms.failed_requests
    if record.outcome == "ok":
        return ONE, ONE
    if record.outcome == "not_dispatched":
        return ZERO, ZERO
    if record.outcome is None:
        if policy is None:
            return ONE, ONE
        decided = [policy_of(policy, outcome, token_class(meter)) for outcome in OUTCOMES]
        return min((share for share in decided if share is not None), default=ONE, key=_billed), ONE
    share = policy_of(policy, record.outcome, token_class(meter)) if policy else None
    if share is None:
        raise UnpricedError(
            "R406",
            f"the contract does not say who pays for {record.outcome} ({token_class(meter)} tokens)",
            hint=f"add failed_requests: {{{record.outcome}: free}} (or billed, or credited 50%)",
        )
    return share, share


def _billed(share: Decimal) -> Decimal:
    return 1 + share if share < 0 else share
