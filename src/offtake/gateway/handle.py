"""What a worker does with a request: its path names a dialect, its key a caller, and refusals are in its words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from offtake.gateway import headers as ours
from offtake.gateway import metrics, models, openapi
from offtake.gateway.amend import amended, flexed
from offtake.gateway.ask import BadAsk, Refusal
from offtake.gateway.batch.deferred import preferences
from offtake.gateway.batch.pages import Pages, is_batch_path
from offtake.gateway.callers import Caller
from offtake.gateway.desk import Desk, instant, microseconds
from offtake.gateway.dialects import BY_NAME, Dialect, of_path
from offtake.gateway.dispatch import Dispatch, RefusedError
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.http.server import Work
from offtake.gateway.log import say, say_crash
from offtake.gateway.routine.begun import raising
from offtake.gateway.routine.kept import Routines

JSON = {b"content-type": b"application/json"}
KINDS = {408: "overloaded", 413: "too_large", 429: "rate", 431: "too_large", 503: "overloaded"}


class Handler:
    """Serves the requests of one worker."""

    def __init__(self, desk: Desk, batches: Path) -> None:
        self.desk = desk
        self.routines = Routines(desk, self._go_on)
        self.run: Callable[[Work, Responder], None]  # the server's, which is there after its handler
        self._batches = Pages(batches, lambda headers, scope: self.desk.callers.find(headers, microseconds(), scope))

    def __call__(self, request: Request, responder: Responder) -> Work | None:
        """Answer one request, by a coroutine or by routine.

        Nothing that a client sends ends in a traceback, and nothing is answered twice.
        """
        request_id = self.desk.ids.next()
        try:
            begun = self.routines.begun(request_id, request, responder)
            if begun is None:
                work = self._answered(request_id, request, responder)
            elif begun.routine.send_at_once(begun):
                return None
            else:
                work = begun.routine.send(begun)
        except Exception as error:  # noqa: BLE001 - it is told as those of coroutines are
            work = raising(error)
        return self._guarded(request_id, request, responder, work)

    def _go_on(self, request_id: str, request: Request, responder: Responder, work: Work) -> None:
        self.run(self._guarded(request_id, request, responder, work), responder)

    async def _answered(self, request_id: str, request: Request, responder: Responder) -> None:
        """Answer a request the general way."""
        dialect = of_path(request.path)
        if dialect is None and is_batch_path(request.path):
            await self._batches.serve(request, responder, request_id)
        elif dialect is None:
            await self._other(request, responder)
        elif request.method != "POST":
            responder.send(405, JSON | {b"allow": b"POST"}, _error(f"{request.path} takes POST"))
        else:
            await self._served(dialect, request_id, request, responder)

    async def _guarded(self, request_id: str, request: Request, responder: Responder, work: Work) -> None:
        """Await what answers a request, and say in its dialect why there is no answer."""
        dialect = of_path(request.path)
        try:
            await work
        except BadAsk as error:
            self._refuse(dialect, error.refusal, request_id, responder)
        except RefusedError as error:
            self._refuse(dialect, error.refusal, request_id, responder)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not take a client's connection along
            say_crash("request failed", error, request_id=request_id)
            if responder.started:
                responder.cut()
            else:
                refusal = Refusal("overloaded", "G500", "the gateway failed; it is written down", hint=request_id)
                self._refuse(dialect, refusal, request_id, responder)

    async def _served(self, dialect: Dialect, request_id: str, request: Request, responder: Responder) -> None:
        caller = self._caller(request, "inference")
        ask = amended(dialect, dialect.read(request.path, request.headers, request.body), caller.rules, request.headers)
        if b"prefer" in request.headers or caller.patience is not None:
            asked = preferences(request.headers)
            if b"respond-async" in asked:
                await self._batches.defer(request, responder, caller, dialect, ask, request_id)
                return
            ask = flexed(dialect, ask, caller, asked, self.desk.in_force, request.headers)
        dispatch = Dispatch(self.desk, self.desk.in_force, request_id, caller, dialect, ask, request, responder)
        await dispatch.run()
        self.routines.learn(dispatch)

    def _caller(self, request: Request, scope: str) -> Caller:
        found = self.desk.callers.find(request.headers, microseconds(), scope)
        if isinstance(found, Refusal):
            raise RefusedError(found)
        return found

    def _refuse(self, dialect: Dialect | None, refusal: Refusal, request_id: str, responder: Responder) -> None:
        self.desk.counts.refused(refusal.code)
        if self.desk.settings.log != "none":
            say("refused", id=request_id, code=refusal.code, kind=refusal.kind)
        spoken = dialect or BY_NAME["openai_chat"]
        status, listed, body = spoken.refuse(refusal, request_id)
        headers = dict(listed) | {ours.REQUEST_ID: request_id.encode()}
        if refusal.clause:
            headers[ours.CLAUSE] = " ".join(refusal.clause.split()).encode("ascii", "replace")
        responder.send(status, headers, body)

    async def _other(self, request: Request, responder: Responder) -> None:
        """Paths that no model answers."""
        path = request.path.removeprefix("/v1")
        if path == "/health/live":
            responder.send(200, JSON, b'{"status":"live"}')
        elif path == "/health/ready":
            responder.send(200, JSON, b'{"status":"ready"}')
        elif path == "/models" or path.startswith("/models/"):
            if request.method not in ("GET", "HEAD"):
                responder.send(405, JSON | {b"allow": b"GET"}, _error(f"{request.path} takes GET"))
                return
            self._models(request, path.removeprefix("/models").strip("/"), responder)
        elif path == "/openapi.json":
            responder.send(200, JSON, json.dumps(openapi.description()).encode())
        elif path == "/metrics" and self._may_read_metrics(request):
            self.desk.counts.write(self.desk.journals, self.desk.journal.worker)
            text = await asyncio.to_thread(metrics.page, self.desk.journals)
            responder.send(200, {b"content-type": b"text/plain; version=0.0.4; charset=utf-8"}, text)
        else:
            responder.send(404, JSON, _error(f"nothing is served at {request.path}"))

    def _may_read_metrics(self, request: Request) -> bool:
        allowed = self.desk.settings.metrics
        return allowed == "open" or (allowed == "local" and request.client in ("127.0.0.1", "::1"))

    def _models(self, request: Request, name: str, responder: Responder) -> None:
        anthropic = b"anthropic-version" in request.headers
        caller, at = self._caller(request, "inference"), instant(microseconds())
        if not name:
            responder.send(200, JSON, models.listed(self.desk.in_force, caller.rules, at, anthropic=anthropic))
            return
        found = models.one(self.desk.in_force, caller.rules, at, name, anthropic=anthropic)
        if found is not None:
            responder.send(200, JSON, found)
            return
        refusal = Refusal("model", "G302", f"no model {name} for this key")
        dialect = BY_NAME["anthropic_messages" if anthropic else "openai_chat"]
        self._refuse(dialect, refusal, self.desk.ids.next(), responder)


def refuse_early(status: int, reason: str, path: str) -> tuple[Mapping[bytes, bytes], bytes]:
    """The words for a request that no handler gets: too large, too slow, not HTTP. In the dialect of its path."""
    dialect = of_path(path) or BY_NAME["openai_chat"]
    _, listed, body = dialect.refuse(Refusal(KINDS.get(status, "bad_request"), f"H{status}", reason))
    return dict(listed), body


def _error(words: str) -> bytes:
    error = {"message": words, "type": "invalid_request_error", "param": None, "code": None}
    return json.dumps({"error": error}).encode()
