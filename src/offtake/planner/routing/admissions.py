"""Admissions: the models that passed, as the term `models.evaluation` that a contract holds and a gateway enforces.

Every run that passes is admitted, cheapest first, so that traffic has somewhere to go when the cheapest one is full or
withdrawn. A model is named as the price books name it, because that is what traffic asks for; how it was run when it
passed stands in `settings`.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR

from offtake.contract.render import block_lines
from offtake.contract.schema.field_types import percent
from offtake.contract.schema.models import Evaluation
from offtake.planner.routing.choose import Choice, Judged
from offtake.planner.routing.confidence import PLACES, decimal_of
from offtake.planner.routing.recheck import Recheck, Rules, recheck
from offtake.values.errors import InputError
from offtake.values.money import quantize


def admissions(choice: Choice, rules: Rules) -> Evaluation:
    """The term of a choice: all that passed on a run that is still good, cheapest first, those without a cost last.

    InputError where there is none: an empty list would read as "nobody may serve".
    """
    passed = [each for each in (*choice.judged, *choice.not_comparable) if each.passes]
    held = [(each, check) for each in passed if (check := recheck(each, choice, rules)).until > rules.on]
    if not held:
        hint = "run the suite again, or let a run hold longer with --valid-days"
        if not passed:
            hint = "lower --floor, or run more tasks; the table says how many would do"
        reason = "every run that passes is too old" if passed else "no model passes"
        raise InputError("P638", f"{reason}, so {choice.suite} has nothing to admit", hint=hint)
    first = held[0][1]
    term: dict[str, object] = {
        "suite": choice.suite,
        "floor": percent(decimal_of(choice.floor)),
        "confidence": percent(choice.confidence),
        "admitted": [_admission(each, check) for each, check in held],
        "recheck": {"samples": first.samples, "withdraw_at": first.withdraw_at, "margin": percent(rules.margin)},
    }
    if rules.workloads:
        term["workloads"] = list(rules.workloads)
    return Evaluation.model_validate(term)


def text_of(term: Evaluation) -> str:
    """The YAML to paste into a contract: `models: {evaluation: […]}`."""
    data = term.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    return "\n".join(block_lines({"models": {"evaluation": [data]}}, "")) + "\n"


def _admission(each: Judged, check: Recheck) -> dict[str, object]:
    """What it scored is rounded down: a score that only rounds up to the floor does not reach it."""
    run = each.run
    named = run.priced_as or run.model
    score = quantize(decimal_of(run.score, 2 * PLACES), PLACES, ROUND_FLOOR)
    facts = {"settings": run.name if run.name != named else None, "evaluated": run.on}
    return {
        "model": named,
        "score": percent(score),
        "tasks": run.tasks,
        "until": check.until,
        "drift_below": percent(check.drift_below),
        **{name: value for name, value in facts.items() if value is not None},
    }
