"""What a gateway's files hold, for tests that look for what must not stand there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from offtake.store.ledger.packing import text_of


def held(file: Path) -> bytes:
    """The bytes of a file, of a ledger the lines of its blocks too; nothing where it has just gone."""
    try:
        found = file.read_bytes()
    except FileNotFoundError:
        return b""
    if not found.startswith(b"SQLite format 3\0"):
        return found
    with closing(sqlite3.connect(file)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        blocks = connection.execute("SELECT lines FROM blocks") if "blocks" in tables else ()
        return b"\n".join([found, *(text_of(lines) for (lines,) in blocks)])
