"""What other systems' words mean in ours: statuses, stop reasons and errors as outcomes, service tiers as channels.

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

# The types and codes of errors that come in the body of an answer or in the middle of a stream.
_ERROR_TYPES = {
    "http_5xx": (
        "api_error", "overloaded_error", "server_error", "internal_error", "internal_server_error", "overloaded",
        "service_unavailable", "engine_overloaded",
    ),
    "timeout": ("timeout_error", "timeout"),
    "client_error": (
        "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
        "conflict_error", "request_too_large", "rate_limit_error", "rate_limit_exceeded", "insufficient_quota",
        "tokens", "requests", "invalid_prompt", "context_length_exceeded", "invalid_image", "image_parse_error",
    ),
    "refusal": ("content_filter", "content_policy_violation", "image_content_policy_violation"),
}  # fmt: skip
_OUTCOME_OF_ERROR = {word: outcome for outcome, words in _ERROR_TYPES.items() for word in words}

_TIERS = {
    "realtime": ("", "standard", "default", "auto", "on_demand", "message", "scale", "null"),
    "batch": ("batch", "message_batch"),
    "flex": ("flex", "flex_discount"),
    "priority": ("priority", "priority_on_demand", "fast"),  # OpenAI serves and bills `fast` as priority
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


def of_error_type(word: str) -> str:
    """The outcome of an error with this type or code: `overloaded_error` is http_5xx, `timeout_error` is timeout."""
    outcome = _OUTCOME_OF_ERROR.get(word)
    if outcome is None:
        raise InputError("U102", f"unknown type of error {word!r}")
    return outcome


def channel_of(tier: str) -> str:
    """The channel of a vendor's service tier: `standard` is realtime; `priority`, `flex` and `batch` are themselves."""
    channel = _CHANNEL_OF.get(tier.lower())
    if channel is None:
        raise InputError(
            "U102", f"unknown service tier {tier!r}", hint="known tiers: " + ", ".join(sorted(_CHANNEL_OF)[1:])
        )
    return channel
