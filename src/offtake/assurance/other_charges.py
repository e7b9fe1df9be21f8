"""Fees, credits and adjustments: what the bill asks beyond usage against what the contract's windows give.

A row and a line belong together where their amounts are equal, the same billing period first; else where the row's
description names the line's clause. What is left of the bill, no clause gives; what is left of ours, the bill forgot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from offtake.assurance.bill import OtherCharge
from offtake.assurance.difference import Difference
from offtake.assurance.expected import OtherLine
from offtake.assurance.report import Report, shown
from offtake.values.money import ZERO, total
from offtake.values.periods import Interval

_WORDS: dict[str, frozenset[str]] = {
    "fees.platform": frozenset({"platform", "base"}),
    "fees.license": frozenset({"license", "licence"}),
    "fees.block": frozenset({"block", "flat"}),
    "fees.seats": frozenset({"seat"}),
    "fees.support": frozenset({"support"}),
    "capacity.reserved": frozenset({"reserved", "provisioned", "capacity", "throughput"}),
    "prices.tiers": frozenset({"tier", "volume", "discount"}),
    "commitments": frozenset({"commitment", "commit", "shortfall", "minimum", "overage", "prepaid", "prepayment"}),
    "credits": frozenset({"credit", "grant", "promotional"}),
    "top_ups": frozenset({"top", "topup", "bonus"}),
    "failed_requests": frozenset({"failed", "refusal", "timeout", "error", "truncation"}),
}


@dataclass(slots=True)
class ChargeComparison:
    """The rows and lines without a partner so far; `rounding` and `undecided` were let pass between those with one."""

    report: Report
    theirs: list[OtherCharge]
    ours: list[OtherLine]
    rounding: Decimal = ZERO
    undecided: Decimal = ZERO

    def run(self) -> None:
        """Pair, and report what differs or has no partner."""
        for line, charges in self._assigned():
            if self._is_equal(charges, line):
                self._settle(charges, line)
        for line in list(self.ours):
            equal = [charge for charge in self.theirs if self._is_equal([charge], line)]
            if equal:
                self._settle([max(equal, key=lambda charge: _nearness(charge, line))], line)
        for line, charges in self._assigned():
            self._settle(charges, line)
        for charge in self.theirs:
            if abs(charge.amount) > charge.spare:
                self._report_unknown(charge)
            else:
                self.rounding += charge.amount
        for line in self.ours:
            if min(line.amount, line.high) <= ZERO <= max(line.amount, line.high):
                self.undecided -= line.amount
            else:
                self._report_missing(line)

    def _assigned(self) -> list[tuple[OtherLine, list[OtherCharge]]]:
        """Each line with the rows whose words name it best; rows may share a line, as daily credits do."""
        found: dict[int, list[OtherCharge]] = {}
        for charge in self.theirs:
            same_way = [i for i, line in enumerate(self.ours) if charge.amount * line.amount >= 0]
            best = max(same_way, key=lambda i: _nearness(charge, self.ours[i]), default=None)
            if best is not None and _nearness(charge, self.ours[best])[1]:
                found.setdefault(best, []).append(charge)
        return [(self.ours[i], charges) for i, charges in found.items()]

    def _is_equal(self, charges: Sequence[OtherCharge], line: OtherLine) -> bool:
        spare = total(charge.spare for charge in charges)
        low, high = sorted((line.amount, line.high))
        return low - spare <= total(charge.amount for charge in charges) <= high + spare

    def _settle(self, charges: Sequence[OtherCharge], line: OtherLine) -> None:
        self.theirs = [each for each in self.theirs if all(each is not charge for charge in charges)]
        self.ours = [each for each in self.ours if each is not line]
        billed, rows = total(charge.amount for charge in charges), sum(charge.rows for charge in charges)
        over = billed - line.amount
        if self._is_equal(charges, line):
            is_open = line.high != line.amount
            self.undecided += over if is_open else ZERO
            self.rounding += ZERO if is_open else over
            return
        cause = _cause(line.clause, "fee amount" if line.amount > 0 else "missing credit")
        words = f"the bill has {shown(billed)}, {line.clause} gives {shown(line.amount)} ({line.words})"
        if rows > 1 and billed == rows * line.amount:
            cause, words = "duplicate", f"billed {rows:,} times: {words}"
        single = charges[0] if len(charges) == 1 else None
        self._report(cause, line.clause, billed, line.amount, words, single, line.period)

    def _report_unknown(self, charge: OtherCharge) -> None:
        clause = max(_WORDS, key=lambda path: affinity(charge.description, path))
        clause = clause if affinity(charge.description, clause) else "fees"
        what = charge.description or charge.kind
        why = f"no clause gives “{what}”, {shown(charge.amount)} on the bill"
        self._report("unknown charge", clause, charge.amount, ZERO, why, charge, None)

    def _report_missing(self, line: OtherLine) -> None:
        cause = _cause(line.clause, "missing charge" if line.amount > 0 else "missing credit")
        why = f"{line.clause} gives {shown(line.amount)}, and the bill does not have it ({line.words})"
        self._report(cause, line.clause, ZERO, line.amount, why, None, line.period)

    def _report(
        self, cause: str, clause: str, theirs: Decimal, ours: Decimal, why: str, charge: OtherCharge | None,
        period: Interval | None,
    ) -> None:  # fmt: skip
        start, end = (charge.start, charge.end) if charge else (period.start, period.end) if period else (None, None)
        assert start is not None
        assert end is not None
        contract = self.report.contract
        at = period.start if period else start
        self.report.add_charge(
            Difference(
                cause=cause, clause=clause, theirs=theirs, ours=ours, why=why, model=charge.model if charge else "",
                start=self._day(start), end=max(self._day(end - timedelta(microseconds=1)), self._day(start)) + _DAY,
                place=contract.place(clause, at), source=contract.source(clause, at),
                row=charge.where if charge else None,
            )
        )  # fmt: skip

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.report.zone).date()


_DAY = timedelta(days=1)


def affinity(description: str, clause: str) -> int:
    """How many words of a description name a clause."""
    said = {word.removesuffix("s") for word in re.findall(r"[a-z]+", description.lower())}
    meant = {word.removesuffix("s") for word in re.findall(r"[a-z]+", clause)} - {"step", "price", "fee"}
    for path, words in _WORDS.items():
        if clause.startswith(path):
            meant |= words
    return len(said & meant)


def _nearness(charge: OtherCharge, line: OtherLine) -> tuple[bool, int]:
    """How well a row names a line: (same billing period, words in common)."""
    same_period = charge.start in line.period or (charge.start <= line.period.start and charge.end >= line.period.end)
    by_model = bool(charge.model) and line.clause.startswith("failed_requests")
    return same_period, affinity(charge.description, line.clause) + by_model


def _cause(clause: str, otherwise: str) -> str:
    if clause.startswith("prices.tiers"):
        return "volume tier"
    return "failed request" if clause.startswith("failed_requests") else otherwise
