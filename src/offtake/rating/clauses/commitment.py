"""Commitment: a floor on what counts, and what follows from it.

Clause: `commitments`. Source: S2 "Volume Commitments = Deeper Discounts"; S1 "an annual commitment of $600,000 to $1.2M".

Why it matters: the rate card applies to all usage; the commitment is a floor under it. The buyer pays the contracted
cost of all usage + shortfall + overage premium. What counts is said by `counts_at` and `pool`; a token commitment
counts weighted tokens.

Example: C = 100 counted at list, 20% off, list usage 150: contracted 120, drawn 150, shortfall 0: the buyer pays 120,
not 150. With list usage 90: contracted 72, drawn 90, shortfall 10: 82.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from offtake.contract.schema.commitments import Commitment
from offtake.contract.schema.terms import Terms
from offtake.rating.clauses import minimum, overage, prepaid, rollover, shortfall
from offtake.rating.clauses.burst_windows import BurstWindows
from offtake.rating.committed import Amount, instalment
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lots import Lot, draw, share_of, tokens_of
from offtake.rating.piece import Entry, Piece
from offtake.rating.run import Run
from offtake.rating.windows import Cut, Window
from offtake.usage.meters import BY_NAME
from offtake.values.money import ZERO, divide, from_pico
from offtake.values.periods import Interval, windows


@dataclass(frozen=True)
class CommitmentClause:
    """One entry of `commitments`. Accounts: committed, drawn, beyond (contracted and list cost) of the open window."""

    terms: CompiledTerms
    id: str
    path: str

    @cached_property
    def text(self) -> Commitment:
        """The latest text of the commitment; its amount is dated and comes from `committed.py`."""
        for version in reversed(self.terms.contract.versions):
            for commitment in version.terms.commitments:
                if commitment.id == self.id:
                    return commitment
        raise KeyError(self.id)

    @cached_property
    def weights(self) -> dict[str, Decimal] | None:
        """Burn weights by meter, or None for money. `cache_write` covers both kinds."""
        if self.text.tokens is None:
            return None
        named = self.text.tokens.weights
        return {
            meter.name: named.get(
                meter.name.removesuffix("_tokens"), named.get("cache_write", ZERO) if "write" in meter.cache else ZERO
            )
            for meter in BY_NAME.values()
        }

    @cached_property
    def bursts(self) -> BurstWindows | None:
        return BurstWindows(self) if self.text.burst else None

    def windows(self) -> Iterable[Window]:
        """Minimum months, burst months and averages, true-up windows, billing periods: closings in this order."""
        if self.text.minimum:
            yield from self._windows("minimum", self.text.minimum.per or "month")
        if self.bursts:
            yield from self.bursts.windows()
        yield from self._windows("true_up", self.text.true_up)
        yield from (Window("period", period) for period in self.terms.periods)

    def _windows(self, name: str, every: str) -> Iterable[Window]:
        contract = self.terms.contract
        for interval in windows(every, contract.signed.term.from_, contract.span, contract.zone):
            yield Window(name, interval)

    def committed(self, window: Interval) -> Decimal:
        """Dollars or weighted tokens committed in a window."""
        per = (
            self.text.tokens.amount.per if self.text.tokens else self.text.amount.per if self.text.amount else None
        ) or "year"
        places = 0 if self.text.tokens else self.terms.contract.signed.billing.rounding.places
        return instalment(self.terms.contract, per, self._amount, window, places)

    @property
    def _amount(self) -> Amount:
        def amount(terms: Terms, year: int) -> Decimal:
            for commitment in terms.commitments:
                if commitment.id == self.id:
                    if commitment.tokens:
                        return Decimal(commitment.tokens.amount.count)
                    ramped = [step.amount.amount for step in commitment.ramp if step.year <= year + 1]
                    assert commitment.amount is not None
                    return ramped[-1] if ramped else commitment.amount.money.amount
            return ZERO

        return amount

    def opens(self, window: Window, run: Run) -> None:
        if window.name != "true_up":
            return
        committed = self.committed(window.interval)
        run.accounts[f"{self.path}.committed"] = committed
        for name in ("drawn", "minimum_drawn"):
            run.accounts[f"{self.path}.{name}"] = ZERO
        if self.text.prepaid:
            self._buy(window.interval, committed, run)

    def _buy(self, window: Interval, committed: Decimal, run: Run) -> None:
        clause = self.text.prepaid
        assert clause is not None
        drawdown = committed * clause.share
        paid = prepaid.cash(clause, drawdown)
        run.line(
            f"{self.path}.prepaid", "purchase", paid,
            f"{drawdown:,f} of drawdown × {prepaid.cost_basis(clause).normalize():f} = {paid:,f}",
            effective=ZERO, commitment=self.id, quantity=drawdown, unit_price=prepaid.cost_basis(clause),
        )  # fmt: skip
        lot = Lot(
            f"{self.path}.prepaid", self.id, drawdown, drawdown, window.start, window.end, prepaid.cost_basis(clause)
        )
        run.lots.append(lot)
        if clause.bonus:
            bonus = drawdown * clause.bonus
            run.lots.append(
                Lot(
                    f"{self.path}.prepaid.bonus",
                    f"{self.id} bonus",
                    bonus,
                    bonus,
                    window.start,
                    window.end,
                    ZERO,
                    rank=1,
                )
            )

    def use(self, piece: Piece, run: Run) -> None:
        if not prepaid.in_pool(self.text, piece.lane.model.id, piece.lane.access):
            return
        clause = self.text.rollover
        if clause and clause.order == "first":
            self._draw(run, piece, ".rollover", None)
        value = self.counted(piece)
        drawn, committed = run.accounts[f"{self.path}.drawn"], run.accounts[f"{self.path}.committed"]
        run.accounts[f"{self.path}.drawn"] = drawn + value
        run.accounts[f"{self.path}.minimum_drawn"] += value
        if self.bursts:
            self.bursts.use(value, piece, run)
        beyond = max(ZERO, drawn + value - max(committed, drawn))
        if beyond and not self.bursts:
            self._beyond(run, piece, beyond, value)
        self._draw(run, piece, ".prepaid", None)
        if value:
            piece.paid_by.setdefault(self.id, ZERO)

    def _beyond(self, run: Run, piece: Piece, beyond: Decimal, value: Decimal) -> None:
        """The part of a piece beyond the commitment: a rollover lot drawn last pays it, overage prices the rest."""
        contracted = share_of(beyond, value, sum((entry.uncovered for entry in piece.entries), ZERO))
        clause = self.text.rollover
        if clause and clause.order == "last":
            contracted -= self._draw(run, piece, ".rollover", contracted)
        if self.text.overage and contracted:
            whole = sum((entry.contracted for entry in piece.entries), ZERO)
            run.accounts[f"{self.path}.beyond"] += contracted
            run.accounts[f"{self.path}.beyond_list"] += share_of(contracted, whole, self._public(piece))

    def _draw(self, run: Run, piece: Piece, kind: str, limit: Decimal | None) -> Decimal:
        total = ZERO
        lots = [lot for lot in run.lots if lot.clause.startswith(self.path + kind) and lot.is_open(piece.at)]
        for lot in sorted(lots, key=lambda lot: lot.order):
            total += draw(lot, piece, _any, None if limit is None else limit - total)
        return total

    def counted(self, piece: Piece) -> Decimal:
        """What a piece draws: what no lot has covered, at the contract's valuation."""
        if self.weights is not None:
            return sum((_open_units(entry) * self.weights[entry.price.meter] for entry in piece.entries), ZERO)
        if self.text.counts_at == "list":
            return sum(
                (
                    share_of(entry.uncovered, entry.contracted, entry.public)
                    for entry in piece.entries
                    if not _is_free(entry)
                ),
                ZERO,
            )
        return sum((entry.uncovered for entry in piece.entries), ZERO)

    def _public(self, piece: Piece) -> Decimal:
        return sum((entry.public for entry in piece.entries if not _is_free(entry)), ZERO)

    def closes(self, window: Window, run: Run) -> None:
        if window.name == "minimum":
            self._top_up(window.interval, run)
        elif window.name == "true_up":
            self._true_up(window.interval, run)
        elif window.name == "period":
            self._book_overage(run)
        elif self.bursts:
            self.bursts.closes(window, run)

    def _top_up(self, window: Interval, run: Run) -> None:
        assert self.text.minimum is not None
        floor = instalment(
            self.terms.contract, self.text.minimum.per or "month", lambda terms, year: self._minimum(terms), window,
            self.terms.contract.signed.billing.rounding.places,
        )  # fmt: skip
        drawn = run.accounts[f"{self.path}.minimum_drawn"]
        missing = minimum.top_up(floor, drawn)
        run.accounts[f"{self.path}.minimum_drawn"] = ZERO
        if missing:
            run.accounts[f"{self.path}.drawn"] += missing
            run.line(
                f"{self.path}.minimum", "commitment", missing, f"minimum {floor:,f} − drawn {drawn.normalize():,f} = {missing:,f}",
                commitment=self.id, unused=True, key=f"{window.start:%Y-%m-%d}",
            )  # fmt: skip

    def _minimum(self, terms: Terms) -> Decimal:
        for commitment in terms.commitments:
            if commitment.id == self.id and commitment.minimum:
                return commitment.minimum.money.amount
        return ZERO

    def _true_up(self, window: Interval, run: Run) -> None:
        committed, drawn = run.accounts[f"{self.path}.committed"], run.accounts[f"{self.path}.drawn"]
        units = shortfall.unused(committed, drawn)
        paid_before = self._expire_prepaid(window, run)
        owed = max(ZERO, shortfall.amount(self.text, units) - paid_before)
        if owed:
            run.line(
                f"{self.path}.amount", "commitment", owed,
                f"committed {committed:,f} − drawn {drawn.normalize():,f} = {units.normalize():,f} unused"
                + (f", {paid_before:,f} of it prepaid" if paid_before else ""),
                commitment=self.id, unused=True, key=f"shortfall/{window.start:%Y-%m-%d}",
                quantity=units, unit_price=divide(owed, units), unit="USD" if self.weights is None else "token",
            )  # fmt: skip
        if self.text.rollover and units:
            self._roll(self.text.rollover, committed, units, window, run)

    def _expire_prepaid(self, window: Interval, run: Run) -> Decimal:
        """Unused drawdown costs what was paid for it, in the period in which it is lost."""
        lost = ZERO
        for lot in run.lots:
            if lot.clause == f"{self.path}.prepaid" and lot.expires == window.end and lot.remaining:
                lost += lot.remaining
                run.line(
                    lot.clause, "commitment", ZERO, f"{lot.remaining.normalize():,f} of the drawdown was not used",
                    effective=lot.remaining * lot.cost_basis, commitment=self.id, unused=True,
                    key=f"unused/{window.start:%Y-%m-%d}", quantity=lot.remaining, unit_price=ZERO,
                )  # fmt: skip
        run.lots = [
            lot for lot in run.lots if not (lot.clause.startswith(f"{self.path}.prepaid") and lot.expires <= window.end)
        ]
        return lost

    def _roll(self, clause: rollover.Rollover, committed: Decimal, units: Decimal, window: Interval, run: Run) -> None:
        amount = rollover.rolled(clause, committed, units)
        usable = rollover.usable_in(clause, self.terms.contract, window, self.text.true_up)
        if amount and usable.start < usable.end:
            run.lots.append(
                Lot(
                    f"{self.path}.rollover", f"{self.id} rollover", amount, amount, usable.start, usable.end,
                    counts=False, weights=self.weights,
                )
            )  # fmt: skip
        run.lots = [lot for lot in run.lots if lot.expires > window.end]

    def _book_overage(self, run: Run) -> None:
        beyond, public = (
            run.accounts.pop(f"{self.path}.beyond", ZERO),
            run.accounts.pop(f"{self.path}.beyond_list", ZERO),
        )
        clause = self.text.overage
        if not clause or not beyond or run.period is None:
            return
        share = overage.surcharge(clause, self.id, run.period, self.terms.book.facts)
        self.book_premium(run, beyond, overage.premium(clause, share, beyond, public), "")

    def book_premium(self, run: Run, beyond: Decimal, premium: Decimal, key: str) -> None:
        """One line for the part beyond: quantity in dollars, unit price the share on top."""
        if premium:
            share = divide(premium, beyond)
            run.line(
                f"{self.path}.overage", "commitment", premium,
                f"{beyond.normalize():,f} beyond the commitment × {share.normalize():.6f} = {premium.normalize():,f}",
                quantity=beyond, unit_price=share, commitment=self.id, key=key,
            )  # fmt: skip

    def cuts(self, run: Run) -> Iterable[Cut]:
        """Tokens beyond the commitment, and dollars beyond it where list and contracted differ, need the order."""
        clause = self.text.overage
        matters = clause is not None or self.text.rollover is not None
        valued_apart = clause is not None and (clause.at == "list" or self.text.counts_at == "list")
        if self.bursts or not matters or (self.weights is None and not valued_apart):
            return
        left = run.accounts[f"{self.path}.committed"] - run.accounts[f"{self.path}.drawn"]
        lots = [lot.remaining for lot in run.lots if lot.clause == f"{self.path}.rollover" and lot.is_open(run.now)]
        edges = tuple(sorted(edge for edge in (left, *lots, left + sum(lots, ZERO)) if edge > 0))
        if edges:
            yield Cut(self.counted if self.weights is None else self._weighted, edges, self.weights)

    def _weighted(self, piece: Piece) -> Decimal:
        return (
            tokens_of(piece, self.weights)
            if prepaid.in_pool(self.text, piece.lane.model.id, piece.lane.access)
            else ZERO
        )


def _any(entry: Entry) -> bool:
    return True


def _is_free(entry: Entry) -> bool:
    return bool(entry.policy) and not entry.contracted


def _open_units(entry: Entry) -> int:
    if _is_free(entry):
        return 0
    if not entry.covered:
        return entry.quantity
    return int(divide(entry.uncovered, from_pico(entry.price.contracted)))
