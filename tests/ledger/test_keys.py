"""Gateway keys: the secret is shown once and stored nowhere; expiry, rotation with overlap, revocation."""

from __future__ import annotations

from pathlib import Path

import pytest

from offtake.ledger.gateway_key import GatewayKey
from offtake.store.ledger.keys import (
    create_key,
    key_book,
    keys_version,
    new_key_id,
    read_keys,
    revoke_key,
    rotate_key,
    server_secret,
)
from offtake.store.ledger.ledger import Ledger, LedgerError
from offtake.values.errors import InputError
from tests.ledger.traffic import NOON, rule


def made(name: str = "search", **fields: object) -> GatewayKey:
    key_id = new_key_id()
    budgets = (rule(10**9, f"key:{key_id}", overdraft_pico=5),)
    return GatewayKey(id=key_id, name=name, created_at=NOON, budgets=budgets, **fields)  # type: ignore[arg-type]


def test_a_key_is_found_by_its_secret_and_is_what_was_asked_for(ledger: Ledger) -> None:
    key = made(models=("claude-*",), team="search", tags={"cost_centre": "7"}, clamp=True, scopes=("inference",))
    secret = create_key(ledger, key)
    found = key_book(ledger).find(secret)

    assert found is not None
    assert (key, None) == (found.key, found.ends_at)
    assert [key] == read_keys(ledger)
    for wrong in ("", secret[:-1], secret + "x", secret.upper(), "\ud800", "ok-"):
        assert key_book(ledger).find(wrong) is None


def test_the_secret_is_stored_nowhere(ledger: Ledger, folder: Path) -> None:
    secret = create_key(ledger, made())
    ledger.run("PRAGMA wal_checkpoint(TRUNCATE)")

    for path in folder.iterdir():
        assert secret.encode() not in path.read_bytes()
        assert secret[3:].encode() not in path.read_bytes()
    assert {"offtake.db", "offtake.db.secret"} <= {path.name for path in folder.iterdir()}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_a_rotated_secret_lives_on_for_the_overlap(ledger: Ledger) -> None:
    key = made()
    first = create_key(ledger, key)
    second = rotate_key(ledger, key.id, NOON, NOON + 100)
    third = rotate_key(ledger, key.id, NOON, NOON + 900)
    book = key_book(ledger)
    found = [each for secret in (first, second, third) if (each := book.find(secret))]

    # a later rotation does not lengthen the life of the first
    assert [NOON + 100, NOON + 900, None] == [each.ends_at for each in found]
    assert {key.id} == {each.key.id for each in found}


def test_revoked_comes_before_expired(ledger: Ledger) -> None:
    key = made(expires_at=NOON + 50)
    secret = create_key(ledger, key)
    before = keys_version(ledger)
    found = key_book(ledger).find(secret)
    assert found is not None
    assert (NOON + 50, "expired") == (found.ends_at, found.why)
    revoke_key(ledger, key.id, NOON + 10)
    revoke_key(ledger, key.id, NOON + 20)
    found = key_book(ledger).find(secret)

    assert found is not None
    assert (NOON + 10, "revoked") == (found.ends_at, found.why)
    assert keys_version(ledger) > before


def test_a_name_is_free_again_when_its_key_was_revoked(ledger: Ledger) -> None:
    key = made()
    create_key(ledger, key)
    with pytest.raises(InputError, match="there is a key named"):
        create_key(ledger, made())
    revoke_key(ledger, key.id, NOON)
    create_key(ledger, made())

    assert 2 == len(read_keys(ledger))


def test_a_server_secret_that_others_may_read_is_refused(ledger: Ledger, folder: Path) -> None:
    secret = server_secret(ledger.path)
    path = folder / "offtake.db.secret"

    assert secret == server_secret(ledger.path)
    path.chmod(0o640)
    with pytest.raises(LedgerError, match="may be read by others"):
        key_book(ledger)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(LedgerError, match="damaged"):
        key_book(ledger)
