"""`models` and `behaviour`: which model answers, how it changes, and what happens when it misbehaves."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from offtake.contract.schema.field_types import ADuration, Every, Share, Term


class Acceptance(Term):
    """A new version must pass the buyer's own tests."""

    suite: str
    """The evaluation suite."""
    floor: Share
    """The score that must be reached."""
    cure: ADuration | None = None
    """How long the vendor has to repair a regression."""


class Models(Term):
    """Which versions are served, and how they change."""

    pin: list[str] | None = None
    """Versions that stay available and unchanged."""
    hold: ADuration | None = None
    """How long a pinned version stays after its successor."""
    deprecation_notice: ADuration | None = None
    """How long before a model is retired."""
    change_notice: ADuration | None = None
    """How long before a version changes."""
    alignment_notice: ADuration | None = None
    """How long before a substantial change of safety behaviour."""
    overlap: ADuration | None = None
    """How long old and new run side by side for tests."""
    silent_changes: Literal["none", "allowed"] | None = None
    """Whether weights may change behind a name."""
    acceptance: Acceptance | None = None
    """The buyer's acceptance test."""
    validation: ADuration | None = None
    """A phase of validation before a model goes live."""


class HarmfulOutput(Term):
    """When repeated violations end the contract."""

    violations: int = Field(ge=1)
    """So many of them."""
    cure: ADuration
    """How long the vendor has to repair."""


class Behaviour(Term):
    """What the model must not do."""

    block: list[str] | None = None
    """Topics and outputs that are filtered."""
    suspend_on: list[str] | None = None
    """Events on which the buyer may suspend use, such as `bypass_safety`."""
    commitment_while_suspended: Literal["paused", "runs"] | None = None
    """What becomes of the commitment meanwhile."""
    review: Every | None = None
    """How often outputs are reviewed together."""
    terminate_after: HarmfulOutput | None = None
    """When violations end the contract."""
    disclose: list[str] | None = None
    """What the vendor shows: model card, content rules, …"""
    issue_response: ADuration | None = None
    """How soon a reported output is answered."""
    hidden_behaviour: Literal["warranted_none", "silent"] | None = None
    """Whether the vendor warrants that it knows of no hidden behaviour."""
