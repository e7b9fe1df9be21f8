"""The windows of a burst right: use month by month, overage when the averaging window closes.

Clause: `commitments[].burst`. Source: S2 "2x usage in a given month at contract rate"; the arithmetic is in `burst.py`.

Why it matters: a month that lies above its allowance may still be fine, and only the close of the window can tell.

Example: see `burst.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from offtake.rating.clauses import burst, overage
from offtake.rating.clauses.burst import Month
from offtake.rating.lots import share_of
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Window
from offtake.values.money import ZERO
from offtake.values.periods import Interval, Period, windows

if TYPE_CHECKING:
    from offtake.rating.clauses.commitment import CommitmentClause


@dataclass(frozen=True)
class BurstWindows:
    """Accounts of the commitment: used, contracted and list cost by month of the open averaging window."""

    of: CommitmentClause

    def windows(self) -> Iterable[Window]:
        contract = self.of.terms.contract
        clause = self.of.text.burst
        assert clause is not None
        spans: tuple[tuple[str, Period], ...] = (("burst", "month"), ("average", clause.average_within or "month"))
        for name, every in spans:
            for interval in windows(every, contract.signed.term.from_, contract.span, contract.zone):
                yield Window(name, interval)

    def use(self, value: Decimal | int, piece: Piece, run: Run) -> None:
        path = self.of.path
        run.add(f"{path}.burst.now", value)
        run.add(f"{path}.burst.contracted", piece.uncovered)
        run.add(f"{path}.burst.list", piece.public)

    def closes(self, window: Window, run: Run) -> None:
        if window.name == "burst":
            used = run.accounts.pop(f"{self.of.path}.burst.now", 0)
            run.accounts[f"{self.of.path}.burst.used.{window.interval.start.isoformat()}"] = used
        elif window.name == "average":
            self._settle(window.interval, run)

    def _settle(self, window: Interval, run: Run) -> None:
        clause, path = self.of.text.burst, self.of.path
        assert clause is not None
        months = self._months(window, run)
        over = burst.overage(months) if clause.average_within else sum((burst.peak_overage(m) for m in months), ZERO)
        contracted, public = run.take(f"{path}.burst.contracted"), run.take(f"{path}.burst.list")
        terms = self.of.text.overage
        if not over or terms is None:
            return
        used = sum((month.used for month in months), ZERO)
        share = overage.surcharge(terms, self.of.id, window, self.of.terms.book.facts)
        beyond = share_of(over, used, contracted)
        premium = overage.premium(terms, share, Decimal(beyond), Decimal(share_of(over, used, public)))
        run.book(self.of.premium(beyond, premium), "commitment", self.of.id, key=f"burst/{window.start:%Y-%m-%d}")

    def _months(self, window: Interval, run: Run) -> list[Month]:
        clause, contract = self.of.text.burst, self.of.terms.contract
        assert clause is not None
        found: list[Month] = []
        for month in windows("month", contract.signed.term.from_, window, contract.zone):
            used = self.of.amount(run.accounts.pop(f"{self.of.path}.burst.used.{month.start.isoformat()}", 0))
            allowance = self.of.committed(month)
            up_to = Decimal(1)
            if used > allowance:
                taken = int(run.accounts.get(f"{self.of.path}.burst.taken", 0))
                up_to = burst.up_to(
                    clause, self.of.id, month, contract.zone, self.of.terms.book.facts, taken,
                    contract.place(f"{self.of.path}.burst"),
                )  # fmt: skip
                run.add(f"{self.of.path}.burst.taken", int(up_to > 1))
            found.append(Month(month, allowance, used, up_to))
        return found
