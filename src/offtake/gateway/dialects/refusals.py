"""A refusal in the words of each dialect, so that real clients stop, wait or retry as they should.

Measured on openai 3.54, anthropic 2.12, Claude Code 2.1.329 and Codex 0.169: Codex tries a 402 six times and stops at
429 `insufficient_quota`; the SDKs stop at 4xx with `x-should-retry: false`; Anthropic's SDK sleeps for as long as
Retry-After says, up to the full hour, so that it is told of waits up to a minute only, and of longer ones in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offtake.gateway.ask import Refusal
from offtake.gateway.dialects.document import encoded

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]

WAIT_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class _Said:
    """How one kind of refusal is said: status, the type of the error, its code, and whether trying again may help."""

    status: int
    type: str
    code: str
    again: bool = False


_OPENAI = {
    "budget": _Said(429, "insufficient_quota", "insufficient_quota"),
    "rate": _Said(429, "rate_limit_exceeded", "rate_limit_exceeded", again=True),
    "policy": _Said(403, "permission_error", "forbidden_by_contract"),
    "region": _Said(403, "permission_error", "forbidden_region"),
    "model": _Said(404, "invalid_request_error", "model_not_found"),
    "key": _Said(401, "invalid_request_error", "invalid_api_key"),
    "bad_request": _Said(400, "invalid_request_error", "invalid_request"),
    "too_large": _Said(413, "invalid_request_error", "request_too_large"),
    "overloaded": _Said(503, "server_error", "overloaded", again=True),
    "upstream": _Said(502, "server_error", "upstream_failed", again=True),
}
_ANTHROPIC = {
    "budget": _Said(402, "billing_error", "contract_spend_limit_reached"),
    "rate": _Said(429, "rate_limit_error", "", again=True),
    "policy": _Said(403, "permission_error", ""),
    "region": _Said(403, "permission_error", ""),
    "model": _Said(404, "not_found_error", ""),
    "key": _Said(401, "authentication_error", ""),
    "bad_request": _Said(400, "invalid_request_error", ""),
    "too_large": _Said(413, "request_too_large", ""),
    "overloaded": _Said(529, "overloaded_error", "", again=True),
    "upstream": _Said(502, "api_error", "", again=True),
}

KINDS = tuple(_OPENAI)


def openai(refusal: Refusal, request_id: str = "") -> Answer:
    """Status, headers and body of a refusal as OpenAI's API would say it."""
    said = _OPENAI[refusal.kind]
    headers = _headers(refusal, said, b"x-request-id", request_id)
    return said.status, headers, encoded({"error": openai_error(refusal)})


def openai_error(refusal: Refusal) -> dict[str, Any]:
    """The error object of OpenAI's dialect; `code` is a word that its clients know, ours stands in `offtake`."""
    said = _OPENAI[refusal.kind]
    param = "model" if refusal.kind == "model" else None
    return {
        "message": refusal.text, "type": said.type, "param": param, "code": said.code, "offtake": _ours(refusal),
    }  # fmt: skip


def anthropic(refusal: Refusal, request_id: str = "") -> Answer:
    """Status, headers and body of a refusal as Anthropic's API would say it."""
    said = _ANTHROPIC[refusal.kind]
    headers = _headers(refusal, said, b"request-id", request_id)
    return said.status, headers, encoded(anthropic_error(refusal, request_id))


def anthropic_error(refusal: Refusal, request_id: str = "") -> dict[str, Any]:
    """The error of Anthropic's dialect; a spent budget has the error code of Anthropic's own contract limits."""
    said = _ANTHROPIC[refusal.kind]
    details = ({"error_code": said.code} if said.code else {}) | {"offtake": _ours(refusal)}
    return {
        "type": "error",
        "error": {"type": said.type, "message": refusal.text, "details": details},
        "request_id": request_id or None,
    }


def _ours(refusal: Refusal) -> dict[str, str]:
    return {"code": refusal.code, "clause": refusal.clause, "hint": refusal.hint}


def _headers(refusal: Refusal, said: _Said, id_header: bytes, request_id: str) -> Headers:
    headers: Headers = [(b"content-type", b"application/json")]
    if request_id:
        headers.append((id_header, request_id.encode()))
    wait = refusal.retry_after_seconds
    if said.again and wait is not None and 0 <= wait <= WAIT_SECONDS_MAX:
        # Up to the next second: who comes a moment too early is refused again.
        headers.append((b"retry-after", b"%d" % -int(-wait // 1)))
    elif not said.again or refusal.kind == "rate":
        headers.append((b"x-should-retry", b"false"))
    return headers
