"""A run stopped at an instant: what every account and lot holds then, and what each day drew from each commitment.

The same pass that makes invoices, day by day, without closing what is still open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from offtake.rating.clauses.commitment import CommitmentClause
from offtake.rating.compiled import CompiledTerms
from offtake.rating.piece import Assume
from offtake.rating.planning import By
from offtake.rating.rate import by_segment, prepared
from offtake.rating.run import Run
from offtake.rating.source import Source, Survey
from offtake.values.money import ZERO


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run at an instant, with the first and last usage before it.

    `draws` is by commitment path, then local day, in dollars or weighted tokens. `uncertain` says that some rows could
    have cost more than `assume` took.
    """

    at: datetime
    run: Run
    draws: Mapping[str, Mapping[date, Decimal]]
    first: datetime | None
    last: datetime | None
    uncertain: bool

    @property
    def commitments(self) -> tuple[CommitmentClause, ...]:
        """The commitments of the contract, in its order."""
        return tuple(clause for clause in self.run.machine.clauses if isinstance(clause, CommitmentClause))

    def amount(self, clause: CommitmentClause, account: str) -> Decimal:
        """An account of a commitment, in dollars or weighted tokens."""
        return clause.amount(self.run.accounts.get(f"{clause.path}.{account}", 0))


def stop_at(source: Source, terms: CompiledTerms, survey: Survey, at: datetime, assume: Assume = "low") -> Stopped:
    """Run the usage before an instant of the term. The caller's decimal context is exact."""
    rater, planned = prepared(source, terms, survey, By(day=True), at, assume)
    run = rater.run
    commitments = [clause for clause in run.machine.clauses if isinstance(clause, CommitmentClause)]
    draws: dict[str, dict[date, Decimal]] = {clause.path: {} for clause in commitments}
    for segment, groups in by_segment(planned, rater.tally.grouped.groups):
        run.advance(segment.start)
        before = [run.accounts.get(f"{clause.path}.drawn", 0) for clause in commitments]
        rater.use(planned, segment, groups)
        day = segment.start.astimezone(terms.contract.zone).date()
        for clause, drawn in zip(commitments, before, strict=True):
            more = clause.amount(run.accounts.get(f"{clause.path}.drawn", 0)) - clause.amount(drawn)
            draws[clause.path][day] = draws[clause.path].get(day, ZERO) + more
    run.advance(at)

    return Stopped(at, run, draws, survey.first, survey.last, rater.tally.uncertain)
