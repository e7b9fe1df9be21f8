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
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import Commitment, Rollover
from offtake.contract.schema.terms import Terms
from offtake.rating.clauses import minimum, overage, prepaid, rollover, shortfall
from offtake.rating.clauses.burst_windows import BurstWindows
from offtake.rating.committed import INSTANT, Instalments, known, windows_of
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lots import Lot, draw, draw_entry, share_of
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
        """The latest text: it names the windows and the unit, which no amendment changes; all else is `text_at`."""
        for version in reversed(self.terms.contract.versions):
            for commitment in version.terms.commitments:
                if commitment.id == self.id:
                    return commitment
        raise KeyError(self.id)

    def text_at(self, at: datetime) -> Commitment | None:
        """The text in force at an instant; None where the contract had no such commitment then."""
        return self._texts[self.terms.contract.version_number(at)]

    @cached_property
    def _texts(self) -> tuple[Commitment | None, ...]:
        texts = (version.terms.commitments for version in self.terms.contract.versions)
        return tuple(next((each for each in found if each.id == self.id), None) for found in texts)

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
        """Where a balance runs out, and beyond the commitment where units are not the dollars billed, order matters."""
        return any(
            each.prepaid
            or each.rollover
            or (each.overage and not self.bursts and (each.tokens or "list" in (each.counts_at, each.overage.at)))
            for version in self.terms.contract.versions
            for each in version.terms.commitments
            if each.id == self.id
        )

    def windows(self) -> Iterable[Window]:
        """Minimum months, burst months and averages, true-up windows, billing periods: closings in this order."""
        if self.text.minimum:
            yield from self._windows("minimum", self.text.minimum.per or "month")
        if self.bursts:
            yield from self.bursts.windows()
        yield from self._windows("true_up", self.text.true_up)
        yield from self._changes()
        yield from (Window("period", period) for period in self.terms.periods)

    def _changes(self) -> Iterable[Window]:
        """What else cuts a true-up window: amendments, and when a rolled lot may be drawn."""
        contract = self.terms.contract
        for window in self._true_ups:
            for version in contract.versions:
                if window.start < version.effective < window.end:
                    yield Window("amended", Interval(version.effective, window.end))
            text = self.text_at(window.end - INSTANT)
            if text and text.rollover:
                yield Window("usable", rollover.usable_in(text.rollover, contract, window, text.true_up))

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
        key = (len(contract.versions), every)
        if key not in self._instalments:
            rate = self.text.tokens.amount if self.text.tokens else self.text.amount
            places = 0 if self.text.tokens else contract.signed.billing.rounding.places
            per = (rate.per if rate else None) or "year"
            self._instalments[key] = Instalments(contract, per, self._amount, places, every)
        return self._instalments[key].of(window)

    @cached_property
    def _instalments(self) -> dict[tuple[int, Period], Instalments]:
        """What windows owe, by the number of texts that were known: each is asked for by every run."""
        return {}

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
        if window.name == "true_up":
            run.accounts[f"{self.path}.committed"] = self.units(self.committed(window.interval))
            for name in ("drawn", "bought"):  # the minimum has windows of its own
                run.accounts[f"{self.path}.{name}"] = 0
            self._buy(window.interval, window.interval.start, run)
        elif window.name == "amended":
            whole = next(each for each in self._true_ups if window.interval.start in each)
            self._buy(whole, window.interval.start, run)

    def _buy(self, window: Interval, at: datetime, run: Run) -> None:
        """Prepay what the window owes by the text known at an instant, less what was bought for it before."""
        text = self.text_at(at)
        clause = text.prepaid if text else None
        if clause is None:
            return
        committed = self._committed(known(self.terms.contract, at), window, self.text.true_up)
        more = committed - Decimal(run.accounts[f"{self.path}.bought"])
        if more <= 0:
            return
        run.accounts[f"{self.path}.bought"] = committed
        units = to_pico(more * clause.share)
        drawdown, basis, path = from_pico(units), prepaid.cost_basis(clause), f"{self.path}.prepaid"
        run.line(
            path, "purchase", drawdown * basis, f"{drawdown.normalize():,f} of drawdown × {basis.normalize():f}",
            effective=ZERO, commitment=self.id, quantity=drawdown, unit_price=basis, key=self.terms.contract.day(at),
        )  # fmt: skip
        run.lots.append(Lot(path, self.id, units, units, at, window.end, basis))
        if clause.bonus:
            units = to_pico(drawdown * clause.bonus)
            run.lots.append(Lot(f"{path}.bonus", f"{self.id} bonus", units, units, at, window.end, rank=1))

    def use(self, piece: Piece, run: Run) -> None:
        text = self.text_at(piece.at)
        if text is None or not prepaid.in_pool(text, piece.lane.model.id, piece.lane.access, piece.account):
            return
        if text.rollover and text.rollover.order == "first":
            self._draw(run, piece, ".rollover")
        value = self.counted(piece)
        left = run.accounts[f"{self.path}.committed"] - run.accounts[f"{self.path}.drawn"]
        run.add(f"{self.path}.drawn", value)
        if text.minimum:
            run.add(f"{self.path}.minimum_drawn", value)
        if self.bursts:
            self.bursts.use(value, piece, run)
        elif value > left:
            self._beyond(run, piece, text, max(left, 0))
        if text.prepaid:
            self._draw(run, piece, ".prepaid")

    def _beyond(self, run: Run, piece: Piece, text: Commitment, left: Decimal | int) -> None:
        """What lies beyond the commitment, meter by meter: a lot drawn last pays it, overage prices the rest."""
        for entry in piece.in_schema_order:
            value = self._value(entry)
            beyond = value - min(left, value)
            left -= value - beyond
            counted = entry.uncovered if self.weights is None else _open_units(entry) * entry.price.contracted
            contracted = share_of(beyond, value, counted)
            if text.rollover and text.rollover.order == "last":
                for lot in self._lots(run, piece, ".rollover"):
                    contracted -= draw_entry(lot, piece, entry, contracted)
            if text.overage and contracted:
                run.add(f"{self.path}.beyond", contracted)
                run.add(f"{self.path}.beyond_list", share_of(contracted, entry.contracted, entry.public))

    def _draw(self, run: Run, piece: Piece, kind: str) -> None:
        for lot in self._lots(run, piece, kind):
            draw(lot, piece)

    def _lots(self, run: Run, piece: Piece, kind: str) -> list[Lot]:
        lots = [lot for lot in run.lots if lot.clause.startswith(self.path + kind) and lot.is_open(piece.at)]
        return sorted(lots, key=lambda lot: lot.order)

    def counted(self, piece: Piece) -> Decimal | int:
        """What a piece draws: what no lot has covered, at the contract's valuation."""
        if self.weights is None and self.text.counts_at == "contracted":
            return piece.uncovered
        return sum([self._value(entry) for entry in piece.entries])

    def _value(self, entry: Entry) -> Decimal | int:
        if self.weights is not None:
            return _open_units(entry) * self.weights[entry.price.meter]
        if self.text.counts_at == "list":
            return 0 if entry.is_free else share_of(entry.uncovered, entry.contracted, entry.public)
        return entry.uncovered

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
            run.line(
                f"{self.path}.minimum", "commitment", billed,
                lambda: f"minimum {floor:,f} − drawn {drawn.normalize():,f} = {missing.normalize():,f}"
                + (f", {prepaid_part.normalize():,f} of it prepaid" if prepaid_part else ""),
                effective=billed + cost, quantity=missing,
                commitment=self.id, unused=True, key=self.terms.contract.day(window.start),
            )  # fmt: skip

    def minimum_in(self, window: Interval) -> Decimal:
        """Dollars that must be drawn in a window of the minimum."""
        return self._minimums.of(window)

    @cached_property
    def _minimums(self) -> Instalments:
        contract = self.terms.contract
        assert self.text.minimum is not None
        per, places = self.text.minimum.per or "month", contract.signed.billing.rounding.places
        return Instalments(contract, per, self._minimum, places)

    def _take_prepaid(self, run: Run, units: int) -> tuple[Decimal, Decimal]:
        """What the prepaid drawdown pays of a top-up, and what that part had cost; a bonus pays only usage."""
        paid, cost = 0, ZERO
        lots = [lot for lot in run.lots if lot.clause == f"{self.path}.prepaid"]
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
        text = self.text_at(window.end - INSTANT) or self.text
        owed = max(ZERO, shortfall.amount(text, unused) - lost)
        if owed:
            run.line(
                f"{self.path}.amount", "commitment", owed,
                lambda: f"{committed:,f} − drawn {drawn.normalize():,f} = {unused.normalize():,f} unused"
                + (f", {lost.normalize():,f} of it prepaid" if lost else ""),
                commitment=self.id, unused=True, key=f"shortfall/{self.terms.contract.day(window.start)}",
                quantity=unused, unit="" if self.weights is None else "token",
            )  # fmt: skip
        if text.rollover and unused:
            self._roll(text.rollover, committed, unused, window, run)

    def _expire_prepaid(self, window: Interval, run: Run) -> Decimal:
        """Unused drawdown costs what was paid for it, in the period in which it is lost."""
        path = f"{self.path}.prepaid"
        gone = [lot for lot in run.lots if lot.clause == path and lot.expires <= window.end]
        lost = sum((from_pico(int(lot.remaining)) for lot in gone), ZERO)
        if lost:
            run.line(
                path, "commitment", ZERO, f"{lost.normalize():,f} of the drawdown was not used",
                effective=sum((from_pico(int(lot.remaining)) * lot.cost_basis for lot in gone), ZERO),
                commitment=self.id, unused=True, key=f"unused/{self.terms.contract.day(window.start)}",
                quantity=lost, unit_price=ZERO,
            )  # fmt: skip
        run.lots = [lot for lot in run.lots if not lot.clause.startswith(path) or lot.expires > window.end]
        return lost

    def _roll(self, clause: Rollover, committed: Decimal, unused: Decimal, window: Interval, run: Run) -> None:
        path = f"{self.path}.rollover"
        units = self.units(rollover.rolled(clause, committed, unused))
        if window not in self._usable:
            self._usable[window] = rollover.usable_in(clause, self.terms.contract, window, self.text.true_up)
        usable = self._usable[window]
        run.lots = [lot for lot in run.lots if lot.clause != path or lot.expires > window.end]
        if units and usable.start < usable.end:
            run.lots.append(
                Lot(
                    path, f"{self.id} rollover", units, units, usable.start, usable.end, counts=False,
                    at_list=self.text.counts_at == "list", waives=True, weights=self.weights,
                )
            )  # fmt: skip

    @cached_property
    def _usable(self) -> dict[Interval, Interval]:
        """When the lots of windows may be drawn: each is asked for by every run."""
        return {}

    def charges(self, run: Run) -> list[Charge]:
        beyond, public = run.take(f"{self.path}.beyond"), run.take(f"{self.path}.beyond_list")
        text = self.text_at(run.used_at)
        clause = text.overage if text else None
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
            yield Cut(self._in_pool, tuple(edges), None)
        mine = sorted(
            (lot for lot in run.lots if lot.clause.startswith(f"{self.path}.prepaid")), key=lambda lot: lot.order
        )
        balances = tuple(accumulate(Decimal(lot.remaining) for lot in mine if lot.is_open(run.now)))
        if balances:
            yield Cut(self._payable, balances, None)

    def _payable(self, piece: Piece) -> int:
        return piece.uncovered if self._in_pool(piece) else 0

    def _in_pool(self, piece: Piece) -> Decimal | int:
        text = self.text_at(piece.at)
        counts = text and prepaid.in_pool(text, piece.lane.model.id, piece.lane.access, piece.account)
        return self.counted(piece) if counts else 0


def _open_units(entry: Entry) -> int:
    if entry.is_free or not entry.covered:
        return 0 if entry.is_free else entry.quantity
    return entry.uncovered // entry.price.contracted
