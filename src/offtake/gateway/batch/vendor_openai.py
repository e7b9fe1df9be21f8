"""OpenAI's batch API: a file of requests goes up, a file of answers and one of errors comes down."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable

import msgspec

from offtake.gateway.batch.documents import Batch, Part
from offtake.gateway.batch.plan import Answered
from offtake.gateway.batch.vendor import DeclinedError, LaterError, Pages
from offtake.gateway.vendors.endpoint import OPENAI_PATHS

BOUNDARY = b"offtake-4d1f0a6c9be24e0f"
FORM = {b"content-type": b"multipart/form-data; boundary=" + BOUNDARY}
FINAL = ("completed", "expired", "cancelled", "failed")
MARK = "offtake_batch"
"""The metadata in which a batch of ours says which it is."""
_STATES = {"batch_expired": "expired", "batch_cancelled": "canceled"}


class _Response(msgspec.Struct):
    status_code: int
    body: msgspec.Raw
    request_id: str | None = None


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Row(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: _Error | None = None


_row = msgspec.json.Decoder(_Row).decode


class OpenAIBatches:
    """See `VendorBatches`."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def make(self, batch: Batch, part: Part, index: int, requests: Iterable[tuple[str, bytes]]) -> None:
        """Upload the requests, then make the batch."""
        name, url = f"{batch.id}.{index}", f"/v1{OPENAI_PATHS[part.dialect]}"
        content = b"\n".join(
            b'{"custom_id":"%b","method":"POST","url":"%b","body":%b}' % (id.encode(), url.encode(), body)
            for id, body in requests
        )
        file = await self._pages.json("POST", "/files", _form(name, content), FORM)
        part.vendor_file = str(file.get("id"))
        asked = {
            "input_file_id": part.vendor_file, "endpoint": url, "completion_window": "24h",
            "metadata": {MARK: name},
        }  # fmt: skip
        made = await self._pages.json("POST", "/batches", msgspec.json.encode(asked))
        part.vendor_batch = str(made["id"])

    async def find(self, batch: Batch, part: Part, index: int, taken: set[str]) -> bool:
        """Look for the batch that bears our name, among those since it was sent."""
        after = ""
        while True:
            page = await self._pages.seen(f"/batches?limit=100{after}")
            for each in page.get("data", []):
                if (each.get("metadata") or {}).get(MARK) == f"{batch.id}.{index}":
                    part.vendor_batch, part.vendor_file = str(each["id"]), str(each["input_file_id"])
                    return True
                if int(each.get("created_at", 0)) * 1_000_000 < part.sent_at - 3_600_000_000:
                    return False
            if not page.get("has_more") or not page.get("data"):
                return False
            after = f"&after={page['data'][-1]['id']}"

    async def ended(self, part: Part) -> bool:
        """Whether it is in a final state."""
        found = await self._pages.seen(f"/batches/{part.vendor_batch}")
        return found.get("status") in FINAL

    async def answers(self, part: Part) -> AsyncIterator[tuple[str, Answered]]:
        """Both files. DeclinedError with the vendor's words where it has refused the whole."""
        found = await self._pages.seen(f"/batches/{part.vendor_batch}")
        if found.get("status") == "failed":
            errors = (found.get("errors") or {}).get("data") or [{}]
            raise DeclinedError(str(errors[0].get("message") or "the vendor refused the batch"))
        for name in ("output_file_id", "error_file_id"):
            if found.get(name):
                async for line in self._pages.lines(f"/files/{found[name]}/content"):
                    yield _answered(line)

    async def cancel(self, part: Part) -> None:
        """Too late is no error."""
        with contextlib.suppress(DeclinedError):
            await self._pages.json("POST", f"/batches/{part.vendor_batch}/cancel", b"{}")

    async def clear(self, part: Part) -> None:
        """Delete the files of the batch."""
        with contextlib.suppress(DeclinedError, LaterError):
            found = await self._pages.json("GET", f"/batches/{part.vendor_batch}")
            for name in ("input_file_id", "output_file_id", "error_file_id"):
                if found.get(name):
                    await self._pages.json("DELETE", f"/files/{found[name]}")


def _answered(line: bytes) -> tuple[str, Answered]:
    try:
        row = _row(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LaterError("a result that is none") from error
    said = row.response
    if said is not None and said.status_code:
        return row.custom_id, Answered(0, "done", said.status_code, said.request_id or "", said.body)
    code = (row.error and row.error.code) or "error"
    state = _STATES.get(code, "failed")
    return row.custom_id, Answered(0, state, request_id=(row.error and row.error.message) or "")


def _form(name: str, content: bytes) -> bytes:
    return b"".join((
        b"--", BOUNDARY, b'\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--', BOUNDARY,
        b'\r\ncontent-disposition: form-data; name="file"; filename="', name.encode(), b'.jsonl"',
        b"\r\ncontent-type: application/jsonl\r\n\r\n", content, b"\r\n--", BOUNDARY, b"--\r\n",
    ))  # fmt: skip
