"""`sla`: uptime, latency and support, and what a miss is worth. The words of measurement are OpenSLO's."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from offtake.contract.schema.field_types import ADuration, Count, Share, Term


class CreditSchedule(Term):
    """Credits by steps below the target (`per`, `share`, `step`), or by a ladder of uptimes."""

    per: Share | None = None
    """A step below the target, such as 0.1%."""
    share: Share | None = None
    """The credit for each step."""
    step: Literal["floor", "started", "pro_rata"] | None = None
    """floor: whole steps count; started: a begun step counts; pro_rata: parts count."""
    ladder: dict[Share, Share] | None = None
    """Below this uptime, this credit; the lowest rung that was missed decides."""

    @model_validator(mode="after")
    def _one_form(self) -> CreditSchedule:
        steps = [value is not None for value in (self.per, self.share, self.step)]
        forms = [any(steps), self.ladder is not None, bool(getattr(self, "greater_of", None))]
        if sum(forms) != 1 or any(steps) != all(steps):
            raise ValueError(
                "credits are either `per`, `share` and `step` together, or a `ladder`, or `greater_of` several"
            )
        if self.per == 0:
            raise ValueError("`per` is above 0%")
        return self


class UptimeCredits(CreditSchedule):
    """One schedule, or the greater of several."""

    greater_of: list[CreditSchedule] | None = Field(default=None, min_length=2)
    """Schedules of which the larger credit counts."""


class Uptime(Term):
    """How available the service is, and what a miss is worth."""

    target: Share
    """The uptime promised, such as 99.9%."""
    window: Literal["month", "quarter"]
    """When counting starts again."""
    method: Literal["occurrences", "timeslices", "ratio_timeslices"]
    """Good requests of all; the share of good slices; or the mean of the slices' ratios."""
    slice: ADuration | None = None
    """The length of a slice."""
    slice_target: Share | None = None
    """The share of good requests that makes a slice good."""
    exclude: list[str] = Field(default_factory=list)
    """What does not count as downtime, such as `announced_maintenance` (each case is a dated judgement)."""
    credits: UptimeCredits | None = None
    """What a miss is worth, as a share of `of`."""
    of: Literal["billed", "consumed", "commitment_share", "affected_service"] | None = None
    """What the credit is a share of."""
    cap: Share | None = None
    """The most that is credited in a window."""
    claim_within: ADuration | None = None
    """How long after the window a credit can be claimed."""
    paid_as: Literal["credit_note", "drawdown", "cash"] | None = None
    """How a credit is paid."""
    sole_remedy: bool | None = None
    """false: credits do not exclude damages or exit."""

    @model_validator(mode="after")
    def _measurable(self) -> Uptime:
        if self.method != "occurrences" and self.slice is None:
            raise ValueError(f"`method: {self.method}` needs `slice`, such as 5 minutes")
        if self.method == "timeslices" and self.slice_target is None:
            raise ValueError("`method: timeslices` needs `slice_target`: which slice is good?")
        if self.credits is not None and (self.of is None or self.paid_as is None):
            raise ValueError("`credits` needs `of` (a share of what?) and `paid_as`")
        return self


class LatencyLoad(Term):
    """The requests to which a latency promise applies."""

    input_tokens_max: Count | None = None
    """With no more input than this."""
    output_tokens_max: Count | None = None
    """With no more output than this."""


class Latency(Term):
    """How fast the service answers."""

    p50_ms_max: Count | None = None
    """Half of all answers are complete within this."""
    p95_ms_max: Count | None = None
    """95% of all answers are complete within this."""
    first_token_p95_ms_max: Count | None = None
    """95% of first tokens arrive within this."""
    at: LatencyLoad | None = None
    """The requests that count."""
    no_worse_than: Literal["baseline"] | None = None
    """No slower than measured at signing."""
    tolerance: Share | None = None
    """How far above the baseline is still good."""


class Severity(Term):
    """What happens to an incident of one severity."""

    respond: ADuration | None = None
    """First answer."""
    workaround: ADuration | None = None
    """A way around."""
    plan: ADuration | None = None
    """A plan."""
    fix: ADuration | None = None
    """The fix."""


class SupportService(Term):
    """Who helps, and how fast."""

    sev1: Severity | None = None
    """Production is down."""
    sev2: Severity | None = None
    """Production is hurt."""
    sev3: Severity | None = None
    """Everything else."""
    rca: ADuration | None = None
    """A written root-cause analysis after each severity 1."""
    hours: Literal["24x7", "business_hours"] | None = None
    """When people answer."""
    named_contacts: Count | None = None
    """Named people at the vendor who know the deployment."""
    channel: str | None = None
    """The shared channel and the escalation path."""


class Sla(Term):
    """Service levels."""

    uptime: Uptime | None = None
    """Availability."""
    latency: Latency | None = None
    """Speed."""
    support: SupportService | None = None
    """Support."""
