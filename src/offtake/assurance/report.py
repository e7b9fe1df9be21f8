"""Writing differences down: each moves a cell's explained amount toward the bill, so that nothing is claimed twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal

from offtake.assurance.cells import Cell
from offtake.assurance.difference import Difference
from offtake.contract.contract import Contract
from offtake.usage.meters import BY_NAME
from offtake.values.money import ZERO, from_pico


@dataclass(slots=True)
class Report:
    """The differences so far. `undecided` is what the usage left open and the bill was believed for, in dollars."""

    contract: Contract
    zone: tzinfo
    differences: list[Difference] = field(default_factory=list)
    undecided: Decimal = ZERO

    def add(
        self,
        cells: Sequence[Cell],
        amounts: Sequence[Decimal],
        cause: str,
        clause: str,
        why: str,
        *,
        quantities: tuple[int | None, int | None] = (None, None),
        prices: tuple[int | None, int | None] = (None, None),
    ) -> None:
        """A difference over one cell, or over several between which usage moved; the first is where it was billed.

        `quantities` and `prices` (picodollars) are (theirs, ours).
        """
        key = cells[0].key
        before = sum((cell.explained for cell in cells), ZERO)
        for cell, amount in zip(cells, amounts, strict=True):
            cell.explained += amount
        theirs, ours = prices
        self.differences.append(
            Difference(
                cause=cause,
                clause=clause,
                theirs=(before + sum(amounts, ZERO)).normalize(),
                ours=before.normalize(),
                why=why,
                model=key.model,
                meter=key.meter,
                channel=key.channel,
                start=date.fromordinal(key.start),
                end=date.fromordinal(key.end),
                theirs_quantity=quantities[0],
                ours_quantity=quantities[1],
                theirs_unit_price=None if theirs is None else from_pico(theirs),
                ours_unit_price=None if ours is None else from_pico(ours),
                place=self.contract.place(clause, self.noon(key.start)),
                source=self.contract.source(clause, self.noon(key.start)),
                row=cells[0].where,
            )
        )

    def add_charge(self, difference: Difference) -> None:
        """A difference of a charge that is no usage."""
        self.differences.append(difference)

    def noon(self, day: int) -> datetime:
        """An instant of a day."""
        return datetime.combine(date.fromordinal(day), time(12), self.zone).astimezone(UTC)


def shown_price(pico: int, meter: str) -> str:
    """A unit price as people read it: `$4.25/M`."""
    per = BY_NAME[meter].per if meter in BY_NAME else 1_000_000
    return f"${from_pico(pico * per).normalize():f}/{'M' if per == 1_000_000 else 'k'}"


def shown(amount: Decimal) -> str:
    """An amount with all of its digits."""
    return f"{amount.normalize():,f}"
