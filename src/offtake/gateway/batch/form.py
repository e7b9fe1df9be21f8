"""The form in which files are uploaded (multipart/form-data, RFC 7578): its fields, without a copy of the body."""

from __future__ import annotations

import re

from offtake.gateway.ask import BadAsk

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^\s;"]+))', re.IGNORECASE)
_NAME = re.compile(rb'\bname="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(rb'\bfilename="([^"]*)"', re.IGNORECASE)
HEAD_BYTES_MAX = 8_192


def fields_of(kind: str, body: bytes) -> dict[str, tuple[str, memoryview]]:
    """The fields of a form by name: (filename, content). BadAsk for a body that is no such form."""
    found = _BOUNDARY.search(kind)
    if not found:
        raise BadAsk("G906", "a file is uploaded as multipart/form-data")
    mark = b"--" + (found[1] or found[2]).encode("latin-1")
    fields: dict[str, tuple[str, memoryview]] = {}
    whole = memoryview(body)
    place = body.find(mark)
    while place >= 0 and not body.startswith(b"--", place + len(mark)):
        begin = place + len(mark) + 2
        head_ends = body.find(b"\r\n\r\n", begin, begin + HEAD_BYTES_MAX)
        place = body.find(b"\r\n" + mark, head_ends)
        if head_ends < 0 or place < 0:
            raise BadAsk("G906", "the form is not whole")
        head = body[begin:head_ends]
        name, filename = _NAME.search(head), _FILENAME.search(head)
        if name:
            shown = filename[1].decode("utf-8", "replace") if filename else ""
            fields[name[1].decode("utf-8", "replace")] = shown, whole[head_ends + 4 : place]
        place += 2
    return fields
