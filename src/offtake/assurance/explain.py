"""Why one cell differs: unit prices first, then what is left as a quantity.

Theirs and ours are paired price by price; what is equal cancels. A price that is left is explained by the alternative
that gives it, on as many pieces as both sides have. What then remains on one side only is a quantity at our price: it
is pending until it is known whether the pieces failed, stand twice, or belong to another cell.

    theirs − ours = Σ quantity × (their price − our price) + (their quantity − our quantity) × our price
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from offtake.assurance.alternatives import Alternative, Alternatives
from offtake.assurance.bill import Group
from offtake.assurance.cells import Cell
from offtake.assurance.expected import Part
from offtake.assurance.report import Report, shown, shown_price
from offtake.values.money import ZERO, divide, from_pico, to_integer


@dataclass(slots=True, eq=False)
class Pending:
    """A quantity that one side has too many of, in one cell: `amount` is dollars at our price.

    `quantity` is theirs − ours, known to within `slack` pieces where it was inferred from an amount; None where it
    cannot be. `spare` is what rounding may have added to the amount. `excess` has the prices at which pieces are billed
    that we do not have, as (price, pieces).
    """

    cell: Cell
    part: Part | None
    quantity: int | None
    amount: Decimal
    slack: int = 0
    spare: Decimal = ZERO
    excess: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class _Pairing:
    """What is left of a cell while it is explained: pieces by part, and by price billed."""

    cell: Cell
    ours: list[tuple[Part, int]]
    theirs: list[tuple[int, int]] = field(default_factory=list)
    loose: Group | None = None

    @property
    def ours_amount(self) -> Decimal:
        return from_pico(sum(part.price * quantity for part, quantity in self.ours))

    @property
    def ours_quantity(self) -> int:
        return sum(quantity for _, quantity in self.ours)


def explain(cell: Cell, report: Report, alternatives: Alternatives, unit: Decimal) -> list[Pending]:
    """Report what is wrong with a cell's prices and rounding; what is a matter of quantity comes back.

    `unit` is the last decimal of the bill in dollars. Afterwards the cell is explained but for the pending amounts.
    """
    _decide(cell, report)
    cell.explained = cell.ours
    cell.passed = cell.fair
    spare = _spare(cell, unit)
    rest = cell.theirs - cell.fair - cell.unfair - cell.ours
    if cell.unfair:
        _unfair(cell, report)
    if abs(rest) <= spare:
        cell.passed += rest
        return []
    if not (pairing := _paired(cell)).ours and not pairing.theirs and pairing.loose is None:
        return [Pending(cell, None, None, rest)]
    pending = _loose(pairing, report, alternatives, spare)
    _reprice(pairing, report, alternatives)
    return [*pending, *_left_over(pairing)]


def _decide(cell: Cell, report: Report) -> None:
    """Where the data leaves a part open between low and high, believe the bill as far as that goes."""
    low, high = cell.ours, sum((part.high for part in cell.parts), ZERO)
    claimed = cell.theirs - cell.fair - cell.unfair
    if high == low or claimed <= low:
        return
    believed = min(claimed, high)
    report.undecided += believed - low
    left = believed - low
    for part in cell.parts:
        take = min(part.high - part.contracted, left)
        left -= take
        part.contracted += take
        if part.contracted == part.high and part.quantity:
            part.price = int(part.high.scaleb(12)) // part.quantity


def _spare(cell: Cell, unit: Decimal) -> Decimal:
    """What rounding to the bill's decimals may have moved rows that show no quantity or price."""
    half = unit.scaleb(-1) * 5
    return sum((group.rows * half + group.noise for group in cell.groups if group.price is None), ZERO)


def _unfair(cell: Cell, report: Report) -> None:
    way = "up" if cell.unfair > 0 else "down"
    rows = "1 row is" if cell.unfair_rows == 1 else f"{cell.unfair_rows:,} rows are"
    why = f"{rows} rounded {way}, not to the nearest: {shown(cell.unfair)} in all"
    report.add([cell], [cell.unfair], "rounding", "billing.rounding", why)


def _paired(cell: Cell) -> _Pairing:
    """What is left of both sides after equal prices have cancelled, free pieces against rows at zero."""
    left: dict[int, int] = {}
    pairing = _Pairing(cell, [])
    for group in cell.groups:
        if group.price is None:
            pairing.loose = _joined(pairing.loose, group)
        elif group.quantity:
            left[group.price] = left.get(group.price, 0) + group.quantity
    for part in cell.parts:
        same = min(left.get(part.price, 0), part.quantity)
        if same:
            left[part.price] -= same
        if part.quantity > same and not part.is_free:
            pairing.ours.append((part, part.quantity - same))
    pairing.theirs = sorted(((price, quantity) for price, quantity in left.items() if quantity), key=_by_quantity)
    return pairing


def _by_quantity(item: tuple[int, int]) -> tuple[int, int]:
    return -item[1], item[0]


def _joined(one: Group | None, other: Group) -> Group:
    if one is None:
        return Group(None, other.quantity, other.amount, other.rows, other.noise)
    known = one.quantity is not None and other.quantity is not None
    quantity = (one.quantity or 0) + (other.quantity or 0) if known else None
    return Group(None, quantity, one.amount + other.amount, one.rows + other.rows, one.noise + other.noise)


def _loose(pairing: _Pairing, report: Report, alternatives: Alternatives, spare: Decimal) -> list[Pending]:
    """Explain rows without a unit price by their sum: one price, one alternative for all parts, or a quantity."""
    loose, cell = pairing.loose, pairing.cell
    if loose is None:
        return []
    counted = loose.quantity if cell.is_fine else None
    if counted and counted != pairing.ours_quantity:
        price = _single_price(pairing, alternatives, loose.amount, counted, spare)
        if price is not None:
            pairing.theirs.append((price, counted))
            cell.passed += loose.amount - from_pico(price * counted)
            return []
    found = _alternative_sum(pairing, alternatives, loose.amount, spare) if pairing.ours else None
    if found:
        each, parts, amount = found
        _report_sum(cell, report, each, parts, amount)
        cell.passed += loose.amount - pairing.ours_amount - amount
        pairing.ours = []
        return []
    amount = loose.amount - pairing.ours_amount
    if counted is not None:
        return _counted(pairing, report, alternatives, counted, amount, spare)
    part = pairing.ours[0][0] if pairing.ours else None
    pending = Pending(cell, part, None, amount, spare=spare)
    if cell.is_fine and part:
        pending = _inferred(pairing, amount, spare)
    pairing.ours = []
    return [pending]


def _single_price(
    pairing: _Pairing, alternatives: Alternatives, amount: Decimal, counted: int, spare: Decimal
) -> int | None:
    """The one price, ours or an alternative, at which so many pieces come to this amount."""
    for part in _references(pairing.cell, alternatives, pairing.ours):
        for price in (part.price, *(each.price for each in alternatives.of(part))):
            if price and abs(from_pico(price * counted) - amount) <= spare:
                return price
    return None


def _references(cell: Cell, alternatives: Alternatives, left: Sequence[tuple[Part, int]] = ()) -> list[Part]:
    """Parts that say what usage of a cell costs: those that are left, else any of it, else what the engine says."""
    found = [part for part, _ in sorted(left, key=lambda item: -item[1])] or cell.billable
    if not found and cell.is_fine:
        key = cell.key
        standard = alternatives.standard(key.model, key.meter, key.channel, key.start)
        found = [standard] if standard else []
    return found


def _alternative_sum(
    pairing: _Pairing, alternatives: Alternatives, amount: Decimal, spare: Decimal
) -> tuple[Alternative, list[tuple[Part, int, int]], Decimal] | None:
    """The first alternative that gives the sum on all parts that it changes: (it, changed parts, dollars too many)."""
    tried: dict[tuple[str, str], dict[int, Alternative]] = {}
    for index, (part, _) in enumerate(pairing.ours):
        for each in alternatives.of(part):
            tried.setdefault((each.cause, each.detail), {})[index] = each
    over = amount - pairing.ours_amount
    for choose in (_all_of, _from_a_day_on, _one_of):
        for changed in tried.values():
            every = sorted(
                ((*pairing.ours[index], each.price) for index, each in changed.items()), key=lambda item: item[0].day
            )
            for parts in choose(every):
                by = from_pico(sum(quantity * (price - part.price) for part, quantity, price in parts))
                if by and abs(by - over) <= spare and (choose is _all_of or abs(by) > _WELL_ABOVE * spare):
                    return next(iter(changed.values())), parts, by
    return None


_Changed = list[tuple[Part, int, int]]
"""Parts whose price an alternative changes: (part, pieces, its price), in order of days."""
_WELL_ABOVE = 10
"""A part of a cell is only blamed for an amount that is so many times what rounding could have made."""


def _all_of(parts: _Changed) -> Iterable[_Changed]:
    yield parts


def _from_a_day_on(parts: _Changed) -> Iterable[_Changed]:
    days = sorted({part.day for part, _, _ in parts})
    for first in days[1:]:
        yield [each for each in parts if each[0].day >= first]


def _one_of(parts: _Changed) -> Iterable[_Changed]:
    return ([each] for each in parts)


def _report_sum(
    cell: Cell, report: Report, each: Alternative, parts: Sequence[tuple[Part, int, int]], amount: Decimal
) -> None:
    part, _, price = max(parts, key=lambda item: item[1])
    pieces = sum(quantity for _, quantity, _ in parts)
    why = _price_words(part, pieces, price, each, amount)
    report.add([cell], [amount], each.cause, each.clause, why, quantities=(pieces, pieces), prices=(price, part.price))


def _price_words(part: Part, pieces: int, price: int, each: Alternative, amount: Decimal) -> str:
    billed, ours = shown_price(price, part.meter), shown_price(part.price, part.meter)
    return f"{pieces:,} × {billed} billed ({each.what}), {ours} by {part.clause}: {shown(amount)}"


def _counted(
    pairing: _Pairing, report: Report, alternatives: Alternatives, counted: int, amount: Decimal, spare: Decimal
) -> list[Pending]:
    """The pieces are known, their price is none that we know: the quantity at our price, and the rest as it is."""
    cell, more = pairing.cell, counted - pairing.ours_quantity
    found = _references(pairing.cell, alternatives, pairing.ours)
    pairing.ours = []
    if not found:
        return [Pending(cell, None, counted, amount, spare=spare)]
    for part in found:
        if abs(from_pico(part.price * more) - amount) <= spare:
            return [Pending(cell, part, more, amount, spare=spare)]
    reference = found[0]
    over = amount - from_pico(reference.price * more)
    report.add(
        [cell], [over], "unknown price", reference.clause,
        f"{counted:,} pieces for {shown(over)} more than {shown_price(reference.price, reference.meter)} gives: "
        "no price of the contract or the catalogue",
        quantities=(counted, counted), prices=(None, reference.price),
    )  # fmt: skip
    return [Pending(cell, reference, more, amount - over, spare=spare)] if more else []


def _inferred(pairing: _Pairing, amount: Decimal, spare: Decimal) -> Pending:
    """A quantity that an amount implies at our price, to within what rounding hides."""
    parts = sorted(pairing.ours, key=lambda item: -item[1])
    for part, _ in parts:
        if not part.price:
            continue
        price = from_pico(part.price)
        pieces = to_integer(divide(amount, price))
        if abs(pieces * price - amount) <= spare:
            slack = to_integer(divide(spare, price))
            return Pending(pairing.cell, part, pieces, amount, slack, spare)
    return Pending(pairing.cell, parts[0][0], None, amount, spare=spare)


def _reprice(pairing: _Pairing, report: Report, alternatives: Alternatives) -> None:
    """Report the prices that differ, on as many pieces as both sides have; what is left of one side stays."""
    cell = pairing.cell
    standing: list[tuple[int, int]] = []
    wrong: dict[tuple[int, int], tuple[Part, int]] = {}
    for price, quantity in pairing.theirs:
        left = quantity
        while left and pairing.ours:
            pairing.ours.sort(key=lambda item: (alternatives.explaining(item[0], price) is None, -item[1]))
            part, available = pairing.ours[0]
            pieces = min(left, available)
            first, so_far = wrong.get((price, part.price), (part, 0))
            wrong[price, part.price] = (first, so_far + pieces)
            left -= pieces
            pairing.ours[0] = (part, available - pieces)
            if pieces == available:
                del pairing.ours[0]
        if left:
            standing.append((price, left))
    pairing.theirs = standing
    for (price, _), (part, pieces) in wrong.items():
        _report_price(cell, report, part, pieces, price, alternatives)


def reprice_excess(pending: Pending, report: Report, alternatives: Alternatives) -> None:
    """Take the wrong prices out of pieces that are too many: what is left of the amount is at our price."""
    cell = pending.cell
    ours = {part.price for part in cell.billable} | {alternatives.price_of_free(part) for part in cell.free}
    for price, pieces in pending.excess:
        if price in ours or not (references := _references(cell, alternatives)):
            continue
        part = next((each for each in references if alternatives.explaining(each, price)), references[0])
        _report_price(cell, report, part, pieces, price, alternatives)
        pending.amount -= from_pico(pieces * (price - part.price))
        pending.part = part


def _report_price(cell: Cell, report: Report, part: Part, pieces: int, price: int, alternatives: Alternatives) -> None:
    if price == part.price:
        return
    amount = from_pico(pieces * (price - part.price))
    known = alternatives.explaining(part, price)
    each = known or Alternative("unknown price", "", price, "no price of the contract or the catalogue", part.clause)
    why = _price_words(part, pieces, price, each, amount)
    report.add([cell], [amount], each.cause, each.clause, why, quantities=(pieces, pieces), prices=(price, part.price))


def _left_over(pairing: _Pairing) -> Iterable[Pending]:
    """The pieces that one side has alone, as one pending quantity."""
    cell = pairing.cell
    more = sum(quantity for _, quantity in pairing.theirs) - pairing.ours_quantity
    amount = from_pico(sum(price * quantity for price, quantity in pairing.theirs)) - pairing.ours_amount
    if not more and not amount:
        return
    part = pairing.ours[0][0] if pairing.ours else next(iter(cell.billable), None)
    yield Pending(cell, part, more if cell.is_fine else None, amount, excess=tuple(pairing.theirs))
