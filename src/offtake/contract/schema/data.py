"""`residency` and `data`: where the data is, who may use it, how long it stays."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from offtake.contract.schema.field_types import ADuration, Every, Share, Term


class Residency(Term):
    """Where inference runs."""

    regions: list[str] = Field(min_length=1)
    """The regions allowed, such as `eu`."""
    fail: Literal["closed", "open"]
    """closed: no request leaves the regions, even when none is available."""
    transfers: Literal["consent", "none"] | None = None
    """Whether data may cross to another jurisdiction: with consent, or never."""


class Deletion(Term):
    """Deletion of the buyer's data."""

    on_request: ADuration | None = None
    """How soon after a request."""
    certificate: bool = False
    """true: the vendor certifies it."""


class Encryption(Term):
    """How data is encrypted."""

    in_transit: Literal["tls1.2+", "tls1.3"] | None = None
    """On the wire."""
    at_rest: Literal["vendor_key", "per_customer_key", "customer_managed_key"] | None = None
    """On disk."""


class Recurring(Term):
    """Something that comes back."""

    every: Every
    """How often."""
    notice: ADuration | None = None
    """How long before it is announced."""


class Subprocessors(Term):
    """Other companies that touch the data."""

    notice: ADuration
    """How long before a new one starts."""
    objection: Literal["exit", "none"] | None = None
    """What the buyer may do about it."""


class AuditLog(Term):
    """Who asked what and when."""

    retention: ADuration
    """How long it can be read."""


class Access(Term):
    """Who gets in."""

    sso: bool = False
    """Single sign-on for the buyer's users."""
    roles: bool = False
    """Role-based access for the buyer's users."""
    least_privilege: bool = False
    """The vendor's staff sees no more than it must."""


class Data(Term):
    """What the vendor may do with the buyer's data."""

    training: Literal["never", "opt_in", "allowed"] | None = None
    """Use for training."""
    carve_outs: Literal["none", "preview_models"] | None = None
    """Exceptions from `training`: previews, default opt-ins, feedback."""
    purpose: Literal["service_only", "vendor_terms"] | None = None
    """What inputs and outputs may be used for at all."""
    sharing: Literal["never", "vendor_terms"] | None = None
    """Whether others may see inputs or outputs."""
    retention: ADuration | Literal["none"] | None = None
    """How long inputs and outputs are kept; none: zero retention."""
    cache_purge: Literal["hourly", "daily", "weekly"] | None = None
    """How often cached prompts are purged."""
    deletion: Deletion | None = None
    """Deletion."""
    breach_notice: ADuration | None = None
    """How soon a breach is reported."""
    encryption: Encryption | None = None
    """Encryption."""
    audit: Recurring | None = None
    """The buyer's right to audit."""
    attestation: Recurring | None = None
    """An independent attestation that the data was not used for training."""
    penetration_test: Recurring | None = None
    """The buyer's right to test the environment."""
    subprocessors: Subprocessors | None = None
    """Other companies that touch the data."""
    durability: Share | Literal["none"] | None = None
    """How safe stored data is from loss, such as 99.999999999%."""
    audit_log: AuditLog | None = None
    """The buyer's access to the vendor's log."""
    access: Access | None = None
    """Who gets in."""
    processing_agreement: Literal["incorporated", "separate", "none"] | None = None
    """Whether a data processing agreement is part of the contract."""
