"""What a contract has drawn so far: its commitments in their open windows, and its lapsing credits.

Settled requests are added one by one, once, when a worker starts; from then on the contract's expense account in the
ledger says how much more every worker has spent, and the tallies grow in proportion. That is exact for a contract with
one pool at contracted prices, and near enough for the order of outlets; a new reading makes it exact again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from offtake.contract.patterns import match
from offtake.contract.schema.commitments import Credit
from offtake.gateway.route.standing import commitments_at, lapses, month_of, true_up_of
from offtake.rating.clauses import prepaid
from offtake.rating.clauses.commitment import CommitmentClause
from offtake.rating.compiled import CompiledTerms
from offtake.values.money import ZERO, to_integer
from offtake.values.periods import Interval


@dataclass(frozen=True, slots=True)
class Spent:
    """One settled request: what it was, its contracted and its list cost."""

    at: datetime
    model: str
    access: str
    account: str
    cost_pico: int
    list_pico: int
    quantities: Mapping[str, int]


@dataclass(slots=True)
class Drawn:
    """The tallies of one contract. `drawn` and `used_pico` are what `standing_of` asks for."""

    terms: CompiledTerms
    at: datetime
    drawn: dict[str, int] = field(default_factory=dict)
    used_pico: dict[str, int] = field(default_factory=dict)
    cost_pico: int = 0
    _windows: list[tuple[CommitmentClause, str, Interval]] = field(default_factory=list)
    _credits: list[Credit] = field(default_factory=list)

    def __post_init__(self) -> None:
        contract = self.terms.contract
        today = self.at.astimezone(contract.zone).date()
        self._credits = [each for each in contract.as_of(self.at).credits if lapses(each, today)]
        for clause in commitments_at(self.terms, self.at):
            names = {clause.id: true_up_of(clause, self.at), f"{clause.id}/month": month_of(clause, self.at)}
            self._windows += [(clause, name, window) for name, window in names.items() if window]
        self.drawn = {name: 0 for _, name, _ in self._windows}
        self.used_pico = {each.name: 0 for each in self._credits}

    @property
    def matters(self) -> bool:
        """Whether anything of the contract depends on what was drawn."""
        return bool(self._windows or self._credits)

    def ends(self) -> datetime | None:
        """When the first of the open windows ends, and all has to be read anew."""
        return min((window.end for _, _, window in self._windows), default=None)

    def add(self, spent: Spent) -> None:
        """Count a settled request."""
        self.cost_pico += spent.cost_pico
        for clause, name, window in self._windows:
            text = clause.text_at(spent.at) if spent.at in window else None
            if text and prepaid.in_pool(text, spent.model, spent.access, spent.account):
                self.drawn[name] += _units(clause, spent)
        left = spent.cost_pico
        for credit in self._credits:
            begun = credit.starts is None or self.terms.contract.instant(credit.starts) <= spent.at
            if begun and match(credit.models, spent.model):
                whole = to_integer(credit.amount.amount.scaleb(12))
                paid = min(left, whole - self.used_pico[credit.name])
                self.used_pico[credit.name] += paid
                left -= paid

    def grow(self, cost_pico: int) -> None:
        """The contract's whole cost is now this much: what is new is shared as what is known was."""
        more, known = cost_pico - self.cost_pico, self.cost_pico
        if more <= 0:
            return
        for tally in (self.drawn, self.used_pico):
            for name, amount in tally.items():
                tally[name] = amount + (more * amount // known if known else more)
        self.cost_pico = cost_pico


def _units(clause: CommitmentClause, spent: Spent) -> int:
    """What a request draws of a commitment: picodollars as it counts them, or weighted tokens."""
    if clause.weights is not None:
        return to_integer(sum((clause.weights[meter] * n for meter, n in spent.quantities.items()), start=ZERO))
    return spent.list_pico if clause.text.counts_at == "list" else spent.cost_pico
