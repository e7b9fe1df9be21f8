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
from collections.abc import Iterator, Mapping
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
    """One file at its writing, open only while something is written. OSError where it cannot be made, or is there."""

    def __init__(self, path: Path, key: HeldKey, span: Span) -> None:
        self._path = path
        salt = secrets.token_bytes(SALT_BYTES)
        head = {
            "format": FORMAT, "customer": key.customer, "key": key.id, "salt": salt.hex(),
            "from": span.begin, "until": span.until,
        }  # fmt: skip
        self._head = json.dumps(head, ensure_ascii=False).encode() + b"\n"
        self._seal = FileSeal(key.data_key, salt)
        self._number = 0
        self._size = 0
        try:
            self._write(self._head, os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            raise
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def append(self, head: Mapping[str, Any], request: bytes, answer: bytes) -> None:
        """Write one call. FileNotFoundError: the file is gone. After an error nothing may be appended any more."""
        said = json.dumps({**head, "request_bytes": len(request)}, ensure_ascii=False).encode()
        number, self._number = self._number, self._number + 1
        sealed = self._seal.seal(number, request + answer, self._head + said)
        self._write(b"".join((_length(said), _length(sealed), said, sealed)))

    def _write(self, data: bytes, flags: int = 0) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            os.ftruncate(descriptor, self._size)
            raise
        finally:
            os.close(descriptor)
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


class Reading:
    """One file at its reading, call by call; contents stay sealed until `open_call`. FileNotFoundError: it is gone.

    `head` is empty where it cannot be read. Once all calls were seen, `torn_bytes` are those at the end of a call that
    was not finished, and `damaged` says what is wrong.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: Mapping[str, Any] = {}
        self.torn_bytes = 0
        self.damaged = ""
        with path.open("rb") as file:
            first = self._first = file.readline(HEAD_BYTES_MAX)
            size = os.fstat(file.fileno()).st_size
        head = _object(first)
        if not first.endswith(b"\n"):
            self.torn_bytes = size if len(first) == size else 0
            self.damaged = "" if self.torn_bytes == size else "it has no head"
        elif head is None or not {"customer", "key", "salt", "from", "until"} <= set(head):
            self.damaged = "its head cannot be read"
        elif head.get("format") != FORMAT:
            self.damaged = f"it is of format {head.get('format')}, and this version reads {FORMAT}"
        else:
            self.head = head

    def calls(self) -> Iterator[SealedCall]:
        """Its calls, one after the other."""
        if not self.head:
            return
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            at = file.seek(len(self._first))
            number = 0
            while at < size:
                lengths = file.read(2 * LENGTH_BYTES)
                said_bytes, sealed_bytes = _number(lengths[:LENGTH_BYTES]), _number(lengths[LENGTH_BYTES:])
                start = at + 2 * LENGTH_BYTES + said_bytes
                if len(lengths) < 2 * LENGTH_BYTES or start + sealed_bytes > size:
                    self.torn_bytes = size - at
                    return
                said = file.read(said_bytes)
                call = _object(said)
                if call is None or not _is_call(call, sealed_bytes):
                    self.damaged = f"the head of call {number + 1} cannot be read"
                    return
                yield SealedCall(self.path, number, call, self._first + said, start, sealed_bytes)
                at = file.seek(start + sealed_bytes)
                number += 1


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
