"""The vendor's own meter: an append-only file, one JSON line for each request that the vendor would bill.

A line is one write(2) before the answer's last byte, so it is there whatever kills the sandbox or its client. It has
the columns of Offtake's own JSONL, so `offtake rate` reads it, and some that only people and tests read. No text of a
request or an answer is in it; of a key there is only the beginning of a hash.
"""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offtake.sandbox.ask import Ask
from offtake.sandbox.done import encode
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.usage import Usage


class Meter:
    """Appends to a file, or counts for nobody where there is none."""

    def __init__(self, path: Path | None) -> None:
        self._descriptor = -1
        if path is not None:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, line: dict[str, Any]) -> None:
        """One line, whole. VendorError 500 where the disk is full: what is not on the meter is not answered."""
        if self._descriptor < 0:
            return
        data = encode(line) + b"\n"
        try:
            written = os.write(self._descriptor, data)
            if written != len(data):
                os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
                raise OSError(errno.ENOSPC, "no room for a whole line")
        except OSError as error:
            raise VendorError(500, f"The sandbox cannot write its meter: {error.strerror}") from error

    def close(self) -> None:
        """No line comes after."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def meter_line(ask: Ask, usage: Usage, request_id: str, now: float, **more: Any) -> dict[str, Any]:
    """A line of the meter. `more`: tier_served, region, status, outcome, finish, fault, client_request_id, …."""
    return {
        "id": request_id,
        "used_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "vendor": ask.model.catalog_vendor,
        "model": ask.model.id,
        "model_asked": ask.body.get("model"),
        "endpoint": ask.endpoint,
        "channel": ask.channel,
        "region": ask.region,
        "quantities": usage.meters(),
        "context_tokens": usage.input,
        "vendor_request_id": request_id,
        "tier_requested": ask.tier_asked,
        "speed": ask.speed,
        "stream": ask.stream,
    } | {name: value for name, value in more.items() if value not in ("", None)}
