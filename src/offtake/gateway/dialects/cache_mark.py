"""Cache marks put into a request to Anthropic that has none: `cache_control` on the last of its tools, of its system
prompt, or of the whole (which Anthropic's top-level field asks for).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Raw

from offtake.gateway.ask import Fields
from offtake.gateway.dialects.asked import is_list
from offtake.gateway.dialects.document import encoded


def marked(fields: Fields, places: Iterable[str], ttl: str) -> dict[str, bytes]:
    """The new values of the members that carry a mark; a place that the request does not have is left out."""
    mark = encoded({"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl})
    changes = {}
    for place in places:
        name = "cache_control" if place == "last" else place
        value = mark if place == "last" else _with_mark(fields.get(place), mark)
        if value:
            changes[name] = value
    return changes


def _with_mark(raw: Raw | None, mark: bytes) -> bytes:
    """Tools or a system prompt with a mark at their end; empty where there is nothing to mark."""
    if raw is None or len(raw) <= len(b'""') or bytes(raw) == b"null":
        return b""
    value = bytes(raw)
    if not is_list(raw):
        # A text is short for one block of text, and a mark needs the block.
        return b'[{"type":"text","text":' + value + b',"cache_control":' + mark + b"}]"
    close = len(value.rstrip(b"] \t\r\n")) - 1
    if value[close] != ord("}") or value[:close].rstrip().endswith(b"{"):
        return b""
    return value[:close] + b',"cache_control":' + mark + value[close:]
