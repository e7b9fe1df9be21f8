"""`models` and `behaviour`: which model answers, how it changes, and what happens when it misbehaves."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from offtake.contract.schema.field_types import ADuration, Day, Every, Share, Term


class Acceptance(Term):
    """A new version must pass the buyer's own tests."""

    suite: str
    """The evaluation suite."""
    floor: Share
    """The score that must be reached."""
    cure: ADuration | None = None
    """How long the vendor has to repair a regression."""


class Admission(Term):
    """A model that passed, and how long that holds."""

    model: str
    """The model that may be routed to."""
    settings: str | None = None
    """How it was run when it passed, such as its effort of reasoning."""
    score: Share
    """What it scored."""
    tasks: int = Field(ge=1)
    """On so many tasks."""
    evaluated: Day | None = None
    """When it was evaluated."""
    until: Day
    """The first day on which it is no longer admitted."""
    drift_below: Share | None = None
    """The score on live samples below which the suite no longer speaks for the traffic."""


class Recheck(Term):
    """How an admission is checked again on live traffic before it ends."""

    samples: int = Field(ge=1)
    """Live samples that are graded as the suite's tasks are."""
    withdraw_at: int = Field(ge=0)
    """So many passes of them or fewer end the admission at once."""
    margin: Share
    """How far below the floor a model may truly lie that scores the floor on the samples."""


class Evaluation(Term):
    """Which models may serve: those that passed the buyer's own suite."""

    suite: str
    """The evaluation suite."""
    floor: Share
    """The score that must be reached."""
    confidence: Share
    """How sure that is, one-sided; 0% compares the score as it is."""
    workloads: list[str] | None = None
    """The workloads that it decides for; all when absent."""
    admitted: list[Admission]
    """The models that passed, cheapest first."""
    recheck: Recheck | None = None
    """How the admissions are checked again on live traffic."""

    @model_validator(mode="after")
    def _passed(self) -> Evaluation:
        for each in self.admitted:
            if each.score < self.floor:
                raise ValueError(f"{each.model} scored below the floor and cannot be admitted")
        return self


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
    evaluation: list[Evaluation] | None = None
    """Which models may be routed to, by the buyer's own suites; `offtake route --admissions` writes it."""
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
