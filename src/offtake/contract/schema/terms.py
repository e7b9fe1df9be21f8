"""The whole contract file as one frozen value: the text in force at an instant."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from offtake.contract.schema.base import Day, Term
from offtake.contract.schema.commitments import Commitment, Credit, TopUps
from offtake.contract.schema.failures import FailedRequests
from offtake.contract.schema.fees import Fees, Renewal
from offtake.contract.schema.prices import Prices


class TermDates(Term):
    """How long the contract runs: local midnights in `time_zone`, half-open."""

    from_: Day = Field(alias="from")
    until: Day
    time_zone: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")


class Rounding(Term):
    """Where amounts are rounded, to how many places, and how halves go."""

    where: Literal["line", "invoice"]
    places: int = Field(ge=0, le=12)
    mode: Literal["half_even", "half_up", "down", "up"]


class Billing(Term):
    """The invoice's period, the day of the month that it starts on, and its rounding."""

    period: Literal["month", "quarter", "year"]
    anchor: int | Literal["anniversary"]
    rounding: Rounding


class Scope(Term):
    """What the contract covers."""

    models: list[str] = Field(min_length=1)
    channels: list[Literal["realtime", "batch", "flex", "priority"]] = Field(min_length=1)
    access: list[str] = Field(min_length=1)
    affiliates: Literal["all"] | list[str] = "all"


class Terms(Term):
    """One contract, as its text stands at an instant."""

    contract: str
    buyer: str
    vendor: str
    term: TermDates
    billing: Billing
    scope: Scope
    documents: dict[str, str] = Field(default_factory=dict)
    prices: Prices
    fees: Fees | None = None
    commitments: list[Commitment] = Field(default_factory=list)
    top_ups: TopUps | None = None
    credits: list[Credit] = Field(default_factory=list)
    failed_requests: FailedRequests | None = None
    renewal: Renewal | None = None
