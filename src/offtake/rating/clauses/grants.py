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
from decimal import Decimal
from functools import cached_property

from offtake.contract.contract import Contract
from offtake.contract.patterns import match
from offtake.contract.schema.commitments import Credit
from offtake.rating.compiled import CompiledTerms
from offtake.rating.facts import TopUp
from offtake.rating.lots import NEVER, Lot
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.values.errors import ContractError
from offtake.values.money import ZERO, from_pico, to_pico
from offtake.values.periods import Interval

BILLABLE = "billable."
TOP_UPS = 1000  # credits carry a priority of their own, 0 to 100; the wallet comes after them


@dataclass(frozen=True)
class GrantsClause:
    """Lots that pay the invoice when its period closes.

    Accounts: `billable.` and the numbers of the lots that may pay it, for each such part of the period's usage.
    """

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
        """In burn order."""
        return tuple(sorted((*self._credits(), *self._top_ups()), key=lambda lot: lot.order))

    def _credits(self) -> Iterable[Lot]:
        return (
            lot for lot in credit_lots(self.terms) if _pays_invoices(lot) and (lot.counts or lot.applies_to == "fees")
        )

    def _top_ups(self) -> Iterable[Lot]:
        contract = self.terms.contract
        for fact in self.terms.book.facts:
            clause = contract.as_of(fact.at).top_ups
            if not isinstance(fact, TopUp) or clause is None:
                continue
            if fact.at not in contract.span:
                raise ContractError(
                    "R415", f"the top-up {fact.id!r} lies outside of the term", where=fact.where,
                    hint=f"the term runs from {contract.day(contract.span.start)} to {contract.day(contract.span.end)}",
                )  # fmt: skip
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
        may = (
            str(index)
            for index, lot in enumerate(self._lots)
            if lot.is_open(piece.at) and lot.applies_to != "fees" and match(lot.models, piece.lane.model.id)
        )
        run.add(BILLABLE + " ".join(may), piece.uncovered)

    def closes(self, window: Window, run: Run) -> None:
        # A lot that lapses inside a period still pays that period's earlier usage, so it goes when the period closes.
        if run.collect and self._lots and window.name == "period":
            self._settle(window.interval, run)

    def _settle(self, period: Interval, run: Run) -> None:
        """Pay the period's invoice, lot by lot: never more than what a lot may pay, nor than what is left to pay."""
        usage = {
            tuple(account.removeprefix(BILLABLE).split()): run.take(account)
            for account in sorted(account for account in run.accounts if account.startswith(BILLABLE))
        }
        if not any((lot.remaining or lot.expires <= period.end) and _pays_invoices(lot) for lot in run.lots):
            return
        adjusted = to_pico(run.billed_as("adjustment") - run.credited.scaleb(-12))
        left, fees = sum(usage.values()) + adjusted, to_pico(run.billed_as("fee"))
        for lot in sorted((lot for lot in run.lots if _pays_invoices(lot)), key=lambda lot: lot.order):
            paid = 0
            for lots in sorted(usage, key=len):  # what fewest lots may pay is paid first
                if self._index(lot) in lots:
                    part = max(0, min(int(lot.remaining) - paid, usage[lots], left))
                    usage[lots] -= part
                    left -= part
                    paid += part
            if lot.applies_to != "usage":
                part = max(0, min(int(lot.remaining) - paid, fees))
                fees -= part
                paid += part
            self._pay(lot, from_pico(paid), run)
        for lot in [lot for lot in run.lots if _pays_invoices(lot) and lot.expires <= period.end]:
            self._lapse(lot, run)

    def _index(self, lot: Lot) -> str:
        return next(
            (str(i) for i, own in enumerate(self._lots) if (own.clause, own.name) == (lot.clause, lot.name)), ""
        )

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

    def charges(self, run: Run) -> list[Charge]:
        return []

    def cuts(self, run: Run) -> Iterable[Cut]:
        return ()


def credit_lots(terms: CompiledTerms) -> list[Lot]:
    """A lot for every credit of the contract, from the day on which its text, or an amendment, gives it.

    One that lapses before it starts is none, as `offtake check` warns.
    """
    contract = terms.contract
    found: dict[str, Lot] = {}
    for version in contract.versions:
        for index, credit in enumerate(version.terms.credits):
            begins = found[credit.name].starts if credit.name in found else version.effective
            found[credit.name] = _credit_lot(contract, f"credits[{index}]", credit, begins)
    return [lot for lot in found.values() if lot.starts < lot.expires]


def _credit_lot(contract: Contract, path: str, credit: Credit, begins: datetime) -> Lot:
    starts = max(begins, contract.instant(credit.starts)) if credit.starts else begins
    expires = contract.instant(credit.expires) if credit.expires else NEVER
    amount = to_pico(credit.amount.amount)
    return Lot(
        path, credit.name, amount, amount, starts, expires, priority=credit.priority, models=credit.models,
        applies_to=credit.applies_to, counts=credit.counts, own_line=not credit.counts,
    )  # fmt: skip


def _pays_invoices(lot: Lot) -> bool:
    return lot.clause.startswith(("credits[", "top_ups")) and (lot.counts or lot.applies_to != "usage")
