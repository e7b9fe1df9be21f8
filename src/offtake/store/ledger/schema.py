"""The tables of the ledger, as migrations: each is applied once, in order, and never changed after a release.

Amounts are TEXT, because a budget may exceed what 64 bits hold in picodollars (9.2 million dollars); sums are made in
Python, on whole numbers. Instants are microseconds since 1970, UTC. What was posted is never updated and never deleted:
triggers refuse it, and the hash chain would show it.

A block keeps its lines as one text, as they stood in the journals, packed (`packing.py`): a row of their own for each
would cost five times as much to write. `requests` says in which block each request began and ended.
"""

from __future__ import annotations

_POSTED = (
    """CREATE TABLE blocks (
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, lines BLOB NOT NULL,
        previous TEXT NOT NULL, hash TEXT NOT NULL)""",
    """CREATE TABLE postings (
        block INTEGER NOT NULL, account TEXT NOT NULL, pico TEXT NOT NULL,
        PRIMARY KEY (block, account)) WITHOUT ROWID""",
)
_PRESENT = (
    "CREATE TABLE requests (request TEXT PRIMARY KEY, begun INTEGER, ended INTEGER) WITHOUT ROWID",
    "CREATE TABLE accounts (name TEXT PRIMARY KEY, pico TEXT NOT NULL, floor_pico TEXT) WITHOUT ROWID",
    """CREATE TABLE budgets (
        name TEXT PRIMARY KEY, owner TEXT NOT NULL, per TEXT, starts_at INTEGER, ends_at INTEGER,
        amount_pico TEXT NOT NULL, overdraft_pico TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE workers (
        name TEXT PRIMARY KEY, started_at INTEGER NOT NULL, closed_at INTEGER) WITHOUT ROWID""",
    """CREATE TABLE open_requests (
        request TEXT PRIMARY KEY, worker TEXT NOT NULL, at INTEGER NOT NULL, holds TEXT NOT NULL,
        unresolved_at INTEGER) WITHOUT ROWID""",
    "CREATE INDEX open_requests_unresolved ON open_requests (request) WHERE unresolved_at IS NOT NULL",
    """CREATE TABLE journals (
        file TEXT PRIMARY KEY, worker TEXT NOT NULL, offset INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE conflicts (
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, request TEXT NOT NULL, kind TEXT NOT NULL,
        body TEXT NOT NULL)""",
)
_KEYS = (
    """CREATE TABLE keys (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
        revoked_at INTEGER, settings TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE key_secrets (
        digest TEXT PRIMARY KEY, key_id TEXT NOT NULL, created_at INTEGER NOT NULL,
        retires_at INTEGER) WITHOUT ROWID""",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO counters VALUES ('keys', 0)",
)
_APPEND_ONLY = tuple(
    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, 'what was posted is never changed'); END"
    for table in ("blocks", "postings")
    for verb in ("UPDATE", "DELETE")
)

_LOTS = (
    """CREATE TABLE lots (
        name TEXT PRIMARY KEY, budget TEXT NOT NULL, granted_pico TEXT NOT NULL, created_at INTEGER NOT NULL,
        expires_at INTEGER, priority INTEGER NOT NULL, rank INTEGER NOT NULL) WITHOUT ROWID""",
)
_DECISIONS = ("CREATE TABLE decisions (block INTEGER PRIMARY KEY)",)
_TALLIES = (
    """CREATE TABLE tallies (
        contract TEXT NOT NULL, hour INTEGER NOT NULL, model TEXT NOT NULL, access TEXT NOT NULL,
        cost_pico TEXT NOT NULL, list_pico TEXT NOT NULL, quantities TEXT NOT NULL,
        PRIMARY KEY (contract, hour, model, access)) WITHOUT ROWID""",
    "INSERT INTO counters SELECT 'tallied after', coalesce(max(number), 0) FROM blocks",
)

_PACKED: tuple[str, ...] = ()  # lines may be packed from here on, which earlier versions cannot read

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (*_POSTED, *_PRESENT, *_KEYS, *_APPEND_ONLY),
    _LOTS,
    _DECISIONS,
    _TALLIES,
    _PACKED,
)
APPLICATION_ID = 0x0FF7A4E  # marks the file as a ledger of ours
