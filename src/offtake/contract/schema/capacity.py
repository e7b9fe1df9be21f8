"""`capacity`: how much the vendor must serve, and what it owes when it does not."""

from __future__ import annotations

from typing import Literal

from offtake.contract.schema.fees import Reserved
from offtake.contract.schema.field_types import ADuration, Count, Multiple, Share, Term


class Limits(Term):
    """What is served without throttling, in the peak minute."""

    requests_per_second: Count | None = None
    """Requests a second."""
    requests_per_minute: Count | None = None
    """Requests a minute."""
    concurrency: Count | None = None
    """Requests in flight at once."""
    input_tpm: Count | None = None
    """Input tokens a minute."""
    output_tpm: Count | None = None
    """Output tokens a minute."""


class CapacityCredits(Term):
    """For each `per` of the month's minutes that were throttled, a credit."""

    per: Share
    """A step: this share of the month's minutes."""
    of_minutes_throttled: Share
    """The credit for each step, as a share of `of`."""
    of: Literal["monthly_fees", "commitment_share"]
    """What the credit is a share of."""
    cap: Share | None = None
    """The most that is credited in a month."""


class Forecast(Term):
    """The vendor commits to serve the forecast that the buyer shares."""

    horizon: ADuration
    """How far the forecast reaches."""
    headroom: Multiple
    """What is served, as a multiple of the forecast."""


class Capacity(Term):
    """How much the vendor must serve."""

    limits: Limits | None = None
    """Guaranteed throughput."""
    no_throttle_below: Literal["limits"] | None = None
    """Every 429 or 529 below the limits is evidence of a breach."""
    throttled_max: Share | None = None
    """The share of requests below the limits that may still be throttled."""
    credits: CapacityCredits | None = None
    """What is owed when capacity is not delivered."""
    priority: str | None = None
    """The traffic tier, in the vendor's word, such as `platinum`."""
    reserved: Reserved | None = None
    """Capacity that is ours alone."""
    raise_limits_within: ADuration | None = None
    """How fast limits rise on request."""
    forecast: Forecast | None = None
    """A forecast that the vendor must serve."""
    features: list[str] | None = None
    """Entitlements bought with the contract: context tier, single sign-on, audit log, …"""
