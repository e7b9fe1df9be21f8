"""Anthropic's message batches: requests inline, results as lines of JSON.

A message batch bears no name of ours, so one whose making was cut off is known by the names of its requests, which its
results tell when it has ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

import msgspec

from offtake.gateway.batch.documents import Batch, Part
from offtake.gateway.batch.plan import Answered
from offtake.gateway.batch.vendor import DeclinedError, LaterError, Pages

PATH = "/messages/batches"
SKEW = 300_000_000
"""Microseconds by which the vendor's clock may differ from ours."""
_STATUSES = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "overloaded_error": 529,
}  # fmt: skip


class _Result(msgspec.Struct):
    type: str
    message: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Row(msgspec.Struct):
    custom_id: str
    result: _Result


class _Error(msgspec.Struct):
    type: str = ""


class _Envelope(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)
    request_id: str | None = None


_row = msgspec.json.Decoder(_Row).decode
_envelope = msgspec.json.Decoder(_Envelope).decode


class AnthropicBatches:
    """See `VendorBatches`."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def make(self, batch: Batch, part: Part, index: int, requests: Iterable[tuple[str, bytes]]) -> None:
        """Make the batch of its requests."""
        inline = b",".join(b'{"custom_id":"%b","params":%b}' % (id.encode(), body) for id, body in requests)
        made = await self._pages.json("POST", PATH, b'{"requests":[%b]}' % inline)
        part.vendor_batch = str(made["id"])

    async def find(self, batch: Batch, part: Part, index: int, taken: set[str]) -> bool:
        """Look into the batches of as many requests since it was sent. LaterError while one of them is not ended."""
        after, waiting = "", False
        while True:
            page = await self._pages.seen(f"{PATH}?limit=100{after}")
            for each in page.get("data", []):
                if _at(each) < part.sent_at - SKEW:
                    page = {}
                    break
                if each["id"] in taken or sum((each.get("request_counts") or {}).values()) != part.lines:
                    continue
                if each.get("processing_status") != "ended":
                    waiting = True
                elif await self._is_of(batch, str(each["id"])):
                    part.vendor_batch = str(each["id"])
                    return True
            if not page.get("has_more") or not page.get("data"):
                break
            after = f"&after_id={page['data'][-1]['id']}"
        if waiting:
            raise LaterError("a batch that may be this one has not ended")
        return False

    async def ended(self, part: Part) -> bool:
        """Whether its results are there."""
        return (await self._pages.seen(f"{PATH}/{part.vendor_batch}")).get("processing_status") == "ended"

    async def answers(self, part: Part) -> AsyncIterator[tuple[str, Answered]]:
        """The results."""
        async for line in self._pages.lines(f"{PATH}/{part.vendor_batch}/results"):
            yield _answered(line)

    async def cancel(self, part: Part) -> None:
        """Too late is no error."""
        with contextlib.suppress(DeclinedError):
            await self._pages.json("POST", f"{PATH}/{part.vendor_batch}/cancel", b"{}")

    async def clear(self, part: Part) -> None:
        """Delete the batch with its results."""
        with contextlib.suppress(DeclinedError, LaterError):
            await self._pages.json("DELETE", f"{PATH}/{part.vendor_batch}")

    async def _is_of(self, batch: Batch, id: str) -> bool:
        async for line in self._pages.lines(f"{PATH}/{id}/results"):
            return _answered(line)[0].startswith(f"{batch.id}_")
        return False


def _at(each: dict[str, Any]) -> int:
    """When a batch was made, in microseconds. LaterError for what is no instant."""
    try:
        return int(datetime.fromisoformat(str(each.get("created_at"))).timestamp() * 1e6)
    except ValueError as error:
        raise LaterError("a batch without a time") from error


def _answered(line: bytes) -> tuple[str, Answered]:
    try:
        row = _row(line)
        result = row.result
        if result.type == "succeeded":
            return row.custom_id, Answered(0, "done", 200, body=result.message)
        if result.type == "errored":
            found = _envelope(result.error)
            status = _STATUSES.get(found.error.type, 500)
            return row.custom_id, Answered(0, "done", status, found.request_id or "", result.error)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LaterError("a result that is none") from error
    return row.custom_id, Answered(0, "canceled" if result.type == "canceled" else "expired")
