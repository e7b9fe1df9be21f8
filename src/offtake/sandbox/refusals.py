"""What a vendor answers where it does not answer: one error, in the words of either wire.

Sources: the error pages of both vendors' API references, and what their SDKs read; November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Status → (OpenAI's type, OpenAI's code, Anthropic's type).
_KINDS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "invalid_request_error"),
    401: ("invalid_request_error", "invalid_api_key", "authentication_error"),
    402: ("insufficient_quota", "insufficient_quota", "billing_error"),
    403: ("invalid_request_error", "forbidden", "permission_error"),
    404: ("invalid_request_error", "not_found", "not_found_error"),
    405: ("invalid_request_error", "method_not_allowed", "invalid_request_error"),
    408: ("server_error", "timeout", "timeout_error"),
    409: ("invalid_request_error", "conflict", "conflict_error"),
    413: ("invalid_request_error", "request_too_large", "request_too_large"),
    429: ("requests", "rate_limit_exceeded", "rate_limit_error"),
    504: ("server_error", "timeout", "timeout_error"),
    529: ("server_error", "overloaded", "overloaded_error"),
}


@dataclass(slots=True)
class VendorError(Exception):
    """A refusal or a failure. `headers` go on the answer; `code` and `type` replace the usual ones of the status."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None
    type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def invalid(cls, message: str, param: str | None = None, code: str | None = None) -> VendorError:
        """A 400."""
        return cls(400, message, param=param, code=code)


def openai_error(error: VendorError) -> dict[str, Any]:
    """The body of OpenAI's error."""
    kind, code, _ = _KINDS.get(error.status, ("server_error", None, ""))
    return {
        "error": {
            "message": error.message,
            "type": error.type or kind,
            "param": error.param,
            "code": error.code or code,
        }
    }


def anthropic_error(error: VendorError, request_id: str) -> dict[str, Any]:
    """The body of Anthropic's error, also the data of a stream's `error` event."""
    kind = error.type or _KINDS.get(error.status, ("", None, "api_error"))[2]
    said: dict[str, Any] = {"type": kind, "message": error.message}
    if error.code:
        said["details"] = {"error_code": error.code}
    return {"type": "error", "error": said, "request_id": request_id}
