"""`failed_requests`: who pays for what went wrong. Every outcome × token class is decided; nothing is implied."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from offtake.contract.schema.base import Term
from offtake.values import units

CLASSES = ("input", "cache_read", "cache_write", "output")
OUTCOMES = ("http_5xx", "timeout", "vendor_truncation", "refusal", "client_cancel", "client_error")


def _policy(value: object) -> object:
    if value in ("free", "billed"):
        return Decimal(0) if value == "free" else Decimal(1)
    if isinstance(value, str) and value.startswith("credited "):
        share = units.share(value.removeprefix("credited "))
        if not 0 < share <= 1:
            raise ValueError(f"a credited share lies above 0% and up to 100%; got {value!r}")
        return -share
    raise ValueError(f"a policy is `free`, `billed` or `credited 50%`; got {value!r}")


Policy = Annotated[
    Decimal,
    BeforeValidator(_policy),
    PlainSerializer(lambda p: "free" if p == 0 else "billed" if p == 1 else f"credited {-p:%}"),
    WithJsonSchema({"type": "string", "pattern": r"^(free|billed|credited [0-9.]+%)$"}),
]
"""0 free, 1 billed, −share credited (billed in full, then this share is credited in the same period)."""


class ByClass(Term):
    """A policy for each token class; `others` decides the classes that are not named."""

    input: Policy | None = None
    cache_read: Policy | None = None
    cache_write: Policy | None = None
    output: Policy | None = None
    others: Policy | None = None


class FailedRequests(Term):
    """An outcome left out is a gap: `check` reports it, and rating refuses a row that has it."""

    http_5xx: Policy | ByClass | None = None
    timeout: Policy | ByClass | None = None
    vendor_truncation: Policy | ByClass | None = None
    refusal: Policy | ByClass | None = None
    client_cancel: Policy | ByClass | None = None
    client_error: Policy | ByClass | None = None


def policy_of(terms: FailedRequests, outcome: str, token_class: str) -> Decimal | None:
    """The policy for one outcome and class, or None where the contract does not decide it."""
    decided = getattr(terms, outcome)
    if decided is None or isinstance(decided, Decimal):
        return decided
    named: Decimal | None = getattr(decided, token_class)
    return decided.others if named is None else named
