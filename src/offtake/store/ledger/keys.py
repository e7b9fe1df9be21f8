"""Gateway keys on disk: a random secret shown once, of which only an HMAC-SHA256 digest is stored.

The digest's own secret stands in a file of mode 0600 beside the store, so that a copy of the database alone neither
opens the gateway nor lets anybody test guesses. A worker reads all keys into a `KeyBook` and reads them again when
`keys_version` has changed. Rotation gives the same key a second secret; the first retires after an overlap.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from offtake.ledger.gateway_key import GatewayKey, with_settings
from offtake.store.ledger.ledger import Ledger, LedgerError
from offtake.values.errors import InputError

PREFIX = "ok-"
_SECRET_BYTES = 32
_BLOCK_BYTES = 64  # of SHA-256; a longer secret would be hashed first


@dataclass(frozen=True, slots=True)
class Found:
    """The key that a secret belongs to. It is good before `ends_at` (None: for ever); `why` says why it ends."""

    key: GatewayKey
    ends_at: int | None
    why: str


class KeyBook:
    """All keys in memory, by digest. Finding one is an HMAC and a look-up: no secret is kept or compared.

    An HMAC (RFC 2104) begins with the server's secret twice, which is hashed once.
    """

    def __init__(self, secret: bytes, found: dict[str, Found]) -> None:
        block = secret.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._found = found

    def find(self, presented: str) -> Found | None:
        """The key of a presented secret, whether or not it is still good; None for a secret that is nobody's."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(presented.encode(errors="replace"))
        outer.update(inner.digest())
        return self._found.get(outer.hexdigest())

    def __len__(self) -> int:
        return len(self._found)


def has_secret(store: Path) -> bool:
    """Whether the secret beside the store was made: without it nothing has been signed here."""
    return _secret_path(store).is_file()


def server_secret(store: Path) -> bytes:
    """The secret of the digests, beside the store; made on first use. LedgerError where it is readable to others."""
    path = _secret_path(store)
    if not path.exists():
        _make_secret(path)
    if path.stat().st_mode & 0o077:
        raise LedgerError(
            "L718", f"{path} may be read by others", why="whoever has it can test guesses of keys",
            hint=f"chmod 600 {path}",
        )  # fmt: skip
    try:
        found = bytes.fromhex(path.read_text())
    except ValueError:
        found = b""
    if len(found) != _SECRET_BYTES:
        raise LedgerError("L718", f"{path} is damaged", hint="restore it from a backup: without it all keys are void")
    return found


def _secret_path(store: Path) -> Path:
    return store.with_name(f"{store.name}.secret")


def _make_secret(path: Path) -> None:
    """Written beside and then linked, so that of two processes one makes it and nobody reads half of it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:  # of mode 0600
        file.write(secrets.token_hex(_SECRET_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)


def create_key(ledger: Ledger, key: GatewayKey) -> str:
    """Store a key; its secret, which is shown this once. InputError where a living key has the name."""
    with ledger.transaction():
        if any(other.name == key.name and other.revoked_at is None for other in read_keys(ledger)):
            raise InputError(
                "L722", f"there is a key named {key.name!r}", hint="`offtake keys rotate` renews its secret"
            )
        ledger.run(
            "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)",
            key.id, key.name, key.created_at, key.expires_at, key.revoked_at, json.dumps(key.settings()),
        )  # fmt: skip
        return _add_secret(ledger, key.id, key.created_at)


def rotate_key(ledger: Ledger, key_id: str, at: int, retires_at: int) -> str:
    """A new secret of a key, shown once; those that it has stop at `retires_at`, or earlier where they would have."""
    with ledger.transaction():
        ledger.run(
            "UPDATE key_secrets SET retires_at = min(coalesce(retires_at, ?), ?) WHERE key_id = ?",
            retires_at, retires_at, key_id,
        )  # fmt: skip
        return _add_secret(ledger, key_id, at)


def revoke_key(ledger: Ledger, key_id: str, at: int) -> None:
    """No secret of the key is good from now on; one that was revoked before stays so."""
    with ledger.transaction():
        ledger.run("UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", at, key_id)
        _count_change(ledger)


def read_keys(ledger: Ledger) -> list[GatewayKey]:
    """All keys, in the order of their creation."""
    rows = ledger.rows(
        "SELECT id, name, created_at, expires_at, revoked_at, settings FROM keys ORDER BY created_at, id"
    )
    names = ("id", "name", "created_at", "expires_at", "revoked_at")
    return [with_settings(json.loads(str(row[5])), **dict(zip(names, row[:5], strict=True))) for row in rows]


def find_key(ledger: Ledger, name: str) -> GatewayKey:
    """The key of an id, or of the name of a living one. InputError where there is none."""
    keys = read_keys(ledger)
    found = [key for key in keys if key.id == name] or [key for key in keys if key.name == name and not key.revoked_at]
    if not found:
        raise InputError("L723", f"no key {name!r}", hint="`offtake keys list` shows their ids and names")
    return found[0]


def key_book(ledger: Ledger) -> KeyBook:
    """All keys, ready to look up."""
    with ledger.reading():
        keys = {key.id: key for key in read_keys(ledger)}
        rows = ledger.rows("SELECT digest, key_id, retires_at FROM key_secrets")
    found = {}
    for digest, key_id, retires_at in rows:
        key = keys[str(key_id)]
        ends = [
            (int(str(at)), why)
            for at, why in ((key.revoked_at, "revoked"), (key.expires_at, "expired"), (retires_at, "rotated"))
            if at is not None
        ]
        ends_at, why = min(ends, default=(None, ""))
        found[str(digest)] = Found(key, ends_at, why)
    return KeyBook(server_secret(ledger.path), found)


def keys_version(ledger: Ledger) -> int:
    """A count that grows with every change of a key."""
    return int(str(ledger.rows("SELECT value FROM counters WHERE name = 'keys'")[0][0]))


def new_key_id() -> str:
    """A random name for a key."""
    return f"key_{secrets.token_hex(8)}"


def renamed(key: GatewayKey, key_id: str) -> GatewayKey:
    """The key under an id, its budgets owned by it."""
    return replace(key, id=key_id, budgets=tuple(replace(rule, owner=f"key:{key_id}") for rule in key.budgets))


def _add_secret(ledger: Ledger, key_id: str, at: int) -> str:
    shown = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    digest = hmac.new(server_secret(ledger.path), shown.encode(), "sha256").hexdigest()
    ledger.run("INSERT INTO key_secrets VALUES (?, ?, ?, NULL)", digest, key_id, at)
    _count_change(ledger)
    return shown


def _count_change(ledger: Ledger) -> None:
    ledger.run("UPDATE counters SET value = value + 1 WHERE name = 'keys'")
