"""Commitment: a floor on what counts, and what follows from it.

Clause: `commitments`.
Source: S2 "Volume Commitments = Deeper Discounts"; S1 "an annual commitment of $600,000 to $1.2M".

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

from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import Commitment, Rollover
from offtake.contract.schema.terms import Terms
from offtake.rating.clauses import minimum, overage, prepaid, rollover, shortfall
from offtake.rating.clauses.burst_windows import BurstWindows
from offtake.rating.committed import instalment, windows_of
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lots import Lot, draw, share_of, tokens_of
from offtake.rating.piece import Entry, Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.usage.meters import BY_NAME
from offtake.values.money import ZERO, divide, from_pico, to_pico
from offtake.values.periods import Interval, Period


@dataclass(frozen=True)
class CommitmentClause:
    """One entry of `commitments`.

    Accounts, in picodollars or weighted tokens: committed and drawn of the open window, minimum_drawn of the open
    month, and beyond (contracted and list cost) of the open period.
    """

    terms: CompiledTerms
    id: str
    path: str
    acts_on_usage = True

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

    @cached_property
    def may_cut(self) -> bool:
        """Tokens beyond the commitment, and dollars beyond it where list and contracted differ, need the order."""
        clause = self.text.overage
        matters = clause is not None or self.text.rollover is not None
        valued_apart = clause is not None and (clause.at == "list" or self.text.counts_at == "list")
        return not self.bursts and matters and (self.weights is not None or valued_apart)

    def windows(self) -> Iterable[Window]:
        """Minimum months, burst months and averages, true-up windows, billing periods: closings in this order."""
        if self.text.minimum:
            yield from self._windows("minimum", self.text.minimum.per or "month")
        if self.bursts:
            yield from self.bursts.windows()
        yield from self._windows("true_up", self.text.true_up)
        yield from (Window("period", period) for period in self.terms.periods)

    @cached_property
    def _true_ups(self) -> tuple[Interval, ...]:
        return tuple(window.interval for window in self._windows("true_up", self.text.true_up))

    def _windows(self, name: str, every: Period) -> Iterable[Window]:
        contract = self.terms.contract
        for interval in windows_of(contract, every):
            yield Window(name, interval)

    def committed(self, window: Interval, every: Period | None = None) -> Decimal:
        """Dollars or weighted tokens committed in a window of `every`, a true-up's where none is named."""
        return self._committed(self.terms.contract, window, every or self.text.true_up)

    def _committed(self, contract: Contract, window: Interval, every: Period) -> Decimal:
        rate = self.text.tokens.amount if self.text.tokens else self.text.amount
        places = 0 if self.text.tokens else contract.signed.billing.rounding.places
        return instalment(contract, (rate.per if rate else None) or "year", self._amount, window, places, every)

    def _amount(self, terms: Terms, year: int) -> Decimal:
        for commitment in terms.commitments:
            if commitment.id == self.id:
                if commitment.tokens:
                    return Decimal(commitment.tokens.amount.count)
                ramped = [step.amount.amount for step in commitment.ramp if step.year <= year + 1]
                assert commitment.amount is not None
                return ramped[-1] if ramped else commitment.amount.money.amount
        return ZERO

    def units(self, amount: Decimal) -> Decimal | int:
        """Dollars as picodollars; weighted tokens as they are."""
        return to_pico(amount) if self.weights is None else amount

    def amount(self, units: Decimal | int) -> Decimal:
        """Picodollars as dollars; weighted tokens as they are."""
        return from_pico(int(units)) if self.weights is None else Decimal(units)

    def opens(self, window: Window, run: Run) -> None:
        if window.name != "true_up":
            return
        committed = self.committed(window.interval)
        run.accounts[f"{self.path}.committed"] = self.units(committed)
        run.accounts[f"{self.path}.drawn"] = run.accounts[f"{self.path}.minimum_drawn"] = 0
        if self.text.prepaid:
            self._buy(window.interval, committed, run)

    def _buy(self, window: Interval, committed: Decimal, run: Run) -> None:
        clause = self.text.prepaid
        assert clause is not None
        drawdown, basis, path = committed * clause.share, prepaid.cost_basis(clause), f"{self.path}.prepaid"
        run.line(
            path, "purchase", drawdown * basis, f"{drawdown.normalize():,f} of drawdown × {basis.normalize():f}",
            effective=ZERO, commitment=self.id, quantity=drawdown, unit_price=basis,
        )  # fmt: skip
        units = to_pico(drawdown)
        run.lots.append(Lot(path, self.id, units, units, window.start, window.end, basis))
        if clause.bonus:
            units = to_pico(drawdown * clause.bonus)
            run.lots.append(Lot(f"{path}.bonus", f"{self.id} bonus", units, units, window.start, window.end, rank=1))

    def use(self, piece: Piece, run: Run) -> None:
        if not self._counts(piece):
            return
        clause = self.text.rollover
        if clause and clause.order == "first":
            self._draw(run, piece, ".rollover", None)
        value = self.counted(piece)
        drawn, committed = run.accounts[f"{self.path}.drawn"], run.accounts[f"{self.path}.committed"]
        run.add(f"{self.path}.drawn", value)
        if self.text.minimum:
            run.add(f"{self.path}.minimum_drawn", value)
        if self.bursts:
            self.bursts.use(value, piece, run)
        elif drawn + value > committed:
            self._beyond(run, piece, drawn + value - max(committed, drawn), value)
        if self.text.prepaid:
            self._draw(run, piece, ".prepaid", None)

    def _beyond(self, run: Run, piece: Piece, beyond: Decimal | int, value: Decimal | int) -> None:
        """The part of a piece beyond the commitment: a rollover lot drawn last pays it, overage prices the rest."""
        whole = piece.uncovered
        contracted = share_of(beyond, value, whole)
        clause = self.text.rollover
        if clause and clause.order == "last":
            contracted -= self._draw(run, piece, ".rollover", contracted)
        if self.text.overage and contracted:
            run.add(f"{self.path}.beyond", contracted)
            run.add(f"{self.path}.beyond_list", share_of(contracted, piece.contracted, piece.public))

    def _draw(self, run: Run, piece: Piece, kind: str, limit: int | None) -> int:
        total = 0
        lots = [lot for lot in run.lots if lot.clause.startswith(self.path + kind) and lot.is_open(piece.at)]
        for lot in sorted(lots, key=lambda lot: lot.order):
            total += draw(lot, piece, None if limit is None else limit - total)
        return total

    def _counts(self, piece: Piece) -> bool:
        return prepaid.in_pool(self.text, piece.lane.model.id, piece.lane.access, piece.account)

    def counted(self, piece: Piece) -> Decimal | int:
        """What a piece draws: what no lot has covered, at the contract's valuation."""
        if self.weights is not None:
            return sum((_open_units(entry) * self.weights[entry.price.meter] for entry in piece.entries), ZERO)
        if self.text.counts_at == "list":
            open_entries = (entry for entry in piece.entries if not entry.is_free)
            return sum(share_of(entry.uncovered, entry.contracted, entry.public) for entry in open_entries)
        return piece.uncovered

    def closes(self, window: Window, run: Run) -> None:
        if window.name == "minimum":
            self._top_up(window.interval, run)
        elif window.name == "true_up":
            self._true_up(window.interval, run)
        elif window.name == "period":
            run.book(self.charges(run), "commitment", self.id)
        elif self.bursts:
            self.bursts.closes(window, run)

    def _top_up(self, window: Interval, run: Run) -> None:
        floor = self.minimum_in(window)
        drawn = from_pico(run.take(f"{self.path}.minimum_drawn"))
        missing = minimum.top_up(floor, drawn)
        if missing:
            run.add(f"{self.path}.drawn", to_pico(missing))
            prepaid_part, cost = self._take_prepaid(run, to_pico(missing))
            billed = missing - prepaid_part
            words = f", {prepaid_part.normalize():,f} of it prepaid" if prepaid_part else ""
            run.line(
                f"{self.path}.minimum", "commitment", billed,
                f"minimum {floor:,f} − drawn {drawn.normalize():,f} = {missing.normalize():,f}{words}",
                effective=billed + cost, quantity=missing, unit_price=divide(billed, missing),
                commitment=self.id, unused=True, key=f"{window.start:%Y-%m-%d}",
            )  # fmt: skip

    def minimum_in(self, window: Interval) -> Decimal:
        """Dollars that must be drawn in a window of the minimum."""
        assert self.text.minimum is not None
        places = self.terms.contract.signed.billing.rounding.places
        return instalment(self.terms.contract, self.text.minimum.per or "month", self._minimum, window, places)

    def _take_prepaid(self, run: Run, units: int) -> tuple[Decimal, Decimal]:
        """What the prepaid drawdown pays of a top-up, and what that part had cost."""
        paid, cost = 0, ZERO
        lots = [lot for lot in run.lots if lot.clause.startswith(f"{self.path}.prepaid")]
        for lot in sorted(lots, key=lambda lot: lot.order):
            amount = min(units - paid, int(lot.remaining))
            lot.remaining -= amount
            paid += amount
            cost += from_pico(amount) * lot.cost_basis
        return from_pico(paid), cost

    def _minimum(self, terms: Terms, year: int) -> Decimal:
        found = [each.minimum for each in terms.commitments if each.id == self.id and each.minimum]
        return found[0].money.amount if found else ZERO

    def _true_up(self, window: Interval, run: Run) -> None:
        committed = self.amount(run.accounts[f"{self.path}.committed"]).normalize()
        drawn = self.amount(run.accounts[f"{self.path}.drawn"])
        unused = shortfall.unused(committed, drawn)
        lost = self._expire_prepaid(window, run)
        owed = max(ZERO, shortfall.amount(self.text, unused) - lost)
        if owed:
            prepaid_part = f", {lost.normalize():,f} of it prepaid" if lost else ""
            run.line(
                f"{self.path}.amount", "commitment", owed,
                f"{committed:,f} − drawn {drawn.normalize():,f} = {unused.normalize():,f} unused{prepaid_part}",
                commitment=self.id, unused=True, key=f"shortfall/{window.start:%Y-%m-%d}",
                quantity=unused, unit_price=divide(owed, unused), unit="" if self.weights is None else "token",
            )  # fmt: skip
        if self.text.rollover and unused:
            self._roll(self.text.rollover, committed, unused, window, run)

    def _expire_prepaid(self, window: Interval, run: Run) -> Decimal:
        """Unused drawdown costs what was paid for it, in the period in which it is lost."""
        path, lost = f"{self.path}.prepaid", ZERO
        for lot in run.lots:
            if lot.clause == path and lot.expires <= window.end and lot.remaining:
                amount = from_pico(int(lot.remaining))
                lost += amount
                run.line(
                    path, "commitment", ZERO, f"{amount.normalize():,f} of the drawdown was not used",
                    effective=amount * lot.cost_basis, commitment=self.id, unused=True,
                    key=f"unused/{window.start:%Y-%m-%d}", quantity=amount, unit_price=ZERO,
                )  # fmt: skip
        run.lots = [lot for lot in run.lots if not lot.clause.startswith(path) or lot.expires > window.end]
        return lost

    def _roll(self, clause: Rollover, committed: Decimal, unused: Decimal, window: Interval, run: Run) -> None:
        path = f"{self.path}.rollover"
        units = self.units(rollover.rolled(clause, committed, unused))
        usable = rollover.usable_in(clause, self.terms.contract, window, self.text.true_up)
        run.lots = [lot for lot in run.lots if lot.clause != path or lot.expires > window.end]
        if units and usable.start < usable.end:
            run.lots.append(
                Lot(
                    path, f"{self.id} rollover", units, units, usable.start, usable.end, counts=False,
                    weights=self.weights,
                )
            )  # fmt: skip

    def charges(self, run: Run) -> list[Charge]:
        beyond, public = run.take(f"{self.path}.beyond"), run.take(f"{self.path}.beyond_list")
        clause = self.text.overage
        if not clause or not beyond:
            return []
        window = next(each for each in self._true_ups if run.used_at in each)
        share = overage.surcharge(clause, self.id, Interval(window.start, run.now), self.terms.book.facts)
        return self.premium(beyond, overage.premium(clause, share, Decimal(beyond), Decimal(public)))

    def premium(self, beyond: int, premium: Decimal) -> list[Charge]:
        """The charge for the part beyond: the share on top of its contracted cost."""
        if not premium:
            return []
        share = divide(premium, beyond)
        words = f"{from_pico(beyond).normalize():,f} beyond the commitment × {share:.4%}"
        return [Charge(f"{self.path}.overage", beyond, share, premium, lambda: words)]

    def cuts(self, run: Run) -> Iterable[Cut]:
        left = run.accounts[f"{self.path}.committed"] - run.accounts[f"{self.path}.drawn"]
        lots = [lot.remaining for lot in run.lots if lot.clause == f"{self.path}.rollover" and lot.is_open(run.now)]
        edges = sorted(Decimal(edge) for edge in (left, *lots, left + sum(lots)) if edge > 0)
        if edges:
            yield Cut(self.counted if self.weights is None else self._weighted, tuple(edges), self.weights)

    def _weighted(self, piece: Piece) -> Decimal:
        return tokens_of(piece, self.weights) if self._counts(piece) else ZERO


def _open_units(entry: Entry) -> int:
    if entry.is_free or not entry.covered:
        return 0 if entry.is_free else entry.quantity
    return entry.uncovered // entry.price.contracted
