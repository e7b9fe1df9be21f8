"""Batches on disk: what is known of each file and batch in SQLite, and their contents as files beside it.

The folder is of mode 0700 and every file in it of 0600: contents are prompts and answers, and they stand nowhere else.
Workers add documents and ask for things (`asked`); one process works on those that are `open` and writes what became of
them. A document is JSON that only the gateway reads.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from offtake.store.ledger.ledger import WAIT_SECONDS, explained

Kind = Literal["file", "batch"]
_TABLE = """CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, key_id TEXT NOT NULL, created_at INTEGER NOT NULL,
    open INTEGER NOT NULL, asked TEXT NOT NULL, ends_at INTEGER, body BLOB NOT NULL)"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS documents_open ON documents (kind) WHERE open",
    "CREATE INDEX IF NOT EXISTS documents_of_key ON documents (key_id, kind, id)",
    "CREATE INDEX IF NOT EXISTS documents_ending ON documents (ends_at) WHERE ends_at IS NOT NULL",
)
_COLUMNS = "id, key_id, asked, body"


@dataclass(frozen=True, slots=True)
class Document:
    """A file or batch of a key. `asked`: what a client wants of one that is open, such as `cancel`; "" for nothing."""

    id: str
    key_id: str
    asked: str
    body: bytes


class BatchStore:
    """Made by `open_batches`. Ids grow with time; instants are microseconds since 1970."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self.folder = folder
        self._connection = connection
        self._lock = threading.Lock()

    def add(
        self, kind: Kind, document: Document, at: int, *, open: bool, ends_at: int | None = None, again: bool = True
    ) -> None:
        """Keep a new document; `again`: in place of one with its id, which otherwise stays as it is."""
        self._run(
            f"INSERT OR {'REPLACE' if again else 'IGNORE'} INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            document.id, kind, document.key_id, at, open, document.asked, ends_at, document.body,
        )  # fmt: skip

    def write(self, id: str, body: bytes, *, open: bool, ends_at: int | None = None) -> bool:
        """What became of a document, whatever was asked meanwhile; False where it was removed."""
        sql = "UPDATE documents SET body = ?, open = ?, ends_at = ? WHERE id = ?"
        return bool(self._run(sql, body, open, ends_at, id))

    def ask(self, id: str, what: str) -> None:
        """Leave word for whoever works on it."""
        self._run("UPDATE documents SET asked = ? WHERE id = ?", what, id)

    def read(self, kind: Kind, id: str, key_id: str = "") -> Document | None:
        """A document, of a key where one is named."""
        sql = f"SELECT {_COLUMNS} FROM documents WHERE id = ? AND kind = ? AND ? IN ('', key_id)"
        return next(iter(self._documents(sql, id, kind, key_id)), None)

    def of_key(self, kind: Kind, key_id: str) -> list[Document]:
        """A key's documents, the newest first."""
        sql = f"SELECT {_COLUMNS} FROM documents WHERE key_id = ? AND kind = ? ORDER BY created_at DESC, id DESC"
        return self._documents(sql, key_id, kind)

    def open(self, kind: Kind) -> list[Document]:
        """Those that are to be worked on, the oldest first."""
        return self._documents(f"SELECT {_COLUMNS} FROM documents WHERE open AND kind = ? ORDER BY rowid", kind)

    def has_open(self) -> bool:
        """Whether there is any to be worked on."""
        with self._lock, explained(self.folder):
            return self._connection.execute("SELECT 1 FROM documents WHERE open LIMIT 1").fetchone() is not None

    def ended(self, kind: Kind, at: int) -> list[Document]:
        """Those whose time is over."""
        return self._documents(f"SELECT {_COLUMNS} FROM documents WHERE ends_at <= ? AND kind = ?", at, kind)

    def remove(self, id: str) -> None:
        """Forget a document and delete its contents."""
        self._run("DELETE FROM documents WHERE id = ?", id)
        self.delete(id)

    def path(self, name: str) -> Path:
        """Where the contents of that name are."""
        return self.folder / name

    def keep(self, name: str, pieces: Iterable[bytes | memoryview]) -> int:
        """Write contents, whole or not at all; how many bytes. OSError where the disk cannot take them."""
        beside = self.folder / f".{name}"
        size = 0
        try:
            with private(beside, os.O_TRUNC) as file:
                for piece in pieces:
                    size += file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path(name))
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        return size

    def link(self, name: str, other: str) -> bool:
        """Give contents another name beside their own; False where there are none."""
        with contextlib.suppress(FileExistsError):
            try:
                os.link(self.path(name), self.path(other))
            except FileNotFoundError:
                return False
        return True

    def delete(self, *names: str) -> None:
        """Delete contents."""
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _run(self, sql: str, *values: object) -> int:
        with self._lock, explained(self.folder):
            return self._connection.execute(sql, values).rowcount

    def _documents(self, sql: str, *values: object) -> list[Document]:
        with self._lock, explained(self.folder):
            return [Document(*row) for row in self._connection.execute(sql, values)]


def private(path: Path, flags: int) -> BinaryIO:
    """A file that only its owner reads, opened for writing (with os.O_TRUNC or os.O_APPEND)."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o600), "wb")


def batches_folder(store: Path) -> Path:
    """Where the batches of a gateway are: beside its ledger."""
    return store.with_name(f"{store.name}.batches")


def open_batches(folder: Path) -> BatchStore:
    """Open the batches of a folder, which is made where it is not there. LedgerError where that fails."""
    with explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "batches.db"
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        for statement in (_TABLE, *_INDEXES):
            connection.execute(statement)
    return BatchStore(connection, folder)
