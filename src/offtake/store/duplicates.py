"""Ids that stand more than once. Equal rows are duplicates: one stays. Rows that differ under one id are a conflict:
none of them stays, because nothing says which one is true.

Ids are compared by 64-bit hash first, in partitions of the hashes that are sorted one at a time, so that memory stays
bounded however long the table is; only rows whose hash repeats are then looked at whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from offtake.store.engine import Engine, text
from offtake.usage.duplicates import Conflict
from offtake.usage.record import UsageRecord
from offtake.usage.schema import NAMES, from_row
from offtake.values.errors import Place

PARTITION_ROWS = 34_000_000  # sorts in some 400 MB
REPORTED_CONFLICTS = 100
REPEATED, DROPPED = "repeated", "dropped"
COLUMNS_READ = ", ".join("epoch_us(used_at)" if name == "used_at" else name for name in NAMES)
"""The columns as `from_row` takes them."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows that are left out: `duplicates` equal another row, `conflicts` share an id with a differing one.

    `reported` are the first conflicts by id. The table `repeated` holds all rows of ids that stand twice, with
    `dropped` saying which of them are left out and `conflict` why.
    """

    duplicates: int = 0
    conflicts: int = 0
    reported: tuple[Conflict, ...] = ()

    @property
    def dropped(self) -> int:
        """All rows that are left out."""
        return self.duplicates + self.conflicts

    def kept(self, table: str) -> str:
        """The relation of the rows of `table` that stay."""
        if not self.dropped:
            return table
        return (
            f"(SELECT * FROM {table} WHERE id NOT IN (SELECT id FROM {REPEATED}) "
            f"UNION ALL BY NAME SELECT * EXCLUDE (dropped, conflict) FROM {REPEATED} WHERE NOT dropped)"
        )


DROPPED_ROWS = f"(SELECT * EXCLUDE (dropped, conflict) FROM {REPEATED} WHERE dropped)"
"""The relation of the rows that are left out."""


def find_duplicates(run: Engine, table: str, rows: int) -> Duplicates:
    """Find the repeated ids of a table or view of usage rows that say their place (`from_file`, `from_line`)."""
    _find_repeated_hashes(run, table, rows)
    if run.rows("SELECT count(*) FROM repeated_hash")[0][0] == 0:
        return Duplicates()
    run.run(
        f"CREATE OR REPLACE TABLE {REPEATED} AS "
        "SELECT * EXCLUDE (nth, copies), conflict OR nth > 1 AS dropped FROM ("
        "SELECT *, row_number() OVER same_id AS nth, count(*) OVER same_id AS copies, "
        "min(body_hash) OVER same_id <> max(body_hash) OVER same_id AS conflict "
        f"FROM {table} WHERE hash(id) IN (SELECT h FROM repeated_hash) "
        "WINDOW same_id AS (PARTITION BY id)) WHERE copies > 1"
    )
    conflicts, dropped = run.rows(f"SELECT count(*) FILTER (conflict), count(*) FILTER (dropped) FROM {REPEATED}")[0]
    return Duplicates(dropped - conflicts, conflicts, _first_conflicts(run) if conflicts else ())


def read_conflicts(run: Engine, found: Duplicates) -> Iterator[UsageRecord]:
    """All rows that stand in conflict, by id."""
    if found.conflicts:
        columns = f"{COLUMNS_READ}, from_file, from_line"
        for row in run.stream(f"SELECT {columns} FROM {REPEATED} WHERE conflict ORDER BY id, from_file, from_line"):
            *values, file, line = row
            yield replace(from_row(values), where=_place(file, line))


def _find_repeated_hashes(run: Engine, table: str, rows: int) -> None:
    """Fill the table `repeated_hash`: hashes whose first bits stand twice in order are looked at whole."""
    spilled = run.folder / "hashes.parquet"
    run.run(
        f"COPY (SELECT hash(id) AS h FROM {table}) TO {text(spilled)} "
        "(FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1)"
    )
    hashes = f"read_parquet({text(spilled)})"
    run.run("CREATE OR REPLACE TABLE repeated_bits (bits UBIGINT)")
    width = -(-(1 << 64) // max(1, -(-rows // PARTITION_ROWS)))
    for first in range(0, 1 << 64, width):
        last = min(first + width, 1 << 64) - 1
        _add_neighbours(run, f"SELECT h FROM {hashes} WHERE h BETWEEN {first} AND {last}")
    run.run(
        f"CREATE OR REPLACE TABLE repeated_hash AS SELECT h FROM {hashes} "
        "WHERE h >> 16 IN (SELECT bits FROM repeated_bits) GROUP BY h HAVING count(*) > 1"
    )
    spilled.unlink()


def _add_neighbours(run: Engine, hashes: str) -> None:
    """Sort the first 48 bits, and keep those that stand twice.

    A key of 32 and 16 bits with their null flags is eight bytes, which the engine sorts by themselves; one of 64 bits
    takes sixteen: twice the memory and a third more time.
    """
    halves = f"SELECT (h >> 32)::UINTEGER AS high, (h >> 16 & 65535)::USMALLINT AS low FROM ({hashes})"
    run.run(
        "INSERT INTO repeated_bits SELECT DISTINCT high::UBIGINT << 16 | low FROM "
        "(SELECT high, low, lag(high) OVER () AS high_before, lag(low) OVER () AS low_before "
        f"FROM ({halves} ORDER BY high, low)) WHERE high = high_before AND low = low_before"
    )


def _first_conflicts(run: Engine) -> tuple[Conflict, ...]:
    """The first conflicts by id, each as `usage.duplicates.conflict_of` gives it."""
    first_ids = f"SELECT DISTINCT id FROM {REPEATED} WHERE conflict ORDER BY id LIMIT {REPORTED_CONFLICTS}"
    placed = (
        "SELECT id, {file: from_file, line: from_line} AS place, "
        "body_hash <> first_value(body_hash) OVER by_place AS other "
        f"FROM {REPEATED} WHERE conflict AND id IN ({first_ids}) "
        "WINDOW by_place AS (PARTITION BY id ORDER BY from_file, from_line)"
    )
    found = run.rows(
        f"SELECT id, min(place), min(place) FILTER (other), count(*) FROM ({placed}) GROUP BY id ORDER BY id"
    )
    return tuple(Conflict(id_, _place(**first), _place(**second), rows) for id_, first, second, rows in found)


def _place(file: str | None, line: int | None) -> Place | None:
    return None if file is None else Place(file, line)
