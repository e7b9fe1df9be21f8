"""Who a row is: ids for rows that bring none, and a hash of a record's body that tells a duplicate from a conflict.

A derived id is a hash of (kind of source, canonical row, n-th identical row): the same export read twice gives the
same ids, so it is dropped and not billed twice, while two equal rows inside one export stay two rows.

Rows of a vendor's buckets are named by their key (time, model, project, …) without the counts: two exports that
overlap then meet under one id, as a duplicate where they agree and as a conflict where they do not.
"""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import Any

from offtake.usage.record import UsageRecord

_ID_DIGITS = 32  # 128 bits: no collision in any lake that fits a disk, at half the bytes of the whole hash


class Identities:
    """Ids for the rows of one source: call `of_row` once a row, in the order of the file."""

    def __init__(self, kind: str, account: str = "") -> None:
        self._source = f"{kind}\n{account}\n"
        self._seen: Counter[bytes] = Counter()

    def of_row(self, row: Any) -> str:
        """The id of the n-th such row: any JSON value; the order of an object's keys does not matter."""
        digest = self._digest(row)
        occurrence = self._seen[digest]
        self._seen[digest] += 1
        return sha256(digest + occurrence.to_bytes(8, "big")).hexdigest()[:_ID_DIGITS]

    def of_key(self, key: Any) -> str:
        """The id of the one row that has this key."""
        return sha256(self._digest(key)).hexdigest()[:_ID_DIGITS]

    def _digest(self, value: Any) -> bytes:
        return sha256(f"{self._source}{canonical(value)}".encode()).digest()


def canonical(row: Any) -> str:
    """A row as JSON text with sorted keys and no spaces, so that equal rows are equal texts."""
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def body_hash(record: UsageRecord) -> int:
    """A signed 64-bit hash of all that a record says, but for its id.

    Meters at zero are not part of it, so that a meter of a later release changes no hash of an older row.
    """
    body = (
        record.used_at.isoformat(), record.grain, record.count, record.vendor, record.account, record.model,
        record.channel, record.access, record.region, record.workload, record.customer, record.key_id,
        sorted(record.tags.items()), sorted(item for item in record.quantities.items() if item[1]),
        record.context_tokens, record.outcome, record.usage_known, record.latency_ms, record.first_token_ms,
        record.tier_requested, record.tier_served, record.vendor_request_id,
    )  # fmt: skip
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big", signed=True)
