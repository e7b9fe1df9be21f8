"""One request of a key for files and batches: what it may see, and how it waits for the process of batches.

A worker keeps a document in the store and waits until that process has said what it thinks of it, so that what cannot
run is refused at once; where that takes longer than a client waits, the document says it later.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from offtake.gateway.ask import BadAsk, Refusal
from offtake.gateway.batch.documents import DAY, Batch, File, batch_of, encode, file_of, new_id
from offtake.gateway.batch.plan import input_name
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.store.batches import BatchStore, Document, Kind

JSON = {b"content-type": b"application/json"}
LINES = {b"content-type": b"application/x-jsonl"}
WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.03
IDEMPOTENCY = b"idempotency-key"
IDEMPOTENCY_BYTES_MAX = 255


class MissingError(Exception):
    """There is no such thing; the message says what."""


class RefusedPageError(Exception):
    """What was asked is refused; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Visit:
    """One request of a key, and the store: a key sees what is its own. `key_name` is for its batches."""

    def __init__(self, store: BatchStore, key_id: str, key_name: str) -> None:
        self.store = store
        self.key_id = key_id
        self.key_name = key_name

    async def document(self, kind: Kind, id: str, named: str = "") -> Document:
        """A document of this key. MissingError, in which it is `named`."""
        found = await asyncio.to_thread(self.store.read, kind, id, self.key_id)
        if found is None:
            raise MissingError(f"No such {named or kind}: {id}")
        return found

    async def batch(self, id: str, wire: str) -> tuple[Batch, str]:
        """A batch that was made on this wire, and what was asked of it. MissingError."""
        document = await self.document("batch", id)
        batch = batch_of(document.body)
        if batch.wire != wire or batch.deferred:
            raise MissingError(f"No such batch: {id}")
        return batch, document.asked

    async def batches(self, wire: str) -> list[tuple[Batch, str]]:
        """All of them, the newest first."""
        documents = await asyncio.to_thread(self.store.of_key, "batch", self.key_id)
        found = [(batch_of(document.body), document.asked) for document in documents]
        return [(batch, asked) for batch, asked in found if batch.wire == wire and not batch.deferred]

    async def file(self, id: str) -> File:
        """A file. MissingError."""
        return file_of((await self.document("file", id)).body)

    async def add_file(self, file: File, content: memoryview) -> File:
        """Keep an upload and wait for its check: the file as it is then. RefusedPageError where a line cannot run."""
        await self._keep(file.id, (content,))
        await self._add("file", file.id, encode(file), file.created_at, file.ends_at)
        document = await self._settled("file", file.id, lambda body: file_of(body).status != "checking")
        found = file_of(document.body)
        if found.refusal is not None:
            await asyncio.to_thread(self.store.remove, file.id)
            raise RefusedPageError(found.refusal)
        return found

    async def add_batch(self, batch: Batch, content: Sequence[bytes] | None = None) -> Batch:
        """Make a batch and wait until it is held. RefusedPageError where that is refused; nothing has run then.

        `content` are its lines where its client sends them with it.
        """
        known = await self._known(batch) if batch.fingerprint else False
        if content is not None and not known:
            await self._keep(input_name(batch.id), content)
        if not known:
            await self._add("batch", batch.id, encode(batch), batch.created_at, None)
        document = await self._settled("batch", batch.id, lambda body: batch_of(body).status != "validating")
        found = batch_of(document.body)
        if found.refusal is not None:
            await asyncio.to_thread(self.store.remove, batch.id)
            raise RefusedPageError(found.refusal)
        return found

    def once(self, batch: Batch, request: Request) -> None:
        """Where the request bears an idempotency key: the batch is the one that this key of ours made with it before.

        BadAsk (G909) for one that is too long; `add_batch` raises it for another request with the same.
        """
        name = request.headers.get(IDEMPOTENCY, b"")
        if not name:
            return
        if len(name) > IDEMPOTENCY_BYTES_MAX:
            raise BadAsk("G909", f"an idempotency key has up to {IDEMPOTENCY_BYTES_MAX} bytes")
        prefix = batch.id.partition("_")[0]
        named = hashlib.sha256(b"%b %b %b" % (self.key_id.encode(), prefix.encode(), name)).hexdigest()
        batch.id = f"{prefix}_{named[:24]}"
        asked = b"%b %b\n%b" % (batch.id.encode(), request.path.encode(), request.body)
        batch.fingerprint = hashlib.sha256(asked).hexdigest()

    async def _known(self, batch: Batch) -> bool:
        """Whether this very request has made its batch before. BadAsk where another one has."""
        found = await asyncio.to_thread(self.store.read, "batch", batch.id, self.key_id)
        if found is None:
            return False
        if batch_of(found.body).fingerprint not in ("", batch.fingerprint):
            raise BadAsk("G909", "this idempotency key was used for another request", hint="take a new one")
        return True

    async def _keep(self, name: str, pieces: Sequence[bytes | memoryview]) -> None:
        try:
            await asyncio.to_thread(self.store.keep, name, pieces)
        except OSError as error:
            raise RefusedPageError(_full(error)) from error

    async def _add(self, kind: Kind, id: str, body: bytes, at: int, ends_at: int | None) -> None:
        document = Document(id, self.key_id, "", body)
        await asyncio.to_thread(lambda: self.store.add(kind, document, at, open=True, ends_at=ends_at, again=False))

    async def _settled(self, kind: Kind, id: str, is_settled: Callable[[bytes], bool]) -> Document:
        """A document once the process of batches has looked at it, or as it is when a client will wait no longer."""
        until = asyncio.get_running_loop().time() + WAIT_SECONDS
        while True:
            document = await self.document(kind, id)
            if is_settled(document.body) or asyncio.get_running_loop().time() > until:
                return document
            await asyncio.sleep(LOOK_SECONDS)


def query_of(request: Request) -> dict[str, str]:
    """A request's query, each name once."""
    return dict(parse_qsl(request.query))


async def send_content(store: BatchStore, name: str, responder: Responder, kind: Mapping[bytes, bytes]) -> None:
    """Send contents piece by piece. MissingError where they are gone."""
    try:
        file = store.path(name).open("rb")
    except FileNotFoundError:
        raise MissingError("Its results have expired, or are not there yet") from None
    with file:
        responder.start(200, kind)
        while piece := await asyncio.to_thread(file.read, 2**18):
            if responder.gone:
                return
            responder.write(piece)
            await responder.drain()
    responder.finish()


def new_batch(wire: str, endpoint: str, file: str, at: int, prefix: str = "") -> Batch:
    """A batch that nothing is known of yet."""
    id = new_id(prefix or ("msgbatch_" if wire == "anthropic" else "batch_"))
    return Batch(id, wire, endpoint, file, at, at + DAY)


def said(responder: Responder, body: dict[str, Any]) -> None:
    """Answer with an object."""
    responder.send(200, JSON, json.dumps(body).encode())


def _full(error: OSError) -> Refusal:
    return Refusal("overloaded", "G907", f"the file cannot be kept: {error.strerror}", hint="nothing was accepted")
