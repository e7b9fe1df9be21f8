"""The whole contract file as one frozen value: the text in force at an instant."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from offtake.contract.schema.capacity import Capacity
from offtake.contract.schema.commercial import Liability, Payment, Protection
from offtake.contract.schema.commitments import Commitment, Credit, TopUps
from offtake.contract.schema.data import Data, Residency
from offtake.contract.schema.duties import Alerts, Amendment, Obligation
from offtake.contract.schema.ending import Exit, Renewal
from offtake.contract.schema.failures import FailedRequests
from offtake.contract.schema.fees import Fees
from offtake.contract.schema.field_types import Channel, Day, Term, Zone
from offtake.contract.schema.models import Behaviour, Models
from offtake.contract.schema.prices import Prices
from offtake.contract.schema.service import Sla
from offtake.contract.schema.trust import Deployment, Ip, Security


class TermDates(Term):
    """How long the contract runs: local midnights in `time_zone`, half-open."""

    from_: Day = Field(alias="from")
    """The first day."""
    until: Day
    """The day after the last."""
    time_zone: Zone
    """The zone of every date in the file."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """The currency of every amount in the file."""

    @model_validator(mode="after")
    def _not_empty(self) -> TermDates:
        if self.until <= self.from_:
            raise ValueError(f"the term ends ({self.until}) before it starts ({self.from_})")
        return self


class Rounding(Term):
    """The one rounding of an invoice."""

    where: Literal["line", "invoice"]
    """Each line, or the total."""
    places: int = Field(ge=0, le=12)
    """Decimal places."""
    mode: Literal["half_even", "half_up", "down", "up"]
    """How halves go."""


class Billing(Term):
    """How invoices are cut."""

    period: Literal["month", "quarter", "year"]
    """What one invoice covers."""
    anchor: Annotated[int, Field(ge=1, le=31)] | Literal["anniversary"]
    """The day of the month on which a period starts (31: the last day), or the day of `term.from`."""
    rounding: Rounding
    """The one rounding."""


class Scope(Term):
    """What the contract covers."""

    models: list[str] = Field(min_length=1)
    """Patterns of model names."""
    channels: list[Channel] = Field(min_length=1)
    """Ways to call."""
    access: list[str] = Field(min_length=1)
    """Where it is called: api, bedrock, vertex, azure, …"""
    affiliates: Literal["all"] | list[str] = "all"
    """The companies that may use it."""


class Terms(Term):
    """One contract, as its text stands at an instant."""

    contract: str
    """The name of the contract."""
    buyer: str
    """Who buys."""
    vendor: str
    """Who sells; the catalogue's name of the vendor, such as `anthropic`."""
    term: TermDates
    """How long it runs."""
    billing: Billing
    """How invoices are cut."""
    scope: Scope
    """What it covers."""
    documents: dict[str, str] = Field(default_factory=dict)
    """The signed papers by short name; each `source` starts with one of these names."""
    prices: Prices
    """What a token costs."""
    fees: Fees | None = None
    """What is owed besides usage."""
    commitments: list[Commitment] = Field(default_factory=list)
    """Floors: take or pay."""
    top_ups: TopUps | None = None
    """A prepaid wallet without a commitment."""
    credits: list[Credit] = Field(default_factory=list)
    """Grants."""
    failed_requests: FailedRequests | None = None
    """Who pays for what went wrong."""
    capacity: Capacity | None = None
    """How much is served."""
    sla: Sla | None = None
    """Service levels."""
    residency: Residency | None = None
    """Where inference runs."""
    data: Data | None = None
    """What the vendor may do with the data."""
    models: Models | None = None
    """Which versions are served."""
    behaviour: Behaviour | None = None
    """What the model must not do."""
    security: Security | None = None
    """What the vendor proves."""
    ip: Ip | None = None
    """Who owns what."""
    deployment: Deployment | None = None
    """Where and how the model runs."""
    protection: Protection | None = None
    """What keeps a good price good."""
    liability: Liability | None = None
    """Who pays for damage."""
    payment: Payment | None = None
    """When and how is paid."""
    renewal: Renewal | None = None
    """What happens at the end."""
    exit: Exit | None = None
    """Ways out before the end."""
    alerts: Alerts | None = None
    """When people are told."""
    obligations: list[Obligation] = Field(default_factory=list)
    """What is owed by a date."""


class ContractFile(Terms):
    """The file: the signed text, and what amendments made of it."""

    amendments: list[Amendment] = Field(default_factory=list)
    """Changes of the text, each from a day on."""
