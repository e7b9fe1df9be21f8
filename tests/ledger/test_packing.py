"""How blocks lie in the file: packed where that is shorter, read back as they were, and a damaged one is a finding."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from offtake.store.ledger.history import audit, events_after, usage_of
from offtake.store.ledger.ledger import Ledger, LedgerError, open_ledger
from offtake.store.ledger.packing import new_packer, packed, text_of
from offtake.store.ledger.posting import lines_in, post
from tests.ledger.test_store import stretch
from tests.ledger.traffic import NOON, intent, settle

REQUESTS = [f"r{number}" for number in range(100)]


def post_all(ledger: Ledger) -> bytes:
    """A block with the intent and the end of each request; its lines."""
    events = [event for request in REQUESTS for event in (intent(request, {}), settle(request, [], 3))]
    batch = stretch(*events)
    post(ledger, [batch], NOON)
    return batch.events.text


def stored(folder: Path) -> bytes:
    connection = sqlite3.connect(folder / "offtake.db")
    ((found,),) = connection.execute("SELECT lines FROM blocks")
    connection.close()
    assert isinstance(found, bytes)
    return found


def store(folder: Path, lines: bytes) -> None:
    """Put other bytes in place of a block's lines, as a bad disk would."""
    connection = sqlite3.connect(folder / "offtake.db")
    connection.execute("DROP TRIGGER blocks_no_update")
    connection.execute("UPDATE blocks SET lines = ?", [lines])
    connection.commit()
    connection.close()


def test_a_block_is_packed_and_its_lines_are_read_as_they_were(ledger: Ledger, folder: Path) -> None:
    text = post_all(ledger)

    assert len(stored(folder)) * 10 < len(text)
    assert text.split(b"\n") == lines_in(ledger, 1)
    assert REQUESTS == [record.id for record in usage_of(ledger)]
    assert [] == audit(ledger).findings


def test_a_ledger_of_an_earlier_version_is_read_and_goes_on(ledger: Ledger, folder: Path) -> None:
    store(folder, post_all(ledger))
    ledger.close()
    old = sqlite3.connect(folder / "offtake.db")
    old.execute("PRAGMA user_version = 4")
    old.close()
    ledger = open_ledger(folder / "offtake.db")
    post(ledger, [stretch(intent("later", {}), settle("later", [], 3), file="w1.000002.wal")], NOON)

    assert [*REQUESTS, "later"] == [record.id for record in usage_of(ledger)]
    assert [] == audit(ledger).findings
    ledger.close()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a byte": lambda frame: frame[:20] + bytes([frame[20] ^ 1]) + frame[21:],
    "cut off": lambda frame: frame[: len(frame) // 2],
    "only its mark": lambda frame: frame[:4],
    "other lines": lambda frame: zstandard.compress(text_of(frame).replace(b'"r1"', b'"r2"')),
    "says that it is huge": lambda frame: bytes.fromhex("28b52ffde0") + b"\xff" * 8 + frame[9:],
    "without its size": lambda frame: zstandard.ZstdCompressor(write_content_size=False).compress(text_of(frame)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_block_is_found_and_nothing_breaks(ledger: Ledger, folder: Path, damage: str) -> None:
    post_all(ledger)
    store(folder, DAMAGES[damage](stored(folder)))
    found = audit(ledger).findings

    assert "L733" in {finding.code for finding in found}
    assert "block 1" in found[0].what
    if damage != "other lines":  # whose checksums tell
        for reading in (lambda: list(usage_of(ledger)), lambda: list(events_after(ledger, 0, "settle"))):
            with pytest.raises(LedgerError, match="block 1 of the ledger cannot be read"):
                reading()
        with pytest.raises(LedgerError, match="block 1 of the ledger cannot be read"):
            post(ledger, [stretch(settle("r1", [], 4), file="w1.000002.wal")], NOON)


@given(st.binary(max_size=300))
def test_what_is_packed_is_what_is_read(text: bytes) -> None:
    line = b"00000000 " + text
    assert line == text_of(packed(line, new_packer()))
    assert b"" == text_of(packed(b"", new_packer()))


@given(st.binary(max_size=100))
def test_whatever_is_stored_is_read_without_a_crash(noise: bytes) -> None:
    assert isinstance(text_of(b"\x28\xb5\x2f\xfd" + noise), bytes)
