"""`security`, `ip`, `deployment`: proofs, ownership, and where the model runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from offtake.contract.schema.data import Recurring
from offtake.contract.schema.field_types import ADuration, AMoney, Count, Day, Multiple, Term

Owner = Literal["buyer", "vendor", "joint"]


class Certificate(Term):
    """A certificate that must be held."""

    by: Day
    """From this day on."""
    report_age_max: ADuration | None = None
    """How old the report may be."""


class AiAct(Term):
    """The EU AI Act."""

    assist: bool
    """true: the vendor gives the documents that the buyer needs."""
    within: ADuration | None = None
    """How soon after a request."""


class Security(Term):
    """What the vendor proves."""

    soc2_type2: Certificate | None = None
    """SOC 2 Type II."""
    iso27001: Certificate | None = None
    """ISO/IEC 27001."""
    hipaa: bool | None = None
    """A business associate agreement is part of the contract."""
    regimes: list[str] | None = None
    """Other named regimes, such as `fedramp_high`."""
    eu_ai_act: AiAct | None = None
    """The EU AI Act."""
    law_compliance: Literal["warranted", "silent"] | None = None
    """Whether the vendor warrants that it obeys the law that applies to AI."""
    critical_patch: ADuration | None = None
    """How soon a critical vulnerability is repaired."""
    penetration_test_summary: Recurring | None = None
    """The vendor's own penetration test, as a summary."""
    penalty_indemnity: Multiple | None = None
    """Fines caused by the vendor, up to this multiple of twelve months' fees."""
    output_risk: Literal["shared", "buyer"] | None = None
    """Who answers for what the model says."""


class Indemnity(Term):
    """Claims of others that the vendor takes over."""

    outputs: AMoney | Literal["uncapped", "within_cap"] | None = None
    """Claims that outputs infringe: up to an amount, without a limit, or within the liability cap."""
    exclusions: list[str] | None = None
    """When it does not hold, such as `misuse`."""


class FineTuned(Term):
    """A model tuned on the buyer's data."""

    owner: Owner | None = None
    """Who owns it."""
    exclusive: bool = False
    """true: nobody else may use it."""
    resale: Literal["none", "allowed"] | None = None
    """Whether the vendor may reuse or sell it."""
    escrow: bool = False
    """true: weights are held by a neutral party."""
    release_on: list[str] | None = None
    """The events that release them, such as `insolvency`."""


class CoDevelopment(Term):
    """What is built together."""

    owner: Owner
    """Who owns it."""
    exclusive_for: ADuration | None = None
    """Head start of the buyer on features that it pays for."""


class Ip(Term):
    """Who owns what."""

    inputs: Owner | None = None
    """Prompts and files."""
    outputs: Owner | None = None
    """Answers."""
    confidential: list[Literal["inputs", "outputs"]] | None = None
    """What counts as the buyer's confidential information."""
    indemnity: Indemnity | None = None
    """Claims of others."""
    fine_tuned: FineTuned | None = None
    """Tuned models."""
    co_development: CoDevelopment | None = None
    """Joint work."""
    feedback: Literal["excludes_content", "vendor_terms"] | None = None
    """Whether feedback drags prompts and answers into the vendor's licence."""


class Deployment(Term):
    """Where and how the model runs."""

    kind: Literal["shared", "dedicated", "private", "on_premises"]
    """The kind of deployment."""
    tenancy: Literal["single", "multi"] | None = None
    """Whether others share the instance."""
    instances: dict[str, Count] | None = None
    """Instances by environment, such as `production: 4`."""
    model_hashes: dict[str, Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]] | None = None
    """The sha256 of each model file, as `sha256:` and 64 hex digits."""
    vendor_access: Literal["on_approval", "never", "unrestricted"] | None = None
    """When the vendor's people may enter."""
    remote_kill_switch: Literal["none", "on_breach", "allowed"] | None = None
    """Whether the vendor can switch it off."""
    telemetry: Literal["none", "counters", "full"] | None = None
    """What it reports home."""
    upgrades: Literal["included", "charged"] | None = None
    """Whether new versions are part of the fee."""
    implementation_days: Count | None = None
    """Person-days of help at installation."""
    critical_patch: ADuration | None = None
    """How soon a critical fault of delivered files is repaired."""
    fix: ADuration | None = None
    """How soon a fault of the deployment is repaired."""
