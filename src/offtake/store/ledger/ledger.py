"""An open ledger: transactions on its file, blocks appended to its chain, balances of its accounts.

One connection, which threads may share: a transaction holds it from begin to end. Several processes may have the file
open; SQLite lets one write at a time and the others wait for it.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from offtake.ledger.accounts import has_floor
from offtake.ledger.chain import GENESIS, block_hash
from offtake.ledger.lines import line_of
from offtake.ledger.transactions import Postings, below_floor, checked, moved
from offtake.store.ledger.packing import is_packed, new_packer, packed, text_of
from offtake.store.ledger.schema import APPLICATION_ID, MIGRATIONS
from offtake.values.errors import InputError, OutsideError, Place

WAIT_SECONDS = 30
CHECKPOINT_PAGES = 4_000
_NO_BLOCK = (-1, "")


class LedgerError(OutsideError):
    """The ledger refuses a movement, or its file cannot be used."""


class Ledger:
    """Made by `open_ledger`. Amounts in picodollars, instants in microseconds since 1970."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._file = _identity(path)
        self._lock = threading.RLock()
        self._depth = 0
        self._last = _NO_BLOCK
        self._packer = new_packer()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable when the block ends. LedgerError where the file cannot take it."""
        with self._within("BEGIN IMMEDIATE", "COMMIT"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One state of the file for all that is read in the block; who writes does not wait for it."""
        with self._within("BEGIN", "ROLLBACK"):
            yield

    @contextmanager
    def _within(self, begin: str, end: str) -> Iterator[None]:
        """A transaction, or a part of the one that this thread is in."""
        with self._lock, explained(self.path):
            self._depth += 1
            try:
                if self._depth > 1:
                    yield
                    return
                self._undo()  # of one whose own end failed; nothing may be added to it
                self._check_there()
                self._connection.execute(begin)
                yield
                self._connection.execute(end)
            except BaseException:
                self._last = _NO_BLOCK
                if self._depth == 1:
                    self._undo()
                raise
            finally:
                self._depth -= 1

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _check_there(self) -> None:
        """What is written to a file that was moved or deleted would be lost, and SQLite would not say so."""
        found = _identity(self.path)
        if found != self._file:
            what = "is another file than before" if found else "is gone"
            hint = "put the file back, with its -wal; or start the gateway again, if this one is to be used"
            raise LedgerError("L712", f"the ledger {self.path} {what}", hint=hint)

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with self._lock, explained(self.path):
            return self._connection.execute(sql, values).fetchall()

    def each(self, sql: str, *values: object) -> Iterator[tuple[object, ...]]:
        """As `rows`, one by one, for what may not fit in memory; within `reading` it is one state."""
        with explained(self.path):
            cursor = self._connection.execute(sql, values)
        try:
            while True:
                with explained(self.path):
                    row = cursor.fetchone()
                if row is None:
                    return
                yield row
        finally:
            with suppress(sqlite3.ProgrammingError):  # who was interrupted has closed the ledger before
                cursor.close()

    def run(self, sql: str, *values: object) -> int:
        """Run a statement; how many rows it changed."""
        with self._lock, explained(self.path):
            return self._connection.execute(sql, values).rowcount

    def run_each(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        """Run a statement for each row; how many rows they changed together."""
        with self._lock, explained(self.path):
            return self._connection.executemany(sql, rows).rowcount

    def append(self, at: int, lines: Sequence[bytes], postings: Postings, *, keep_floors: bool = False) -> int:
        """Post a block at the end of the chain, within a transaction; gives its number.

        `lines` are those of ledger/lines.py, one by one or several joined by line feeds. The postings sum to zero.
        `keep_floors`: LedgerError where an account would fall below its floor; settlements come without, since what
        was spent is spent.
        """
        amounts = checked(postings)
        ((last,),) = self.rows("SELECT coalesce(max(number), 0) FROM blocks")
        number, previous = int(str(last)) + 1, self._hash_of(int(str(last)))
        self._move(amounts, keep_floors)
        self.run_each("INSERT INTO postings VALUES (?, ?, ?)", [(number, name, str(p)) for name, p in amounts.items()])
        text = b"\n".join(lines)
        digest = block_hash(number, at, previous, text, amounts)
        stored = packed(text, self._packer)
        self.run("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", number, at, stored, previous, digest)
        self._last = number, digest
        return number

    def _hash_of(self, number: int) -> str:
        """The hash of a block. It stands behind the lines, all of which SQLite reads to find it: the last is known."""
        if self._last[0] != number:
            ((digest,),) = self.rows("SELECT hash FROM blocks WHERE number = ?", number) or [(GENESIS,)]
            self._last = number, str(digest)
        return self._last[1]

    def balance(self, account: str) -> int:
        """An account's balance; 0 for one that nothing was posted to."""
        return self.balances([account])[account]

    def balances(self, accounts: Iterable[str]) -> dict[str, int]:
        """The balances of accounts."""
        return {name: pico for name, (pico, _) in self._states(accounts).items()}

    def balances_of(self, prefix: str) -> dict[str, int]:
        """The balances of all accounts whose name begins so."""
        rows = self.rows("SELECT name, pico FROM accounts WHERE name >= ? AND name < ?", prefix, prefix + "\U0010ffff")
        return {str(name): int(str(pico)) for name, pico in rows}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _states(self, accounts: Iterable[str]) -> dict[str, tuple[int, int | None]]:
        """Balance and floor of each account, None where it has no floor."""
        found: dict[str, tuple[int, int | None]] = {name: (0, 0 if has_floor(name) else None) for name in accounts}
        for name, pico, floor in self.rows(
            "SELECT name, pico, floor_pico FROM accounts WHERE name IN (SELECT value FROM json_each(?))",
            json.dumps(list(found)),
        ):
            found[str(name)] = int(str(pico)), None if floor is None else int(str(floor))
        return found

    def _move(self, amounts: Postings, keep_floors: bool) -> None:
        states = self._states(amounts)
        before = {name: pico for name, (pico, _) in states.items()}
        after = moved(before, amounts)
        floors = {name: floor for name, (_, floor) in states.items() if floor is not None}
        broken = below_floor(after, floors, before) if keep_floors else []
        if broken:
            raise LedgerError("L714", f"{broken[0]} would fall below its floor", why="nothing was posted")
        self.run_each(
            "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET pico = excluded.pico",
            [(name, str(pico), None if name not in floors else str(floors[name])) for name, pico in after.items()],
        )


def readable(number: int, stored: object) -> bytes:
    """The lines of a block, joined by line feeds. LedgerError where it is damaged: nothing is left out unsaid."""
    text = text_of(stored)
    if is_packed(text):
        what, hint = f"block {number} of the ledger cannot be read", "`offtake ledger verify` says what is whole"
        raise LedgerError("L733", what, why="it was changed after it was posted", hint=f"{hint}; put back a copy")
    return text


def append_movement(ledger: Ledger, at: int, kind: str, postings: Postings, **facts: object) -> None:
    """A block of one movement of the ledger's own. Loans keep floors: what would break one is not posted."""
    shown = {name: str(value) if name == "pico" else value for name, value in facts.items()}
    line = line_of(json.dumps({"kind": kind, "at": at, **shown}).encode())
    ledger.append(at, [line], postings, keep_floors=kind in ("lend", "give_back", "expire"))


def open_ledger(path: Path, *, create: bool = False, wait_seconds: float = WAIT_SECONDS) -> Ledger:
    """Open a ledger's file and bring its tables up to date. `create`: make it where it is not there.

    `wait_seconds`: so long a transaction waits for that of another process.

    InputError where there is none, or the file is no ledger; LedgerError where it cannot be opened or is of a later
    version.
    """
    if not path.exists() and not create:
        raise InputError(
            "L710",
            f"no ledger at {path}",
            hint="`offtake keys create` and `offtake serve` make one; name it with --store",
        )
    if path.is_dir():
        raise InputError("L710", f"{path} is a folder", hint="a ledger is one file")
    if not create and path.stat().st_size == 0:
        raise InputError("L710", f"{path} is empty", hint="name the gateway's store with --store")
    with explained(path):
        connection = sqlite3.connect(
            path, timeout=wait_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            if create:
                path.chmod(0o600)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return Ledger(connection, path)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the migrations that the file lacks; one that two processes start at once is applied by one of them."""
    if _version(connection, path) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in MIGRATIONS[_version(connection, path) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one of the same name; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    if application != APPLICATION_ID and not empty:
        raise InputError("L710", f"{path} is a database, but no ledger", hint="name the gateway's store with --store")
    if version > len(MIGRATIONS):
        raise LedgerError(
            "L711", f"{path} was written by a later version of offtake", hint="use that version, or a newer one"
        )
    return version


def explained(path: Path) -> AbstractContextManager[None]:
    """SQLite's errors as ours."""
    return _Explained(path)


class _Explained:  # entered for each statement: a generator would take three times as long
    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, sqlite3.Error):
            return
        said = str(error)
        if "not a database" in said or "malformed" in said:
            raise InputError("L710", f"not a ledger: {said}", where=Place(str(self._path))) from error
        hint = "another process holds it; try again" if "locked" in said else "check the disk's room and permissions"
        raise LedgerError("L712", f"the ledger {self._path} cannot be used: {said}", hint=hint) from error
