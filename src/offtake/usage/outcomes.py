"""What other systems' words mean in ours: HTTP statuses and stop reasons as outcomes, service tiers as channels.

A word that is not known is an error and not `ok`: a row whose outcome is guessed is billed by a guess.
"""

from __future__ import annotations

from offtake.values.errors import InputError

_STOP_REASONS = {
    # The answer ended as asked, or at the limit that the client set.
    "ok": (
        "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "model_context_window_exceeded",
        "compaction",
        "stop", "length", "tool_calls", "function_call", "completed", "max_output_tokens",
        "STOP", "MAX_TOKENS",
    ),
    "refusal": (
        "refusal", "content_filter", "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
        "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
    ),
    # The vendor broke the answer off: no limit of the client's, no policy.
    "vendor_truncation": ("", "OTHER", "IMAGE_OTHER", "NO_IMAGE", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"),
    "http_5xx": ("error", "failed"),
    "client_cancel": ("cancelled", "canceled"),
}  # fmt: skip
_OUTCOME_OF = {reason: outcome for outcome, reasons in _STOP_REASONS.items() for reason in reasons}

_TIERS = {
    "realtime": ("", "standard", "default", "auto", "on_demand", "message", "scale", "null"),
    "batch": ("batch", "message_batch"),
    "flex": ("flex", "flex_discount"),
    "priority": ("priority", "priority_on_demand"),
}
_CHANNEL_OF = {tier: channel for channel, tiers in _TIERS.items() for tier in tiers}


def of_stop_reason(reason: str) -> str:
    """The outcome of an answer that ended so: `max_tokens` is ok, `content_filter` a refusal, none a truncation."""
    outcome = _OUTCOME_OF.get(reason)
    if outcome is None:
        raise InputError("U102", f"unknown stop reason {reason!r}", hint="pass --outcome to say what such rows are")
    return outcome


def of_status(status: int) -> str:
    """The outcome of an HTTP status: 529 is http_5xx, 408 and 504 are timeout, 499 is client_cancel."""
    if 200 <= status < 300:
        return "ok"
    if status in (408, 504):
        return "timeout"
    if status == 499:
        return "client_cancel"
    if 400 <= status < 500:
        return "client_error"
    if 500 <= status < 600:
        return "http_5xx"
    raise InputError("U102", f"unknown HTTP status {status}")


def channel_of(tier: str) -> str:
    """The channel of a vendor's service tier: `standard` is realtime; `priority`, `flex` and `batch` are themselves."""
    channel = _CHANNEL_OF.get(tier.lower())
    if channel is None:
        raise InputError(
            "U102", f"unknown service tier {tier!r}", hint="known tiers: " + ", ".join(sorted(_CHANNEL_OF)[1:])
        )
    return channel
