"""What a model takes on the wire, by its name: how it thinks, how long it answers, whether it takes sampling.

Sources, read November 2026: platform.claude.com/docs/en/models (thinking, longest output), …/build-with-claude/effort
(efforts by model), …/build-with-claude/mid-conversation-system-messages (Opus 4.8; Opus 5.5 by Claude Code's own
traffic); learn.microsoft.com, ReasoningEffort, and OpenAI's reasoning guide (efforts from gpt-5 on, no sampling);
api-docs.deepseek.com, guides/thinking_mode. A model that is not here is taken for its family's newest.
"""

from __future__ import annotations

import re
from dataclasses import replace

from offtake.gateway.translate.meaning import Effort
from offtake.gateway.translate.wire import Wire

_LOW_TO_HIGH: tuple[Effort, ...] = ("low", "medium", "high")
_TO_XHIGH: tuple[Effort, ...] = (*_LOW_TO_HIGH, "xhigh")
_TO_MAX: tuple[Effort, ...] = (*_TO_XHIGH, "max")

_NEWEST_CLAUDE = Wire(efforts=_TO_MAX, output_tokens_max=128_000, sampling=False, system_turns=False)
_BUDGET_CLAUDE = Wire(efforts=(), output_tokens_max=64_000, thinking="budget", system_turns=False)
_CLAUDE: tuple[tuple[str, Wire], ...] = (
    (r"fable|mythos", replace(_NEWEST_CLAUDE, thinking="always")),
    (r"opus-5-5", replace(_NEWEST_CLAUDE, thinking="always", system_turns=True)),
    (r"opus-5|opus-4-8", replace(_NEWEST_CLAUDE, system_turns=True)),
    (r"opus-4-6|sonnet-4-6", replace(_NEWEST_CLAUDE, efforts=(*_LOW_TO_HIGH, "max"), sampling=True)),
    (r"opus-4-5", replace(_BUDGET_CLAUDE, efforts=_LOW_TO_HIGH)),
    (r"(sonnet|haiku)-4-5|sonnet-4-(0|2025)|3-7-sonnet", _BUDGET_CLAUDE),
    (r"opus-4-(0|1|2025)", replace(_BUDGET_CLAUDE, output_tokens_max=32_000)),
    (r"claude-3-5", replace(_BUDGET_CLAUDE, thinking="none", output_tokens_max=8_192)),
    (r"claude-3-", replace(_BUDGET_CLAUDE, thinking="none", output_tokens_max=4_096)),
    (r"", _NEWEST_CLAUDE),
)
_OPENAI: tuple[tuple[str, Wire], ...] = (
    (r"gpt-3|gpt-4|chatgpt-4|gpt-5-chat", Wire(efforts=())),
    (r"^o\d", Wire(efforts=_LOW_TO_HIGH, sampling=False)),
    (r"gpt-5-pro", Wire(efforts=("high",), sampling=False)),
    (r"gpt-5\.1-codex-max", Wire(efforts=_TO_XHIGH, sampling=False)),
    (r"gpt-5\.1", Wire(efforts=("none", *_LOW_TO_HIGH), sampling=False)),
    (r"gpt-5\.[2345]", Wire(efforts=("none", *_TO_XHIGH), sampling=False)),
    (r"gpt-5(?!\.)", Wire(efforts=("minimal", *_LOW_TO_HIGH), sampling=False)),
    (r"", Wire(efforts=("none", *_TO_MAX), sampling=False)),
)
_COMPATIBLE: dict[str, Wire] = {
    "deepseek": Wire(efforts=(*_LOW_TO_HIGH, "max"), own_fields=False),
    "google": Wire(efforts=("none", "minimal", *_LOW_TO_HIGH), own_fields=False),
    "mistral": Wire(efforts=(), own_fields=False, asks_usage=False),
}


def wire_of(vendor: str, model: str, access: str = "api", anthropic_version: str = "2026-10-21") -> Wire:
    """The wire of a model of a vendor's, in the catalogue's words or a cloud's.

    `anthropic_version` is the API version that is sent to Anthropic for a client who sends none.
    A vendor who is not known speaks the chat dialect without OpenAI's newer fields, and is sent no effort.
    """
    match vendor:
        case "anthropic":
            wire = _first(_CLAUDE, model)
            system_turns = wire.system_turns and access == "api"  # not on Bedrock nor Vertex
            return replace(wire, anthropic_version=anthropic_version, system_turns=system_turns)
        case "openai":
            return _first(_OPENAI, model)
        case _:
            return _COMPATIBLE.get(vendor, Wire(efforts=(), own_fields=False))


def _first(wires: tuple[tuple[str, Wire], ...], model: str) -> Wire:
    return next(wire for pattern, wire in wires if re.search(pattern, model))
