"""Totals: what many futures of the same usage cost, by the same clauses, without writing their lines.

A planner asks what a contract costs under thousands of demands. Unit prices do not depend on volume, so records are
priced once, for a *count* of one; a future is a whole number by which they are multiplied, month by month. The window
clauses then act on a run as they do for an invoice, and only the exact sums of what is billed are kept.

Where the order of records could decide money, they are used one by one as `rate` would; elsewhere the records of an
instant go through the clauses as one piece. Σ billed equals `rate_records` of the multiplied records, before the
invoice rounds: total + residual.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, localcontext
from functools import cached_property

from offtake.contract.contract import Contract
from offtake.contract.patterns import match
from offtake.contract.schema.terms import Terms
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lines import Kind
from offtake.rating.piece import Entry, Piece
from offtake.rating.pipeline import UnitPrice
from offtake.rating.request import priced_alone, use_record
from offtake.rating.run import Machine, Run
from offtake.rating.windows import Charge
from offtake.usage.record import UsageRecord
from offtake.values.money import EXACT, ZERO, from_pico
from offtake.values.periods import Interval


class TotalsRun(Run):
    """A run that sums by kind instead of writing lines. `billed` has one exact total for each billing period."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, collect=False)
        self.collect = True  # the clauses act in full
        self.billed: list[Decimal] = []
        self._used = 0
        self._credited = ZERO
        self._kinds: dict[Kind, Decimal] = {}

    def use(self, piece: Piece) -> None:
        """Let every clause act on a piece, in their order, and add what its lines would ask for."""
        self.now = self.used_at = piece.at
        for clause in self.machine.clauses:
            clause.use(piece, self)
        for entry in piece.entries:
            self._used += entry.contracted - entry.covered + entry.granted
            if entry.credited:
                self._credited += entry.credited

    def line(self, clause: str, kind: Kind, billed: Decimal, why: str, **shown: object) -> None:
        """Add what a line would bill."""
        self._kinds[kind] = self._kinds.get(kind, ZERO) + billed

    def book(self, charges: Iterable[Charge], kind: Kind, commitment: str = "", key: str = "") -> None:
        """Add what charges would bill."""
        for charge in charges:
            self._kinds[kind] = self._kinds.get(kind, ZERO) + charge.amount.scaleb(-12)

    def billed_as(self, kind: Kind) -> Decimal:
        """What the window clauses have billed as one kind in the open period."""
        return self._kinds.get(kind, ZERO)

    @property
    def credited(self) -> Decimal:
        """What failed-request policies give back in the open period, in picodollars."""
        return self._credited

    def _invoice(self, period: Interval) -> None:
        usage = from_pico(self._used) - self._credited.scaleb(-12)
        self.billed.append(sum(self._kinds.values(), usage))
        self._used, self._credited = 0, ZERO
        self._kinds.clear()


class Bundle:
    """The records of one instant that are multiplied by one count, priced for a count of one.

    `contracted` is what they cost then, before the window clauses, in picodollars.
    """

    def __init__(self, terms: CompiledTerms, at: datetime, records: Sequence[UsageRecord]) -> None:
        self.terms = terms
        self.at = at
        self.records = tuple(replace(record, used_at=at) for record in sorted(records, key=lambda each: each.id))
        pieces = self.pieces = [priced_alone(terms, record) for record in self.records]
        self.contracted = sum(piece.contracted for piece in pieces)
        self.lane = pieces[0].lane
        self.credited = sum((entry.credited for piece in pieces for entry in piece.entries), ZERO)
        self.price = UnitPrice(
            "input_tokens", sum(piece.public for piece in pieces), self.contracted,
            sum(piece.undropped for piece in pieces), "", (),
        )  # fmt: skip

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Bundles of the same records with equal keys cost the same under the same window clauses."""
        return self.at, self.credited, tuple((each.contracted, each.public, each.undropped) for each in self.pieces)

    def times(self, count: int) -> Piece:
        """All of the records at a count, as one piece."""
        entry = Entry(self.price, count, self.contracted * count)
        if self.credited:
            entry.credited = self.credited * count
        return Piece(self.at, self.lane, "ok", [entry], entry.contracted)

    def apart(self, count: int) -> Iterable[tuple[str, Piece]]:
        """Each record at a count as a piece of its own, with its id."""
        for record, piece in zip(self.records, self.pieces, strict=True):
            entries = []
            for each in piece.entries:
                entry = Entry(each.price, each.quantity * count, each.contracted * count)
                entry.policy, entry.credited = each.policy, each.credited * count
                entries.append(entry)
            yield record.id, Piece(self.at, piece.lane, piece.outcome, entries, piece.contracted * count)

    def multiplied(self, count: int) -> Iterable[UsageRecord]:
        """Each record at a count."""
        for record in self.records:
            quantities = {meter: quantity * count for meter, quantity in record.quantities.items()}
            yield replace(record, quantities=quantities, count=record.count * count)


class Futures:
    """A contract's window clauses, ready for any number of futures. Prices come with the bundles."""

    def __init__(self, terms: CompiledTerms, models: Iterable[str]) -> None:
        self.machine = Machine(terms)
        self.alike = _alike(terms.contract, tuple(models))

    def billed(self, months: Sequence[Sequence[Bundle]], counts: Sequence[Sequence[int]]) -> list[Decimal]:
        """What each billing period of the term bills, exactly: `counts[month]` multiply the bundles of `months[month]`.

        Bundles are in order of time.
        """
        with localcontext(EXACT):
            run = TotalsRun(self.machine)
            for bundles, multiples in zip(months, counts, strict=True):
                self._use(run, bundles, multiples)
            run.advance(self.machine.terms.contract.span.end)
            return run.billed

    def _use(self, run: TotalsRun, bundles: Sequence[Bundle], counts: Sequence[int]) -> None:
        start = 0
        while start < len(bundles):
            at, end = bundles[start].at, start + 1
            while end < len(bundles) and bundles[end].at == at:
                end += 1
            run.advance(at)
            used = [(bundles[index], counts[index]) for index in range(start, end) if counts[index]]
            if self.alike:
                self._as_money(run, used)
            else:
                self._as_records(run, used)
            start = end

    def _as_money(self, run: TotalsRun, used: Sequence[tuple[Bundle, int]]) -> None:
        pieces = [bundle.times(count) for bundle, count in used]
        if self.machine.cutting and run.crosses(pieces):
            ordered = sorted((each for bundle, count in used for each in bundle.apart(count)), key=_id)
            pieces = [piece for _, piece in ordered]
        for piece in pieces:
            run.use(piece)

    def _as_records(self, run: TotalsRun, used: Sequence[tuple[Bundle, int]]) -> None:
        records = [(each.id, each, bundle.terms) for bundle, count in used for each in bundle.multiplied(count)]
        for _, record, terms in sorted(records, key=_id):
            use_record(run, terms, record, "low", {})


def _id(each: tuple[str, *tuple[object, ...]]) -> str:
    return each[0]


def _alike(contract: Contract, models: tuple[str, ...]) -> bool:
    """Whether every window clause sees all of these models' usage alike: as money, wherever it comes from."""
    return all(_sees_money_only(version.terms, models) for version in contract.versions)


def _sees_money_only(terms: Terms, models: tuple[str, ...]) -> bool:
    tiers = terms.prices.tiers
    patterns = [credit.models for credit in terms.credits] + ([tiers.models] if tiers else [])
    return (
        all(commitment.pool == "all_models" and commitment.tokens is None for commitment in terms.commitments)
        and not (tiers and tiers.measure.amount == "tokens")
        and not (terms.fees and terms.fees.block)
        and terms.scope.affiliates == "all"
        and all(len({match(pattern, model) for model in models}) < 2 for pattern in patterns)
    )
