"""What every dialect does with a vendor's answer: usage read with care, outcomes, and which failures never ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from offtake.gateway.ask import Quantities, Served
from offtake.usage.outcomes import of_error_type, of_status, of_stop_reason
from offtake.values.errors import InputError

Headers = Mapping[bytes, bytes]
ReadUsage = Callable[[Mapping[str, Any]], Mapping[str, int]]

# The vendor turned the request away before a model saw it. 408, 499 and other 5xx may have been computed, and billed.
_NEVER_RAN = frozenset(range(400, 499)) - {408} | {503, 529}
_OBJECT = msgspec.json.Decoder(dict[str, Any]).decode


class _Error(msgspec.Struct):
    """A vendor's error inside an answer or a stream."""

    type: str | None = None
    code: str | int | None = None


class _ErrorEvent(msgspec.Struct):
    error: Raw = Raw(b"")
    code: str | int | None = None


_ERROR = msgspec.json.Decoder(_Error).decode
_EVENT = msgspec.json.Decoder(_ErrorEvent).decode


def decode_or_none(decode: Callable[[bytes | Raw], Any], data: bytes | Raw) -> Any:
    """What `decode` makes of a vendor's bytes, or None where they are not what the dialect says."""
    try:
        return decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def object_of(raw: bytes | Raw) -> dict[str, Any]:
    """An object, empty where there is none."""
    return (decode_or_none(_OBJECT, raw) if len(raw) else None) or {}


def quantities(read: ReadUsage, usage: bytes | Raw, *totals: str) -> Quantities | None:
    """A usage object as meters without zeros.

    None, for unknown, where there is none, where it lacks one of its `totals` or contradicts itself.
    """
    try:
        found = _OBJECT(usage)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    for total in totals:
        if not isinstance(found.get(total), int):
            return None
    try:
        return {meter: quantity for meter, quantity in read(found).items() if quantity}
    except InputError:
        return None


def outcome_of_finish(reason: str) -> str:
    """The outcome of an answer that ended so; a word that we do not know yet is no reason for a claim."""
    try:
        return of_stop_reason(reason)
    except InputError:
        return "ok"


def outcome_of_error(raw: bytes | Raw) -> tuple[str, str]:
    """The outcome of an error that a vendor sent instead of an end, and its own word for it."""
    error = decode_or_none(_ERROR, raw)
    words = [word for word in (error.type, error.code) if isinstance(word, str)] if error else []
    for word in words:
        try:
            return of_error_type(word), word
        except InputError:
            continue
    status = error.code if error and isinstance(error.code, int) else 500
    return failed_outcome(status), words[0] if words else "error"


def outcome_of_event(data: bytes) -> tuple[str, str]:
    """As `outcome_of_error`, for an event whose error stands inside it, or is the event (type `error`) itself."""
    event = decode_or_none(_EVENT, data)
    if event is not None and len(event.error):
        return outcome_of_error(event.error)
    return outcome_of_error(msgspec.json.encode({"code": event.code if event else None}))


def failed_outcome(status: int) -> str:
    """The outcome of an answer that is no success; a redirect is the vendor's mistake."""
    return of_status(status) if 400 <= status < 600 else "http_5xx"


def failed(status: int, request_id: str) -> Served:
    """An answer with an error's status: nothing was used where no model ran, and elsewhere nobody knows."""
    used: Quantities | None = {} if status in _NEVER_RAN else None
    return Served(used, failed_outcome(status), vendor_request_id=request_id, finish=str(status))


def unreadable(headers: Headers, request_id: str) -> Served:
    """An answer that is no JSON: broken off, or compressed though nobody asked for that, which is no claim."""
    compressed = headers.get(b"content-encoding", b"identity") != b"identity"
    return Served(None, "ok" if compressed else "vendor_truncation", vendor_request_id=request_id)


def header(headers: Headers, name: bytes) -> str:
    """A header as text; its names are lower-case."""
    return headers.get(name, b"").decode("latin-1")
