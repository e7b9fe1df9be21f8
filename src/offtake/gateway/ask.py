"""What a client asks, what a vendor served and why we refuse: the words that every dialect speaks inside the gateway.

An `Ask` is read once from the client's bytes and never replaces them: what goes to the vendor are those bytes, with
at most the listed edits. Three answers are kept apart everywhere: known, unknown (`None`) and a vendor's zero (`{}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

Quantities = Mapping[str, int]
Fields = Mapping[str, msgspec.Raw]

# More server-tool uses than any budget pays for: the client set no limit, and neither does the vendor.
UNLIMITED = 2**31


class Ask(msgspec.Struct, kw_only=True):  # a Struct: one is made per request, three times as fast as a dataclass
    """One request as its client wrote it.

    `output_tokens_max`: the client's own limit for all choices together, None where it set none.
    `input_tokens_max`: never less than the vendor will count for one turn; None where the request alone cannot say
    (a reference to what the vendor holds, a PDF, a server tool that brings content), and then the context window is.
    `server_tools`: how many billable tool calls or further turns the request allows, each turn with an input of its
    own; `UNLIMITED` where nobody set a limit. `other_models`: models beside `model` that may be billed too.
    """

    dialect: str  # openai_chat | openai_responses | openai_embeddings | anthropic_messages | anthropic_count_tokens
    body: bytes
    model: str
    stream: bool = False
    output_tokens_max: int | None = None
    input_tokens_max: int | None = None
    media: tuple[str, ...] = ()  # audio, image: what may be in it besides text, in or out
    cache_writes: tuple[str, ...] = ()  # retentions that may be written: 5m (short), 1h (long); meters' words
    tier: str = ""  # service tier asked, in the client's word
    region: str = ""  # where inference was asked to run
    server_tools: int = 0
    other_models: tuple[str, ...] = ()
    session: str = ""  # what repeats while a cache is warm
    wants_usage: bool = True  # False where the client would not see usage in its stream
    choices: int = 1
    stores: bool = False  # the vendor is asked to keep the answer
    fields: Fields = msgspec.field(default_factory=dict)  # the body's top level, unread
    edited: tuple[str, ...] = ()  # members of `body` that are not the client's own words (amend.py)

    def __repr__(self) -> str:
        """Without anything that the client wrote but the model: it may end in a log."""
        return f"Ask({self.dialect}, {self.model!r}, {len(self.body):,} bytes)"


class Edits(msgspec.Struct, frozen=True):
    """What may be changed in a client's bytes on their way; nothing else ever is."""

    model: str = ""  # the vendor's name of the model
    output_tokens_max: int | None = None  # for all choices together
    include_usage: bool = False  # ask for usage in a stream that would not carry it
    vendor: str = ""  # whose habits count: which limit it heeds, what it refuses
    cache: tuple[str, ...] = ()  # where a cache mark goes: tools | system | last
    cache_ttl: str = "5m"
    cache_key: str = ""  # OpenAI's prompt_cache_key
    keeps_nothing: bool = False  # the contract has zero retention, where the vendor would store what nobody forbids

    @property
    def changes_nothing(self) -> bool:
        """Whether a vendor that heeds every limit gets the client's own bytes."""
        return not (self.model or self.output_tokens_max is not None or self.include_usage or self.cache_key)


class Served(msgspec.Struct, frozen=True):
    """What the vendor did.

    `quantities`: the usage by meter, without zeros; None where it is unknown, `{}` where the vendor says zero.
    `at_least`: where the usage is unknown, what is known to have been used. `others`: usage of other models inside
    the same answer. `finish`: the vendor's own word for why the answer ended.
    """

    quantities: Quantities | None
    outcome: str
    tier: str = ""
    region: str = ""
    model: str = ""
    vendor_request_id: str = ""
    finish: str = ""
    at_least: Quantities = msgspec.field(default_factory=dict)
    others: tuple[tuple[str, Quantities], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served: a stable code, the clause that decides, and what the caller can do.

    `kind`: budget | rate | policy | region | model | key | bad_request | too_large | overloaded | upstream.
    `retry_after_seconds` is a hint for short waits; nobody is ever told to wait for longer than a minute.
    """

    kind: str
    code: str
    message: str
    clause: str = ""
    hint: str = ""
    retry_after_seconds: float | None = None

    @property
    def text(self) -> str:
        """The message for people: what, by which clause, and what to do."""
        parts = [f"{self.message} [{self.code}]"]
        parts += [f"clause: {self.clause}"] if self.clause else []
        parts += [f"hint: {self.hint}"] if self.hint else []
        return "; ".join(parts)


class BadAsk(Exception):  # noqa: N818 - it names the ask that is bad; the error is its refusal
    """The client's request cannot be read; `refusal` is the answer in its dialect."""

    def __init__(self, code: str, message: str, *, hint: str = "", kind: str = "bad_request") -> None:
        super().__init__(message)
        self.refusal = Refusal(kind, code, message, hint=hint)
