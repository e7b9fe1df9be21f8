"""What a vendor's endpoint takes beyond its dialect: the few facts a request's writer must know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from offtake.gateway.translate.meaning import EFFORTS, Effort


@dataclass(frozen=True, slots=True)
class Wire:
    """One endpoint and model.

    Anthropic: `anthropic_version` (2026-10-21 refuses sampling parameters), `output_tokens_max` (written where the
    client set no limit, as the dialect must have one), `thinking` (how the model thinks; always is adaptive that cannot
    be turned off), `system_turns` (whether system turns may stand inside the conversation).
    OpenAI: `own_fields` (OpenAI's newer fields; False for compatible vendors, who get `max_tokens`,
    `reasoning_content` and no tier or identifiers), `cache_breakpoints` (whether explicit ones are taken), `asks_usage`
    (False where a stream carries usage unasked, and asking for it is an error).
    All: `efforts` that the model knows, () where it knows none; `sampling` (whether it takes temperature and its kin).
    """

    anthropic_version: str = "2026-10-21"
    output_tokens_max: int = 32_000
    thinking: Literal["adaptive", "always", "budget", "none"] = "adaptive"
    system_turns: bool = True
    own_fields: bool = True
    cache_breakpoints: bool = False
    asks_usage: bool = True
    efforts: tuple[Effort, ...] = EFFORTS
    sampling: bool = True


def nearest(effort: Effort, known: tuple[Effort, ...]) -> Effort:
    """The known effort nearest to the one asked, the lower of two; "" where none is known."""
    if effort in known or not known:
        return effort if known else ""
    place = EFFORTS.index(effort)
    return min(known, key=lambda one: (abs(EFFORTS.index(one) - place), EFFORTS.index(one)))
