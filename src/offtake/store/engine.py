"""DuckDB as we use it: private, bounded, off the network, and with errors that a person can act on."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb

from offtake.store.files import temporary_folder
from offtake.values.errors import OutsideError

MEMORY_MB = 512
"""What the engine may hold before it spills to disk: a command stays below 1 GiB with Python and its own buffers."""

INTERRUPTED = "Query interrupted"

Handler = Callable[[int, FrameType | None], object]


@dataclass(frozen=True, slots=True)
class Limits:
    """`threads` None means all cores; `temporary` is where spilled data goes (the system's place by default)."""

    threads: int | None = None
    memory_mb: int = MEMORY_MB
    temporary: Path | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """A private in-memory database, and the folder that its spilled data and ours lie in. Both go at the end."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """A statement without a result."""
        with _statement(self.connection):
            self.connection.execute(sql, values)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query whose result is small."""
        with _statement(self.connection):
            return self.connection.execute(sql, values).fetchall()

    def append(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a table, all or none."""
        with explained():
            appender = self.connection.appender(table)
            try:
                appender.append_rows(rows)
                appender.flush()
            except BaseException:
                appender.clear()
                raise

    def stream(self, sql: str, batch_rows: int = 5_000) -> Iterator[tuple[Any, ...]]:
        """The rows of a query of any size, on a cursor of their own."""
        cursor = self.connection.cursor()
        try:
            with _statement(cursor):
                batch = cursor.execute(sql).fetchmany(batch_rows)
            while batch:
                yield from batch
                with _statement(cursor):
                    batch = cursor.fetchmany(batch_rows)
        finally:
            cursor.close()


@contextmanager
def engine(limits: Limits | None = None) -> Iterator[Engine]:
    """An engine for one operation."""
    limits = limits or Limits()
    with explained(), temporary_folder(limits.temporary) as folder:
        connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{limits.memory_mb}MB",
                "temp_directory": str(folder),
                "autoinstall_known_extensions": "false",  # never a download behind the user's back
                **({"threads": str(limits.threads)} if limits.threads else {}),
            },
        )
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")  # progress is the face's to show
            # It splits an ORDER BY by row groups into tens of scans at once, far beyond the memory limit.
            connection.execute("SET disabled_optimizers = 'partitioned_execution'")
            yield Engine(connection, folder)
        finally:
            connection.close()


@contextmanager
def _statement(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One statement: its errors are explained, and Ctrl-C ends it on every thread.

    DuckDB alone ends it on the thread that was asked, and waits for the others to end their part of the query.
    """
    before = signal.getsignal(signal.SIGINT)
    with explained():
        if not callable(before) or threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.signal(signal.SIGINT, _stopping(connection, before))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def _stopping(connection: duckdb.DuckDBPyConnection, before: Handler) -> Handler:
    """A signal's handler that does as the one before, and stops the connection's statement where that one raises."""

    def told(number: int, frame: FrameType | None) -> None:
        try:
            before(number, frame)
        except BaseException:
            connection.interrupt()
            raise

    return told


@contextmanager
def explained() -> Iterator[None]:
    """What fails in the world outside (disk, memory, the engine) as an `OutsideError`; a bug stays what it is."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except RuntimeError as error:  # how DuckDB's Python client says that Ctrl-C stopped a statement
        if str(error) != INTERRUPTED:
            raise
        raise KeyboardInterrupt from error
    except duckdb.OutOfMemoryException as error:
        raise OutsideError(
            "O511", "the work does not fit in the memory and temporary disk space it was given", why=_first_line(error),
            hint="free some disk space, or set TMPDIR to a larger disk",
        ) from error  # fmt: skip
    except (duckdb.IOException, OSError) as error:
        if "No space left on device" in str(error):
            raise OutsideError(
                "O510", "the disk is full", why=_file_in(error),
                hint="free some space; TMPDIR says where temporary files go, --out where the result goes",
            ) from error  # fmt: skip
        raise OutsideError("O510", "a file could not be read or written", why=_first_line(error)) from error


def text(value: str | Path) -> str:
    """A SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def _file_in(error: Exception) -> str:
    """The file that an error speaks of, if it names one."""
    found = re.search(r'file \\?"([^"\\]+)', str(error))
    return f"while writing {found[1]}" if found else ""


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
