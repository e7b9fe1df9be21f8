"""May this request go through this outlet at all? The rules in their order, each in observe or enforce.

The answer depends on the question and on no word of the request, so that whoever asks may keep it (`quote.py`) until a
date passes or the `version` grows: a suspension, a withdrawn admission.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from offtake.gateway.admit import behaviour, evaluation, residency, scope
from offtake.gateway.admit.question import Looked, Question, Rule, Suspension
from offtake.gateway.ask import Refusal
from offtake.gateway.outlet import ALLOWED, Verdict
from offtake.ledger.decisions import Decision

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

RULES: Mapping[str, Rule] = {
    # by the name that `modes` uses; the order decides which refusal a client reads
    "term": scope.in_term,
    "key": scope.key_may,
    "models": scope.model_covered,
    "channels": scope.channel_covered,
    "access": scope.access_covered,
    "affiliates": scope.affiliate_covered,
    "residency": residency.region_allowed,
    "retention": residency.retention_allowed,
    "training": residency.training_refused,
    "suspension": behaviour.not_suspended,
    "evaluation": evaluation.evaluated,
}
ALWAYS_ENFORCED = ("term", "key", "models", "channels", "access")  # without them nothing has a price, or an owner
ALWAYS_OBSERVED: Mapping[str, Rule] = {"residency": residency.region_preferred}


class Policy:
    """The rules with their state. One for each worker; a reload of contracts makes a new one."""

    def __init__(self, suspensions: tuple[Suspension, ...] = (), withdrawn: Mapping[tuple[str, str], str] = {}) -> None:
        self._suspensions = suspensions
        self._withdrawn = dict(withdrawn)
        self.version = 0
        """Grows with each change of what people have decided."""

    def decide(self, question: Question, at: datetime) -> Verdict:
        """What the rules say at an instant (UTC)."""
        contract, modes = question.outlet.terms.contract, question.outlet.modes
        looked = Looked(question, at, contract, contract.as_of(at), self._suspensions, self._withdrawn)
        observed: list[Refusal] = []
        for name, rule in RULES.items():
            refusal = rule(looked)
            if refusal is None:
                continue
            if name in ALWAYS_ENFORCED or modes.of(name) == "enforce":
                return Verdict(refusal, tuple(observed))
            observed.append(refusal)
        observed += [refusal for rule in ALWAYS_OBSERVED.values() if (refusal := rule(looked))]
        return Verdict(None, tuple(observed)) if observed else ALLOWED

    def after(self, before: Policy) -> Policy:
        """Take over what an earlier policy knew: a reload lifts no suspension. Returns itself."""
        self._suspensions, self._withdrawn = before._suspensions, dict(before._withdrawn)
        self.version += 1
        return self

    def renew(self, decided: Sequence[Decision]) -> None:
        """Know what people have decided, all that holds now; it replaces what was known."""
        self._suspensions, self._withdrawn = (), {}
        for each in decided:
            if each.kind == "suspend":
                since = _EPOCH + timedelta(microseconds=each.at)
                self.suspend(Suspension(each.subject, each.model, each.why, since, each.by))
            else:
                self.withdraw(each.subject, each.model, each.why)
        self.version += 1

    def suspend(self, suspension: Suspension) -> None:
        """From now on the model is not used under the contract."""
        self._suspensions += (suspension,)
        self.version += 1

    def lift(self, contract: str, model: str) -> None:
        """A person has ended a suspension."""
        kept = [each for each in self._suspensions if (each.contract, each.model) != (contract, model)]
        self._suspensions = tuple(kept)
        self.version += 1

    def withdraw(self, suite: str, model: str, why: str) -> None:
        """A suite no longer admits a model."""
        self._withdrawn[suite, model] = why
        self.version += 1
