"""Your own traffic on each evaluated model: its tokens, in the measure in which that model needs more or fewer a task.

Prices a token do not compare models, because one needs more tokens for the same task than another. The evaluation has
measured that: on the same tasks, each model's input and output. So the traffic of a model that was evaluated is scaled,
input by input and output by output, and rated.

    usage      100 requests of claude-opus-4-7: 700,000 in, 130,000 out
    suite      claude-opus-4-7  7,000 in, 1,300 out a task;  gpt-5.4  6,000 in, 1,500 out a task
    on gpt-5.4 600,000 in, 150,000 out
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from offtake.operations.contracts import Opened
from offtake.operations.rate_tokens import rated_tokens
from offtake.operations.usage_input import open_usage
from offtake.planner.profile.traffic import Traffic, observe
from offtake.planner.routing.evaluation import Evaluation
from offtake.usage.meters import BY_NAME
from offtake.values.errors import CatalogError, Finding, InputError, Place


@dataclass(frozen=True, slots=True)
class Job:
    """Traffic of one form, and the run that says how many tokens a task takes on the model that does it now."""

    traffic: Traffic
    now: Evaluation


@dataclass(frozen=True, slots=True)
class OnUsage:
    """The runs with what the traffic would cost on each, why some have none, and what of the usage was left out."""

    runs: list[Evaluation]
    reasons: dict[str, str]
    warnings: list[Finding]


def on_usage(
    runs: Sequence[Evaluation], paths: Sequence[str | Path], opened: Opened, at: datetime, now: str | None
) -> OnUsage:
    """What the traffic costs on each model at an instant's prices, below every context threshold.

    `now` names the run that today's traffic is, where the model was run in several ways. InputError where no traffic is
    of a model that was evaluated.
    """
    with open_usage(paths) as usage:
        seen = observe(usage.source)
        where = Place(str(paths[0]))
        missing = len(usage.rejected) + usage.conflict_count
    warnings = [_left_out(f"{missing:,} rows of the usage cannot be read or conflict", where)] if missing else []
    jobs, others = _jobs(seen, runs, opened, now)
    warnings += [_left_out(each, where) for each in others]
    if not jobs:
        why = others[0] if others else "the usage is empty"
        hint = "give a run, with token counts, of the model that does the work now"
        raise InputError("P638", "no traffic is of a model that was evaluated", where=where, why=why, hint=hint)
    found, reasons = [], {}
    for run in runs:
        cost, reason = _cost(run, jobs, opened, at)
        reasons.update({run.name: reason} if reason else {})
        found.append(replace(run, cost=cost, costed=sum(job.traffic.requests for job in jobs)))
    return OnUsage(found, reasons, warnings)


def _jobs(
    seen: Sequence[Traffic], runs: Sequence[Evaluation], opened: Opened, now: str | None
) -> tuple[list[Job], list[str]]:
    known: dict[str, list[Evaluation]] = {}
    for run in runs:
        if run.tokens and now in (None, run.name):
            known.setdefault(_id(run.priced_as or run.model, opened), []).append(run)
    jobs, left = [], []
    for traffic in seen:
        form = traffic.form
        candidates = known.get(_id(form.model, opened), [])
        if len(candidates) > 1:
            names = ", ".join(repr(run.name) for run in candidates)
            hint = f"--now {candidates[0].name!r} says how the traffic is run"
            raise InputError("P637", f"{form.model} was evaluated as {names}", where=candidates[1].where, hint=hint)
        if candidates and traffic.requests:
            jobs.append(Job(traffic, candidates[0]))
        else:
            requests = "1 request" if traffic.requests == 1 else f"{traffic.requests:,} requests"
            left.append(f"{requests} of {form.model}: no evaluated run with token counts is of it")
    return jobs, left


def _cost(run: Evaluation, jobs: Sequence[Job], opened: Opened, at: datetime) -> tuple[Decimal | None, str]:
    if not run.tokens:
        return None, "no token counts in the file"
    cost = Decimal(0)
    for job in jobs:
        measures = {side: _measure(side, run, job.now) for side in ("input", "output")}
        quantities = {}
        for meter, quantity in job.traffic.quantities.items():
            measure = measures.get(BY_NAME[meter].direction or "", Fraction(1))
            if measure is None:
                return None, f"{job.now.name} has no {BY_NAME[meter].direction} tokens to measure by"
            quantities[meter] = int(quantity * measure + Fraction(1, 2))
        rated = rated_tokens(run, quantities, opened, at, channel=job.traffic.form.channel)
        if rated.cost is None:
            return None, rated.reason
        cost += rated.cost
    return cost, ""


def _measure(side: str, run: Evaluation, now: Evaluation) -> Fraction | None:
    """How many times the tokens a task of `now` the run needs; None where nothing can be said."""
    mine, theirs = _side(run.tokens, side), _side(now.tokens, side)
    return Fraction(mine * now.costed, theirs * run.costed) if theirs and run.costed else None


def _side(tokens: Mapping[str, int], side: str) -> int:
    return sum(quantity for meter, quantity in tokens.items() if BY_NAME[meter].direction == side)


def _id(model: str, opened: Opened) -> str:
    """The price books' name of a model, or its own."""
    try:
        return opened.catalog.resolve(model).id
    except CatalogError:
        return model


def _left_out(what: str, where: Place) -> Finding:
    return Finding("P638", "warning", f"left out: {what}", where=where)
