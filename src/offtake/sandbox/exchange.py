"""One request over HTTP: read, perhaps refused, worked on, metered, answered. A raw ASGI application, kept lean."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

from offtake.sandbox.ask import Ask, Caller
from offtake.sandbox.done import Done, Wire, encode
from offtake.sandbox.faults import ERRORS, billed, error_of
from offtake.sandbox.limits import Bucket, headers_of
from offtake.sandbox.meter import meter_line
from offtake.sandbox.refusals import VendorError, anthropic_error, openai_error
from offtake.sandbox.script import FaultRule
from offtake.sandbox.usage import Usage
from offtake.sandbox.wishes import wishes_of
from offtake.sandbox.work import Sandbox, check_window, do, so_far

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[str, str]

BODY_MAX_BYTES = 64_000_000
TIMEOUT_SECONDS = 600.0
JSON = [(b"content-type", b"application/json")]
SSE = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
_OUTCOMES = {"truncation": "vendor_truncation", "cut": "vendor_truncation", "refusal": "refusal",
             "stream_error": "http_5xx", "timeout": "timeout", "bad_json": "http_5xx"}  # fmt: skip


@dataclass(slots=True)
class Call:
    """A request as it came: who is asked, and its headers by lower-case name."""

    vendor: str
    region: str
    headers: Headers
    body: bytes
    request_id: str
    send: Send
    receive: Receive
    started: bool = False  # an answer has begun
    base: str = ""  # the address that `/messages` follows, as the client knows it

    @property
    def anthropic(self) -> bool:
        """Whether it speaks Anthropic's wire."""
        return self.vendor == "anthropic"

    @property
    def key(self) -> str:
        """The key it was sent with; x-api-key goes before a bearer token. "" without one."""
        return self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ").strip()

    @property
    def key_id(self) -> str:
        """The beginning of the key's hash: enough to tell keys apart on the meter."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:12]


async def read_body(receive: Receive, most: int = BODY_MAX_BYTES) -> bytes:
    """The whole body. VendorError 413 beyond the limit; asyncio.CancelledError where the client leaves."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > most:
            raise VendorError(413, "Request exceeds the maximum size")
        if not message.get("more_body"):
            return b"".join(parts)


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, or a VendorError 400."""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VendorError.invalid(f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(data, dict):
        raise VendorError.invalid("The body of the request is not a JSON object")
    return data


async def answer(call: Call, status: int, data: bytes, headers: Headers | None = None, *, kind: str = "") -> None:
    """A whole answer."""
    sent = [(b"content-type", kind.encode())] if kind else list(JSON)
    sent += _ids(call) + _encoded(headers or {})
    sent.append((b"content-length", str(len(data)).encode()))
    await call.send({"type": "http.response.start", "status": status, "headers": sent})
    await call.send({"type": "http.response.body", "body": data})


async def refuse(call: Call, error: VendorError) -> None:
    """An error in the words of the vendor."""
    said = anthropic_error(error, call.request_id) if call.anthropic else openai_error(error)
    await answer(call, error.status, encode(said), dict(error.headers))


def _ids(call: Call) -> list[tuple[bytes, bytes]]:
    name = b"request-id" if call.anthropic else b"x-request-id"
    return [(name, call.request_id.encode())]


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def ask_of(sandbox: Sandbox, wire: Wire, call: Call, body: dict[str, Any], raw: bytes) -> Ask:
    """What the body asks; VendorError where the vendor would refuse it."""
    model = sandbox.models.find(call.vendor, body.get("model"))
    ask = wire.read(model, body, Caller(call.region, call.headers.get("anthropic-version", ""), sandbox.remembered))
    check_window(ask)
    ask.wishes = wishes_of(raw, call.headers)
    ask.seed = zlib.crc32(b"".join(block.content for block in ask.prompt.blocks))
    return ask


async def exchange(sandbox: Sandbox, wire: Wire, call: Call) -> None:
    """Serves one request of an endpoint that works on a prompt."""
    body = object_of(call.body)
    ask = ask_of(sandbox, wire, call, body, call.body)
    fault = sandbox.faults.choose(ask, call.headers)
    if fault and fault.fault in ERRORS:
        await _fail(sandbox, ask, fault, call)
        return
    buckets = sandbox.limits.admit(call.vendor, ask.model.id, ask.prompt.tokens, sandbox.now())
    done = do(sandbox, ask, fault, wire.prefix, call.request_id)
    if wire.keep:
        wire.keep(sandbox, done)
    if "output" in buckets:
        buckets["output"].left -= done.usage.output
    pause = sandbox.pause_seconds(sandbox.script.latency.first_token_ms)
    if fault:
        pause += fault.delay_ms / 1000
    if pause:
        await asyncio.sleep(pause)
    if ask.stream:
        await _stream(sandbox, wire, done, fault, call, buckets)
    else:
        await _whole(sandbox, wire, done, fault, call, buckets)


async def _fail(sandbox: Sandbox, ask: Ask, fault: FaultRule, call: Call) -> None:
    """An error instead of an answer, perhaps after a while."""
    if fault.fault == "timeout":
        await _hang(call.receive, fault.delay_ms / 1000 or TIMEOUT_SECONDS)
    elif fault.delay_ms:
        await asyncio.sleep(fault.delay_ms / 1000)
    raise fail(sandbox, ask, fault, call)


def fail(
    sandbox: Sandbox, ask: Ask, fault: FaultRule, call: Call, named: Mapping[str, str] | None = None
) -> VendorError:
    """The error of a fault, which is metered where the script says that it is billed."""
    error = error_of(fault, call.vendor)
    if billed(fault) != "none":
        outcome = "timeout" if fault.fault == "timeout" else "http_5xx" if error.status >= 500 else "client_error"
        more = {"status": error.status, "outcome": outcome, "fault": fault.fault}
        _meter(sandbox, ask, sandbox.input_of(ask), call, **more, **(named or {}))
    return error


async def _hang(receive: Receive, seconds: float) -> None:
    """No answer until the client leaves, or until the time is over."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _meter(sandbox: Sandbox, ask: Ask, usage: Usage, call: Call, **more: Any) -> None:
    client = call.headers.get("x-client-request-id") or call.headers.get("x-request-id")
    line = meter_line(ask, usage, call.request_id, sandbox.now(), client_request_id=client, key_id=call.key_id, **more)
    sandbox.meter.write(line)


def bill(
    sandbox: Sandbox,
    done: Done,
    fault: FaultRule | None,
    call: Call,
    usage: Usage,
    outcome: str = "",
    named: Mapping[str, str] | None = None,
) -> None:
    """The meter's line of a request that was answered, as far as it is billed."""
    kind = fault.fault if fault else ""
    charged = billed(fault) if fault else "all"
    if charged == "none":
        return
    if charged == "input":
        usage = so_far(usage, 0)
    more: dict[str, Any] = {
        "status": 200,
        "outcome": outcome or _OUTCOMES.get(kind, "ok"),
        "finish": done.answers[0].finish if done.answers else "",
        "tier_served": done.tier,
        "fault": kind,
    }
    if done.region != done.ask.region:
        more["region"] = done.region
    _meter(sandbox, done.ask, usage, call, **more, **(named or {}))


async def _whole(
    sandbox: Sandbox, wire: Wire, done: Done, fault: FaultRule | None, call: Call, buckets: dict[str, Bucket]
) -> None:
    latency = sandbox.script.latency.token_ms
    if latency:
        await asyncio.sleep(sandbox.pause_seconds(latency * done.usage.output))
    data = encode(wire.whole(done))
    bill(sandbox, done, fault, call, done.usage)
    headers = headers_of(call.vendor, buckets, sandbox.now())
    if fault and fault.fault == "bad_json":
        data = data[: len(data) // 2]
    if fault and fault.fault in ("cut", "stream_error"):
        sent = JSON + _ids(call) + [(b"content-length", str(len(data)).encode())]
        await call.send({"type": "http.response.start", "status": 200, "headers": sent})
        await call.send({"type": "http.response.body", "body": data[: len(data) // 2], "more_body": True})
        return  # the server closes a connection whose answer is not complete
    await answer(call, 200, data, headers)


async def _stream(
    sandbox: Sandbox, wire: Wire, done: Done, fault: FaultRule | None, call: Call, buckets: dict[str, Bucket]
) -> None:
    """Chunk by chunk. The meter is written before the chunk that says how it ended, or when it ends otherwise."""
    call.started = True
    headers = SSE + _ids(call) + _encoded(headers_of(call.vendor, buckets, sandbox.now()))
    await call.send({"type": "http.response.start", "status": 200, "headers": headers})
    kind = fault.fault if fault else ""
    breaks = fault.after if fault and kind in ("cut", "stream_error") else 0
    left = asyncio.ensure_future(_left(call.receive))
    tokens, gone, metered = 0, False, False
    try:
        for number, chunk in enumerate(wire.stream(done, sandbox.script.tokens_per_chunk)):
            if gone or (number == breaks and kind in ("cut", "stream_error")):
                break
            await asyncio.sleep(sandbox.pause_seconds(sandbox.script.latency.token_ms * (chunk.tokens - tokens)))
            if chunk.last:
                bill(sandbox, done, fault, call, done.usage)
                metered = True
            await call.send({"type": "http.response.body", "body": chunk.data, "more_body": True})
            tokens, gone = chunk.tokens, left.done()
    finally:  # also where the sandbox is stopped in the middle
        left.cancel()
        if not metered:
            bill(sandbox, done, fault, call, so_far(done.usage, tokens), "client_cancel" if gone else "")
    if not metered and kind == "stream_error" and not gone:
        await call.send({"type": "http.response.body", "body": _error_event(call)})
    elif metered or kind == "truncation":
        await call.send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _error_event(call: Call) -> bytes:
    error = VendorError(529 if call.anthropic else 500, "Overloaded" if call.anthropic else "The server had an error")
    if call.anthropic:
        return b"event: error\ndata: " + encode(anthropic_error(error, call.request_id)) + b"\n\n"
    return b"data: " + encode(openai_error(error)) + b"\n\n"
