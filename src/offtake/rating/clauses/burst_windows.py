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
from offtake.rating.committed import windows_of
from offtake.rating.lots import share_of
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Window
from offtake.values.money import ZERO
from offtake.values.periods import Interval, Period

if TYPE_CHECKING:
    from offtake.rating.clauses.commitment import CommitmentClause


@dataclass(frozen=True)
class BurstWindows:
    """Accounts of the commitment, by month of the open averaging window: units used, contracted and list cost."""

    of: CommitmentClause

    def windows(self) -> Iterable[Window]:
        contract = self.of.terms.contract
        clause = self.of.text.burst
        assert clause is not None
        spans: tuple[tuple[str, Period], ...] = (("burst", "month"), ("average", clause.average_within or "month"))
        for name, every in spans:
            for interval in windows_of(contract, every):
                yield Window(name, interval)

    def use(self, value: Decimal | int, piece: Piece, run: Run) -> None:
        for name, amount in (("used", value), ("contracted", piece.uncovered), ("list", piece.public)):
            run.add(f"{self.of.path}.burst.{name}", amount)

    def closes(self, window: Window, run: Run) -> None:
        if window.name == "burst":
            for name in ("used", "contracted", "list"):
                amount = run.accounts.pop(f"{self.of.path}.burst.{name}", 0)
                run.accounts[self._account(name, window.interval)] = amount
        elif window.name == "average":
            self._settle(window.interval, run)

    def _account(self, name: str, month: Interval) -> str:
        return f"{self.of.path}.burst.{name}.{month.start.isoformat()}"

    def _settle(self, window: Interval, run: Run) -> None:
        clause, terms = self.of.text.burst, self.of.text.overage
        assert clause is not None
        costs = {
            month: (run.take(self._account("contracted", month)), run.take(self._account("list", month)))
            for month in windows_of(self.of.terms.contract, "month", window)
        }
        months = self._months(window, run)
        left = burst.overage(months) if clause.average_within else sum((burst.peak_overage(m) for m in months), ZERO)
        if terms is None:
            return
        beyond = public = 0
        for month in reversed(months):  # the latest months are over first
            part = min(left, month.used)
            contracted, listed = costs[month.interval]
            beyond += share_of(part, month.used, contracted)
            public += share_of(part, month.used, listed)
            left -= part
        share = overage.surcharge(terms, self.of.id, window, self.of.terms.book.facts)
        premium = overage.premium(terms, share, Decimal(beyond), Decimal(public))
        run.book(
            self.of.premium(beyond, premium),
            "commitment",
            self.of.id,
            key=f"burst/{self.of.terms.contract.day(window.start)}",
        )

    def _months(self, window: Interval, run: Run) -> list[Month]:
        clause, contract = self.of.text.burst, self.of.terms.contract
        assert clause is not None
        found: list[Month] = []
        for month in windows_of(contract, "month", window):
            used = self.of.amount(run.accounts.pop(self._account("used", month), 0))
            allowance = self.of.committed(month, "month")
            up_to = Decimal(1)
            if used > allowance:
                taken = int(run.accounts.get(f"{self.of.path}.burst.taken", 0))
                where = contract.place(f"{self.of.path}.burst")
                up_to = burst.up_to(clause, self.of.id, month, contract.zone, self.of.terms.book.facts, taken, where)
                run.add(f"{self.of.path}.burst.taken", int(up_to > 1))
            found.append(Month(month, allowance, used, up_to))
        return found
