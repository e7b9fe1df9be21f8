"""`renewal` and `exit`: how the contract ends, and how it goes on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from offtake.contract.schema.field_types import ADuration, AMoney, AnyShare, Share, Term


class RenewalIncentive(Term):
    """What renewing earns."""

    discount: Share | None = None
    """A further share off."""
    credits: AMoney | None = None
    """A grant."""


class Renewal(Term):
    """What happens at the end of the term."""

    automatic: bool
    """Whether it renews by itself."""
    notice: ADuration | None = None
    """How long before the end notice must be given."""
    price_cap: AnyShare | None = None
    """The most that renewal prices can be, as a share of today's: 105%."""
    commit_reduction: Share | None = None
    """How far the commitment may fall without losing the price."""
    incentive: RenewalIncentive | None = None
    """What renewing earns."""


class Convenience(Term):
    """Leaving without a reason."""

    notice: ADuration
    """How long before."""
    fee_months: int = Field(ge=0, le=60)
    """Months of `fee_base` that it costs."""
    fee_base: Literal["commitment_share", "billed"]
    """What a month is worth."""


class VendorConvenience(Term):
    """The vendor leaving without a reason."""

    notice: ADuration
    """How long before."""
    refund: bool = False
    """Prepaid money comes back."""


class SlaBreaches(Term):
    """Leaving after repeated misses."""

    count: int = Field(ge=1)
    """So many misses."""
    within: ADuration
    """Within this."""


class Innovation(Term):
    """Leaving for a better and cheaper model."""

    after: ADuration
    """Not before this, from the start."""
    vendor_may_match: ADuration | None = None
    """How long the vendor has to match."""


class Breach(Term):
    """Leaving for a breach."""

    cure: ADuration
    """How long the other side has to repair it."""
    mutual: bool = True
    """Both sides have the right."""


class Deliverable(Term):
    """Leaving when something promised does not come."""

    slip: ADuration
    """How late is too late."""


class CustomModel(Term):
    """What becomes of a tuned model."""

    at_end: Literal["copy", "held", "deleted"]
    """Copied to the buyer, held by the vendor, or deleted."""
    hold: ADuration | None = None
    """How long it is held."""


class Transition(Term):
    """Service during a migration."""

    period: ADuration
    """How long."""
    at: Literal["contracted", "list"]
    """At which price."""


class Exit(Term):
    """Ways out before the end."""

    convenience: Convenience | None = None
    """Without a reason."""
    vendor_convenience: VendorConvenience | Literal["none"] | None = None
    """The vendor's right to leave without a reason."""
    breach: Breach | None = None
    """For a breach."""
    sla_breaches: SlaBreaches | None = None
    """After repeated misses of the service levels."""
    deliverable: Deliverable | None = None
    """When something promised does not come."""
    innovation: Innovation | None = None
    """For a better and cheaper model."""
    regulation: bool | None = None
    """When a new rule makes use unlawful or uneconomic."""
    quality_regression: bool | None = None
    """When an update falls below the acceptance floor."""
    change_of_control: bool | None = None
    """When the vendor is sold."""
    data_export: ADuration | None = None
    """How long after the end data can be taken out."""
    custom_model: CustomModel | None = None
    """What becomes of a tuned model."""
    transition: Transition | None = None
    """Service during a migration."""
