"""`failed_requests`: who pays for what went wrong. Every outcome × token class is decided; nothing is implied."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema, model_validator

from offtake.contract.schema.field_types import Term, percent
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


def _written(policy: Decimal) -> str:
    return "free" if policy == 0 else "billed" if policy == 1 else f"credited {percent(-policy)}"


Policy = Annotated[
    Decimal,
    BeforeValidator(_policy),
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(free|billed|credited [0-9.]+%)$", "examples": ["credited 50%"]}),
]
"""0 free, 1 billed, −share credited (billed in full, then this share is credited in the same period)."""


class ByClass(Term):
    """A policy for each token class."""

    input: Policy | None = None
    """Uncached input."""
    cache_read: Policy | None = None
    """Input read from the cache."""
    cache_write: Policy | None = None
    """Input written to the cache."""
    output: Policy | None = None
    """Output."""
    others: Policy | None = None
    """The classes that are not named."""


class FailedRequests(Term):
    """Each outcome is `free`, `billed` or `credited N%`, or one of these by token class.

    A bare word for the whole section (`failed_requests: billed`) decides every outcome. An outcome left out is a gap:
    `check` reports it, and rating refuses a row that has it. `not_dispatched` is always free.
    """

    http_5xx: Policy | ByClass | None = None
    """The vendor answered with a 5xx status."""
    timeout: Policy | ByClass | None = None
    """No answer came in time."""
    vendor_truncation: Policy | ByClass | None = None
    """The vendor cut the answer short; an answer that reached max_tokens is `ok`."""
    refusal: Policy | ByClass | None = None
    """The model refused, or a safety filter took the answer away."""
    client_cancel: Policy | ByClass | None = None
    """The caller gave up."""
    client_error: Policy | ByClass | None = None
    """The request was wrong (a 4xx status)."""

    @model_validator(mode="before")
    @classmethod
    def _one_word(cls, value: Any) -> Any:
        return dict.fromkeys(OUTCOMES, value) if isinstance(value, str) else value


def policy_of(terms: FailedRequests, outcome: str, token_class: str) -> Decimal | None:
    """The policy for one outcome and class, or None where the contract does not decide it."""
    decided = getattr(terms, outcome)
    if decided is None or isinstance(decided, Decimal):
        return decided
    named: Decimal | None = getattr(decided, token_class)
    return decided.others if named is None else named
