"""Ids that stand more than once. Equal rows are duplicates: one stays. Rows that differ under one id are a conflict:
none of them stays, because nothing says which one is true.

Ids are compared by 64-bit hash first, in partitions of the hashes that are sorted one at a time, so that memory stays
bounded however long the table is. Rows whose hash repeats are then decided on by id, in partitions again and on three
narrow columns: where an export is given twice, that is every row. What is left out is one bit a row in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from offtake.store.engine import Engine, text
from offtake.store.usage_files import ROW
from offtake.usage.duplicates import Conflict
from offtake.usage.record import UsageRecord
from offtake.usage.schema import NAMES, from_row
from offtake.values.errors import Place

PARTITION_ROWS = 34_000_000  # sorts in some 400 MB
DECIDED_ROWS = 2_500_000  # their ids, grouped, stand in some 200 MB
REPORTED_CONFLICTS = 100
LEFT_OUT = "left_out"
SIEVE = "SELECT h >> 44 AS word, bit_or(1::UBIGINT << (h >> 38 & 63)) AS bits FROM repeated_hash GROUP BY word"
"""Repeated hashes by their first 26 bits, one bit each: 32 MB at most, however many there are. Some others pass too."""
UNCOMPRESSED = "(FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1)"
COLUMNS_READ = ", ".join("epoch_us(used_at)" if name == "used_at" else name for name in NAMES)
"""The columns as `from_row` takes them."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows that are left out: `duplicates` equal another row, `conflicts` share an id with a differing one.

    `reported` are the first conflicts by id. Which rows are left out stands in the table `left_out`: each `word` of 64
    rows with the bits of those that are `dropped`, and of those in `conflict`.
    """

    duplicates: int = 0
    conflicts: int = 0
    reported: tuple[Conflict, ...] = ()

    @property
    def dropped(self) -> int:
        """All rows that are left out."""
        return self.duplicates + self.conflicts

    def kept(self, table: str) -> str:
        """The relation of the rows that stay, of the table in which these were found."""
        if not self.dropped:
            return table
        kept = f"NOT {_bit('coalesce(dropped, 0)', ROW)}"
        return f"(SELECT every.* FROM {table} AS every LEFT JOIN {LEFT_OUT} ON {ROW} >> 6 = word WHERE {kept})"


def left_out_rows(table: str, why: str = "dropped") -> str:
    """The relation of the rows of a table that are `dropped`, or of those in `conflict`."""
    return f"(SELECT every.* FROM {table} AS every JOIN {LEFT_OUT} ON {ROW} >> 6 = word WHERE {_bit(why, ROW)})"


def find_duplicates(run: Engine, table: str, rows: int) -> Duplicates:
    """Find the repeated ids of a relation of usage rows, numbered (`ROW`), that say their place (`PLACE`)."""
    _find_repeated_hashes(run, table, rows)
    if run.rows("SELECT count(*) FROM repeated_hash")[0][0] == 0:
        return Duplicates()
    _find_left_out(run, table)
    dropped, conflicts = run.rows(f"SELECT sum(bit_count(dropped)), sum(bit_count(conflict)) FROM {LEFT_OUT}")[0]
    if not dropped:
        return Duplicates()  # different ids met in one hash
    return Duplicates(int(dropped - conflicts), int(conflicts), _first_conflicts(run, table) if conflicts else ())


def read_conflicts(run: Engine, table: str, found: Duplicates) -> Iterator[UsageRecord]:
    """All rows of the table that stand in conflict, by id."""
    if found.conflicts:
        columns, rows = f"{COLUMNS_READ}, from_file, from_line", left_out_rows(table, "conflict")
        for row in run.stream(f"SELECT {columns} FROM {rows} ORDER BY id, from_file, from_line"):
            *values, file, line = row
            yield replace(from_row(values), where=_place(file, line))


def _find_repeated_hashes(run: Engine, table: str, rows: int) -> None:
    """Fill the table `repeated_hash`: hashes whose first bits stand twice in order are looked at whole."""
    spilled = run.folder / "hashes.parquet"
    run.run(f"COPY (SELECT hash(id) AS h FROM {table}) TO {text(spilled)} {UNCOMPRESSED}")
    hashes = f"read_parquet({text(spilled)})"
    run.run("CREATE OR REPLACE TABLE repeated_bits (bits UBIGINT)")
    for first, last in _ranges(rows, PARTITION_ROWS):
        _add_neighbours(run, f"SELECT h FROM {hashes} WHERE h BETWEEN {first} AND {last}")
    repeated = run.rows("SELECT count(*) FROM repeated_bits")[0][0]
    run.run("CREATE OR REPLACE TABLE repeated_hash (h UBIGINT)")
    for first, last in _ranges(repeated, DECIDED_ROWS) if repeated else ():
        bits = f"SELECT bits FROM repeated_bits WHERE bits BETWEEN {first >> 16} AND {last >> 16}"
        run.run(
            f"INSERT INTO repeated_hash SELECT h FROM {hashes} WHERE h BETWEEN {first} AND {last} "
            f"AND h >> 16 IN ({bits}) GROUP BY h HAVING count(*) > 1"
        )
    run.run("DROP TABLE repeated_bits")
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


def _find_left_out(run: Engine, table: str) -> None:
    """Fill the table `left_out` from the rows whose hash repeats, and `first_conflict` with the ids to report."""
    spilled = run.folder / "repeated.parquet"
    run.run(f"CREATE OR REPLACE TABLE sieve AS {SIEVE}")
    run.run("DROP TABLE repeated_hash")
    narrow = f"SELECT hash(id) AS h, id, body_hash, {ROW} FROM {table}"
    sieved = f"FROM ({narrow}) JOIN sieve ON h >> 44 = word WHERE {_bit('bits', 'h >> 38')}"
    rows = run.rows(f"COPY (SELECT * EXCLUDE (word, bits) {sieved}) TO {text(spilled)} {UNCOMPRESSED}")[0][0]
    run.run("CREATE OR REPLACE TABLE dropped_row (number BIGINT, conflict BOOLEAN)")
    run.run("CREATE OR REPLACE TABLE first_conflict (id VARCHAR)")
    for first, last in _ranges(rows, DECIDED_ROWS):
        _drop_rows(run, f"(SELECT * FROM read_parquet({text(spilled)}) WHERE h BETWEEN {first} AND {last})")
    spilled.unlink()
    run.run(
        f"CREATE OR REPLACE TABLE {LEFT_OUT} AS SELECT number >> 6 AS word, bit_or(bit) AS dropped, "
        "bit_or(CASE WHEN conflict THEN bit ELSE 0 END) AS conflict "
        "FROM (SELECT *, 1::UBIGINT << (number & 63) AS bit FROM dropped_row) GROUP BY word"
    )
    run.run("DROP TABLE dropped_row")


def _drop_rows(run: Engine, rows: str) -> None:
    """Add all rows of an id but the first to `dropped_row`, and that too where they differ."""
    run.run(
        f"CREATE OR REPLACE TABLE decided AS SELECT id, min({ROW}) AS first, "
        f"min(body_hash) <> max(body_hash) AS conflict FROM {rows} GROUP BY id HAVING count(*) > 1"
    )
    run.run(
        f"INSERT INTO dropped_row SELECT {ROW}, conflict FROM {rows} JOIN decided USING (id) "
        f"WHERE conflict OR {ROW} <> first"
    )
    run.run(f"INSERT INTO first_conflict SELECT id FROM decided WHERE conflict ORDER BY id LIMIT {REPORTED_CONFLICTS}")
    run.run("DROP TABLE decided")


def _bit(bits: str, number: str) -> str:
    """Whether a number's bit is set in the word of 64 that it falls into."""
    return f"(({bits} >> ({number} & 63)) & 1 = 1)"


def _ranges(rows: int, rows_each: int) -> Iterator[tuple[int, int]]:
    """First and last hash of each partition of `rows` hashes."""
    width = -(-(1 << 64) // max(1, -(-rows // rows_each)))
    return ((first, min(first + width, 1 << 64) - 1) for first in range(0, 1 << 64, width))


def _first_conflicts(run: Engine, table: str) -> tuple[Conflict, ...]:
    """The first conflicts by id, each as `usage.duplicates.conflict_of` gives it."""
    placed = (
        "SELECT id, {file: from_file, line: from_line} AS place, "
        "body_hash <> first_value(body_hash) OVER by_place AS other "
        f"FROM {table} WHERE id IN (SELECT id FROM first_conflict ORDER BY id LIMIT {REPORTED_CONFLICTS}) "
        "WINDOW by_place AS (PARTITION BY id ORDER BY from_file, from_line)"
    )
    found = run.rows(
        f"SELECT id, min(place), min(place) FILTER (other), count(*) FROM ({placed}) GROUP BY id ORDER BY id"
    )
    return tuple(Conflict(id_, _place(**first), _place(**second), rows) for id_, first, second, rows in found)


def _place(file: str | None, line: int | None) -> Place | None:
    return None if file is None else Place(file, line)
