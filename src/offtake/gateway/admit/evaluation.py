"""The evaluation gate and the promises about versions: which model may serve, and which did.

Clause: `models.evaluation`, `models.pin`, `models.silent_changes`, `models.deprecation_notice`. A suite decides for its
workloads, all of them where it names none: only a model that it admits, that has not expired and was not withdrawn may
serve. A signed result of `offtake accept` that reaches the suite's floor admits as a line of the contract does. A
pinned version is checked after: the vendor's answer names what served.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from offtake.catalog.list_price import ModelFacts
from offtake.contract.contract import Contract
from offtake.contract.patterns import match, match_any
from offtake.contract.schema.models import Evaluation
from offtake.gateway.admit.question import Looked, clause_of
from offtake.gateway.ask import Refusal
from offtake.gateway.outlet import Outlet
from offtake.planner.routing.accepted import admissions_of, passing

WARNED_BEFORE = timedelta(days=90)


def evaluated(looked: Looked) -> Refusal | None:
    """Every suite that decides for the key's workload admits the model today."""
    models, workload = looked.terms.models, looked.asked.key.workload
    for index, suite in enumerate((models.evaluation if models else None) or []):
        if suite.workloads is None or match_any(suite.workloads, workload):
            refusal = _admits(looked, suite, f"models.evaluation[{index}]")
            if refusal:
                return refusal
    return None


def _admits(looked: Looked, suite: Evaluation, path: str) -> Refusal | None:
    model = looked.asked.model
    today = looked.at.astimezone(looked.contract.zone).date()
    results = looked.asked.outlet.accepted
    found = admissions_of(suite, results, model)
    if not found:
        known = [each.model for each in suite.admitted] + [each.model for each in passing(suite, results)]
        names = ", ".join(dict.fromkeys(known)) or "none"
        return Refusal(
            "model", "G331", f"{model} has not passed the suite {suite.suite}", looked.clause(f"{path}.admitted"),
            f"admitted: {names}",
        )  # fmt: skip
    why = looked.withdrawn.get((suite.suite, model))
    if why is not None:
        clause = looked.clause(f"{path}.recheck" if suite.recheck else path + found[0].place)
        return Refusal("model", "G332", f"the admission of {model} by {suite.suite} was withdrawn: {why}", clause)
    last = max(found, key=lambda each: each.until)
    if last.until <= today:
        return Refusal(
            "model", "G333", f"the admission of {model} by {suite.suite} ended on {last.until}",
            looked.clause(f"{path}{last.place}.until" if last.place else path),
            "run the suite again: offtake route --admissions, or offtake accept",
        )  # fmt: skip
    return None


def withdraws(suite: Evaluation, samples: int, passed: int) -> bool:
    """Whether a recheck on live samples ends an admission: as many passes as its limit, or fewer, of all samples."""
    return suite.recheck is not None and samples >= suite.recheck.samples and passed <= suite.recheck.withdraw_at


def version_changed(contract: Contract, asked: str, served: str, served_id: str, at: datetime) -> Refusal | None:
    """A pinned version that another one answered for: evidence, and never a reason to take the answer away.

    `served` is the vendor's own word for the model, `served_id` what the catalogue resolves it to ("" unknown).
    """
    models = contract.as_of(at).models
    if not served or not models or not models.pin or not match_any(models.pin, asked):
        return None
    if match(asked, served) or match(asked, served_id):
        return None
    what = f"{asked} is pinned, and the vendor served {served}"
    return Refusal("model", "G341", what, clause_of(contract, "models.pin", at))


def ends_soon(model: ModelFacts, at: datetime, contract: Contract) -> str:
    """What a response says of a model that is or will be deprecated; "" for none, or far away.

    A deprecated model is still served: only the vendor knows the day on which it is not.
    """
    if model.deprecated is None or at < model.deprecated - WARNED_BEFORE:
        return ""
    models = contract.as_of(at).models
    notice = f"; notice due: {models.deprecation_notice}" if models and models.deprecation_notice else ""
    word = "deprecated since" if at >= model.deprecated else "to be deprecated on"
    return f"{model.id} is {word} {model.deprecated:%Y-%m-%d}{notice}"


def admitted_for(outlet: Outlet, workload: str, model: str, at: datetime) -> bool:
    """Whether a suite that decides for this workload admits the model today: what standing in for another takes."""
    contract = outlet.terms.contract
    models = contract.as_of(at).models
    today = at.astimezone(contract.zone).date()
    return any(
        today < each.until
        for suite in (models.evaluation if models else None) or []
        if suite.workloads is None or match_any(suite.workloads, workload)
        for each in admissions_of(suite, outlet.accepted, model)
    )
