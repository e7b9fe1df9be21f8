"""What is known of a file and of a batch: the documents of the store, and the states that they pass through.

    file    checking → processed | refused
    batch   validating → in_progress → finalizing → completed | expired | cancelled, or failed before anything ran

A worker makes a document, and only the process of batches changes it (run.py).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping

import msgspec

from offtake.gateway.ask import Refusal

DAY = 86_400_000_000
"""Microseconds: the window of a batch, and how long its results are kept."""


class File(msgspec.Struct, omit_defaults=True):
    """A file of a key. `lines` of a batch's requests, all to one `endpoint`; `refusal` says why it cannot be used."""

    id: str
    purpose: str
    filename: str
    size_bytes: int
    created_at: int
    ends_at: int
    status: str = "processed"
    endpoint: str = ""
    lines: int = 0
    refusal: Refusal | None = None


class Part(msgspec.Struct, omit_defaults=True):
    """The lines of a batch that go to one outlet: as a batch of the vendor (`native`), or one by one.

    `sent_at` is written before a vendor's batch is made, `vendor_batch` once it is known.
    """

    outlet: str
    dialect: str
    native: bool
    lines: int = 0
    sent_at: int = 0
    vendor_file: str = ""
    vendor_batch: str = ""
    ended: bool = False


class Batch(msgspec.Struct, omit_defaults=True):
    """A batch of a key. `wire`: openai | anthropic. `times`: when it came into a state. `counts`: lines by their end.

    `held_pico` is what all lines together may cost, `cost_pico` what those that are done have cost. `deferred` is the
    dialect of a call that became a batch by itself, and `clauses` what made its price; `fingerprint` is that of a
    request that bore an idempotency key.
    """

    id: str
    wire: str
    endpoint: str
    file: str  # of OpenAI's wire
    created_at: int
    expires_at: int
    key_name: str = ""
    status: str = "validating"
    times: dict[str, int] = {}
    metadata: dict[str, str] | None = None
    headers: dict[str, str] = {}
    kept_for: int = DAY
    lines: int = 0
    counts: dict[str, int] = {}
    parts: list[Part] = []
    usage: dict[str, int] = {}
    held_pico: int = 0
    cost_pico: int = 0
    output_file: str = ""
    error_file: str = ""
    refusal: Refusal | None = None
    deferred: str = ""
    clauses: list[str] = []
    fingerprint: str = ""

    @property
    def ended(self) -> bool:
        """Nothing will happen to it any more."""
        return self.status in ("failed", "completed", "expired", "cancelled")

    def request_id(self, number: int) -> str:
        """The name of a line's request in the books, and at the vendor."""
        return f"{self.id}_{number:06d}"

    def become(self, status: str, at: int) -> None:
        """Change its state."""
        self.status = status
        self.times[status] = at


encode = msgspec.json.Encoder().encode
file_of = msgspec.json.Decoder(File).decode
batch_of = msgspec.json.Decoder(Batch).decode


def new_id(prefix: str) -> str:
    """A new name; names grow with time."""
    return f"{prefix}{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"


def header_bytes(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """A batch's headers as requests have them."""
    return {name.encode(): value.encode("latin-1") for name, value in headers.items()}
