"""OpenAI's files: uploaded, listed, read, deleted; kept in memory until the sandbox ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from offtake.sandbox.done import new_id
from offtake.sandbox.exchange import read_body
from offtake.sandbox.pages import call_of, one_of, page_of, reply, sandbox_of
from offtake.sandbox.refusals import VendorError

FILE_MAX_BYTES = 200_000_000
PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_PART = re.compile(rb'name="(?P<name>[^"]*)"(?:;\s*filename="(?P<file>[^"]*)")?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A file and what OpenAI says of it."""

    id: str
    content: bytes
    created_at: int
    filename: str
    purpose: str

    def said(self) -> dict[str, Any]:
        """The object `file`."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "expires_at": None,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


async def upload(request: Request) -> Response:
    """`POST files`."""
    sandbox = sandbox_of(request)
    body = await read_body(call_of(request).receive, FILE_MAX_BYTES + 100_000)
    fields = multipart(request.headers.get("content-type", ""), body)
    purpose = fields.get("purpose", ("", b""))[1].decode(errors="replace")
    if "file" not in fields:
        raise VendorError.invalid("'file' is a required property", param="file")
    if purpose not in PURPOSES:
        raise VendorError.invalid(f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose")
    name, content = fields["file"]
    if not content:
        raise VendorError.invalid("File is empty.", param="file")
    file = File(new_id("file-"), content, int(sandbox.now()), name or "upload", purpose)
    sandbox.files[file.id] = file
    return reply(request, file.said())


async def list_files(request: Request) -> Response:
    """`GET files`, the newest first."""
    purpose = request.query_params.get("purpose")
    files = [file.said() for file in sandbox_of(request).files.values() if purpose in (None, file.purpose)]
    return reply(request, page_of(request, files[::-1]))


async def one_file(request: Request) -> Response:
    """`GET` or `DELETE files/ID`."""
    files = sandbox_of(request).files
    file = one_of(files, request.path_params["id"], "File object")
    if request.method == "DELETE":
        del files[file.id]
        return reply(request, {"id": file.id, "object": "file", "deleted": True})
    return reply(request, file.said())


async def content(request: Request) -> Response:
    """`GET files/ID/content`."""
    file = one_of(sandbox_of(request).files, request.path_params["id"], "File object")
    return reply(request, file.content, "application/octet-stream")


def multipart(kind: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """The fields of a form by name: (filename, content). VendorError 400 for another kind of body."""
    found = re.search(r'multipart/form-data;.*boundary="?([^";,]+)"?', kind, re.IGNORECASE)
    if not found:
        raise VendorError.invalid("Files are sent as multipart/form-data")
    fields = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + found[1].encode())[1:]:
        head, separator, content = part.partition(b"\r\n\r\n")
        named = _PART.search(head)
        if separator and named:
            fields[named["name"].decode(errors="replace")] = ((named["file"] or b"").decode(errors="replace"), content)
    return fields
