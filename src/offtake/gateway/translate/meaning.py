"""What a request, an answer and a stream mean, in no vendor's words: what every dialect is read into and written from.

Three dialects through one meaning are three readers and three writers, and every pair of them is a translation.
A field that only one dialect knows never enters: its reader drops it by name or refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Cache = Literal["", "short", "long"]
"""How long a prefix that ends here is kept: short is Anthropic's 5m and OpenAI's 30m, long is 1h and 12h."""

Effort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh", "max"]
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

Stop = Literal["end", "length", "stop_sequence", "tool_calls", "refusal", "context"]


@dataclass(slots=True)
class Text:
    """Plain text."""

    text: str
    cache: Cache = ""


@dataclass(slots=True)
class Image:
    """A picture: base64 data with its media type, or a URL."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    cache: Cache = ""


@dataclass(slots=True)
class Document:
    """A file to read: base64 data, or plain text where the media type is text/plain, or a URL."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    title: str = ""
    cache: Cache = ""


@dataclass(slots=True)
class Thinking:
    """Reasoning that a model showed. `seal` is what its maker needs to take it back, worthless to any other maker."""

    text: str
    seal: str = ""
    maker: Literal["", "anthropic", "anthropic_redacted", "openai"] = ""


@dataclass(slots=True)
class Refusal:
    """The model's own words for not answering."""

    text: str


@dataclass(slots=True)
class ToolCall:
    """A model asks for a tool; `arguments` is the JSON text of an object, or free text for a free-form tool."""

    id: str
    name: str
    arguments: str
    free_form: bool = False


@dataclass(slots=True)
class ToolResult:
    """What a tool gave."""

    id: str
    parts: list[Part]
    is_error: bool = False
    cache: Cache = ""
    free_form: bool = False


Part = Text | Image | Document | Thinking | Refusal | ToolCall | ToolResult


@dataclass(slots=True)
class Turn:
    """One side's say. A system turn stands inside the conversation; what stands before it is `Request.system`."""

    role: Literal["user", "assistant", "system"]
    parts: list[Part]


@dataclass(slots=True)
class Tool:
    """A tool of the client's. A free-form tool takes text where others take an object by `schema`.

    A tool of a namespace is called by both names, as only one dialect has namespaces: `namespace__name`.
    """

    name: str
    description: str = ""
    schema: dict[str, Any] = field(default_factory=dict)
    strict: bool | None = None
    cache: Cache = ""
    free_form: bool = False
    namespace: str = ""

    @property
    def own_name(self) -> str:
        """Its name inside its namespace."""
        return self.name.removeprefix(f"{self.namespace}__") if self.namespace else self.name


@dataclass(slots=True)
class ToolChoice:
    """Whether the model may (auto), must (any) or must not (none) call a tool, or which one it must call."""

    mode: Literal["auto", "any", "none", "tool"]
    name: str = ""


@dataclass(slots=True)
class Schema:
    """The JSON schema that the answer keeps to."""

    schema: dict[str, Any]
    name: str = ""
    description: str = ""
    strict: bool | None = None


@dataclass(slots=True)
class Request:
    """One request. `called` gives the client's own names of fields, for what is dropped or refused."""

    model: str
    called: Mapping[str, str]
    stream: bool = False
    wants_usage: bool = False
    system: list[Text] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    output_tokens_max: int | None = None
    stop: list[str] = field(default_factory=list)
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    effort: Effort = ""
    thinking: Literal["", "off", "adaptive", "budget"] = ""
    thinking_tokens_max: int = 0
    thinking_shown: bool | None = None
    verbosity: str = ""
    schema: Schema | None = None
    json_object: bool = False
    tier: str = ""
    user: str = ""
    cache_key: str = ""
    cache_last: Cache = ""
    echo: dict[str, Any] = field(default_factory=dict)

    def add_user_parts(self, parts: list[Part]) -> None:
        """A tool's result and what stands before and after it are one turn of the user's; anything else begins one."""
        last = self.turns[-1] if self.turns else None
        beside = [*(last.parts if last else []), *parts]
        if last and last.role == "user" and any(isinstance(part, ToolResult) for part in beside):
            last.parts += parts
        else:
            self.turns.append(Turn("user", parts))

    def name(self, what: str) -> str:
        """What the client calls a field of ours."""
        return self.called.get(what, what)


@dataclass(slots=True)
class Usage:
    """Tokens of one answer, each input token in exactly one of the first four; reasoning lies inside output."""

    input: int = 0
    cache_read: int = 0
    cache_write_short: int = 0
    cache_write_long: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def input_whole(self) -> int:
        """All input, cached or not."""
        return self.input + self.cache_read + self.cache_write_short + self.cache_write_long


@dataclass(slots=True)
class Ending:
    """How an answer ended, and what it used; `usage` None where the vendor did not say."""

    stop: Stop
    stop_sequence: str | None = None
    explanation: str = ""
    usage: Usage | None = None
    tier: str = ""


@dataclass(slots=True)
class Answer:
    """A whole answer."""

    id: str
    model: str
    parts: list[Part]
    ending: Ending


@dataclass(frozen=True, slots=True)
class Started:
    """A stream's first event; `usage` and `tier` are what is known by then."""

    id: str
    model: str
    usage: Usage | None = None
    tier: str = ""


@dataclass(frozen=True, slots=True)
class PartStarted:
    """Part `index` begins, empty: Text, Thinking, Refusal or ToolCall. Indices count from 0 without gaps."""

    index: int
    part: Part


@dataclass(frozen=True, slots=True)
class PartGrew:
    """More text of a part; of a tool call, more of its arguments."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class PartSealed:
    """The seal of a part of thinking."""

    index: int
    seal: str
    maker: Literal["", "anthropic", "anthropic_redacted", "openai"]


@dataclass(frozen=True, slots=True)
class PartEnded:
    """Part `index` is whole."""

    index: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is whole; nothing follows."""

    ending: Ending


@dataclass(frozen=True, slots=True)
class Alive:
    """The vendor is still there; carries nothing."""


Kind = Literal[
    "invalid_request", "authentication", "billing", "permission", "not_found", "conflict", "too_large", "rate_limit",
    "timeout", "overloaded", "vendor", "unreadable",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failed:
    """An error, whole or in the middle of a stream; nothing follows. `param` names a field, `code` is the vendor's."""

    kind: Kind
    message: str
    code: str = ""
    param: str = ""
    request_id: str = ""


Event = Started | PartStarted | PartGrew | PartSealed | PartEnded | Ended | Alive | Failed
