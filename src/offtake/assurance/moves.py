"""What pending quantities are: failed requests, repeated rows, pieces that belong to another cell, or plain miscounts.

In this order, each tested exactly: requests that failed and are free; rows that stand twice; another cache kind,
another channel, another day (the quantities of the cells involved cancel); and last, a quantity that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from itertools import combinations

from offtake.assurance.alternatives import Alternatives
from offtake.assurance.bill import Key
from offtake.assurance.expected import Part
from offtake.assurance.explain import Pending, reprice_excess
from offtake.assurance.report import Report, shown, shown_price
from offtake.usage.meters import BY_NAME
from offtake.values.money import ZERO, from_pico

_OUTCOMES_TRIED = 6  # all subsets of so many outcomes; no contract knows more that can be free


def settle(
    pending: Sequence[Pending], report: Report, alternatives: Alternatives, beside: dict[tuple[str, str, int], int]
) -> None:
    """Report every pending quantity. `beside` has our quantities by (model, meter, day) just outside of the bill."""
    left = [each for each in pending if not _failed(each, report, alternatives)]
    left = [each for each in left if not _repeated(each, report)]
    left = _moved(left, report, _same_input, "cache kind", _cache_clause)
    left = _moved(left, report, _same_meter, "channel", _channel_clause)
    left = _timing(left, report)
    for each in left:
        if not _from_beside(each, report, beside):
            reprice_excess(each, report, alternatives)
            _plain(each, report)


def _failed(pending: Pending, report: Report, alternatives: Alternatives) -> bool:
    """Pieces that a clause makes free: failed requests, or usage served from reserved capacity."""
    cell = pending.cell
    if pending.amount <= 0:
        return False
    for parts in _free_choices([part for part in cell.free if part.quantity]):
        pieces = sum(part.quantity for part in parts)
        cost = from_pico(sum(part.quantity * alternatives.price_of_free(part) for part in parts))
        same = pending.quantity == pieces and not pending.slack
        if cost and (same or abs(cost - pending.amount) <= pending.spare):
            _report_failed(pending, parts, pieces, report)
            return True
    return False


def _free_choices(free: Sequence[Part]) -> Iterable[Sequence[Part]]:
    """What of a cell's free usage may have been billed: all of it, some outcomes, or a single part."""
    outcomes = list(dict.fromkeys(part.outcome for part in free))[:_OUTCOMES_TRIED]
    for size in range(len(outcomes), 0, -1):
        for chosen in combinations(outcomes, size):
            yield [part for part in free if part.outcome in chosen]
    yield from ([part] for part in free)


def _report_failed(pending: Pending, parts: Sequence[Part], pieces: int, report: Report) -> None:
    first = max(parts, key=lambda part: part.quantity)
    reserved = not first.clause.startswith("failed_requests")
    outcomes = ", ".join(dict.fromkeys(part.outcome for part in parts))
    what = "served from reserved capacity" if reserved else f"of {outcomes} requests"
    report.add(
        [pending.cell], [pending.amount], "reserved capacity" if reserved else "failed request", first.clause,
        f"{pieces:,} {what} are billed {shown(pending.amount)}; {first.clause} makes them free",
        quantities=_quantities(pending),
    )  # fmt: skip


def _repeated(pending: Pending, report: Report) -> bool:
    """The excess is that of rows that stand in the bill again: all repeated ones, or one of them."""
    repeats = pending.cell.repeats
    if pending.amount <= 0 or not repeats:
        return False
    everything = (
        sum(times for times in repeats.values()),
        sum(times * (quantity or 0) for (quantity, _), times in repeats.items()),
        sum((times * amount for (_, amount), times in repeats.items()), ZERO),
    )
    single = (
        (count, count * (quantity or 0), count * amount)
        for (quantity, amount), times in repeats.items()
        for count in range(1, times + 1)
    )
    for rows, pieces, amount in (everything, *single):
        same = pieces and pending.quantity == pieces and not pending.slack
        if same or abs(amount - pending.amount) <= pending.spare:
            words = "one row stands" if rows == 1 else f"{rows:,} rows stand"
            report.add(
                [pending.cell], [pending.amount], "duplicate", _clause(pending),
                f"{words} in the bill again: {shown(pending.amount)} for usage that is billed already",
                quantities=_quantities(pending),
            )  # fmt: skip
            return True
    return False


def _moved(
    pending: list[Pending],
    report: Report,
    group_of: Callable[[Key], Hashable],
    cause: str,
    clause_of: Callable[[Sequence[Pending]], str],
) -> list[Pending]:
    """Report groups whose quantities cancel, all of a group or two of it; gives back the rest."""
    groups: dict[Hashable, list[Pending]] = {}
    for each in pending:
        name = group_of(each.cell.key) if each.quantity else None
        groups.setdefault(each.cell.key if name is None else name, []).append(each)
    left: list[Pending] = []
    for members in groups.values():
        for moved in _cancelling(members):
            _report_moved(moved, report, cause, clause_of(moved))
            members = _without(members, moved)
        left += members
    return left


def _cancelling(members: Sequence[Pending]) -> list[list[Pending]]:
    if len(members) < 2:
        return []
    if _cancel(members):
        return [list(members)]
    found: list[list[Pending]] = []
    free = list(members)
    while pair := next((pair for pair in combinations(free, 2) if _cancel(pair)), None):
        found.append(list(pair))
        free = _without(free, pair)
    return found


def _without(members: Sequence[Pending], taken: Sequence[Pending]) -> list[Pending]:
    return [each for each in members if all(each is not other for other in taken)]


def _cancel(members: Iterable[Pending]) -> bool:
    members = list(members)
    quantities = [each.quantity or 0 for each in members]
    return min(quantities) < 0 < max(quantities) and abs(sum(quantities)) <= sum(each.slack for each in members)


def _report_moved(moved: Sequence[Pending], report: Report, cause: str, clause: str) -> None:
    ordered = sorted(moved, key=lambda each: -(each.quantity or 0))
    billed = [each for each in ordered if (each.quantity or 0) > 0]
    missing = [each for each in ordered if (each.quantity or 0) < 0]
    pieces = sum(each.quantity or 0 for each in billed)
    amounts = [each.amount for each in ordered]
    about = "about " if any(each.slack for each in moved) else ""
    why = (
        f"{about}{pieces:,} billed as {_names(billed, cause)} are {_names(missing, cause)} in our records: "
        f"{' − '.join((shown(sum(amounts[: len(billed)], ZERO)), shown(-sum(amounts[len(billed) :], ZERO))))}"
        f" = {shown(sum(amounts, ZERO))}"
    )
    prices = (billed[0].part.price if billed[0].part else None, missing[0].part.price if missing[0].part else None)
    report.add(
        [each.cell for each in ordered], amounts, cause, clause, why, quantities=(pieces, pieces), prices=prices
    )  # fmt: skip


def _names(members: Sequence[Pending], cause: str) -> str:
    keys = [each.cell.key for each in members]
    if cause == "cache kind":
        names = [key.meter for key in keys]
    elif cause == "channel":
        names = [key.channel for key in keys]
    else:
        names = [f"{date.fromordinal(key.start)}" for key in keys]
    return ", ".join(dict.fromkeys(names))


def _same_input(key: Key) -> Hashable:
    meter = BY_NAME.get(key.meter)
    is_input = meter is not None and meter.direction == "input" and meter.is_token
    return key._replace(meter="") if is_input else None


def _same_meter(key: Key) -> Hashable:
    return key._replace(channel="*") if key.channel else None


def _cache_clause(moved: Sequence[Pending]) -> str:
    """The cache term of what our records say, else of what was billed."""
    for each in sorted(moved, key=lambda each: each.quantity or 0):
        for path, _ in each.part.steps if each.part else ():
            if path.startswith("prices.cache"):
                return path
    return "prices.cache"


def _channel_clause(moved: Sequence[Pending]) -> str:
    ours = min(moved, key=lambda each: each.quantity or 0)
    path = f"prices.{ours.cell.key.channel}"
    return path if ours.part and any(step == path for step, _ in ours.part.steps) else _clause(ours)


def _timing(pending: list[Pending], report: Report) -> list[Pending]:
    """Days in a row whose quantities cancel: usage that was billed on another day than it happened."""
    lines: dict[tuple[str, str, str], list[Pending]] = {}
    left: list[Pending] = []
    for each in pending:
        key = each.cell.key
        if each.quantity and key.end - key.start == 1:
            lines.setdefault((key.model, key.meter, key.channel), []).append(each)
        else:
            left.append(each)
    for days in lines.values():
        run: list[Pending] = []
        for each in sorted(days, key=lambda each: each.cell.key.start):
            if run and each.cell.key.start > run[-1].cell.key.start + 1:
                left += run
                run = []
            run.append(each)
            if _cancel(run):
                _report_moved(run, report, "timing", "billing.period")
                run = []
            elif len(run) > 1 and _cancel(run[-2:]):
                _report_moved(run[-2:], report, "timing", "billing.period")
                del run[-2:]
        left += run
    return left


def _from_beside(pending: Pending, report: Report, beside: dict[tuple[str, str, int], int]) -> bool:
    """The excess of the first or last day is all usage of the day before or after, which belongs to another bill."""
    key = pending.cell.key
    for day in (key.start - 1, key.end):
        pieces = beside.get((key.model, key.meter, day))
        if pieces and pending.quantity and pieces == pending.quantity and not pending.slack:
            when = date.fromordinal(day)
            report.add(
                [pending.cell], [pending.amount], "timing", "billing.period",
                f"{pieces:,} of {when}, which belongs to another bill, are billed here: {shown(pending.amount)}",
                quantities=_quantities(pending),
            )  # fmt: skip
            return True
    return False


def _plain(pending: Pending, report: Report) -> None:
    cell, amount = pending.cell, pending.amount
    if not amount:
        return
    theirs, ours = _quantities(pending)
    if pending.quantity is None or pending.slack:
        about = f": as much as about {abs(pending.quantity):,} pieces at our price" if pending.quantity else ""
        cause = "unexplained" if pending.part or cell.parts else "unknown charge"
        why = f"the bill asks {shown(cell.theirs)}, our records give {shown(cell.ours)}{about}"
        if not cell.parts:
            why = f"the bill asks {shown(amount)} for what our records do not have and nothing prices"
        report.add([cell], [amount], cause, _clause(pending), why)
        return
    if not cell.theirs and not cell.groups:
        why = f"{-pending.quantity:,} in our records, none on the bill"
    else:
        way = "more" if pending.quantity > 0 else "fewer"
        shown_counts = "" if theirs is None else f"the bill counts {theirs:,}, our records {ours:,}: "
        price = f" × {shown_price(pending.part.price, pending.part.meter)}" if pending.part else ""
        why = f"{shown_counts}{abs(pending.quantity):,} {way}{price} = {shown(amount)}"
    report.add([cell], [amount], "quantity", _clause(pending), why, quantities=(theirs, ours))


def _quantities(pending: Pending) -> tuple[int | None, int | None]:
    """What both sides count in the cell; theirs is None where the bill does not say."""
    cell = pending.cell
    if not cell.is_fine:
        return None, None
    counts = [group.quantity for group in cell.groups]
    theirs = None if any(count is None for count in counts) else sum(count or 0 for count in counts)
    return theirs, sum(part.quantity for part in cell.billable)


def _clause(pending: Pending) -> str:
    """The term that prices it; of several prices, the section that has them."""
    if not pending.cell.is_fine and len({part.clause for part in pending.cell.parts}) > 1:
        return "prices"
    part = pending.part or next(iter(pending.cell.parts), None)
    return part.clause if part and part.clause else "scope"
