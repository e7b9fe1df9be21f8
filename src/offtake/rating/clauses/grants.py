"""Credits and top-ups: money that pays the invoice, in a stated total order.

Clause: `credits`, `top_ups`. Source: S1 "prepaid top-ups add spendable credit ($999 becomes $1,058.94, +6%)"; the burn
orders of Metronome, Orb, OpenMeter and Stripe all differ, so it is a term.

Why it matters: burn order is priority, then the named order (promotional, paid), then expiry, then creation. A top-up
gives a paid lot (cost basis 1) and a bonus lot (cost basis 0), so refunds and breakage stay right. A credit with
`counts: false` pays first, before anything is counted toward a commitment; the others pay what is left of the invoice.

Example: 999 USD topped up with a bonus of 6%: 999.00 + 59.94 = 1,058.94 to spend. With `burn_order: [promotional,
paid]` the first 59.94 of usage costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from functools import cached_property

from offtake.contract.patterns import match
from offtake.contract.schema.commitments import Credit
from offtake.rating.compiled import CompiledTerms
from offtake.rating.facts import TopUp
from offtake.rating.lots import NEVER, Lot
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.values.money import ZERO, from_pico, quantize, to_pico
from offtake.values.periods import Interval

TOP_UPS = 1000  # credits carry a priority of their own, 0 to 100; the wallet comes after them


@dataclass(frozen=True)
class GrantsClause:
    """Lots that pay the invoice when its period closes. `billable.<lot>` accounts hold what each of them may pay."""

    terms: CompiledTerms
    path: str = "credits"
    acts_on_usage = False  # it pays invoices; what it may pay is only booked where invoices are made
    may_cut = False

    def windows(self) -> Iterable[Window]:
        for lot in self._lots:
            yield Window(f"lot {lot.clause} {lot.name}", Interval(lot.starts, min(lot.expires, NEVER)))
        yield from (Window("period", period) for period in self.terms.periods)

    @cached_property
    def _lots(self) -> tuple[Lot, ...]:
        return (*self._credits(), *self._top_ups())

    def _credits(self) -> Iterable[Lot]:
        contract = self.terms.contract
        for index, credit in enumerate(contract.versions[-1].terms.credits):
            if credit.counts or credit.applies_to == "fees":
                yield credit_lot(self.terms, index, credit)

    def _top_ups(self) -> Iterable[Lot]:
        contract = self.terms.contract
        for fact in self.terms.book.facts:
            clause = contract.as_of(fact.at).top_ups
            if not isinstance(fact, TopUp) or clause is None:
                continue
            expires = clause.expires_after.after(fact.at.astimezone(contract.zone)) if clause.expires_after else NEVER
            cash = fact.amount.amount
            earns = clause.minimum is None or cash >= clause.minimum.amount
            for kind, amount, basis in (("paid", cash, Decimal(1)), ("promotional", cash * clause.bonus * earns, ZERO)):
                if amount:
                    units = to_pico(amount)
                    yield Lot(
                        f"top_ups.{kind}", f"{fact.id} {kind}", units, units, fact.at, expires, basis, TOP_UPS,
                        clause.burn_order.index("paid" if kind == "paid" else "promotional"),
                    )  # fmt: skip

    def opens(self, window: Window, run: Run) -> None:
        if window.name == "period":
            return
        lot = next(lot for lot in self._lots if f"lot {lot.clause} {lot.name}" == window.name)
        run.lots.append(
            Lot(
                lot.clause, lot.name, lot.granted, lot.granted, lot.starts, lot.expires, lot.cost_basis, lot.priority,
                lot.rank, lot.models, lot.applies_to,
            )
        )  # fmt: skip
        if lot.clause == "top_ups.paid":
            run.line(
                "top_ups",
                "purchase",
                from_pico(int(lot.granted)),
                f"top-up {lot.name.removesuffix(' paid')}",
                effective=ZERO,
                key=lot.name,
            )

    def use(self, piece: Piece, run: Run) -> None:
        if not self._lots:
            return
        left = piece.uncovered
        run.add("billable.usage", left)
        for lot in self._open(run, piece.at):
            if lot.counts and lot.applies_to != "fees" and match(lot.models, piece.lane.model.id):
                run.add(f"billable.{lot.clause}.{lot.name}", left)

    def closes(self, window: Window, run: Run) -> None:
        # A lot that lapses inside a period still pays that period's earlier usage, so it goes when the period closes.
        if run.collect and window.name == "period":
            self._settle(window.interval, run)

    def _settle(self, period: Interval, run: Run) -> None:
        """Pay the period's invoice, lot by lot: never more than what a lot may pay, nor than what is left to pay."""
        usage = from_pico(run.take("billable.usage")) + _sum(run, "adjustment") - run.usage.credited.scaleb(-12)
        fees = _sum(run, "fee")
        for lot in sorted((lot for lot in run.lots if _pays_invoices(lot)), key=lambda lot: lot.order):
            may = from_pico(run.take(f"billable.{lot.clause}.{lot.name}"))
            left = from_pico(int(lot.remaining))
            from_usage = max(ZERO, min(may, usage, left))
            from_fees = max(ZERO, min(fees, left - from_usage)) if lot.applies_to in ("fees", "all") else ZERO
            usage, fees = usage - from_usage, fees - from_fees
            self._pay(lot, quantize(from_usage + from_fees, 12, ROUND_DOWN), run)
        for lot in [lot for lot in run.lots if _pays_invoices(lot) and lot.expires <= period.end]:
            self._lapse(lot, run)

    def _pay(self, lot: Lot, amount: Decimal, run: Run) -> None:
        if not amount:
            return
        lot.remaining -= to_pico(amount)
        left = from_pico(int(lot.remaining)).normalize()
        run.line(
            lot.clause, "credit", -amount, f"{lot.name} pays {amount.normalize():,f}; {left:,f} left",
            effective=ZERO - amount * (1 - lot.cost_basis), key=lot.name,
        )  # fmt: skip

    def _lapse(self, lot: Lot, run: Run) -> None:
        run.lots.remove(lot)
        if lot.remaining and lot.cost_basis:
            amount = from_pico(int(lot.remaining))
            run.line(
                lot.clause, "credit", ZERO, f"{amount.normalize():,f} of {lot.name} expired unused",
                effective=amount * lot.cost_basis, key=f"{lot.name}/expired", quantity=amount, unit_price=ZERO,
            )  # fmt: skip

    def _open(self, run: Run, at: datetime) -> list[Lot]:
        return [lot for lot in run.lots if _pays_invoices(lot) and lot.is_open(at)]

    def charges(self, run: Run) -> list[Charge]:
        return []

    def cuts(self, run: Run) -> Iterable[Cut]:
        return ()


def credit_lot(terms: CompiledTerms, index: int, credit: Credit) -> Lot:
    """The lot of one entry of `credits`."""
    contract = terms.contract
    starts = contract.instant(credit.starts) if credit.starts else contract.span.start
    expires = contract.instant(credit.expires) if credit.expires else NEVER
    amount = to_pico(credit.amount.amount)
    return Lot(
        f"credits[{index}]", credit.name, amount, amount, starts, expires, priority=credit.priority,
        models=credit.models, applies_to=credit.applies_to, counts=credit.counts,
    )  # fmt: skip


def _pays_invoices(lot: Lot) -> bool:
    return lot.clause.startswith(("credits[", "top_ups")) and (lot.counts or lot.applies_to != "usage")


def _sum(run: Run, kind: str) -> Decimal:
    return sum((line.amounts.billed for line in run.lines if line.kind == kind), ZERO)
