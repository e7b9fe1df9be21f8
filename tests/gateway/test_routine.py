"""Served by routine or the general way, a sequence of calls leaves the same journal, the same books, the same answers.

Two gateways, each with a ledger, a journal and keys of its own, live through the same day: one has routines, the other
has none. Clocks stand still but where the vendor takes its time, so that every byte of the two journals can be
compared, latencies and all.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.contract.parse import parse
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.question import Suspension
from offtake.gateway.attempt import Attempt
from offtake.gateway.budgets import Budgets
from offtake.gateway.callers import Callers, Rates
from offtake.gateway.desk import Desk, Ids, instant, microseconds
from offtake.gateway.handle import Handler
from offtake.gateway.http.answer import Answer, BrokenError, NotSentError, TimedOutError, UpstreamError
from offtake.gateway.http.head import fields
from offtake.gateway.http.link import Listener
from offtake.gateway.http.request import Request
from offtake.gateway.in_force import InForce, limits_at
from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.durable import Durable
from offtake.gateway.journal.reader import journals, read_piece
from offtake.gateway.journal.writer import JournalError, JournalWriter
from offtake.gateway.neighbours import Neighbours
from offtake.gateway.outlet import Modes, Outlet
from offtake.gateway.route.candidates import RouteState
from offtake.gateway.route.odds import Point
from offtake.gateway.route.standing import Standing, standing_of
from offtake.gateway.routine.begun import Begun
from offtake.gateway.routine.routine import Routine
from offtake.gateway.vendors.endpoint import Endpoint, OpenAIWire
from offtake.ledger.budgets import BudgetRule
from offtake.ledger.gateway_key import GatewayKey
from offtake.operations.serve_config import GatewaySettings
from offtake.rating.bound import Bounds
from offtake.rating.compiled import CompiledTerms
from offtake.store.ledger.keys import create_key, key_book, revoke_key
from offtake.store.ledger.leases import start_worker
from offtake.store.ledger.ledger import open_ledger
from tests.gateway.deals import catalog

NOON = int(datetime(2026, 10, 5, 12, 1, tzinfo=UTC).timestamp() * 1e6)
USD = 10**12
MODEL, SMALL = "gpt-5.4", "gpt-5.4-mini"
TERMS = """contract: whole
buyer: Acme
vendor: openai
term: {from: 2026-01-01, until: 2030-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: ["gpt-*"], channels: [realtime, priority, flex], access: [api]}
prices:
  discounts:
    - {models: "gpt-5.4-mini", share: 40%}
    - {models: "*", share: 15%}
  cache: catalog
commitments:
  - {id: spend, amount: 100 USD / year, pool: all_models, counts_at: contracted, true_up: year}
behaviour: {block: [forbidden fruit], suspend_on: [incident]}
failed_requests: {http_5xx: free, timeout: free, refusal: billed, client_cancel: billed}
"""
RESIDENCY = "residency: {regions: [us], fail: closed}\ndata: {training: never, retention: none}\n"
LIMITS = "capacity: {limits: {requests_per_minute: 12, output_tpm: 20000}}\n"


async def nap(sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Let everybody else go on, for as long as anybody may need."""
    for _ in range(5):
        await sleep(0)


class Clock:
    """Both clocks of a gateway: they move when the vendor works, when somebody sleeps, and when a test says so."""

    def __init__(self) -> None:
        self.ns = 0

    def wall_ns(self) -> int:
        return NOON * 1_000 + self.ns

    def monotonic_ns(self) -> int:
        return 10**15 + self.ns

    def seconds(self) -> float:
        return self.monotonic_ns() / 1e9

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:

        async def sleep(seconds: float) -> None:
            self.ns += int(seconds * 1e9)
            await nap()

        stand = Attempt.stand

        def stands(attempt: Attempt, routing: RouteState) -> None:
            attempt.sent_ns = self.monotonic_ns()  # its default has the real clock for good
            stand(attempt, routing)

        with (
            mock.patch.object(time, "time_ns", self.wall_ns),
            mock.patch.object(time, "monotonic_ns", self.monotonic_ns),
            mock.patch.object(asyncio, "sleep", sleep),
            mock.patch.object(Attempt, "stand", stands),
        ):
            yield


@dataclass
class Reply:
    """What the vendor does with a call: `error` before a head, or after all of `parts`; `during` happens meanwhile."""

    status: int = 200
    parts: Sequence[bytes] = ()
    headers: dict[bytes, bytes] = field(default_factory=dict)
    error: UpstreamError | None = None
    during: Callable[[House], None] | None = None


class Vendor:
    """A pool whose answers are written down beforehand; the last reply goes on for ever."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.replies: list[Reply] = []
        self.seen: list[tuple[object, bytes]] = []

    def block(self, method: str, target: str, headers: dict[bytes, bytes]) -> Any:
        return method, target, tuple(sorted(headers.items()))

    def send_at_once(self, block: Any, body: bytes, listener: Listener) -> bool:
        """As over an idle connection: the head is told, and then the parts come one by one."""
        if not self.house.at_once:
            return False
        self.house.tasks.append(asyncio.create_task(self._told(block, body, listener)))
        return True

    async def _told(self, block: Any, body: bytes, listener: Listener) -> None:
        if isinstance(self.replies[0].error, NotSentError):
            listener.failed(NotSentError("the idle connection was closed as we wrote"))
            return
        try:
            reply, answer = await self._headed(block, body)
        except UpstreamError as error:
            listener.failed(error)
        else:
            listener.answered(answer)
            await self._feed(reply, answer)

    async def send(self, block: Any, body: bytes) -> Answer:
        reply, answer = await self._headed(block, body)
        self.house.tasks.append(asyncio.create_task(self._feed(reply, answer)))
        return answer

    async def _headed(self, block: Any, body: bytes) -> tuple[Reply, Answer]:
        self.seen.append((block, body))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.house.clock.ns += 7_000_000
        await asyncio.sleep(0.004)
        if reply.during is not None:
            reply.during(self.house)
        if reply.error is not None and not reply.parts:
            raise reply.error
        headers, loop = {b"x-request-id": b"req_v", **reply.headers}, asyncio.get_running_loop()
        nobody: Any = None  # its link is asked for no more
        return reply, Answer(reply.status, headers, nobody, loop)

    async def _feed(self, reply: Reply, answer: Answer) -> None:
        """The parts one by one, whatever happens between."""
        for part in reply.parts:
            await nap()
            if part:
                answer.grow(part)
            answer.grown()
        if reply.error is None:
            answer.end()
            answer.come()
        else:
            answer.fail(reply.error)


class Client:
    """What a client reads. `gone`: it has left; `leaves`: it does after so many pieces; `slow`: it takes too little.

    What it reads of a stream is one piece, however it was cut.
    """

    def __init__(self, *, gone: bool = False, leaves: int = 0, slow: bool = False) -> None:
        self.gone, self.leaves, self.slow, self.started = gone, leaves, slow, False
        self.read: list[object] = []
        self.pieces = self.drained = 0

    def send(self, status: int, headers: dict[bytes, bytes], body: bytes = b"") -> None:
        self.answer(status, fields(headers), body)

    def answer(self, status: int, lines: bytes, body: bytes) -> None:
        """The order of headers means nothing, so that they are read in one of ours."""
        assert not self.started
        self.started = True
        self.read.append((status, sorted(lines.splitlines()), body))

    def start(self, status: int, headers: dict[bytes, bytes]) -> None:
        self.send(status, headers)

    def begin(self, status: int, lines: bytes) -> None:
        self.answer(status, lines, b"")

    def write(self, chunk: bytes) -> bool:
        assert self.started
        last = self.read.pop() if isinstance(self.read[-1], bytes) else b""
        assert isinstance(last, bytes)
        self.read.append(last + chunk)
        self.pieces += 1
        self.gone = self.gone or self.pieces == self.leaves
        return self.slow

    async def drain(self) -> None:
        self.drained += 1
        await nap()

    def finish(self) -> None:
        self.read.append("end")

    def cut(self) -> None:
        self.read.append("cut")


class Disk(Durable):
    """The disk of a gateway that survives a power cut. `waited`: answers that it has held up."""

    waited = 0

    async def appended(self) -> None:
        self.waited += 1
        await super().appended()


class House:
    """One gateway with books of its own in `folder`."""

    def __init__(
        self, folder: Path, *, routines: bool, terms: str = TERMS, budget_usd: int | None = 5, log: str = "none",
        modes: Modes = Modes(), at_once: bool = True, power: bool = False, **key: Any,
    ) -> None:  # fmt: skip
        self.clock, self.folder = Clock(), folder
        self.at_once = at_once
        self.disk: Disk | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self.modes = modes
        self.signed(terms)
        self.ledger = open_ledger(folder / "offtake.db", create=True)
        start_worker(self.ledger, "w", NOON)
        self.journal = JournalWriter(folder / "journal", "w")
        if power:
            self.disk = Disk(self.journal)
        budgets = () if budget_usd is None else (BudgetRule("key:key_1", budget_usd * USD, "month"),)
        self.rates = Rates(0, 1)
        secret = create_key(
            self.ledger,
            GatewayKey(id="key_1", name="k", created_at=NOON, workload="support", team="s", budgets=budgets, **key),
        )
        self.vendor = Vendor(self)
        endpoint = Endpoint("openai", {}, self.vendor, OpenAIWire("sk-v", ["chat"]))  # type: ignore[arg-type]  # a pool
        purses = Budgets(self.ledger, "w", 1, self.clock.seconds, Neighbours())
        self.desk = Desk(
            GatewaySettings(body_mb_max=1, log=log), self.fresh(), {"openai": endpoint},  # type: ignore[arg-type]  # a log
            self.callers(), purses, self.journal, self.disk, Ids("w"), folder,
        )  # fmt: skip
        self.handler = Handler(self.desk, folder)
        self.handler.run = lambda work, _: self.tasks.append(asyncio.create_task(work))
        if not routines:
            self.handler.routines.begun = lambda *_: None  # type: ignore[method-assign]
        self.headers = {b"host": b"h", b"authorization": b"Bearer " + secret.encode(), b"user-agent": b"sdk/1"}

    def signed(self, terms: str) -> None:
        """From the next reading on, this is the contract."""
        compiled = CompiledTerms(parse(terms, "whole.yaml"), catalog())
        self.outlet = Outlet(
            "openai", "whole", compiled, Bounds(compiled), "openai", region="us", speaks="openai", modes=self.modes
        )

    def fresh(self, policy: Policy | None = None) -> InForce:
        limits = limits_at([self.outlet])
        return InForce((self.outlet,), limits, policy or Policy(), RouteState({"whole": Standing()}))

    def callers(self) -> Callers:
        return Callers(key_book(self.ledger), {}, None, self.rates)

    def call(self, body: bytes, head: bytes = b"POST /v1/chat/completions", **headers: bytes) -> Request:
        named = self.headers | {name.replace("_", "-").encode(): value for name, value in headers.items()}
        return Request("POST", "/v1/chat/completions", "", named, body, "127.0.0.1", True, False, head)

    def live(self, steps: Sequence[Step]) -> list[object]:
        """What clients read while all of it happens."""

        async def day() -> list[object]:
            found: list[object] = []
            for step in steps:
                if step.body is None:
                    step.happens(self)
                    continue
                self.vendor.replies = list(step.replies)
                client = Client(gone=step.gone, leaves=step.leaves, slow=step.slow)
                await self.served(self.call(step.body, **step.headers), client)
                found.append(client.read)
                assert not self.handler.routines.under_way
            return found

        with self.clock.in_place():
            return asyncio.run(day())

    async def served(self, request: Request, client: Client) -> None:
        """Until nobody has anything left to do for it."""
        work = self.handler(request, client)  # type: ignore[arg-type]  # it answers
        if work is not None:
            await work
        while self.tasks:
            await self.tasks.pop(0)

    def books(self) -> dict[str, object]:
        """All that is known afterwards: in memory, in the journal, and in the ledger once that has read it."""
        routing, budgets = self.desk.in_force.routing, self.desk.budgets
        known: dict[str, object] = {
            "purses": {
                name: (each.purse.lease.free_pico, each.purse.lease.holds_pico, each.purse.held_pico,
                       each.purse.overdrawn_pico)
                for name, each in budgets._filled.items()
            },
            "limits": [
                (limits.in_flight, [(window.total, window.limit) for window, _ in limits.windows])
                for limits in (self.desk.in_force.limits["whole"], *self.rates._known.values())
            ],
            "breakers": {name: repr(each) for name, each in routing.breakers.items()},
            "counts": (repr(self.desk.counts._tallies), dict(self.desk.counts._refused)),
            "learned": {
                name: (seen.output_tokens.total, seen.input_permille.at(990), seen.rest_permille.at(990))
                for name, seen in self.desk.learned._seen.items()
            },
            "sent": self.vendor.seen,
            "disk": self.disk and self.disk.waited,
        }  # fmt: skip
        self.journal.close()
        paths = [path for several in journals(self.folder / "journal").values() for path in several]
        known["journal"] = [line for path in paths for _, line in read_piece(path, 0, 2**30).events]
        with self.clock.in_place():
            Ingester(self.ledger, self.folder / "journal").drain()
        known["accounts"] = self.ledger.balances_of("")
        return known

    def close(self) -> None:
        self.journal.close()
        self.ledger.close()


@dataclass
class Step:
    """A call with the vendor's replies to it, or (without a body) something that happens between calls."""

    body: bytes | None = None
    replies: Sequence[Reply] = ()
    happens: Callable[[House], None] = lambda house: None
    gone: bool = False
    leaves: int = 0
    slow: bool = False
    headers: dict[str, Any] = field(default_factory=dict)
    what: str = ""

    def __repr__(self) -> str:
        return self.what or repr((self.body, self.replies, self.gone, self.headers))


def both(steps: Sequence[Step], **house: Any) -> int:
    """Live through the steps in both ways, and hold them against each other. How many calls a routine ended."""
    ended = 0
    begin = Routine.begin

    def counted(self: Routine, *call: Any) -> Begun | None:
        nonlocal ended
        begun = begin(self, *call)
        ended += begun is not None
        return begun

    with TemporaryDirectory() as one, TemporaryDirectory() as other, mock.patch.object(Routine, "begin", counted):
        mine = House(Path(one), routines=True, **house)
        general = House(Path(other), routines=False, **house)
        try:
            answers, expected = mine.live(steps), general.live(steps)
            for number, (answer, wanted) in enumerate(zip(answers, expected, strict=True)):
                assert wanted == answer, f"answer {number}"
            known, wanted_books = mine.books(), general.books()
            for name, wanted in wanted_books.items():
                assert wanted == known[name], name
        finally:
            mine.close()
            general.close()
    return ended


def said(
    model: str = MODEL, used: tuple[int, int] = (20, 7), finish: str | None = "stop", **more: Any
) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": finish}
    usage = {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage} | more


def reply(answer: dict[str, Any] | None = None, **more: Any) -> Reply:
    headers = {b"content-type": b"application/json", b"server": b"nginx", b"openai-version": b"1"}
    return Reply(parts=(json.dumps(said() if answer is None else answer).encode(),), headers=headers, **more)


def asks(text: str = "hello", model: str = MODEL, **more: Any) -> bytes:
    members = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 50} | more
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


PLAIN = Step(asks(), (reply(),))
SLOW = reply(said(MODEL, (4_000, 3_000)))
STREAM = (
    b'data: {"model":"gpt-5.4","choices":[{"index":0,"delta":{"content":"y"},"finish_reason":null}]}\n\n',
    b'data: {"model":"gpt-5.4","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b'data: {"model":"gpt-5.4","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}\n\ndata: [DONE]\n\n',
)
EVENTS = {b"content-type": b"text/event-stream"}
ODD_USAGE: list[dict[str, Any] | None] = [
    None, {}, {"prompt_tokens": 0, "completion_tokens": 0}, {"prompt_tokens": 5, "completion_tokens": -1},
    {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 30}, {"prompt_tokens": "5", "completion_tokens": 2},
    {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
    {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 9}},
    {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"audio_tokens": 2}},
    {"prompt_tokens": 9, "completion_tokens": 6, "completion_tokens_details": {"reasoning_tokens": 3}},
    {"prompt_tokens": 300_000, "completion_tokens": 9},
]  # fmt: skip
REPLIES = {
    "plain": reply(),
    "long": SLOW,
    "in two parts": Reply(parts=(b'{"model":"gpt-5.4","choices":[{"finish_reason":"stop"}],', b'"usage":null}')),
    "another model": reply(said("gpt-5.4-2026-03-01")),
    "a model nobody knows": reply(said("frontier-9")),
    "standard tier": reply(said(service_tier="default")),
    "priority": reply(said(service_tier="priority")),
    "a tier nobody knows": reply(said(service_tier="sometimes")),
    "refusal": reply(said(finish="content_filter")),
    "no end": reply(said(finish=None)),
    "an odd end": reply(said(finish="eos")),
    "an error inside": reply(said(error={"type": "server_error"})),
    "two choices": reply(said(choices=[{"finish_reason": "stop"}, {"finish_reason": "content_filter"}])),
    "no choice": reply(said(choices=[])),
    **{f"usage {usage}": reply(said(usage=usage)) for usage in ODD_USAGE},
    "no JSON": Reply(parts=(b"<html>",)),
    "empty": Reply(),
    "201": reply(status=201),
    "204": Reply(204),
    "compressed": Reply(parts=(b"\x1f\x8b\x00",), headers={b"content-encoding": b"gzip"}),
    "302": Reply(302, headers={b"location": b"/x"}),
    "400": reply({"error": {"message": "no", "type": "invalid_request_error"}}, status=400),
    "401": reply({"error": {"message": "no"}}, status=401),
    "408": Reply(408),
    "409": Reply(409),
    "429": reply({"error": {"message": "slow down"}}, status=429),
    "429 for long": Reply(429, headers={b"retry-after": b"30"}),
    "500": reply({"error": {"message": "failed"}}, status=500),
    "503": Reply(503, headers={b"retry-after": b"1"}),
    "529": Reply(529),
    "not sent": Reply(error=NotSentError("no connection")),
    "broken": Reply(error=BrokenError("reset")),
    "timed out": Reply(error=TimedOutError("first byte", dispatched=True)),
    "no connection in time": Reply(error=TimedOutError("connect", dispatched=False)),
    "broken within": Reply(parts=(b'{"model":"gpt',), error=BrokenError("reset")),
    "timed out within": Reply(parts=(b'{"model":"gpt',), error=TimedOutError("between", dispatched=True)),
    "500 broken within": Reply(500, parts=(b"<h",), error=BrokenError("reset")),
    "too long": Reply(parts=(b" " * 600_000, b" " * 600_000)),
    "a stream unasked": Reply(parts=STREAM, headers=EVENTS),
    "a stream broken": Reply(parts=STREAM[:1], headers=EVENTS, error=BrokenError("reset")),
}  # fmt: skip
WHOLE_STREAM = b"".join(STREAM)


def cut(stream: bytes, *sizes: int) -> list[bytes]:
    """A stream in pieces of so many bytes, again and again."""
    pieces: list[bytes] = []
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(stream):
            return pieces
        pieces.append(stream[at : at + size])
        at += size
    return pieces


def event(**chunk: Any) -> bytes:
    return b"data: " + json.dumps({"model": MODEL, "choices": []} | chunk).encode() + b"\n\n"


def ends(finish: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}


USED = {"prompt_tokens": 9, "completion_tokens": 4}
STREAMS = {
    "stream": STREAM,
    "stream in one piece": [WHOLE_STREAM],
    "stream in odd pieces": cut(WHOLE_STREAM, 7, 40, 3),
    "stream byte by byte": cut(WHOLE_STREAM, 1),
    "stream with CRLF": [WHOLE_STREAM.replace(b"\n", b"\r\n")],
    "stream without an end": STREAM[:2],
    "stream without usage": [*STREAM[:2], b"data: [DONE]\n\n"],
    "stream of nothing": [],
    "stream with an error": [STREAM[0], b'data: {"error":{"type":"server_error"}}\n\n'],
    "stream with an error at the end": [*STREAM[:2], event(usage=USED, error={"code": 500})],
    "stream that is cut short": [STREAM[0], event(**ends("length")), event(usage=USED), b"data: [DONE]\n\n"],
    "stream that refuses": [STREAM[0], event(**ends("content_filter")), event(usage=USED), b"data: [DONE]\n\n"],
    "stream of another model": [event(model="gpt-5.4-mini"), event(model="gpt-5.4-mini", usage=USED, **ends("stop"))],
    "stream at priority": [event(service_tier="priority", **ends("stop")), event(usage=USED)],
    "stream at default": [event(service_tier="default", **ends("stop")), event(usage=USED)],
    "stream with odd usage": [*STREAM[:2], event(usage={"prompt_tokens": "9"}), b"data: [DONE]\n\n"],
    "stream of a cache": [*STREAM[:2], event(usage=USED | {"prompt_tokens_details": {"cached_tokens": 8}})],
    "stream with audio": [*STREAM[:2], event(usage=USED | {"completion_tokens_details": {"audio_tokens": 2}})],
    "stream of no tokens": [*STREAM[:2], event(usage={"prompt_tokens": 0, "completion_tokens": 0})],
    "stream with usage all along": [event(usage=USED, **ends("stop")), event(usage=USED), b": more\n\n"],
    "stream with words after the end": [*STREAM, event(choices=[{"index": 0, "delta": {"content": "!"}}])],
    "stream with comments": [b": ping\n\n", *STREAM[:1], b": ping\n\n", *STREAM[1:]],
    "stream that is long": [*STREAM[:1] * 40, *STREAM[1:]],
}
WHOLES = [*REPLIES, "stream", "broken stream"]
STREAMED = {name: Reply(parts=parts, headers=EVENTS) for name, parts in STREAMS.items()} | {
    "broken stream": Reply(parts=STREAM[:2], headers=EVENTS, error=BrokenError("reset")),
    "broken after usage": Reply(parts=STREAM, headers=EVENTS, error=BrokenError("reset")),
    "broken at once": Reply(parts=(b"",), headers=EVENTS, error=BrokenError("reset")),
    "timed out stream": Reply(parts=STREAM[:1], headers=EVENTS, error=TimedOutError("between", dispatched=True)),
    "stream of a 500": Reply(500, parts=STREAM, headers=EVENTS),
}
REPLIES |= STREAMED
PART = [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]
ASKS = {
    "hello": asks(),
    "another text": asks("größer? \ufdfa", temperature=0.5, user="u"),
    "small": asks(model=SMALL),
    "no limit": asks(max_tokens=...),
    "newer limit": asks(max_completion_tokens=900),
    "large": asks("word " * 4_000, max_tokens=1_000),
    "dear": asks(max_tokens=200_000),
    "blocked": asks("a Forbidden Fruit, please"),
    "nobody sells it": asks(model="gpt-5.4-x"),
    "a name of no vendor": asks(model="nothing"),
    "stream": asks(stream=True),
    "stream with usage": asks(stream=True, stream_options={"include_usage": True}),
    "small stream": asks(model=SMALL, stream=True, stream_options={"include_usage": True}),
    "stream without usage": asks(stream=True, stream_options={"include_usage": False}),
    "stream with more": asks(stream=True, stream_options={"include_usage": True, "include_obfuscation": False}),
    "options without a stream": asks(stream_options={"include_usage": True}),
    "no stream": asks(stream=False),
    "several": asks(n=2),
    "priority": asks(service_tier="priority"),
    "flex": asks(service_tier="flex"),
    "tools": asks(tools=[{"type": "function", "function": {"name": "f"}}]),
    "parts": asks(messages=PART),
    "no messages": asks(messages=...),
    "no JSON": b"{",
    "twice": b'{"model":"gpt-5.4","model":"gpt-5.4","messages":[]}',
    "odd limit": asks(max_tokens=1e3),
    "a limit below nothing": asks(max_tokens=-1),
}


def passes(seconds: float) -> Callable[[House], None]:
    def happens(house: House) -> None:
        house.clock.ns += int(seconds * 1e9)

    return happens


def stands(drawn_usd: int, *rest_usd: int) -> Callable[[House], None]:
    """`rest_usd`: what three futures of a forecast still draw."""

    def happens(house: House) -> None:
        rest = [Point(permille, usd * USD) for permille, usd in zip((50, 500, 950), rest_usd, strict=False)]
        forecasts = {"spend": rest} if rest else {}
        found = standing_of(house.outlet.terms, instant(microseconds()), {"spend": drawn_usd * USD}, {}, forecasts)
        house.desk.in_force.routing.standings = {"whole": found}

    return happens


def keys_change(house: House) -> None:
    house.desk.callers = house.callers()


def revoked(house: House) -> None:
    revoke_key(house.ledger, "key_1", microseconds())
    keys_change(house)


def reloads(house: House) -> None:
    house.signed(TERMS.replace("15%", "25%"))
    house.desk.in_force = house.fresh().after(house.desk.in_force, time.monotonic_ns())


def suspended(house: House) -> None:
    house.desk.in_force.policy.suspend(Suspension("whole", SMALL, "incident", instant(microseconds())))


def lifted(house: House) -> None:
    house.desk.in_force.policy.lift("whole", SMALL)


EVENTS_BETWEEN = {
    "a second": passes(1),
    "a minute": passes(61),
    "a quarter of an hour": passes(900),
    "months": passes(40 * 86_400),
    "the clock goes back": passes(-0.5),
    "new standings": stands(3),
    "a forecast": stands(3, 10, 90, 99),
    "all drawn": stands(100),
    "keys read again": keys_change,
    "revoked": revoked,
    "reload": reloads,
    "suspended": suspended,
    "lifted": lifted,
}  # fmt: skip


def call(ask: str = "hello", *replies: str, **more: Any) -> Step:
    chosen = replies or ("plain",)
    what = f"{ask} <- {', '.join(chosen)} {more or ''}"
    return Step(ASKS[ask], [REPLIES[name] for name in chosen], what=what, **more)


def between(name: str) -> Step:
    return Step(happens=EVENTS_BETWEEN[name], what=name)


STREAM_ASKS = ("stream with usage", "small stream", "stream")
STREAM_CALLS = st.builds(
    lambda ask, replies, **client: call(ask, *replies, "stream", **client),
    st.sampled_from(STREAM_ASKS),
    st.lists(st.sampled_from([name for name in REPLIES if "stream" in name] + ["429", "500", "not sent"]), max_size=2),
    gone=st.sampled_from([False, False, False, True]),
    leaves=st.sampled_from([0, 0, 0, 1, 2, 3]),
    slow=st.booleans(),
)
PLAIN_CALLS = st.sampled_from(["hello", "another text", "hello", "small", "no limit", "newer limit", "large"]).map(call)
ANY_CALLS = st.builds(
    lambda ask, replies, gone: call(ask, *replies, "plain", gone=gone) if replies else call(ask, gone=gone),
    st.sampled_from(["hello", "hello", "small"]) | st.sampled_from(list(ASKS)),
    st.lists(st.sampled_from(list(REPLIES)), max_size=3),
    st.sampled_from([False, False, False, True]),
)
HAPPENS = st.sampled_from([name for name in EVENTS_BETWEEN if name not in ("revoked", "the clock goes back")]).map(
    between
)
LAST = st.sampled_from(["revoked"]).map(between)
DAYS = st.tuples(
    st.lists(PLAIN_CALLS | ANY_CALLS | STREAM_CALLS | HAPPENS, min_size=2, max_size=14),
    st.lists(LAST, max_size=1),
    st.lists(PLAIN_CALLS, max_size=2),
).map(lambda parts: [call(), call("stream with usage", "stream"), *itertools.chain(*parts)])
HOUSES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "terms": st.sampled_from([TERMS, TERMS + LIMITS, TERMS + RESIDENCY]),
        "budget_usd": st.sampled_from([None, 5, 5, 1, 0]),
    },
    optional={
        "rates": st.sampled_from([{"requests_per_minute": 5}, {"concurrency": 1}, {"output_tpm": 5_000}]),
        "clamp": st.booleans(),
        "models_denied": st.just((SMALL,)),
        "expires_at": st.just(NOON + 1_500_000),
        "at_once": st.booleans(),
    },
)


@settings(max_examples=min(settings().max_examples, 120))
@given(DAYS, HOUSES)
def test_both_ways_leave_the_same_journal_books_and_answers(steps: list[Step], house: dict[str, Any]) -> None:
    both(steps, **house)


def test_plain_calls_are_served_by_routine() -> None:
    assert 5 == both(
        [call(), call(), call("small"), call("small"), call("another text"), call("newer limit"), call()],
        budget_usd=None,
    )


@pytest.mark.parametrize("name", WHOLES)
@pytest.mark.parametrize("budget_usd", [5, None])
def test_whatever_the_vendor_answers(name: str, budget_usd: int | None) -> None:
    steps = [call(), call("hello", name, "plain"), call(), call("hello", name, name, name), call(), call("small")]

    assert 1 <= both(steps, budget_usd=budget_usd)


@pytest.mark.parametrize("name", WHOLES)
def test_whatever_the_vendor_answers_to_a_client_that_has_left(name: str) -> None:
    assert 1 <= both([call(), call("hello", name, "plain", gone=True), call()])


def test_plain_streams_are_served_by_routine() -> None:
    asked = ["stream with usage", "stream with usage", "stream", "small stream", "small stream", "stream", "stream"]

    assert 4 == both([call(ask, "stream") for ask in asked], budget_usd=None)


@pytest.mark.parametrize(
    ("name", "client"),
    [
        *((name, {}) for name in REPLIES),
        *itertools.product(["plain", "500", *STREAMED], [{"slow": True}, {"leaves": 1}, {"gone": True}]),
    ],
    ids=str,
)
def test_whatever_the_vendor_streams(name: str, client: dict[str, Any]) -> None:
    ask = "stream" if len(name) % 2 else "stream with usage"
    first, again = call(ask, "stream"), call(ask, name, "stream", **client)

    assert 2 <= both([first, first, again, again, first, call("small stream", name, "stream")], terms=TERMS + LIMITS)


@pytest.mark.parametrize("name", list(ASKS))
def test_whatever_is_asked(name: str) -> None:
    steps = [call(), call(name), call(name), call(), call(name, "429", "plain")]

    assert 1 <= both(steps, terms=TERMS + LIMITS)


@pytest.mark.parametrize("name", list(EVENTS_BETWEEN))
def test_whatever_happens_between(name: str) -> None:
    both([call(), call(), call("small"), between(name), call(), call(), call("small"), call("small")])


@pytest.mark.parametrize("name", list(EVENTS_BETWEEN))
@pytest.mark.parametrize("ask", ["hello", "small"])
def test_whatever_happens_while_the_vendor_works(name: str, ask: str) -> None:
    """What changes under way is not learned with what was before, and not missed by the calls that follow."""
    slow = Step(ASKS[ask], [reply(during=EVENTS_BETWEEN[name])], what=f"{ask} during {name}")

    both([slow, call(ask), call(ask), slow, call(ask), call(ask)])


@pytest.mark.parametrize(("rule", "least"), [("suspension", 1), ("block", 1), ("limits", 1), ("budget", 0)])
def test_what_is_only_observed_is_observed_alike(rule: str, least: int) -> None:
    """A budget that is only observed is lent nothing, so that each call is observed and none is routine."""
    slow = Step(ASKS["small"], [reply(during=suspended)], what="suspended under way")
    steps = [call(), call("blocked"), call(), slow, *[call("small")] * 4, *[call("large", "long")] * 9]

    assert least <= both(steps, terms=TERMS + LIMITS, budget_usd=1, modes=Modes("enforce", {rule: "observe"}))


def test_a_key_ends_within_a_second() -> None:
    steps = [call(), call(), between("a second"), call(), between("a second"), call(), call()]

    assert 2 == both(steps, expires_at=NOON + 1_500_000)


def test_answers_that_wait_for_the_disk_wait_for_it_either_way() -> None:
    steps = [call(), call(), call("stream", "stream"), call("stream", "stream"), call("hello", "500", "plain"), call()]

    assert 4 == both(steps, power=True, budget_usd=None)


def test_calls_at_once_are_counted_and_paid_once_each() -> None:
    """Sixty calls on one head, and the same one after another, come to the same sums."""
    asked = [("hello", "stream", "small", "large")[number % 4] for number in range(60)]
    replies = [REPLIES["stream" if ask == "stream" else "plain"] for ask in asked]
    known = []
    for together in (True, False):
        with TemporaryDirectory() as folder:
            house = House(Path(folder), routines=together, terms=TERMS + LIMITS.replace("12", "99"), budget_usd=50)
            house.live([call(ask, "stream" if ask == "stream" else "plain") for ask in asked[:4]])
            house.vendor.replies = list(replies)
            clients = [Client() for _ in asked]

            async def all_of_them(
                house: House = house, clients: list[Client] = clients, wait: bool = not together
            ) -> None:
                for ask, client in zip(asked, clients, strict=True):
                    served = asyncio.create_task(house.served(house.call(ASKS[ask]), client))
                    await (served if wait else nap())
                while house.tasks or house.handler.routines.under_way:
                    await nap()

            with house.clock.in_place():
                asyncio.run(all_of_them())
            books = house.books()
            assert all("200" in str(client.read[0]) for client in clients)
            counts = [
                (key, each.requests, each.cost_pico, each.tokens) for key, each in house.desk.counts._tallies.items()
            ]
            known.append(
                (
                    books["purses"],
                    books["accounts"],
                    counts,
                    [limits.in_flight for limits in house.desk.in_force.limits.values()],
                )
            )
            house.close()

    assert known[0] == known[1]


def test_limits_and_budgets_are_met_at_the_same_call() -> None:
    assert 11 == both([call() for _ in range(15)], terms=TERMS + LIMITS, budget_usd=None)
    assert 4 == both([call() for _ in range(9)], rates={"requests_per_minute": 5}, budget_usd=None)
    assert 0 < both([call("large", "long") for _ in range(40)], budget_usd=1)
    assert 0 < both([call("large", "long") for _ in range(40)], budget_usd=1, clamp=True)


def test_what_is_learned_is_learned_alike() -> None:
    steps = [call(("hello", "large", "small")[number % 3], ("plain", "long")[number % 2]) for number in range(90)]

    assert 80 < both(steps, rates={"output_tpm": 500_000}, budget_usd=50)


def test_a_part_of_a_commitment_and_of_a_grant_names_the_clause_of_each_call() -> None:
    """What decided may hang on how large a call is: a grant pays a small one, and only a part of a large one."""
    terms = TERMS + (
        "credits: [{name: gift, amount: 0.02 USD, expires: 2026-12-31, priority: 1, applies_to: usage, counts: true}]\n"
    )
    both([Step(happens=stands(0, 1, 2, 3)), call(), call("large"), call(), call("dear"), call("large")], terms=terms)


def test_standings_that_are_renewed_end_no_routine() -> None:
    """A worker renews them each second, and a stream may take longer than that."""
    steps = [call(), between("new standings"), call(), between("a forecast"), call("large"), between("all drawn")]

    assert 4 == both([*steps, call(), between("new standings"), call("dear")], budget_usd=None)
    assert 2 == both(
        [
            Step(ASKS["stream"], [Reply(parts=STREAM, headers=EVENTS, during=stands(3))]),
            *[call("stream", "stream"), between("new standings"), call("stream", "stream")],
        ]
    )


@pytest.mark.parametrize("left_pico", [1, USD // 10_000, USD // 100, USD // 10])
def test_what_is_left_of_a_commitment_may_be_less_than_a_call_costs(left_pico: int) -> None:
    def drawn(house: House) -> None:
        found = standing_of(house.outlet.terms, instant(microseconds()), {"spend": 100 * USD - left_pico}, {})
        house.desk.in_force.routing.standings = {"whole": found}

    renewed = Step(happens=drawn, what="nearly drawn")
    both([call(), renewed, call(), call("large"), call("dear"), renewed, call("dear"), call("large"), call()])


def test_beyond_a_burst_names_the_clause_of_each_call() -> None:
    terms = TERMS.replace(
        "true_up: year}",
        "true_up: month, burst: {window: month, up_to: 1.001x, at: committed_rate},"
        " overage: {at: contracted, surcharge: 10%}}",
    )

    def drawn(house: House) -> None:
        left = 11 * USD // 1_000
        whole = 100 * USD // 12 * 1_001 // 1_000
        amounts = {"spend": 100 * USD, "spend/month": whole - left}
        found = standing_of(house.outlet.terms, instant(microseconds()), amounts, {})
        house.desk.in_force.routing.standings = {"whole": found}

    both([Step(happens=drawn), call(), call("large"), call(), call("dear"), call("large")], terms=terms)


def test_a_full_disk_refuses_the_same_calls() -> None:
    """One that cannot be written down is counted once, and settled ones keep their holds."""
    write = JournalWriter.append

    def full(refused: Callable[[int], bool]) -> Callable[..., None]:
        seen: dict[int, int] = {}

        def append(self: JournalWriter, *events: Any) -> None:
            number = seen[id(self)] = seen.get(id(self), 0) + 1
            if refused(number):
                raise JournalError("L702", "no room")
            write(self, *events)

        return append

    steps = [call() for _ in range(9)]
    for refused in (lambda number: number == 4, lambda number: 5 <= number < 8):
        with mock.patch.object(JournalWriter, "append", full(refused)):
            both(steps, terms=TERMS + LIMITS)


@pytest.mark.parametrize("log", ["errors", "all"])
def test_logs_are_the_same(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    both([call(), call("hello", "refusal"), call(), call("blocked")], log=log)
    lines = [line.partition('"event"')[2] for line in capsys.readouterr().err.splitlines()]

    assert lines
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


def test_another_head_or_none_is_another_request() -> None:
    """A routine belongs to a head; where no head repeats there is none."""
    with TemporaryDirectory() as folder:
        house = House(Path(folder), routines=True)
        house.vendor.replies = [reply()]
        with house.clock.in_place(), mock.patch.object(Routine, "begin", side_effect=AssertionError):
            for head in (b"one", b"two", b"three", b"", b""):
                client = Client()
                asyncio.run(house.served(house.call(asks(), head), client))
                assert "200" in str(client.read)
        house.close()


def test_no_prompt_stays_with_a_routine() -> None:
    with TemporaryDirectory() as folder:
        house = House(Path(folder), routines=True)
        house.live([call("hello"), call("stream", "stream"), call("small"), call("hello"), call("stream", "stream")])
        kept = [routine for routines in house.handler.routines._kept.values() for routine in routines.values()]
        assert len(kept) == 3
        house.vendor.seen.clear()
        seen, left = set(), [value for routine in kept for value in vars(routine).values()]
        while left:
            each = left.pop()
            if id(each) in seen or isinstance(each, type | type(itertools) | type(call)):
                continue
            seen.add(id(each))
            assert not isinstance(each, bytes) or b'"messages"' not in each, each
            left += gc.get_referents(each)
        house.close()
