"""What most chat completions are: texts to a model, answered whole or in a stream.

They are read in one step, or left to `openai_chat`. What is read here is what that reads, as a property test has it;
what it would refuse or look at more closely is None.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Raw

from offtake.gateway.ask import BadAsk, Fields
from offtake.gateway.dialects import answered, bound
from offtake.gateway.dialects.document import spans
from offtake.usage.record import COUNT_MAX

FIELDS = frozenset(
    (
        *("model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stop"),
        *("presence_penalty", "frequency_penalty", "user", "stream", "stream_options"),
    )
)
"""Members that change neither what a request may cost, nor which rules it meets, nor what goes out."""
BODY_BYTES_MAX = 2**20
"""What is longer is seldom plain, and would be read twice for nothing."""
_DIGITS_MAX = 9
_ASKS = b'"stream_options":{"include_usage":true},'
_WITH_USAGE = (b'{"include_usage":true}', b'{"include_usage": true}')


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    role: str
    content: str
    name: str | None = None


# How a request is to be answered: whole, in a stream that says its usage, or in one that is not asked to say it.
WHOLE, STREAMED, SILENT = range(3)
Plain = tuple[bytes, int, int, int | None]
"""A request: the model as it is written, how it is answered, a true bound of its input, and the limit of its output."""


class _Shape(NamedTuple):
    """The members that a request has, in their order. `rest_bytes`: all but their values, written without a space."""

    rest_bytes: int
    limits: tuple[str, ...]
    streams: bool
    options: bool


_Count = Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)] | None


class _In(msgspec.Struct):
    cached_tokens: _Count = None
    audio_tokens: _Count = None
    image_tokens: _Count = None
    cache_write_tokens: _Count = None
    cached_tokens_details: Raw | None = None
    cache_write_tokens_details: Raw | None = None


class _Out(msgspec.Struct):
    reasoning_tokens: _Count = None
    audio_tokens: _Count = None
    image_tokens: _Count = None


class _Usage(msgspec.Struct):
    prompt_tokens: Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]
    completion_tokens: Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]
    total_tokens: _Count = None
    prompt_tokens_details: _In | None = None
    completion_tokens_details: _Out | None = None


class _Choice(msgspec.Struct):
    finish_reason: str


class _Answer(msgspec.Struct):
    model: str
    choices: tuple[_Choice]
    usage: _Usage
    service_tier: str | None = None
    error: Raw | None = None


Told = tuple[str, str, dict[str, int], int]
"""An answer that ended well: model and tier as the vendor names them, its usage without zeros, and all of its input."""

_TOP = msgspec.json.Decoder(dict[str, Raw]).decode
_TEXTS = msgspec.json.Decoder(list[_Text]).decode
_ANSWER = msgspec.json.Decoder(_Answer).decode


def asked(body: bytes) -> Plain | None:
    """A request that is plain."""
    size = len(body)
    if size > BODY_BYTES_MAX:
        return None
    try:
        if not body.isascii():
            body.decode()
        fields = _TOP(body)
        shape = _shape(tuple(fields))
        if shape is None:
            return None
        kind = _kind(shape, fields) if shape.streams or shape.options else WHOLE
        if kind is None:
            return None
        if size != shape.rest_bytes + sum(map(len, fields.values())):
            spans(body, fields)
        _TEXTS(fields["messages"])
    except (BadAsk, msgspec.MsgspecError, RecursionError, ValueError):
        return None
    limit = None
    for name in shape.limits:
        digits = bytes(fields[name])
        if not digits.isdigit() or len(digits) > _DIGITS_MAX:
            return None
        limit = max(limit or 0, int(digits))
    return bytes(fields["model"]), kind, size + bound.REQUEST_OVERHEAD + bound.grown(body), limit


def _kind(shape: _Shape, fields: Fields) -> int | None:
    """How a request with some of `stream` and `stream_options` is answered; None where that is not plain."""
    streams = bytes(fields["stream"]) if shape.streams else b"false"
    if streams not in (b"true", b"false"):
        return None
    if not shape.options:
        return WHOLE if streams == b"false" else SILENT
    return STREAMED if streams == b"true" and bytes(fields["stream_options"]) in _WITH_USAGE else None


def with_usage(body: bytes) -> bytes:
    """The body of a SILENT request as it goes out: a stream has to say what it used. As `openai_chat.edited` does."""
    begin = body.index(b"{") + 1
    return b"%b%b%b" % (body[:begin], _ASKS, body[begin:])


@lru_cache(maxsize=256)
def _shape(names: tuple[str, ...]) -> _Shape | None:
    """None where one is not plain, or is missing."""
    if not {"model", "messages"} <= set(names) <= FIELDS:
        return None
    limits = tuple(name for name in ("max_completion_tokens", "max_tokens") if name in names)
    return _Shape(sum(map(len, names)) + 4 * len(names) + 1, limits, "stream" in names, "stream_options" in names)


def told(body: bytes) -> Told | None:
    """An answer that is plain: one choice that ended well, with usage of text and of cached text alone."""
    try:
        answer = _ANSWER(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    if answer.error is not None or not answer.model:
        return None
    usage = answer.usage
    inside, out = usage.prompt_tokens_details, usage.completion_tokens_details
    read, output = 0, usage.completion_tokens
    if inside is not None:
        read = inside.cached_tokens or 0
        if inside.audio_tokens or inside.image_tokens or inside.cache_write_tokens or read > usage.prompt_tokens:
            return None
        if inside.cached_tokens_details is not None or inside.cache_write_tokens_details is not None:
            return None
    if out is not None and (out.audio_tokens or out.image_tokens):
        return None
    if (usage.total_tokens or 0) > usage.prompt_tokens + output:  # reasoning that stands beside the output
        return None
    finish = answer.choices[0].finish_reason
    if finish != "stop" and answered.outcome_of_finish(finish) != "ok":
        return None
    quantities = {}
    if usage.prompt_tokens > read:
        quantities["input_tokens"] = usage.prompt_tokens - read
    if read:
        quantities["cache_read_tokens"] = read
    if output:
        quantities["output_tokens"] = output
    if out is not None and out.reasoning_tokens:
        quantities["reasoning_tokens"] = out.reasoning_tokens
    return answer.model, answer.service_tier or "", quantities, usage.prompt_tokens
