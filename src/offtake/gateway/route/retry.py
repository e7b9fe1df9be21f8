"""What to do after a failed attempt: try again here, try the next candidate, or answer the client.

All attempts of one client's request share one idempotency scope: at one outlet they carry the same key, so that a
vendor that keeps keys serves it once. What was sent and not answered may have been served and billed: it is repeated
only there, and never at another vendor. Nothing is repeated once a byte of the answer has gone to the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

ATTEMPTS_MAX = 3
BACKOFF_MS = 250
BACKOFF_MS_MAX = 8_000
WAIT_MS_MAX = 5_000
RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
UNSERVED = frozenset({409, 429, 503, 529})  # the vendor says that it did no work


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed. `dispatched`: the vendor may have begun; `status` 0 where there was no answer.

    `started`: some of the answer has reached the client.
    """

    status: int = 0
    dispatched: bool = True
    started: bool = False
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """`again` at the same outlet or at the `next` one after so many milliseconds; or `stop`."""

    do: Literal["again", "next", "stop"]
    wait_ms: int = 0
    why: str = ""


def after(
    failure: Failure,
    attempt: int,
    others: int,
    idempotent: bool,
    left_ms: int,
    request_id: str,
    billed_5xx: bool = True,
) -> Next:
    """The next step after attempt number `attempt` (from 1) has failed.

    `others`: candidates that were not tried yet. `left_ms`: until the client's time is over. `billed_5xx`: a 5xx may be
    billed here (the contract's `failed_requests.http_5xx`), so it is repeated at most once.
    """
    if failure.started:
        return Next("stop", why="part of the answer has been sent")
    if failure.status and failure.status not in RETRIED:
        return Next("stop", why="the answer is final")
    if attempt >= ATTEMPTS_MAX:
        return Next("stop", why=f"{attempt} attempts")
    if failure.dispatched and not failure.status:
        if not idempotent:
            return Next("stop", why="it was sent, and may be billed twice if it is sent again")
        return _again(failure, attempt, left_ms, request_id)
    if failure.status and failure.status not in UNSERVED and billed_5xx and attempt > 1:
        return Next("stop", why="each further attempt may be billed")
    if others:
        return Next("next", why="another candidate")
    return _again(failure, attempt, left_ms, request_id)


def backoff_ms(attempt: int, request_id: str) -> int:
    """250 ms, doubled with each attempt, between half and all of it: apart for each request, alike for each replay."""
    whole = min(BACKOFF_MS << (attempt - 1), BACKOFF_MS_MAX)
    drawn = int.from_bytes(blake2b(f"{request_id}/{attempt}".encode(), digest_size=4).digest())
    return whole // 2 + (whole // 2) * drawn // 2**32


def idempotency_key(request_id: str, outlet_id: str) -> str:
    """The key that every attempt of a request at one outlet carries."""
    return blake2b(f"{request_id}/{outlet_id}".encode(), digest_size=16).hexdigest()


def _again(failure: Failure, attempt: int, left_ms: int, request_id: str) -> Next:
    asked = failure.retry_after_seconds
    wait = backoff_ms(attempt, request_id) if asked is None else int(asked * 1_000)
    if wait > min(left_ms, WAIT_MS_MAX):
        return Next("stop", why="there is no time left to wait")
    return Next("again", wait)
