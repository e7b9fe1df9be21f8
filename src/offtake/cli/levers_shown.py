"""The tables of `offtake levers`: the answer first, then each lever, what is closed and why, gates, asks, seats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from offtake.cli import render
from offtake.values.money import divide, quantize

if TYPE_CHECKING:
    from offtake.operations.weigh_levers import LeversOfUsage
    from offtake.operations.weigh_seats import Seats
    from offtake.planner.levers.pricing import Cost
    from offtake.planner.levers.stack import Step
    from offtake.planner.levers.weigh import Caching, Weighed

NEEDS = {
    "batch": "--batchable SHARE says what may wait a day",
    "cache": "--cache-read SHARE says what a cache would serve; `offtake cache` measures it where prefixes are known",
    "route": "--admissible MODEL names a cheaper model that passes your evaluation",
    "aggregator": "--aggregator FILE is its rate card",
}
STATUSES: dict[str, str] = {
    "open": "open",
    "between": "perhaps",
    "closed": "closed",
    "rarely": "rarely moves",
    "never": "never moves",
    "tactic": "your own move",
}
COUNTED = {**STATUSES, "rarely": "rarely move", "never": "never move", "tactic": "your own moves"}


def rows(found: LeversOfUsage | None, seats: Seats | None) -> tuple[Sequence[str], list[list[object]]]:
    """The levers as CSV, alone and stacked; of a roster alone, its figures."""
    if found is None:
        names = ("paid", "listed", "active", "idle", "unseated")
        activity = seats.activity if seats else None
        return (*names, "fee", "idle_fee"), [
            [*(getattr(activity, name) for name in names), seats and seats.paid_fee, seats and seats.idle_fee]
        ]
    columns = ("how", "lever", "cost_low", "cost_high", "saving_low", "saving_high", "workloads")
    steps = [("alone", step) for step in found.weighed.alone.values()]
    steps += [("stack", step) for step in found.weighed.stack]
    return columns, [
        [how, step.lever, step.cost.low, step.cost.high, step.saving.low, step.saving.high, step.workloads]
        for how, step in steps
    ]


def show(found: LeversOfUsage | None, seats: Seats | None, asks: bool) -> None:
    """Everything, on stdout."""
    if found:
        _show_answer(found)
        _show_levers(found)
        _show_reasons(found)
        _show_gates(found)
        _show_asks(found.weighed, asks)
    if seats:
        _show_seats(seats)


def _show_answer(found: LeversOfUsage) -> None:
    weighed, currency, stretch = found.weighed, found.currency, found.stretch
    saved = weighed.now - weighed.left.high
    at_least = "" if weighed.left.exact else "at least "
    share = f"{at_least}{render.share(_ratio(saved, weighed.now))} less" if saved > 0 else "no less"
    now = f"A month costs {render.money(weighed.now, currency)} now"
    left = f"levers that need no contract leave {_cost(weighed.left, currency)} ({share})"
    nothing = "no lever can be pulled yet, and what each needs stands below"
    render.text(f"{now}; {left if weighed.alone or weighed.stack[0].workloads else nothing}.", style="bold")
    of = f"{found.contract} prices" if found.contract != "list" else "list prices"
    render.text(
        f"The usage of {stretch.first:%Y-%m-%d} to {stretch.last:%Y-%m-%d} {stretch.words}, "
        f"at {of} of {found.at:%Y-%m-%d}."
    )
    for each in weighed.in_use:
        written = f", {render.share(each.written)} written" if each.written is not None else ""
        what = "of the tokens" if each.lever == "batch" else "of the text input read"
        saves = f"{'saves' if each.saving >= 0 else 'costs'} {render.money(each.saving.copy_abs(), currency)}"
        render.text(
            f"In use already: {each.lever} ({render.share(each.share)} {what}{written}), which {saves} a month."
        )
    render.text()


def _show_levers(found: LeversOfUsage) -> None:
    weighed, currency = found.weighed, found.currency
    stacked = {step.lever: step for step in weighed.stack}
    names = dict.fromkeys([*stacked, *weighed.alone])
    cells = [("now", "", "", _money(weighed.now, currency), "")]
    for name in names:
        single, step = weighed.alone.get(name), stacked.get(name)
        cells.append((name, *_pair(single, currency), *_pair(step, currency)))
    columns = ("lever", "alone", "saves", "stacked", "saves more")
    render.table(columns, cells, right=columns[1:], title="The levers that need no contract, a month")


def _pair(step: Step | None, currency: str) -> tuple[str, str]:
    if step is None or not step.workloads:
        return "–", "–"
    return _cost(step.cost, currency), _cost(step.saving, currency)


def _show_reasons(found: LeversOfUsage) -> None:
    weighed = found.weighed
    said = [f"not possible: {bar.lever} at {bar.vendor}: {bar.why} [{bar.source}]" for bar in weighed.bars]
    reasons = {why: way for way, why in reversed(weighed.unpriced)}
    said += [f"no price: {way}: {why}" for why, way in reasons.items()]
    known = {bar.lever for bar in weighed.bars} | set(weighed.alone) | ({"aggregator"} if found.aggregator else set())
    said += [f"{name}: {needs}" for name, needs in NEEDS.items() if name not in known]
    said += list(_idle(weighed))
    if found.aggregator and "aggregator" in weighed.alone:
        uptime = "an uptime" if found.aggregator.promises_uptime else "no uptime"
        said.append(
            f"aggregator: {found.aggregator.contract}, at its prices of {found.aggregator.at:%Y-%m-%d}, "
            f"promises {uptime}; its hop adds some 20 to 80 ms at p95, which no invoice shows"
        )
    said += [_where_caching_pays(each, found) for each in weighed.caching]
    for words in said:
        render.text(f"  {words}")
    if said:
        render.text()


def _idle(weighed: Weighed) -> Iterator[str]:
    """The levers that move something alone and nothing on top of the ones above."""
    rerouted = any(each.way.model.name != each.workload.model for each in weighed.running)
    for step in weighed.stack:
        if not step.workloads and step.lever in weighed.alone:
            if step.lever == "route" and rerouted:
                yield "route: pays only together with the aggregator"
            elif weighed.alone[step.lever].saving.low <= 0:
                yield f"{step.lever}: left out of the stack, because at its worse end it saves nothing here"
            else:
                yield f"{step.lever}: pays only alone, not on top of the others"


def _where_caching_pays(each: Caching, found: LeversOfUsage) -> str:
    point, currency = each.point, found.currency
    if point.read_share is None or point.reads_per_write is None:
        return f"caching never pays on {point.model}: a read costs as much as plain input"
    words = (
        f"caching pays on {point.model} when over {render.share(point.read_share, 2)} of the input is read back, or a "
        f"{point.ttl} write is read more than {point.reads_per_write} times"
        if point.read_share
        else f"caching costs nothing on {point.model}: there is no premium on writes, and each read saves"
    )
    if "cache" in found.weighed.alone:
        return words
    ends = f"all of it read {_money(each.bounds.low, currency)}, all written {_money(each.bounds.high, currency)}"
    return f"{words}; {ends} instead of {_money(each.now, currency)}"


def _show_gates(found: LeversOfUsage) -> None:
    currency = found.currency
    cells = []
    for each in found.weighed.positions:
        gate = " … ".join(dict.fromkeys(render.money(end, currency, 0) for end in each.monthly))
        grow = "–"
        if each.multiple and each.opening != "open":
            grow = " … ".join(dict.fromkeys(f"{multiple}×" for multiple in each.multiple))
        left = " … ".join(dict.fromkeys(render.money(end, currency, 0) for end in (each.spend.low, each.spend.high)))
        cells.append((each.vendor, left, each.gate.gate.replace("_", " "), gate, STATUSES[each.opening], grow))
    columns = ("vendor", "left", "gate", "opens at", "it is", "must grow")
    title = "Who negotiates at what is left after batch, caching and routing, a month"
    render.table(columns, cells, right=("left", "opens at", "must grow"), title=title)
    sources = dict.fromkeys(
        (each.gate.gate, each.gate.start, each.gate.source, each.gate.seen) for each in found.weighed.positions
    )
    for gate, start, source, seen in sources:
        verified = f"seen {seen}" if seen else "not verified with the vendor"
        render.text(f"  {gate.replace('_', ' ')}: from {start}, {verified}: {source}")
    for worth in found.weighed.worths:
        value = _cost(worth.value, currency)
        render.text(f"  {', '.join(worth.asks)} at {worth.vendor}: {value} a month, if {worth.assumes}")
    render.text()


def _show_asks(weighed: Weighed, every: bool) -> None:
    vendors = list(weighed.standings)
    if every:
        together = zip(*weighed.standings.values(), strict=True)
        cells = [
            (each[0].ask.id, each[0].ask.name, *(STATUSES[one.status] for one in each), each[0].why)
            for each in together
        ]
        render.table(("ask", "what", *vendors, "why"), cells, title="The asks")
        return
    for vendor in vendors:
        counts = Counter[str](each.status for each in weighed.standings[vendor])
        words = ", ".join(f"{counts[status]} {shown}" for status, shown in COUNTED.items() if counts[status])
        render.text(f"Asks at {vendor}: {words}. (--asks shows each)")
    first = weighed.standings[vendors[0]] if vendors else ()
    for each in first:
        if each.ask.id.startswith("NN-"):
            render.text(f"  never moves: {each.ask.name}: {each.why}")
    render.text()


def _show_seats(seats: Seats) -> None:
    activity = seats.activity
    idle = f", {render.count(activity.idle)} idle" if activity.idle else ""
    unseated = f", {render.count(activity.unseated)} active without one" if activity.unseated else ""
    render.text(
        f"Seats: {render.count(activity.paid)} paid, "
        f"{render.count(activity.active)} of {render.count(activity.listed)} "
        f"people active since {activity.since}{idle}{unseated}.",
        style="bold",
    )
    if seats.price and seats.paid_fee is not None and seats.idle_fee is not None:
        currency = seats.price.currency
        render.text(
            f"  {_money(seats.paid_fee, currency)} a month, of which {_money(seats.idle_fee, currency)} for idle seats"
        )
    if seats.price and seats.break_even is not None:
        render.text(
            f"  A seat at {seats.price} pays from {render.count(seats.break_even)} tokens a person and month, "
            "at the price and mix of this usage"
        )
    if seats.heavy is not None:
        render.text(
            f"  {render.count(seats.heavy)} of {render.count(seats.metered)} people whose tokens are known use as many"
        )


def _cost(cost: Cost, currency: str) -> str:
    ends = dict.fromkeys((_money(cost.low, currency), _money(cost.high, currency)))
    return " … ".join(ends)


def _money(amount: Decimal, currency: str) -> str:
    return render.money(amount, currency)


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return quantize(divide(part, whole), 4) if whole else Decimal(0)
