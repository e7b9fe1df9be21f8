"""Grouping in DuckDB: equal to `rating.groups.group`, at the speed of reading the columns.

The statement only groups and sums integers; no money. It reads no column whose value the footers already tell. Context
bands are counted over all thresholds at once, and given to each model afterwards; `instants.py` says how instants are
classed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offtake.rating.groups import BAND_UNKNOWN, Group, Grouped, GroupKey, GroupPlan, order_of
from offtake.store.duplicates import Duplicates, left_out_rows
from offtake.store.engine import Engine, text
from offtake.store.instants import OUTSIDE, Classing, classing
from offtake.store.usage_files import METER_NAMES, PLACED, VIEW, UsageFiles
from offtake.usage.meters import METERS
from offtake.values.errors import OutsideError


def group_usage(run: Engine, files: UsageFiles, plan: GroupPlan, left_out: Duplicates) -> Grouped:
    """The groups of all rows but those left out. OutsideError where the control totals do not agree."""
    sums = _Sums(plan, files)
    by_class = classing(run, plan, files.chunks, files.in_time_order)
    sums.add(run.rows(sums.statement(by_class.relation or VIEW, by_class)), 1)
    _agree(run, files, sums.result)
    if left_out.dropped:
        by_class = classing(run, plan, files.chunks, placed=False)
        sums.add(run.rows(sums.statement(left_out_rows(PLACED), by_class)), -1)
    return sums.grouped()


def total_quantities(run: Engine, meters: tuple[str, ...]) -> tuple[int, dict[str, int]]:
    """Rows, and the sum of each meter above zero, by a plain scan without any grouping."""
    sums = "".join(f", sum({meter})" for meter in meters)
    rows, *totals = run.rows(f"SELECT count(*){sums} FROM {VIEW}")[0]
    return int(rows), {meter: int(total) for meter, total in zip(meters, totals, strict=True) if total}


class _Sums:
    """Groups under way: the rows of a statement are added, or taken away (sign −1) where they are left out."""

    def __init__(self, plan: GroupPlan, files: UsageFiles) -> None:
        self.result = Grouped([])
        self._plan = plan
        self._constants = files.constants
        self._meters = files.meters
        self._bands = _Bands(plan.bands, files.context_max)
        wanted = (*plan.dimensions, "model") if self._bands.thresholds else plan.dimensions
        self._columns = tuple(name for name in dict.fromkeys(wanted) if name not in files.constants)
        self._groups: dict[GroupKey, Group] = {}

    def statement(self, relation: str, by_class: Classing) -> str:
        """One row a group: class, band, columns, tags; rows, requests, and the sum of each meter."""
        tags = (f"tags[{text(tag)}]" for tag in self._plan.tags)
        keys = {f"k{n}": value for n, value in enumerate((by_class.key, self._bands.sql, *self._columns, *tags))}
        requests = "count(*)" if "count" in self._constants else "sum(count)"
        chosen = [f"{value} AS {name}" for name, value in keys.items()]
        chosen += ["count(*)", requests, *(f"sum({meter})" for meter in self._meters)]
        by = ", ".join(name for name, value in keys.items() if not _is_number(value))
        grouping = f"GROUP BY {by}" if by else "HAVING count(*) > 0"
        return f"SELECT {', '.join(chosen)} FROM {relation} {by_class.join} {grouping}"

    def add(self, found: list[tuple[Any, ...]], sign: int) -> None:
        columns, tags = len(self._columns), len(self._plan.tags)
        for slice_key, position, *rest in found:
            read = {**self._constants, **dict(zip(self._columns, rest[:columns], strict=True))}
            rows, requests, *totals = (sign * total for total in rest[columns + tags :])
            self.result.records += rows
            _add(self.result.quantities, self._meters, totals)
            if slice_key == OUTSIDE:
                self.result.outside_term += rows
                continue
            values = (*(read[name] for name in self._plan.dimensions), *rest[columns : columns + tags])
            key = GroupKey(slice_key, self._bands.band(position, read.get("model", "")), values)
            into = self._groups.setdefault(key, Group(key))
            into.rows += rows
            into.count += requests
            _add(into.quantities, self._meters, totals)

    def grouped(self) -> Grouped:
        """The groups in the reference's order, without those that fell to no row and without zeros."""
        present = [group for group in self._groups.values() if group.rows]
        for group in present:
            group.quantities = _above_zero(group.quantities)
        self.result.quantities = _above_zero(self.result.quantities)
        self.result.groups = sorted(present, key=lambda group: order_of(group.key))
        return self.result


class _Bands:
    """Context bands. The statement gives each row a position p: its context exceeds the first p of all thresholds.

    A bucket without a context of its own gets `buckets` + p, with p from all of its input.
    """

    def __init__(self, by_model: Mapping[str, tuple[int, ...]], context_max: int | None) -> None:
        every = sorted({threshold for own in by_model.values() for threshold in own})
        self.thresholds = tuple(t for t in every if context_max is None or t < context_max)
        self._by_model = by_model
        self._buckets = len(self.thresholds) + 1
        self.sql = self._sql(always_known=context_max is not None) if self.thresholds else "0"

    def band(self, position: int, model: str) -> int:
        """The band of a model's row at a position, as `band_of` gives it."""
        in_bucket, exceeded = divmod(position, self._buckets)
        band = sum(threshold in self.thresholds[:exceeded] for threshold in self._by_model.get(model, ()))
        return BAND_UNKNOWN if in_bucket and band else band

    def _sql(self, always_known: bool) -> str:
        known = self._position("context_tokens", 0)
        if always_known:
            return known
        everything = " + ".join(meter.name for meter in METERS if meter.direction == "input" and meter.is_token)
        request, bucket = self._position(everything, 0), self._position(everything, self._buckets)
        return (
            f"CASE WHEN context_tokens IS NOT NULL THEN {known} WHEN grain = 'request' THEN {request} ELSE {bucket} END"
        )

    def _position(self, context: str, base: int) -> str:
        steps = " ".join(f"WHEN {context} <= {t} THEN {base + p}::UTINYINT" for p, t in enumerate(self.thresholds))
        return f"CASE {steps} ELSE {base + len(self.thresholds)}::UTINYINT END"


def _agree(run: Engine, files: UsageFiles, grouped: Grouped) -> None:
    """What came out of the groups is what the files hold: by their own cards or, without these, by a plain sum."""
    if files.cards:
        rows = sum(card.rows for card in files.cards)
        quantities = {name: sum(card.quantities.get(name, 0) for card in files.cards) for name in METER_NAMES}
    else:
        rows, quantities = total_quantities(run, files.meters)
    for name, held, found in (
        ("rows", rows, grouped.records),
        *((name, quantities.get(name, 0), grouped.quantities.get(name, 0)) for name in METER_NAMES),
    ):
        if held != found:
            raise OutsideError(
                "O513",
                f"control totals differ: the files hold {held:,} {name}, the groups {found:,}",
                why="a file was changed while it was read or after it was written, or the engine lost rows",
                hint="import the usage again",
            )


def _is_number(expression: str) -> bool:
    return expression.lstrip("-").isdigit()


def _add(into: dict[str, int], meters: tuple[str, ...], totals: list[int]) -> None:
    for meter, total in zip(meters, totals, strict=True):
        into[meter] = into.get(meter, 0) + total


def _above_zero(quantities: Mapping[str, int]) -> dict[str, int]:
    return {meter: total for meter, total in quantities.items() if total}
