"""Usage files: Parquet with the columns of the usage table, and what their footers say before a row is read.

A file that we wrote carries a card in its footer: its control totals, whether its ids are unique, and the values that
planning needs. A file without a card is read once more for the same answers, so both rate alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from offtake.store.engine import Engine, explained, text
from offtake.usage.meters import METERS
from offtake.usage.schema import COLUMNS, Column
from offtake.values.errors import InputError, OutsideError, Place

METER_NAMES = tuple(meter.name for meter in METERS)
CARD_KEY = "offtake"
VIEW, PLACED = "usage", "usage_placed"
PLACE = ("from_file", "from_line")
"""Two columns beside those of the usage table: where a row was read from. Only temporary files hold them."""
ROW = "table_row"
"""The number of a row among those of all open files: in the order of the files, with gaps between them."""

_IDENTITY = ("id", "used_at", "model", "body_hash")
_UNKNOWN = (None, None, None, None)
_TYPES = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}


@dataclass(frozen=True, slots=True)
class Card:
    """What a file of ours says of itself."""

    rows: int
    quantities: Mapping[str, int]
    unique: bool
    models: tuple[tuple[str, ...], ...]
    workloads: tuple[str, ...]
    tags: tuple[str, ...]
    grains: tuple[str, ...]

    def dumps(self) -> str:
        """As JSON, for the footer."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, separators=(",", ":"), default=dict)

    @classmethod
    def loads(cls, value: str) -> Card:
        """From the footer."""
        read = json.loads(value)
        models = tuple(tuple(row) for row in read["models"])
        values = (tuple(read[name]) for name in ("workloads", "tags", "grains"))
        return cls(read["rows"], read["quantities"], read["unique"], models, *values)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A row group: how many rows, and the instants (µs since 1970) of the first and the last."""

    rows: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class UsageFiles:
    """Open files, visible to the engine as the view `usage`, and as `usage_placed` with each row's place.

    That is `ROW`, `file_row_number` (from 0) and, for messages, `PLACE`: where the row was read from if the file says
    so, and else the file itself and the row's number.

    `constants` are the text columns with one value in all rows, and `count` where it is always 1. `meters` are those
    with a value above zero. `context_max` is None where some row has no context, or the footers do not say it.
    """

    paths: tuple[Path, ...]
    rows: int
    chunks: tuple[Chunk, ...]
    constants: Mapping[str, Any]
    meters: tuple[str, ...]
    context_max: int | None
    cards: tuple[Card, ...] | None

    @property
    def in_time_order(self) -> bool:
        """Whether a row's place follows its time: one file of our own writing."""
        return len(self.paths) == 1 and self.cards is not None

    @property
    def unique(self) -> bool:
        """Whether no id can stand twice: one file, written without duplicates."""
        return len(self.paths) == 1 and self.cards is not None and self.cards[0].unique


def is_usage_file(run: Engine, path: Path) -> bool:
    """Whether we wrote a Parquet file: it has our columns and our card. InputError where it is no Parquet at all.

    What others wrote with our columns is read row by row: nothing says that its counts and body hashes are right.
    """
    ours = set(_IDENTITY) <= set(columns_of(run, path))
    return ours and _cards(run, f"[{text(path)}]", [path]) is not None


def open_usage_files(run: Engine, paths: Sequence[Path]) -> UsageFiles:
    """Check the files and open them as the view `usage`. InputError names the file and what is wrong with it."""
    lacking: dict[str, int] = dict.fromkeys(METER_NAMES, 0)
    unplaced = 0
    for path in paths:
        columns = columns_of(run, path)
        _check(columns, path, lacking)
        unplaced += not columns.keys() >= set(PLACE)
    listed = f"[{', '.join(text(path) for path in paths)}]"
    chosen = ", ".join(_chosen(column, lacking.get(column.name, 0), len(paths)) for column in COLUMNS)
    unified = ", union_by_name = true" if any(lacking.values()) or 0 < unplaced < len(paths) else ""
    own = ("NULL", "NULL") if unplaced == len(paths) else PLACE
    place = f"coalesce({own[0]}, filename) AS {PLACE[0]}, coalesce({own[1]}, file_row_number + 1) AS {PLACE[1]}"
    number = f"file_index::BIGINT << 40 | file_row_number AS {ROW}"
    source = f"read_parquet({listed}, file_row_number = true{unified})"
    run.run(f"CREATE OR REPLACE VIEW {VIEW} AS SELECT {chosen} FROM {source}")
    run.run(f"CREATE OR REPLACE VIEW {PLACED} AS SELECT {chosen}, {place}, {number}, file_row_number FROM {source}")
    facts = _Footers(run, listed)
    chunks = facts.chunks()
    return UsageFiles(
        paths=tuple(paths),
        rows=sum(chunk.rows for chunk in chunks),
        chunks=chunks,
        constants=facts.constants(),
        meters=tuple(name for name in METER_NAMES if lacking[name] < len(paths) and not facts.always_zero(name)),
        context_max=facts.context_max(),
        cards=_cards(run, listed, paths),
    )


class _Footers:
    """Column statistics over all row groups of the files; an absent or inexact one answers 'not known'."""

    def __init__(self, run: Engine, listed: str) -> None:
        run.run(f"CREATE OR REPLACE TABLE footer AS SELECT * FROM parquet_metadata({listed})")
        self._run = run
        self._columns = {
            name: values
            for name, *values in run.rows(
                "SELECT path_in_schema, min(stats_min_value), max(stats_max_value), sum(stats_null_count), "
                "max(TRY_CAST(stats_max_value AS BIGINT)) FROM footer GROUP BY path_in_schema "
                "HAVING bool_and(coalesce(min_is_exact, false) AND coalesce(max_is_exact, false)) "
                "AND count(stats_min_value) = count(*) AND count(stats_max_value) = count(*) "
                "AND count(stats_null_count) = count(*)"
            )
        }

    def constants(self) -> dict[str, Any]:
        """Columns with one value; numbers stand as text in the statistics, which tells equal ones from others."""
        found: dict[str, Any] = {}
        for column in COLUMNS:
            low, high, nulls, _ = self._columns.get(column.name, _UNKNOWN)
            if low is not None and low == high and nulls == 0:
                if column.type == "VARCHAR":
                    found[column.name] = low
                elif column.name == "count" and low == "1":
                    found["count"] = 1
        return found

    def always_zero(self, meter: str) -> bool:
        """A file that lacks the meter has no say in this, as it has none of it."""
        low, high, *_ = self._columns.get(meter, _UNKNOWN)
        return bool(low == high == "0")

    def context_max(self) -> int | None:
        """The largest context, where every row has one."""
        _, _, nulls, largest = self._columns.get("context_tokens", _UNKNOWN)
        return largest if nulls == 0 else None

    def chunks(self) -> tuple[Chunk, ...]:
        """The row groups in the order of the files; InputError for a file that does not say its times."""
        found = self._run.rows(
            "SELECT file_name, row_group_num_rows, epoch_us(TRY_CAST(stats_min_value AS TIMESTAMPTZ)), "
            "epoch_us(TRY_CAST(stats_max_value AS TIMESTAMPTZ)), stats_null_count "
            "FROM footer WHERE path_in_schema = 'used_at' AND row_group_num_rows > 0 ORDER BY file_name, row_group_id"
        )
        for name, _, first, last, nulls in found:
            if nulls:
                raise InputError("U145", "used_at is empty in some rows", where=Place(str(name)))
            if first is None or last is None:
                raise InputError(
                    "U145", "the file keeps no statistics of used_at", where=Place(str(name)),
                    hint="write it again: offtake import FILE --out usage.parquet",
                )  # fmt: skip
        return tuple(Chunk(rows, first, last) for _, rows, first, last, _ in found)


def columns_of(run: Engine, path: Path) -> dict[str, str]:
    """Names and types of the columns. InputError where the file is not Parquet."""
    place = Place(str(path))
    if path.stat().st_size == 0:
        hint = "its writer was cut off: write it again"
        raise InputError("U144", "the Parquet file is empty (0 bytes)", where=place, hint=hint)
    try:
        with explained():
            found = run.connection.execute(f"DESCRIBE SELECT * FROM read_parquet({text(path)})").fetchall()
    except (duckdb.InvalidInputException, OutsideError) as error:
        why = str(error.__cause__ or error).splitlines()[0]
        hint = "fetch or write it again"
        raise InputError("U144", "this is not a readable Parquet file", where=place, why=why, hint=hint) from error
    return {name: kind for name, kind, *_ in found}


def _check(columns: Mapping[str, str], path: Path, lacking: dict[str, int]) -> None:
    for column in COLUMNS:
        kind = columns.get(column.name)
        if kind is None and column.name in lacking:
            lacking[column.name] += 1  # a file from before this meter was known
            continue
        if kind != _TYPES.get(column.type, column.type):
            raise InputError(
                "U145",
                f"column {column.name} is {kind or 'missing'}; the usage table has {column.type}",
                where=Place(str(path)),
                hint="make a usage file of it: offtake import FILE --out usage.parquet",
            )


def _chosen(column: Column, lacking: int, files: int) -> str:
    if not lacking:
        return column.name
    return f"{'0::BIGINT' if lacking == files else f'coalesce({column.name}, 0)'} AS {column.name}"


def _cards(run: Engine, listed: str, paths: Sequence[Path]) -> tuple[Card, ...] | None:
    found = run.rows(f"SELECT decode(value) FROM parquet_kv_metadata({listed}) WHERE decode(key) = {text(CARD_KEY)}")
    return tuple(Card.loads(value) for (value,) in found) if len(found) == len(paths) else None
