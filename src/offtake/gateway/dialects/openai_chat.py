"""OpenAI's `POST /v1/chat/completions`, which most other vendors speak too.

Sources: openai 3.54 (types/chat/completion_create_params.py, chat_completion_chunk.py), read November 2026.
Usage comes in a stream only where it is asked for. We always ask, and take the chunk that carries it out again where
the client did not; the other chunks then have `"usage": null`, which every client reads as nothing.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from offtake.gateway.ask import UNLIMITED, Ask, BadAsk, Edits, Fields, Refusal, Served
from offtake.gateway.dialects import answered, asked, bound, openai_input, refusals, sse
from offtake.gateway.dialects.document import decoded, encoded, flag, spliced, text, top_level, whole
from offtake.usage.usage_objects import openai_chat

NAME = "openai_chat"
refuse = refusals.openai

_LIMITS = ("max_completion_tokens", "max_tokens")
# Vendors that know the newer limit; DeepSeek and most other compatible ones know `max_tokens` alone.
HEED_BOTH = frozenset({"", "openai", "azure", "google", "x-ai", "groq", "cerebras"})
# Mistral says usage unasked, and answers 422 (extra_forbidden) to who asks (openai-agents-python#442, tabby#4082).
_SAY_USAGE = frozenset({"mistral"})
_CLIENT_TOOLS = frozenset({"function", "custom"})
_INSTRUCTED = frozenset({"tools", "functions", "response_format", "web_search_options"})
_MEDIA = frozenset({"audio", "modalities"})
_HELD = frozenset({"cached_content", "extra_body"})  # Google: a cache of its own, named in the request
_SEARCHES = frozenset({"web_search_options", "search_parameters", "plugins"})  # OpenAI, xAI, OpenRouter


class _Part(msgspec.Struct):
    type: str = ""
    image_url: Raw = Raw(b"null")
    prompt_cache_breakpoint: Raw = Raw(b"")


_NOT_SPOKEN = Raw(b"null")


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    audio: Raw = _NOT_SPOKEN


class _Request(msgspec.Struct):
    """What is read of a request at once; what stands in few requests is read of its `fields`."""

    model: str | None = None
    messages: list[_Message] | None = None
    stream: bool | None = None
    n: int | float | None = None
    max_completion_tokens: int | float | None = None
    max_tokens: int | float | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    store: bool | None = None


class _Choice(msgspec.Struct):
    finish_reason: str | None = None


class _Answer(msgspec.Struct):
    """A completion, or a chunk of one."""

    model: str | None = None
    choices: list[_Choice] | None = None
    usage: Raw = Raw(b"")
    error: Raw = Raw(b"")
    service_tier: str | None = None


_REQUEST = msgspec.json.Decoder(_Request).decode
_ANSWER = msgspec.json.Decoder(_Answer).decode


def read(path: str, headers: asked.Headers, body: bytes) -> Ask:
    """What the client asks; `BadAsk` where its body cannot be read."""
    fields = top_level(body)
    request = decoded(_REQUEST, body, "the body")
    if not request.model or request.messages is None:
        asked.required(fields, "messages" if request.model else "model")
        raise BadAsk("G106", "the field 'model' is empty")
    content = bound.Content(known=_HELD.isdisjoint(fields))
    for message in request.messages:
        if type(message.content) is list:
            _look(message.content, content)
        if message.audio is not _NOT_SPOKEN and bytes(message.audio) != b"null":  # an earlier spoken answer, by its id
            content.known = False
    content.any_medium = not _MEDIA.isdisjoint(fields)
    searches = not _SEARCHES.isdisjoint(fields) or not asked.only_client_tools(fields, _CLIENT_TOOLS)
    content.known &= not searches
    stream, choices = bool(request.stream), whole("n", request.n, least=1) or 1
    return Ask(
        dialect=NAME,
        body=body,
        model=request.model,
        stream=stream,
        output_tokens_max=_output_tokens_max(request, fields, choices),
        input_tokens_max=bound.input_tokens_max(body, content, bound.overhead_of(fields, _INSTRUCTED)),
        media=content.media,
        # OpenAI writes to its cache unasked; the lifetime of 12 hours has to be asked for.
        cache_writes=("5m", "1h") if content.cache_long or openai_input.cache_long(fields) else ("5m",),
        tier=request.service_tier or "",
        server_tools=UNLIMITED if searches else 0,
        session=request.prompt_cache_key or asked.session_of(headers),
        wants_usage=not stream or _asks_for_usage(fields),
        choices=choices,
        stores=bool(request.store),
        fields=fields,
    )


def _look(parts: list[_Part], content: bound.Content) -> None:
    for part in parts:
        match part.type:
            case "text" | "refusal":
                pass
            case "input_audio":  # 10 tokens a second, and no codec has fewer bytes
                content.audio = True
            case "image_url":
                openai_input.look_at_image(part.image_url, None, content)
            case _:
                content.known = False
        content.cache_long |= openai_input.marked_long(part.prompt_cache_breakpoint)


def _output_tokens_max(request: _Request, fields: Fields, choices: int) -> int | None:
    limit = whole("max_completion_tokens", request.max_completion_tokens)
    older = whole("max_tokens", request.max_tokens)
    if limit is None and older is None:
        return None
    # A rejected prediction is billed as output, beside what the limit bounds.
    return (max(limit or 0, older or 0) + len(fields.get("prediction", b""))) * choices


def _asks_for_usage(fields: Fields) -> bool:
    options = fields.get("stream_options")
    if options is None or bytes(options) == b"null":
        return False
    return flag(top_level(bytes(options), "stream_options"), "include_usage")


def edited(ask: Ask, edits: Edits) -> tuple[bytes, tuple[str, ...]]:
    """The bytes for the vendor, and the names of the fields that were changed in them."""
    if edits.changes_nothing and edits.vendor in HEED_BOTH:
        return ask.body, ()
    heeded = _LIMITS if edits.vendor in HEED_BOTH else ("max_tokens",)
    changes = asked.renamed(ask, edits) | asked.clamp(ask, edits, _LIMITS, heeded)
    if edits.include_usage and not ask.wants_usage and edits.vendor not in _SAY_USAGE:
        options = bytes(ask.fields.get("stream_options", b"null"))
        changes["stream_options"] = (
            b'{"include_usage":true}'
            if options == b"null"
            else spliced(options, top_level(options), {"include_usage": b"true"})
        )
    if edits.cache_key and not text(ask.fields, "prompt_cache_key"):
        changes["prompt_cache_key"] = encoded(edits.cache_key)
    return asked.made(ask, changes), tuple(changes)


def served(status: int, headers: answered.Headers, body: bytes, ask: Ask | None = None) -> Served:
    """What a whole answer says; headers' names are lower-case."""
    request_id = answered.header(headers, b"x-request-id")
    if not 200 <= status < 300:
        return answered.failed(status, request_id)
    answer = answered.decode_or_none(_ANSWER, body)
    if answer is None:
        return answered.unreadable(headers, request_id)
    end = _End()
    end.see(answer)
    return end.served(request_id, "vendor_truncation")


class _End:
    """What is known of an answer so far."""

    __slots__ = ("choices", "error", "finish", "is_last", "model", "tier", "usage")

    def __init__(self, choices: int = 1) -> None:
        self.choices = choices
        self.model = self.tier = ""
        self.finish: dict[str, None] = {}  # the choices' own words, each once
        self.usage: Raw | None = None
        self.is_last = False  # usage in a chunk without choices: there is nothing left to count
        self.error: Raw | None = None

    @property
    def is_final(self) -> bool:
        """Whether no usage follows: some vendors say it so far with every chunk, others once after the last."""
        with_last_words = self.choices == 1 and bool(self.finish)
        return self.error is not None or (self.usage is not None and (self.is_last or with_last_words))

    def see(self, answer: _Answer) -> None:
        self.model = self.model or answer.model or ""
        self.tier = answer.service_tier or self.tier
        for choice in answer.choices or ():
            if choice.finish_reason:
                self.finish[choice.finish_reason] = None
        if len(answer.usage) > len("null"):
            self.usage = answer.usage
            self.is_last = not answer.choices
        if len(answer.error) and bytes(answer.error) != b"null":
            self.error = answer.error

    def served(self, request_id: str, cut: str) -> Served:
        quantities = (
            None
            if self.usage is None
            else answered.quantities(openai_chat, self.usage, "prompt_tokens", "completion_tokens")
        )
        outcome, finish = cut, ""
        if self.error is not None:
            outcome, finish = answered.outcome_of_error(self.error)
        else:
            for word in self.finish:  # of several choices the first that went wrong speaks
                said = answered.outcome_of_finish(word)
                if not finish or (outcome == "ok" and said != "ok"):
                    outcome, finish = said, word
        return Served(quantities, outcome, self.tier, "", self.model, request_id, finish)


_SAYS_USAGE = re.compile(rb'"usage"\s*:\s*[{"\[]').search
_SAYS_FINISH = re.compile(rb'"finish_reason"\s*:\s*"').search
_SAYS_TEXT = re.compile(rb'"content"\s*:\s*"').search
_TEXT = re.compile(rb'[^"\\\r\n]*').fullmatch
"""Within a string: what neither ends it nor the event, nor escapes what follows."""


def _matters(event: bytes) -> bool:
    """Whether an event says more than text. Three searches for words cost less than one for any of them."""
    return (
        _SAYS_USAGE(event) is not None or _SAYS_FINISH(event) is not None or event.find(b'"error"') >= 0
        or event.find(b"[DONE]") >= 0
    )  # fmt: skip


class Stream:
    """A streamed answer on its way to the client. Only chunks that say more than text are read.

    Once `complete`, the usage is final: whoever writes it down does so before this chunk is passed on.
    """

    __slots__ = ("_after", "_before", "_done", "_end", "_events", "_request_id", "_strips", "complete")

    def __init__(self, ask: Ask, headers: answered.Headers) -> None:
        self._before: bytes | tuple[()] = ()  # what stood before the text of a chunk that said no more; () for none yet
        self._after = b""
        self._strips = not ask.wants_usage
        self._events = sse.Events()
        self._done = False
        self._end = _End(ask.choices)
        self._request_id = answered.header(headers, b"x-request-id")
        self.complete = False

    def feed(self, chunk: bytes) -> bytes:
        """The bytes to pass on for a chunk of the vendor's: itself, but for usage that the client did not ask for."""
        if (
            chunk.startswith(self._before)
            and chunk.endswith(self._after)
            and _TEXT(chunk, len(self._before), len(chunk) - len(self._after)) is not None
            and not self._events.held
        ):
            return chunk
        if self._end.model and not self._events.held and sse.all_of_lines(chunk, 1) and not _matters(chunk):
            self._look_around(chunk)
            return chunk
        passed = [event for event in self._events.feed(chunk) if not self._read(event)]
        self.complete = self._done or self._end.is_final
        return b"".join(passed) if self._strips else chunk

    def _look_around(self, chunk: bytes) -> None:
        """Know the next chunk that differs in its text alone."""
        found = _SAYS_TEXT(chunk)
        if found is not None:
            begin, end = found.end(), chunk.find(b'"', found.end())
            if _TEXT(chunk, begin, end) is not None:
                self._before, self._after = chunk[:begin], chunk[end:]

    def end(self) -> bytes:
        """The bytes that are still owed when the vendor has closed."""
        rest = self._events.rest()
        kept = b"" if self._read(rest) else rest
        self.complete = self._done or self._end.is_final
        return kept if self._strips else b""

    def served(self, cut: str = "vendor_truncation") -> Served:
        """What is known; `cut` is the outcome of a stream that has not come to its end."""
        return self._end.served(self._request_id, cut)

    def _read(self, event: bytes) -> bool:
        """Look at an event where it may matter; True for one that the client did not ask for."""
        if self._end.model and sse.in_one_line(event) and not _matters(event):
            return False
        data = sse.data_of(event)
        answer = answered.decode_or_none(_ANSWER, data)
        if answer is None:
            self._done = self._done or data.strip() == b"[DONE]"
            return False
        self._end.see(answer)
        return self._strips and answer.choices == [] and len(answer.usage) > len("null")


def stream_error(refusal: Refusal) -> bytes:
    """The event that ends a stream with an error; the SDK raises on it."""
    return sse.event("", encoded({"error": refusals.openai_error(refusal)}))
