"""`alerts`, `obligations`, `amendments`: what is watched, what is owed by a date, and what changed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema, model_validator

from offtake.contract.schema.field_types import ADuration, AnyShare, Day, Every, Instant, Share, Term


class Alerts(Term):
    """When people are told."""

    over_commitment: AnyShare | None = None
    """When usage runs this far above the commitment's pace."""
    forecast_shortfall: Share | None = None
    """When the forecast falls this far short of the commitment."""
    freshness: ADuration | None = None
    """How old the vendor's usage data may be."""
    notify: list[str] | None = None
    """Where to: `mailto:` and other addresses."""


class Obligation(Term):
    """Something dated that someone owes: a review, a report, a roadmap item, training hours, a reference."""

    id: str
    """Its name."""
    who: Literal["vendor", "buyer", "both"]
    """Who owes it."""
    what: str | None = None
    """What is owed, in a sentence."""
    every: Every | None = None
    """How often, from `term.from`."""
    due: Day | None = None
    """The day by which it is done, when it is owed once."""
    within: ADuration | None = None
    """How soon after its trigger, when an event makes it due."""
    trigger: str | None = None
    """The event that makes it due, such as `sev1`."""
    quantity: Annotated[int, Field(ge=1)] | None = None
    """How much each time, in `unit`."""
    unit: str | None = None
    """What `quantity` counts, such as `hours`."""
    evidence: str | None = None
    """What shows that it was done, such as `minutes`."""
    gates: str | None = None
    """The path of a term that holds only once this is done, such as `prices.discounts[0]`."""

    @model_validator(mode="after")
    def _dated(self) -> Obligation:
        if sum(value is not None for value in (self.every, self.due, self.within)) != 1:
            raise ValueError("an obligation is dated by one of `every`, `due` or `within`")
        if (self.within is None) != (self.trigger is None):
            raise ValueError("`within` and `trigger` go together")
        return self


class Amendment(Term):
    """A change of the text from a day on; the signed text stays as it is."""

    effective: Instant
    """From when it holds; it may lie in the past."""
    document: str
    """The paper that says so."""
    changes: Annotated[dict[str, Any], WithJsonSchema({"type": "object", "minProperties": 1})] = Field(min_length=1)
    """New values by path, such as `commitments[spend].amount: 1_500_000 USD / year`; `removed` takes a term out."""
    prorate: Literal["days", "none"] = "days"
    """days: windows that it cuts are prorated by days; none: the new value holds for the whole window."""
