"""A JSON body that is looked into without being rebuilt: its top level as raw slices, and splices of its own bytes.

What a client wrote stays as it wrote it: unknown fields, the order of keys, spaces, the spelling of numbers. A field
that stands twice has no meaning that two parsers agree on, so that such a body is refused instead of guessed at.
Below the top level the last of two is taken, as Python's, JavaScript's and Go's parsers do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from offtake.gateway.ask import BadAsk, Fields
from offtake.usage.record import COUNT_MAX

Decoded = TypeVar("Decoded")

_TOP = msgspec.json.Decoder(dict[str, Raw]).decode
_TEXT = msgspec.json.Decoder(str | None).decode
_NUMBER = msgspec.json.Decoder(int | float | None).decode
_FLAG = msgspec.json.Decoder(bool | None).decode
_KEY = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*')
_NEXT = re.compile(rb"[ \t\r\n]*([,}])")

encoded: Callable[[Any], bytes] = msgspec.json.encode


def top_level(body: bytes, where: str = "the body") -> Fields:
    """The members of the object that `body` is, each value as the bytes it is written in; `BadAsk` where it is none."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as wrong:
            raise BadAsk("G102", f"{where} is not UTF-8 at byte {wrong.start}") from None
    fields = decoded(_TOP, body, where)
    # Written without a space, each member costs two quotes, a colon and a comma. A body that is longer than that has
    # spaces, escapes or a member twice; a walk tells.
    shortest = sum(map(len, fields)) + sum(map(len, fields.values())) + 4 * len(fields) + 1
    if len(body) != shortest and fields:
        spans(body, fields)
    return fields


def decoded(decode: Callable[[bytes | Raw], Decoded], data: bytes | Raw, where: str) -> Decoded:
    """What `decode` makes of `data`; all that can be wrong with it is a `BadAsk`."""
    try:
        return decode(data)
    except msgspec.ValidationError as wrong:
        raise BadAsk("G103", f"{where}: {wrong}") from None
    except msgspec.DecodeError as wrong:
        raise BadAsk("G101", f"{where} is not JSON: {wrong}") from None
    except RecursionError:
        raise BadAsk("G104", f"{where} is nested too deeply") from None
    except ValueError as wrong:  # text that is not UTF-8, a number of thousands of digits
        raise BadAsk("G103", f"{where}: {wrong}") from None


def text(fields: Fields, name: str) -> str:
    """A text, empty where it is null or missing."""
    raw = fields.get(name)
    return "" if raw is None else decoded(_TEXT, raw, name) or ""


def flag(fields: Fields, name: str) -> bool:
    """True or false, false where it is null or missing."""
    raw = fields.get(name)
    return False if raw is None else bool(decoded(_FLAG, raw, name))


def count(fields: Fields, name: str, least: int = 0) -> int | None:
    """A whole number, None where it is null or missing; 1e3 and 1000.0 are 1000."""
    raw = fields.get(name)
    return None if raw is None else whole(name, decoded(_NUMBER, raw, name), least)


def whole(name: str, number: float | None, least: int = 0) -> int | None:
    """A number that was read as a whole one, None where it is null or missing."""
    if number is None:
        return None
    if type(number) is int and least <= number <= COUNT_MAX:
        return number
    if number != int(number) or not least <= number <= COUNT_MAX:
        raise BadAsk("G103", f"{name}: expected a whole number from {least} to {COUNT_MAX:,}")
    return int(number)


def spans(body: bytes, fields: Fields) -> dict[str, tuple[int, int]]:
    """Where in `body` the value of each member begins and ends; `BadAsk` where a member stands twice."""
    found: dict[str, tuple[int, int]] = {}
    at = body.index(b"{") + 1
    while key := _KEY.match(body, at):
        name: str = msgspec.json.decode(key[1])
        start, end = key.end(), key.end() + len(fields[name])
        separator = _NEXT.match(body, end)
        # The value of the last of two is known, so that the first does not end where it should.
        if name in found or separator is None or body[start:end] != bytes(fields[name]):
            raise BadAsk("G105", f"the field {name!r} stands twice", hint="write each field once")
        found[name] = start, end
        at = separator.end()
        if separator[1] == b"}":
            break
    return found


def spliced(body: bytes, fields: Fields, changes: Mapping[str, bytes]) -> bytes:
    """`body` with the values of `changes` written over its own; members that it lacks come first."""
    places = spans(body, fields)
    parts, at = [], 0
    new = [encoded(name) + b":" + value for name, value in changes.items() if name not in places]
    if new:
        at = body.index(b"{") + 1
        parts = [body[:at], b",".join(new), b"," if fields else b""]
    for name, (start, end) in places.items():
        if name in changes:
            parts += [body[at:start], changes[name]]
            at = end
    return b"".join((*parts, body[at:]))
