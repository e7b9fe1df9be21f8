"""`protection`, `liability`, `payment`: the terms around the price."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from offtake.contract.schema.field_types import ADuration, AMoney, AnyShare, AShareRate, Multiple, Share, Term


class BenchmarkReview(Term):
    """A market comparison in the middle of the term."""

    at: ADuration
    """How long after the start."""
    gap: Share | None = None
    """How far above the market opens a renegotiation."""


class MeetOrRelease(Term):
    """The vendor meets a lower price, or releases the buyer for that part."""

    gap: Share
    """How far below the contract the other price lies."""
    respond_within: ADuration
    """How long the vendor has to meet it."""


class Suspension(Term):
    """When the vendor may stop serving."""

    notice: ADuration
    """How long before."""
    causes: list[str] = Field(min_length=1)
    """The causes, and no others."""


class Protection(Term):
    """What keeps a good price good."""

    most_favoured: bool | None = None
    """No similar buyer gets a better price."""
    benchmark_review: BenchmarkReview | None = None
    """A market comparison."""
    meet_or_release: MeetOrRelease | bool | None = None
    """Meet a lower price, or release."""
    exclusivity: Literal["none", "partial", "full"] | None = None
    """Whether the buyer may use other vendors."""
    resale: Literal["none", "affiliates", "allowed"] | None = None
    """Whether the buyer may pass access on."""
    price_change_notice: ADuration | None = None
    """How long before a list price change binds."""
    yearly_increase_cap: AnyShare | None = None
    """The most that prices rise in a later contract year."""
    terms_change: Literal["signed_only", "notice", "vendor"] | None = None
    """Who can change the terms."""
    terms_change_notice: ADuration | None = None
    """How long before, where notice is enough."""
    suspension: Suspension | None = None
    """When the vendor may stop serving."""
    publicity: Literal["consent", "allowed"] | None = None
    """Whether the buyer's name may be used."""
    assignment: Literal["mutual", "vendor_only", "buyer_only"] | None = None
    """Who may pass the contract on."""
    precedence: list[str] | None = None
    """Keys of `documents`, the strongest first."""


class LiabilityCap(Term):
    """A limit of liability: one of the two."""

    months_of_fees: int | None = Field(default=None, ge=1, le=120)
    """So many months of fees."""
    amount: AMoney | None = None
    """An amount."""

    @model_validator(mode="after")
    def _one_of(self) -> LiabilityCap:
        if (self.months_of_fees is None) == (self.amount is None):
            raise ValueError("a cap has either `months_of_fees` or `amount`")
        return self


class Liability(Term):
    """Who pays for damage, and how much."""

    cap: LiabilityCap | None = None
    """The general limit."""
    super_cap: dict[str, Multiple] | None = None
    """Higher limits by cause, as multiples of the cap, such as `data_breach: 3x`."""
    outside_cap: list[str] | None = None
    """Causes without a limit."""
    mutual: bool | None = None
    """Exceptions hold for both sides."""
    insurance: AMoney | None = None
    """Cover that the vendor keeps."""
    warranty: ADuration | None = None
    """How long the service must do what its documentation says."""
    due_care: bool | None = None
    """The vendor warrants due care in development."""
    law: str | None = None
    """Governing law and forum."""


class Payment(Term):
    """When and how is paid."""

    due: ADuration
    """After the invoice."""
    dispute_within: ADuration | None = None
    """How long an invoice can be disputed."""
    evidence: Literal["buyer_telemetry", "vendor_meter", "both"] | None = None
    """Whose counts decide."""
    evidence_tolerance: Share | None = None
    """A difference that is not disputed."""
    late_fee: AShareRate | None = None
    """Interest, such as `1% / month`."""
    refund_prepaid_on_exit: bool | None = None
    """Unused prepaid money comes back when the buyer leaves for cause."""
    acceleration: Literal["none", "remaining_commitment"] | None = None
    """Whether the rest of a commitment falls due on exit."""
    taxes: Literal["exclusive", "inclusive"] | None = None
    """Whether prices contain taxes."""
    withholding: Literal["vendor_bears", "buyer_grosses_up"] | None = None
    """Who bears withholding tax."""
