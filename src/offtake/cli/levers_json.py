"""The JSON document of `offtake levers`. Amounts are of one month; a range has `low` and `high`, alike where known."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from offtake.values.money import quantize

if TYPE_CHECKING:
    from offtake.operations.weigh_levers import LeversOfUsage
    from offtake.operations.weigh_seats import Seats
    from offtake.planner.levers.gate import Position, Standing
    from offtake.planner.levers.pricing import Cost
    from offtake.planner.levers.stack import Step


def document(found: LeversOfUsage | None, seats: Seats | None) -> dict[str, object]:
    """The whole document; a part that was not asked for is null."""
    return {**(_usage(found) if found else {"levers": None}), "seats": _seats(seats) if seats else None}


def _usage(found: LeversOfUsage) -> dict[str, object]:
    weighed = found.weighed
    return {
        "priced_at": found.at,
        "usage": {"first": found.stretch.first, "last": found.stretch.last, "months": str(found.stretch.months)},
        "contract": found.contract,
        "aggregator": asdict(found.aggregator) if found.aggregator else None,
        "catalog": found.catalog_version,
        "currency": found.currency,
        "now": weighed.now,
        "left": _range(weighed.left),
        "levers": {
            "in_use": [asdict(each) for each in weighed.in_use],
            "alone": [_step(step) for step in weighed.alone.values()],
            "stack": [_step(step) for step in weighed.stack],
            "excluded": [asdict(bar) for bar in weighed.bars],
            "unpriced": [{"way": way, "why": why} for way, why in weighed.unpriced],
        },
        "caching": [{**asdict(each.point), "now": each.now, "bounds": _range(each.bounds)} for each in weighed.caching],
        "workloads": [
            {
                "workload": each.workload.name,
                "vendor": each.workload.vendor,
                "model": each.workload.model,
                "quantities": each.workload.quantities,
                "batchable": each.workload.batchable,
                "now": each.now,
                "way": {
                    "model": each.way.model.name,
                    "batch": each.way.batch,
                    "cache": each.way.cache,
                    "aggregator": each.way.shop > 0,
                },
            }
            for each in weighed.running
        ],
        "gates": [_gate(each) for each in weighed.positions],
        "asks": {vendor: [_ask(each) for each in standings] for vendor, standings in weighed.standings.items()},
        "worth": [
            {"asks": each.asks, "vendor": each.vendor, "value": _range(each.value), "assumes": each.assumes}
            for each in weighed.worths
        ],
        "rejected": len(found.usage.rejected),
        "duplicates": found.usage.duplicates,
        "conflicts": found.usage.conflict_count,
    }


def _range(cost: Cost) -> dict[str, object]:
    return {"low": cost.low, "high": cost.high}


def _step(step: Step) -> dict[str, object]:
    return {
        "lever": step.lever,
        "cost": _range(step.cost),
        "saving": _range(step.saving),
        "workloads": step.workloads,
    }


def _gate(each: Position) -> dict[str, object]:
    low, high = each.monthly
    return {
        "vendor": each.vendor,
        "gate": each.gate.gate,
        "left": _range(each.spend),
        "opens_at": {"low": low, "high": high},
        "opens_at_a_year": {"low": quantize(each.gate.low, 2), "high": quantize(each.gate.high, 2)},
        "opening": each.opening,
        "why": each.why,
        "usage_multiple": {"low": each.multiple[0], "high": each.multiple[1]} if each.multiple else None,
        "from": each.gate.start,
        "source": each.gate.source,
        "verified": each.gate.seen,
    }


def _ask(each: Standing) -> dict[str, object]:
    return {
        "id": each.ask.id,
        "ask": each.ask.name,
        "moves": each.ask.moves,
        "gate": each.ask.gate or None,
        "status": each.status,
        "why": each.why,
    }


def _seats(seats: Seats) -> dict[str, object]:
    activity = seats.activity
    return {
        "paid": activity.paid,
        "listed": activity.listed,
        "active": activity.active,
        "active_since": activity.since,
        "idle": activity.idle,
        "unseated": activity.unseated,
        "price": seats.price.amount if seats.price else None,
        "fee": seats.paid_fee,
        "idle_fee": seats.idle_fee,
        "break_even_tokens": seats.break_even,
        "above_break_even": seats.heavy,
        "metered": seats.metered,
    }
