"""A file of sealed calls: a head line, then each call as its own head in the clear and its content encrypted.

    {"format": 1, "customer": …, "key": …, "salt": …, "from": …, "until": …} and a line's end
    length of the head, length of the sealed content (4 bytes each) · head (JSON) · request and answer, sealed

The head says nothing of what was said: request id, instant, model, outcome, sizes. Both heads are bound into the seal,
so that no call can be moved to another file, customer, id or time. A file is written once, by one process, and only
grows; what a killed one leaves behind is whole up to its last call. What cannot be written ends the file: no number of
it is used again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtake.store.transcripts.customer_key import HeldKey
from offtake.store.transcripts.seal import SALT_BYTES, TAG_BYTES, FileSeal, SealError
from offtake.store.transcripts.span import Span

FORMAT = 1
LENGTH_BYTES = 4
HEAD_BYTES_MAX = 65_536


class SealedFile:
    """One file at its writing. OSError where it cannot be made."""

    def __init__(self, path: Path, key: HeldKey, span: Span) -> None:
        self.path = path
        self.span = span
        salt = secrets.token_bytes(SALT_BYTES)
        head = {
            "format": FORMAT, "customer": key.customer, "key": key.id, "salt": salt.hex(),
            "from": span.begin, "until": span.until,
        }  # fmt: skip
        self._head = json.dumps(head, ensure_ascii=False).encode() + b"\n"
        self._seal = FileSeal(key.data_key, salt)
        self._number = 0
        self._size = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            self._write(self._head)
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def append(self, head: Mapping[str, Any], request: bytes, answer: bytes) -> None:
        """Write one call. OSError: it is not in the file, which is closed; nothing is appended any more."""
        said = json.dumps({**head, "request_bytes": len(request)}, ensure_ascii=False).encode()
        sealed = self._seal.seal(self._number, request + answer, self._head + said)
        self._number += 1
        self._write(b"".join((_length(said), _length(sealed), said, sealed)))

    def close(self) -> None:
        """Done; calling it twice is no error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            self.close()
            raise
        self._size += len(data)


@dataclass(frozen=True, slots=True)
class SealedCall:
    """One call of a file: what its head says, and where its content is."""

    path: Path
    number: int
    head: Mapping[str, Any]
    bound: bytes
    start: int
    length: int

    @property
    def request_bytes(self) -> int:
        return int(self.head["request_bytes"])

    @property
    def answer_bytes(self) -> int:
        return self.length - TAG_BYTES - self.request_bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds. `torn_bytes` at its end are of a call that was not finished; `damaged` says what is wrong."""

    head: Mapping[str, Any]
    calls: tuple[SealedCall, ...]
    torn_bytes: int = 0
    damaged: str = ""


def read_file(path: Path) -> Contents:
    """The heads of a file; contents stay sealed. FileNotFoundError where it is gone."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        first = file.readline(HEAD_BYTES_MAX)
        if not first.endswith(b"\n"):
            return Contents({}, (), len(first)) if len(first) == size else Contents({}, (), 0, "it has no head")
        head = _object(first)
        if head is None or not {"customer", "key", "salt", "from", "until"} <= set(head):
            return Contents({}, (), 0, "its head cannot be read")
        if head.get("format") != FORMAT:
            return Contents({}, (), 0, f"it is of format {head.get('format')}, and this version reads {FORMAT}")
        calls: list[SealedCall] = []
        at = len(first)
        while at < size:
            lengths = file.read(2 * LENGTH_BYTES)
            said_bytes, sealed_bytes = _number(lengths[:LENGTH_BYTES]), _number(lengths[LENGTH_BYTES:])
            start = at + 2 * LENGTH_BYTES + said_bytes
            if len(lengths) < 2 * LENGTH_BYTES or start + sealed_bytes > size:
                return Contents(head, tuple(calls), size - at)
            said = file.read(said_bytes)
            call = _object(said)
            if call is None or not _is_call(call, sealed_bytes):
                return Contents(head, tuple(calls), 0, f"the head of call {len(calls) + 1} cannot be read")
            calls.append(SealedCall(path, len(calls), call, first + said, start, sealed_bytes))
            at = start + sealed_bytes
            file.seek(at)
        return Contents(head, tuple(calls))


def open_call(call: SealedCall, head: Mapping[str, Any], data_key: bytes) -> tuple[bytes, bytes]:
    """The request and the answer of a call in a file of that head.

    SealError: it was changed, or sealed under another key. FileNotFoundError where the file is gone.
    """
    try:
        seal = FileSeal(data_key, bytes.fromhex(head["salt"]))
    except (ValueError, TypeError) as error:
        raise SealError("the head was changed") from error
    with call.path.open("rb") as file:
        file.seek(call.start)
        content = seal.open(call.number, file.read(call.length), call.bound)
    return content[: call.request_bytes], content[call.request_bytes :]


def _is_call(head: Mapping[str, Any], sealed_bytes: int) -> bool:
    request_bytes = head.get("request_bytes")
    return (
        isinstance(head.get("id"), str)
        and isinstance(head.get("at"), int)
        and isinstance(request_bytes, int)
        and 0 <= request_bytes <= sealed_bytes - TAG_BYTES
    )


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _length(data: bytes) -> bytes:
    return len(data).to_bytes(LENGTH_BYTES, "big")


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
