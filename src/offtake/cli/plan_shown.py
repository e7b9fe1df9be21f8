"""A plan on the screen, as JSON and as CSV. The first line is the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from offtake.cli import render
from offtake.values.counting import counted
from offtake.values.money import divide, quantize

if TYPE_CHECKING:
    from offtake.planner.offers.admissible import Rejected
    from offtake.planner.offers.result import BackTest, PlanResult, Sent, Signed

ROWS_SHOWN = 30
ROUTE_COLUMNS = (
    "workload", "can_wait", "today", "channel_today", "offer", "model", "channel", "access", "region", "cache",
    "reserved", "share", "month",
)  # fmt: skip


def answer(found: PlanResult) -> str:
    """The plan in one line: what to sign, what to send where, and what that saves a year."""
    signed = " and ".join(_sign(each, found.currency) for each in found.sign)
    saved = _a_year(found.saving, found.months)
    share = divide(found.saving, found.today) if found.today else Decimal(0)
    head = f"Sign {signed}" if signed else "Sign nothing"
    if saved > 0:
        return (
            f"{head}, route {_route(found)}: saves {render.money(saved, found.currency)} a year ({render.share(share)})"
        )
    if saved == 0:
        return f"{head}, stay with {found.today_name}: no offer on the table saves anything"
    return f"{head}, route {_route(found)}: costs {render.money(-saved, found.currency)} a year more than today"


def _sign(each: Signed, currency: str) -> str:
    if each.committed and f"{each.committed:,.0f}" not in each.level:  # as `--level` names it, it says so itself
        return f"{each.level} at {render.money(each.committed, currency)}"
    return f"{each.level} for {render.money(each.fees, currency)} in fees" if each.fees else each.level


def _route(found: PlanResult) -> str:
    """Offer by offer, with the models where they change."""
    offers = dict.fromkeys(each.offer for each in found.route)
    words = []
    for offer in offers:
        rows = [each for each in found.route if each.offer == offer]
        changed = [each for each in rows if each.way.model != each.today]
        moved = list(dict.fromkeys(each.way.model for each in changed))
        batch = sum(each.way.channel == "batch" != each.channel_today for each in rows)
        count = "all" if len(offers) == 1 else f"{len(rows)} of {len(found.route)}"
        some = f"{len(changed)} of them " if len(changed) < len(rows) else ""
        about = [f"{some}on {', '.join(moved[:3])}"] if moved else []
        about += [f"{batch} moved to batch"] if batch else []
        words.append(f"{count} to {offer}" + (f" ({'; '.join(about)})" if about else ""))
    return ", ".join(words)


def _a_year(amount: Decimal, months: int) -> Decimal:
    return divide(amount * 12, months)


def document(found: PlanResult) -> dict[str, object]:
    """The JSON document. `cost`, `bound` and `gap` are the search's; `rerated` is what the vendors would bill."""
    share = divide(found.saving, found.today) if found.today else Decimal(0)
    search = found.search
    return {
        "answer": answer(found),
        "plan": {"sign": [_signed(each) for each in found.sign], "route": [_sent(each) for each in found.route]},
        "cost": search.objective,
        "bound": search.bound,
        "gap": search.gap,
        "binding": found.binding,
        "rejected": [_rejected(each) for each in found.rejected],
        "rerated": {
            "cost": found.cost,
            "today": found.today,
            "today_is": found.today_name,
            "saving": found.saving,
            "saving_a_year": quantize(_a_year(found.saving, found.months), 2),
            "saving_share": quantize(share, 6),
            "search": search.forecast,
            "difference": found.difference,
            "simplified": found.simplified,
            "bills": [
                {**_fields(each, "offer", "total", "kinds", "by_month"), "list": each.listed}
                for each in found.billed
            ],
        },
        "search": {"solver": search.solver, "paths": search.paths, "stopped": search.stopped},
        "alternatives": [_fields(each, "name", "cost", "more") for each in found.alternatives],
        "waterfall": [_fields(each, "name", "cost", "saving") for each in found.waterfall],
        "demand": [_fields(each, "p10", "p50", "p90") for each in found.bands],
        "sensitivity": [_fields(each, "demand", "plan", "today") for each in found.sensitivity],
        "backtest": _backtest(found.backtest),
        "assumptions": found.assumptions,
        "warnings": found.warnings,
        "currency": found.currency,
        "months": found.months,
        "priced_at": found.priced_at,
        "catalog_version": found.catalog_version,
    }  # fmt: skip


def _fields(row: object, *names: str) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


def _signed(each: Signed) -> dict[str, object]:
    return _fields(each, "offer", "vendor", "file", "level", "committed", "fees", "billed", "binding")


def _sent(each: Sent) -> dict[str, object]:
    way = _fields(each.way, "model", "vendor", "channel", "access", "region", "cache")
    return {
        **_fields(each, "workload", "can_wait", "today", "channel_today", "offer"),
        **way,
        **_fields(each, "reserved", "share", "month"),
    }


def _rejected(each: Rejected) -> dict[str, object]:
    where = str(each.where) if each.where else None
    return {**_fields(each, "offer", "workload", "model", "why", "clause", "relax"), "where": where}


def _backtest(each: BackTest | None) -> dict[str, object] | None:
    if each is None:
        return None
    return {**_fields(each, "plan", "today", "nothing", "relative_cost", "verdict"), "signed": each.signed}


def csv_rows(found: PlanResult) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    """Where everything goes, a row for each part."""
    rows: list[Mapping[str, object]] = [_sent(each) for each in found.route]
    return ROUTE_COLUMNS, [[row[name] for name in ROUTE_COLUMNS] for row in rows]


def show(found: PlanResult) -> None:
    """The answer, what it costs, and why."""
    render.text(answer(found), style="bold")
    render.text()
    render.pairs(_figures(found), title=f"Over {counted(found.months, 'month')}")
    render.text()
    _show_route(found)
    _show_steps(found)
    _show_rejected(found)
    render.text("Taken for granted", style="bold")
    for words in (
        *found.assumptions,
        *(f"simpler in the search than in the bill: {each}" for each in found.simplified),
    ):
        render.text(f"  {words}")


def _figures(found: PlanResult) -> list[tuple[str, str]]:
    def money(amount: Decimal) -> str:
        return render.money(amount, found.currency)

    search = found.search
    rows = [
        (f"today, {found.today_name}", money(found.today)),
        ("the plan, as billed", money(found.cost)),
        ("it saves", f"{money(found.saving)}  {_share(found.saving, found.today)}"),
        (
            "the search said",
            f"{money(search.forecast)}; the bill is {_other(found)}",
        ),
    ]
    whose = ", by the search's account," if found.simplified else ""
    proven = f"no plan{whose} costs less than {money(search.bound)}, gap {render.share(search.gap, 2)}"
    mean = f"over {search.paths:,} futures", f"{money(search.objective)} as the search weighs them; {proven}"
    rows.append(mean if search.paths > 1 else ("how far from the best", proven))
    if search.stopped:
        rows.append(("stopped", "this is the best plan so far"))
    rows += [(f"what holds {vendor}", words) for vendor, words in found.binding.items()]
    if found.backtest:
        test = found.backtest
        bills = f": {money(test.plan)} against {money(test.nothing)} without a signature"
        rows.append(("on your last half", test.verdict + (bills if test.signed else "")))
    else:
        rows.append(("on your last half", found.not_judged))
    return rows


def _other(found: PlanResult) -> str:
    """How the bill differs from the search, and why."""
    if not render.rounded(found.difference, 2).strip("0.-"):
        return "the same"
    why = "by terms named below" if found.simplified else "by roundings"
    more = "more" if found.difference > 0 else "less"
    return f"{render.money(abs(found.difference), found.currency)} {more}, {why}"


def _share(part: Decimal, whole: Decimal) -> str:
    return render.share(divide(part, whole)) if whole else ""


def _show_route(found: PlanResult) -> None:
    rows = [
        (
            (each.workload or "all usage") + (" (can wait)" if each.can_wait else ""), each.today, each.offer,
            each.way.model, each.way.channel, "reserved" if each.reserved else each.way.cache,
            render.share(each.share), render.money(each.month, found.currency),
        )
        for each in found.route
    ]  # fmt: skip
    columns = ("workload", "today", "buy under", "model", "channel", "cache", "share", "a month at its rate card")
    render.table(columns, rows[:ROWS_SHOWN], right=columns[-2:], title="What goes where")
    if len(rows) > ROWS_SHOWN:
        render.text(f"… and {len(rows) - ROWS_SHOWN:,} more; --format csv has all of them")


def _show_steps(found: PlanResult) -> None:
    def money(amount: Decimal) -> str:
        return render.money(amount, found.currency)

    steps = [(each.name, money(each.saving), money(each.cost)) for each in found.waterfall]
    if found.saving:
        render.table(
            ("step", "saves", "left to pay"), steps, right=("saves", "left to pay"), title="From today to the plan"
        )
    if found.alternatives:
        rows = [(each.name, money(each.cost), money(each.more)) for each in found.alternatives]
        render.table(
            ("instead", "costs", "more than the plan"), rows, right=("costs", "more than the plan"), title="Why not"
        )
    factors = [
        (f"{each.demand.normalize():f} ×", money(each.today), money(each.plan), money(each.today - each.plan))
        for each in found.sensitivity
    ]
    columns = ("demand", "today", "the plan", "it saves")
    if any(each.today != each.plan for each in found.sensitivity):
        render.table(columns, factors, right=columns, title="If demand differs")


def _show_rejected(found: PlanResult) -> None:
    """Offers turned away, one row for each reason."""
    reasons: dict[tuple[str, str, str], list[Rejected]] = {}
    for each in found.rejected:
        reasons.setdefault((each.offer, each.why, each.relax), []).append(each)
    if not reasons:
        return
    rows = [
        (offer, _counted([each.workload for each in found_]), why, str(found_[0].where or "—"), relax)
        for (offer, why, relax), found_ in reasons.items()
    ]
    render.table(("offer", "for", "because", "where", "what would change it"), rows[:ROWS_SHOWN], title="Turned away")
    if len(rows) > ROWS_SHOWN:
        render.text(f"… and {len(rows) - ROWS_SHOWN:,} more; --format json has all of them")


def _counted(workloads: Sequence[str]) -> str:
    names = [each for each in dict.fromkeys(workloads) if each]
    if not names:
        return "all"
    return names[0] if len(names) == 1 else f"{len(names)} workloads"
