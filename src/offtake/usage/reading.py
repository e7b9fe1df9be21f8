"""Reading usage: one table of the kinds of files we know, told apart by what stands in their head.

A reader takes a `TextSource` and `ReadOptions` and gives a `UsageRecord`, a `Rejected` or a `NotUsage` for each row, in
the order of the file. It opens nothing: files, encodings, gzip and Parquet are the business of the store.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from offtake.usage.record import UsageRecord, validated
from offtake.usage.rows import NotUsage, Rejected, TextSource
from offtake.values.errors import InputError, Place

Reading = Iterator[UsageRecord | Rejected | NotUsage]

__all__ = [
    "KINDS",
    "Kind",
    "NotUsage",
    "ReadOptions",
    "Reading",
    "Rejected",
    "TextSource",
    "kind_named",
    "kind_of",
    "names_in",
    "read",
    "sniff",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the caller knows and the file does not say. A value of the row comes first, but for `outcome`.

    `start` (UTC) is the origin of files that only count seconds; `time_zone` reads clock times without a zone;
    `mapping` (our field -> their column, or `=constant`) is for our own CSV and JSONL; `outcome` stands for every
    row; `cache_write` (5m | 1h) is how long cache writes were kept where the source gives one total.
    """

    model: str = ""
    vendor: str = ""
    account: str = ""
    workload: str = ""
    customer: str = ""
    start: datetime | None = None
    time_zone: tzinfo | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    outcome: str | None = None
    cache_write: str = "5m"

    def record(
        self, *, quantities: Mapping[str, int], tags: Mapping[str, str] | None = None, **fields: Any
    ) -> UsageRecord:
        """A checked record: empty fields filled from the options, empty tags and meters at zero left out."""
        for name in ("model", "vendor", "account", "workload", "customer"):
            fields[name] = fields.get(name) or getattr(self, name)
        if self.outcome is not None:
            fields["outcome"] = self.outcome
        merged = {**self.tags, **{name: value for name, value in (tags or {}).items() if value}}
        counted = {meter: quantity for meter, quantity in quantities.items() if quantity}
        return validated(UsageRecord(quantities=counted, tags=merged, **fields))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. `reader` is "module:function"; `needs` are the options that must be given.

    `marks` are alternatives: a file is of this kind when all names of one alternative are in its head.
    """

    name: str
    about: str
    reader: str
    marks: tuple[tuple[str, ...], ...]
    needs: tuple[str, ...] = ()

    def load(self) -> Any:
        """The reader's function; its module is imported now and not before."""
        module, function = self.reader.split(":")
        return getattr(import_module(module), function)


def _kind(name: str, about: str, module: str, *marks: tuple[str, ...], needs: tuple[str, ...] = ()) -> Kind:
    path, _, function = module.partition(":")
    return Kind(name, about, f"offtake.usage.readers.{path}:{function or 'read'}", marks, needs)


# The most telling marks come first: the first kind that fits is taken.
KINDS: tuple[Kind, ...] = (
    _kind("azure-trace", "Azure LLM inference trace (CSV)", "azure_trace",
          ("TIMESTAMP", "ContextTokens", "GeneratedTokens"), needs=("model", "vendor")),
    _kind("mooncake", "Mooncake trace (JSONL)", "mooncake",
          ("timestamp", "input_length", "output_length"), needs=("start", "model")),
    _kind("agent-sessions", "coding-agent sessions (JSON arrays, one a line)", "agent_sessions",
          ("[session, agent, …]",), needs=("start",)),
    _kind("openai-usage", "OpenAI organization usage API (JSON)", "openai_usage",
          ("num_model_requests", "input_tokens"), ("organization.usage.completions.result",)),
    _kind("anthropic-usage", "Anthropic usage_report/messages API (JSON)", "anthropic_usage",
          ("uncached_input_tokens",)),
    _kind("anthropic-console", "Anthropic console usage export (CSV)", "anthropic_console",
          ("usage_date_utc", "usage_output_tokens")),
    _kind("litellm", "LiteLLM SpendLogs (JSON, JSONL or CSV)", "litellm", ("request_id", "call_type", "startTime")),
    _kind("openrouter", "OpenRouter activity export (CSV)", "openrouter",
          ("generation_id", "tokens_prompt"), ("Slug", "Prompt Tokens")),
    _kind("ccusage", "ccusage daily or session report (JSON)", "ccusage",
          ("modelBreakdowns",), ("totals", "modelsUsed")),
    _kind("focus", "FOCUS cost and usage rows (CSV, Parquet)", "focus", ("BilledCost", "ChargePeriodStart")),
    _kind("responses", "raw answers of OpenAI, Anthropic or Gemini (JSONL)", "responses",
          ("usageMetadata",), ("candidates",), ("stop_reason",), ("choices", "model"), ("custom_id", "response"),
          ("custom_id", "result"), ("usage", "output"), ("usage", "input_tokens"), ("usage", "prompt_tokens"),
          ("body", "model")),
    _kind("csv", "our own CSV or Parquet columns, or any by mapping", "own:read_csv",
          ("used_at", "model"), ("used_at", "input_tokens"), ("used_at", "output_tokens")),
    _kind("jsonl", "our own JSONL, or any by mapping", "own:read_jsonl"),
)  # fmt: skip
_KEY = re.compile(r'"((?:[^"\\]|\\.){1,80})"\s*:')
_KIND_VALUE = re.compile(r'"object"\s*:\s*"(organization\.[\w.]+)"')
_SESSION_LINE = re.compile(r'\[\s*"[^"]*"\s*,\s*"[^"]*"\s*,\s*-?\d')


def read(kind: str, source: TextSource, options: ReadOptions) -> Reading:
    """The records and rejected rows of a source. InputError for an unknown kind or a missing option, before any row."""
    found = kind_named(kind, KINDS)
    for need in found.needs:
        if not getattr(options, need):
            raise InputError(
                "U122",
                f"reading {found.name} needs --{need}",
                where=Place(source.file),
                why=f"{found.about} does not say it",
            )
    reading: Reading = found.load()(source, options)
    return reading


def kind_named(name: str, kinds: Sequence[Kind]) -> Kind:
    """The kind of this name, or an InputError with the nearest names."""
    for kind in kinds:
        if kind.name == name:
            return kind
    names = [kind.name for kind in kinds]
    near = get_close_matches(name, names, 3) or names
    raise InputError("U121", f"unknown kind {name!r}", hint="kinds are: " + ", ".join(near))


def kind_of(head: bytes, file_name: str, options: ReadOptions, columns: Collection[str] = ()) -> str:
    """The kind of a usage file: as `sniff` finds it, or our own CSV or JSONL where a mapping says what is in it."""
    if options.mapping and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return "jsonl"
    return "csv" if options.mapping else sniff(head, file_name, columns=columns)


def sniff(head: str | bytes, file_name: str, kinds: Sequence[Kind] = KINDS, columns: Collection[str] = ()) -> str:
    """The kind of a file by its head (64 KB will do) or, for a columnar file, by its column names."""
    text = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
    names = set(columns) or names_in(text)
    if not names:
        raise InputError("U110", "the file is empty", where=Place(file_name))
    is_json = not columns and text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")
    for kind in kinds:
        if any(names.issuperset(alternative) for alternative in kind.marks):
            return "jsonl" if kind.name == "csv" and is_json else kind.name  # our own names, in either dress
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and not is_json and mark in next(iter(names)):
            hint = "save it with commas"
            raise InputError("U123", f"the columns are separated by {word}", where=Place(file_name, 1), hint=hint)
    shown = "".join(letter if letter.isprintable() else "?" for letter in ", ".join(sorted(names)[:12]))
    raise InputError(
        "U120",
        "no reader recognises this file",
        where=Place(file_name),
        why=f"it holds {shown[:200]}",
        hint="say its columns with --map, or its kind (--from for usage, --invoice-kind for a bill): "
        + ", ".join(kind.name for kind in kinds),
    )


def names_in(head: str) -> set[str]:
    """The column names of a CSV head, or all keys in a JSON head (with the `object` types that vendors name)."""
    head = head.lstrip("\ufeff \t\r\n")
    if not head:
        return set()
    if head[0] == "[" and _SESSION_LINE.match(head):
        return {"[session, agent, …]"}
    if head[0] in "{[":
        return set(_KEY.findall(head)) | set(_KIND_VALUE.findall(head)) or {"no keys"}
    return {cell.strip().strip('"').strip() for cell in head.splitlines()[0].split(",")}
