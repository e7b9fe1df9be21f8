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
        for clause in self.machine.booking:
            clause.use(piece, self)
        for entry in piece.entries:
            self._used += entry.contracted - entry.covered + entry.granted
            if entry.credited:
                self._credited += entry.credited

    def line(self, clause: str, kind: Kind, billed: Decimal, why: object, **shown: object) -> None:
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
        self.is_undropped = all(piece.undropped == piece.contracted for piece in pieces)
        self.price = UnitPrice(
            "input_tokens", sum(piece.public for piece in pieces), self.contracted,
            sum(piece.undropped for piece in pieces), "", (),
        )  # fmt: skip

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Bundles of the same records with equal keys cost the same under the same window clauses."""
        return self.at, self.credited, tuple((each.contracted, each.public, each.undropped) for each in self.pieces)

    def apart(self, count: int) -> Iterable[tuple[str, Piece]]:
        """Each record at a count as a piece of its own, with its id."""
        for record, piece in zip(self.records, self.pieces, strict=True):
            entries = []
            for each in piece.entries:
                entry = Entry(each.price, each.quantity * count, each.contracted * count)
                entry.policy, entry.is_free, entry.credited = each.policy, each.is_free, each.credited * count
                entries.append(entry)
            yield record.id, Piece(self.at, piece.lane, piece.outcome, entries, piece.contracted * count)

    def multiplied(self, count: int) -> Iterable[UsageRecord]:
        """Each record at a count."""
        for record in self.records:
            quantities = {meter: quantity * count for meter, quantity in record.quantities.items()}
            yield replace(record, quantities=quantities, count=record.count * count)


class Futures:
    """A contract's window clauses, ready for any number of futures. Prices come with the bundles.

    `alike`: the clauses see usage as money, wherever it comes from. `by_list`: some of them also look at list prices.
    """

    def __init__(self, terms: CompiledTerms, models: Iterable[str]) -> None:
        self.machine = Machine(terms)
        texts = [version.terms for version in terms.contract.versions]
        models = tuple(models)
        self.alike = all(_sees_money_only(text, models) for text in texts)
        self.by_list = any(_sees_list_prices(text) for text in texts)

    def billed(self, months: Sequence[Sequence[Bundle]], counts: Sequence[Sequence[int]]) -> list[Decimal]:
        """What each billing period of the term bills, exactly: `counts[month]` multiply the bundles of `months[month]`.

        Bundles are in order of time.
        """
        with localcontext(EXACT):
            run = TotalsRun(self.machine)
            for bundles, multiples in zip(months, counts, strict=True):
                used = [(bundle, count) for bundle, count in zip(bundles, multiples, strict=True) if count]
                while used:
                    run.advance(used[0][0].at)
                    until = self._end(run, used)
                    self._use(run, used[:until])
                    used = used[until:]
            run.advance(self.machine.terms.contract.span.end)
            return run.billed

    def _end(self, run: TotalsRun, used: Sequence[tuple[Bundle, int]]) -> int:
        """How many of the bundles, from the first, go through the clauses together: those of one instant, or those
        that no window and no amendment lies between, where the order of records decides nothing.
        """
        if len(used) == 1:
            return 1
        first = used[0][0].at
        if self._in_any_order(used):
            contract, last = self.machine.terms.contract, used[-1][0].at
            if run.until > last and contract.version_number(first) == contract.version_number(last):
                return len(used)
        return next((index for index, (bundle, _) in enumerate(used) if bundle.at != first), len(used))

    def _in_any_order(self, used: Sequence[tuple[Bundle, int]]) -> bool:
        """Whether every dollar is like any other: then a threshold splits the sum, whichever record crosses it."""
        return self.alike and not self.by_list and all(bundle.is_undropped for bundle, _ in used)

    def _use(self, run: TotalsRun, used: Sequence[tuple[Bundle, int]]) -> None:
        if not self.alike:
            records = [(each.id, each, bundle.terms) for bundle, count in used for each in bundle.multiplied(count)]
            for _, record, terms in sorted(records, key=_id):
                use_record(run, terms, record, "low", {})
            return
        pieces = [_together(used)]
        if self.machine.cutting and not self._in_any_order(used) and run.crosses(pieces):
            ordered = sorted((each for bundle, count in used for each in bundle.apart(count)), key=_id)
            pieces = [piece for _, piece in ordered]
        for piece in pieces:
            run.use(piece)


def _together(used: Sequence[tuple[Bundle, int]]) -> Piece:
    """Bundles at their counts as one piece."""
    entries = []
    for bundle, count in used:
        entry = Entry(bundle.price, count, bundle.contracted * count)
        if bundle.credited:
            entry.credited = bundle.credited * count
        entries.append(entry)
    return Piece(used[0][0].at, used[0][0].lane, "ok", entries, sum([entry.contracted for entry in entries]))


def _id(each: tuple[str, *tuple[object, ...]]) -> str:
    return each[0]


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


def _sees_list_prices(terms: Terms) -> bool:
    tiers = terms.prices.tiers
    return bool(tiers and tiers.measure.amount == "list") or any(
        each.counts_at == "list" or (each.overage is not None and each.overage.at == "list")
        for each in terms.commitments
    )
