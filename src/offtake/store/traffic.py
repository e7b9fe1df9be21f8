"""Observed traffic in DuckDB: equal to `planner.profile.traffic.observe`, at the speed of reading the columns.

The statements only group, count and sum integers; each reads the few columns that it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from offtake.planner.profile.traffic import CAN_WAIT, LATENCY_TAG, SIZE_BITS, Band, Form, Traffic
from offtake.store.engine import Engine, text
from offtake.store.microseconds import to_instant
from offtake.store.usage_files import METER_NAMES
from offtake.usage.meters import METERS
from offtake.usage.record import COUNT_MAX

FORM = ", ".join(Form.__slots__)
FORM_COLUMNS = len(Form.__slots__)
HOUR_US = 3_600_000_000

_TOKENS = [meter for meter in METERS if meter.is_token and not meter.inside]
INPUT = f"({' + '.join(meter.name for meter in _TOKENS if meter.direction == 'input')})"
OUTPUT = f"({' + '.join(meter.name for meter in _TOKENS if meter.direction == 'output')})"
WAITS = f"lower(tags[{text(LATENCY_TAG)}]) IN ({', '.join(map(text, sorted(CAN_WAIT)))})"
ONE_REQUEST = "grain = 'request' AND count = 1"
LARGEST_BITS = (len(_TOKENS) * COUNT_MAX).bit_length()


def observe_usage(run: Engine, relation: str, thresholds: Sequence[int]) -> tuple[Traffic, ...]:
    """The traffic of a relation of usage rows, sorted by form; `thresholds` ascending."""
    found: dict[Form, Traffic] = {}
    sums = ", ".join(f"sum({name})" for name in METER_NAMES)
    chosen = (
        f"{_band(thresholds)} AS band, outcome, min(epoch_us(used_at)), max(epoch_us(used_at)), "
        f"bool_or(grain = 'day'), coalesce(sum(count) FILTER (WHERE {WAITS}), 0), sum(count), {sums}"
    )
    for form, (band, outcome, first, last, daily, waiting, requests, *totals) in _by_form(
        run, chosen, f"FROM {relation}", "band, outcome"
    ):
        start, end = to_instant(first), to_instant(last)
        traffic = found.setdefault(form, Traffic(form, start, end, tuple(thresholds)))
        traffic.first, traffic.last = min(traffic.first, start), max(traffic.last, end)
        traffic.daily |= daily
        traffic.waiting += int(waiting)
        traffic.outcomes[outcome] += int(requests)
        _add(traffic, int(band), int(requests), totals)
    hours = f"epoch_us(used_at) // {HOUR_US} AS hour, sum({INPUT} + {OUTPUT})"
    for form, (hour, tokens) in _by_form(run, hours, f"FROM {relation}", "hour"):
        found[form].hours[hour] += int(tokens)
    for form, (size, requests, tokens) in _sizes(run, relation, INPUT):
        found[form].inputs[int(size)] += requests
        found[form].sized_tokens += int(tokens)
    for form, (size, requests, _) in _sizes(run, relation, OUTPUT):
        found[form].outputs[int(size)] += requests
    return tuple(found[form] for form in sorted(found))


def _by_form(run: Engine, chosen: str, source: str, also: str) -> Iterator[tuple[Form, list[Any]]]:
    for row in run.stream(f"SELECT {FORM}, {chosen} {source} GROUP BY {FORM}, {also}"):
        yield Form(*row[:FORM_COLUMNS]), list(row[FORM_COLUMNS:])


def _sizes(run: Engine, relation: str, tokens: str) -> Iterator[tuple[Form, list[Any]]]:
    chosen = f"{_size(tokens)} AS size, count(*), sum({tokens})"
    return _by_form(run, chosen, f"FROM {relation} WHERE {ONE_REQUEST}", "size")


def _size(tokens: str) -> str:
    """As `size_of`: the leading bits, by how long the number is."""
    longer = range(1, LARGEST_BITS - SIZE_BITS + 1)
    steps = (f"WHEN {tokens} < {1 << (SIZE_BITS + n)} THEN (({tokens}) >> {n}) << {n}" for n in longer)
    return f"CASE WHEN {tokens} < {1 << SIZE_BITS} THEN {tokens} {' '.join(steps)} END"


def _band(thresholds: Sequence[int]) -> str:
    """How many of the thresholds the context exceeds; the mean context stands for a row of several requests."""
    context = f"coalesce(context_tokens, {INPUT} // greatest(1, count))"
    return " + ".join(f"({context} > {threshold})::INTEGER" for threshold in thresholds) or "0"


def _add(traffic: Traffic, number: int, requests: int, totals: Sequence[int]) -> None:
    band = traffic.bands.setdefault(number, Band())
    for part in (traffic, band):
        part.requests += requests
        for name, total in zip(METER_NAMES, totals, strict=True):
            if total:
                part.quantities[name] = part.quantities.get(name, 0) + int(total)
