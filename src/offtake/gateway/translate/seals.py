"""Seals of thinking in another maker's field: each names its maker, so that no vendor is sent another's.

A client sends back what it was given: an Anthropic signature comes home in OpenAI's `encrypted_content`, an OpenAI
reasoning item in Anthropic's `signature`.
"""

from __future__ import annotations

from typing import Literal

from offtake.gateway.translate.meaning import Thinking

Maker = Literal["", "anthropic", "anthropic_redacted", "openai"]
_MAKERS: tuple[Maker, ...] = ("anthropic", "anthropic_redacted", "openai")


def closed(seal: str, maker: Maker, field_of: str) -> str:
    """A seal as the field of a dialect: bare in its own maker's, with the maker's name in another's."""
    if maker == field_of or not seal:
        return seal
    return f"{maker}:{seal}"


def opened(text: str, field: str, field_of: Maker = "anthropic") -> Thinking:
    """Thinking of a client's text and the field beside it."""
    for maker in _MAKERS:
        if field.startswith(f"{maker}:"):
            return Thinking(text, field[len(maker) + 1 :], maker)
    return Thinking(text, field, field_of if field else "")
