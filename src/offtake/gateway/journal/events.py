"""What a worker writes down: one event a line, content-free, amounts in whole picodollars, instants in microseconds.

    open      the first line of a file: who writes, and in which format
    intent    before a request is dispatched: what it may cost at most, on which budgets
    settle    before its last byte goes to the client: what it used and cost, and why
    release   it was never dispatched: its hold ends without a cost
    resolve   how a request ended whose worker died before it could say so
    end       the last line of a file that is finished

Each request has one intent and one of settle, release or resolve. A retry at another vendor is a request of its own:
its id is its own too. Ids that grow with time keep the ledger's index fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from offtake.ledger.entries import Written
from offtake.ledger.lines import Lines, line_of

FORMAT = 1


class Open(msgspec.Struct, tag_field="kind", tag="open", gc=False):
    """Who writes this file; `sequence` counts the worker's files from 1."""

    worker: str
    sequence: int
    format: int = FORMAT


class End(msgspec.Struct, tag_field="kind", tag="end", gc=False):
    """Nothing follows in this file."""

    worker: str


class Intent(msgspec.Struct, tag_field="kind", tag="intent", omit_defaults=True, gc=False):
    """A request about to be dispatched. `holds`: budget account → picodollars, a true upper bound of its cost."""

    id: str
    at: int
    key_id: str
    holds: dict[str, int]
    contract: str
    vendor: str
    model: str
    channel: str = "realtime"
    access: str = "api"
    region: str = "global"
    workload: str = ""
    customer: str = ""
    tags: Mapping[str, str] = {}
    tier_requested: str = ""
    parent: str = ""
    """The client's request that this attempt belongs to, where it is not the first attempt."""


class Settle(msgspec.Struct, tag_field="kind", tag="settle", omit_defaults=True, gc=False):
    """How a request ended. The fields of a usage record, and its cost with the clause that decided it.

    `budgets` are those that its intent held. `usage_known` False: the quantities are an estimate, to be reconciled.
    `quantities`, by meter, hold no zeros. `used_at` is when it was dispatched.
    """

    id: str
    at: int
    used_at: int
    key_id: str
    budgets: Sequence[str]
    cost_pico: int
    contract: str
    vendor: str
    model: str
    quantities: Mapping[str, int]
    outcome: str = "ok"
    usage_known: bool = True
    account: str = ""
    channel: str = "realtime"
    access: str = "api"
    region: str = "global"
    workload: str = ""
    customer: str = ""
    tags: Mapping[str, str] = {}
    context_tokens: int | None = None
    latency_ms: int | None = None
    first_token_ms: int | None = None
    tier_requested: str = ""
    tier_served: str = ""
    vendor_request_id: str = ""
    list_pico: int | None = None
    """The same usage at list price; None where there is none."""
    clauses: Sequence[str] = ()
    """The clauses that made the price, such as `prices.discounts[0] (acme.yaml:9)`."""
    verdict: str = ""
    """The clause that decided what a failed request costs, and how: `failed_requests.http_5xx: free`."""
    evidence: dict[str, str] = {}
    """What proves the verdict, the served region and tier: short facts, never content."""
    prefixes: list[tuple[str, int]] = []
    """Of a workload that opted in to caching: each block of its prompt as a keyed hash of all up to its end, and the
    block's bytes."""


class Release(msgspec.Struct, tag_field="kind", tag="release", omit_defaults=True, gc=False):
    """A request that was never dispatched. `budgets` are those that its intent held."""

    id: str
    at: int
    budgets: list[str]
    why: str = ""


class Resolve(msgspec.Struct, tag_field="kind", tag="resolve", omit_defaults=True, gc=False):
    """How a request without an end did end: its cost (0: none), who says so, and the usage where it is known."""

    id: str
    at: int
    budgets: list[str]
    cost_pico: int
    contract: str
    vendor: str
    why: str
    quantities: dict[str, int] = {}


Event = Open | End | Intent | Settle | Release | Resolve


class Head(msgspec.Struct, gc=False):
    """What the ledger needs of an event; the rest of the line is kept as it is and read when it is asked for."""

    kind: str
    id: str
    at: int = 0
    holds: msgspec.Raw = msgspec.Raw(b"{}")
    budgets: tuple[str, ...] = ()
    cost_pico: int = 0
    contract: str = ""
    vendor: str = ""
    used_at: int = 0
    model: str = ""
    access: str = "api"
    list_pico: int | None = None
    quantities: dict[str, int] = {}


class Mark(msgspec.Struct, gc=False):
    """`open` or `end`, which stand at the ends of a file and say nothing of a request."""

    kind: Literal["open", "end"]
    format: int = FORMAT


encode = msgspec.json.Encoder().encode
_decode_head = msgspec.json.Decoder(Head).decode
_decode_mark = msgspec.json.Decoder(Mark).decode
_decode_several = msgspec.json.Decoder(list[msgspec.Raw]).decode


def events_of(lines: Lines) -> Written:
    """The events of whole lines, each with a line of its own. ValueError for what is no event, or a later format's."""
    try:
        return Written(list(map(_decode_head, lines.payloads)), lines.text)
    except msgspec.ValidationError:  # some are marks, or arrays, which is rare
        pass
    except msgspec.DecodeError as error:
        raise ValueError(f"it is no event: {error}") from error
    try:
        found = [raw for payload in lines.payloads if not _is_mark(payload) for raw in _apart(payload)]
        return Written([_decode_head(raw) for raw in found], b"\n".join(map(line_of, found)))
    except msgspec.DecodeError as error:
        raise ValueError(f"it is no event: {error}") from error


def _apart(payload: bytes) -> list[bytes]:
    """The events of a line, which may be an array of them."""
    return [bytes(raw) for raw in _decode_several(payload)] if payload.startswith(b"[") else [payload]


def _is_mark(payload: bytes) -> bool:
    try:
        mark = _decode_mark(payload)
    except msgspec.DecodeError:
        return False
    if mark.format > FORMAT:
        raise ValueError(f"it is of format {mark.format}, and this version reads {FORMAT}")
    return True
