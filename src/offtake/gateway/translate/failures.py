"""Errors both ways: a vendor's error in the client's dialect, with the type and status on which its SDK acts.

A contract's or an account's exhausted money is 402 to Anthropic's clients and 429 with `insufficient_quota` to
OpenAI's, and overload is 529 or 503: each is what that dialect's own SDK understands.
"""

from __future__ import annotations

import re
from typing import Any

from offtake.gateway.translate.fields import BadRequest, Dropped, Fields, decoded
from offtake.gateway.translate.meaning import Failed, Kind

# kind: Anthropic's type and status, OpenAI's type, code and status
_WIRE: dict[Kind, tuple[str, int, str, str | None, int]] = {
    "invalid_request": ("invalid_request_error", 400, "invalid_request_error", None, 400),
    "authentication": ("authentication_error", 401, "invalid_request_error", "invalid_api_key", 401),
    "billing": ("billing_error", 402, "insufficient_quota", "insufficient_quota", 429),
    "permission": ("permission_error", 403, "permission_error", "permission_denied", 403),
    "not_found": ("not_found_error", 404, "invalid_request_error", "not_found", 404),
    "conflict": ("conflict_error", 409, "conflict_error", "conflict", 409),
    "too_large": ("request_too_large", 413, "invalid_request_error", "request_too_large", 413),
    "rate_limit": ("rate_limit_error", 429, "rate_limit_error", "rate_limit_exceeded", 429),
    "timeout": ("timeout_error", 504, "timeout_error", "timeout", 504),
    "overloaded": ("overloaded_error", 529, "server_error", "overloaded", 503),
    "vendor": ("api_error", 500, "server_error", "server_error", 500),
    "unreadable": ("api_error", 502, "server_error", "upstream_failed", 502),
}
_KIND_OF_TYPE: dict[str, Kind] = {anthropic: kind for kind, (anthropic, *_) in _WIRE.items() if kind != "unreadable"}
_KIND_OF_STATUS: dict[int, Kind] = {
    400: "invalid_request", 401: "authentication", 402: "billing", 403: "permission", 404: "not_found",
    408: "timeout", 409: "conflict", 413: "too_large", 422: "invalid_request", 429: "rate_limit",
    502: "unreadable", 503: "overloaded", 504: "timeout", 529: "overloaded",
}  # fmt: skip
_KIND_OF_CODE: dict[str, Kind] = {
    "insufficient_quota": "billing", "invalid_api_key": "authentication", "model_not_found": "not_found",
    "context_length_exceeded": "invalid_request", "rate_limit_exceeded": "rate_limit", "overloaded": "overloaded",
    "server_error": "vendor", "server_is_overloaded": "overloaded", "invalid_prompt": "invalid_request",
    "tokens": "rate_limit", "requests": "rate_limit",
    "rate_limit_error": "rate_limit", "timeout_error": "timeout", "permission_error": "permission",
    "invalid_request_error": "invalid_request", "conflict_error": "conflict",
}  # fmt: skip
_PRINTABLE = re.compile(r"[^\x20-\x7e]+")


def kind_of_status(status: int) -> Kind:
    """What a bare HTTP status says."""
    return _KIND_OF_STATUS.get(status, "vendor" if status >= 500 else "invalid_request")


def read_anthropic(value: Any, status: int = 0) -> Failed:
    """An error object of Anthropic's, from a body or from the middle of a stream (`status` 0)."""
    body = Fields(value, "", Dropped())
    error = body.needed_inner("error")
    kind = _KIND_OF_TYPE.get(error.text("type")) or kind_of_status(status or 500)
    details = error.inner("details")
    code = details.text("error_code") if details else ""
    return Failed(kind, error.text("message"), code=code, request_id=body.text("request_id"))


def read_openai(value: Any, status: int = 0) -> Failed:
    """An error object of OpenAI's: `{"error": {…}}`, or the bare object that compatible vendors send."""
    body = Fields(value, "", Dropped())
    if body.is_text("error"):
        return Failed(kind_of_status(status or 500), body.text("error"))
    error = body.inner("error") or body
    code, kind_word = error.take("code"), error.take("type")
    kind = _KIND_OF_CODE.get(str(code)) or _KIND_OF_CODE.get(str(kind_word))
    if kind is None or (kind == "invalid_request" and status in _KIND_OF_STATUS):
        kind = kind_of_status(status or 500)
    param = error.take("param")
    return Failed(
        kind,
        error.text("message"),
        code=str(code) if isinstance(code, str | int) else "",
        param=param if isinstance(param, str) else "",
    )


def read(dialect: str, status: int, body: bytes) -> Failed:
    """A vendor's error answer, readable or not."""
    try:
        value = decoded(body)
        return read_anthropic(value, status) if dialect == "anthropic_messages" else read_openai(value, status)
    except BadRequest:
        shown = _PRINTABLE.sub(" ", body[:300].decode(errors="replace")).strip()
        text = f"the vendor answered {status} without a readable error" + (f": {shown}" if shown else "")
        return Failed(kind_of_status(status), text)


def write_anthropic(failed: Failed) -> tuple[int, dict[str, Any]]:
    """Anthropic's status and error body."""
    kind, status, *_ = _WIRE[failed.kind]
    error: dict[str, Any] = {"type": kind, "message": failed.message}
    if failed.code:
        error["details"] = {"error_code": failed.code}
    return status, {"type": "error", "error": error, "request_id": failed.request_id or None}


def write_openai(failed: Failed) -> tuple[int, dict[str, Any]]:
    """OpenAI's status and error body, the same for chat and responses."""
    _, _, kind, code, status = _WIRE[failed.kind]
    if failed.kind != "billing":  # whose code is what OpenAI's clients look at
        code = failed.code or code
    return status, {
        "error": {"message": failed.message, "type": kind, "param": failed.param or None, "code": code},
    }
