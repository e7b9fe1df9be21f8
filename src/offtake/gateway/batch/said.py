"""Files and batches as OpenAI's and Anthropic's APIs say them. What is ours stands under `offtake`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from offtake.gateway.batch.documents import Batch, File
from offtake.gateway.headers import dollars

Found = TypeVar("Found", File, Batch)
LIMIT, LIMIT_MAX = 20, 10_000
DIGITS_MAX = 18
_TIMES = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
_ANTHROPIC_COUNTS = (
    ("succeeded", ("done",)), ("errored", ("failed", "lost")), ("canceled", ("canceled",)), ("expired", ("expired",)),
)  # fmt: skip


def openai_file(file: File) -> dict[str, Any]:
    """The object `file`."""
    return {
        "id": file.id, "object": "file", "bytes": file.size_bytes, "created_at": file.created_at // 1_000_000,
        "expires_at": file.ends_at // 1_000_000, "filename": file.filename, "purpose": file.purpose,
        "status": "error" if file.refusal else "uploaded" if file.status == "checking" else "processed",
        "status_details": file.refusal.text if file.refusal else None,
    }  # fmt: skip


def openai_batch(batch: Batch, asked: str = "") -> dict[str, Any]:
    """The object `batch`. `asked`: what its client has asked for and is not done yet."""
    counts, usage, refusal = batch.counts, batch.usage, batch.refusal
    times = {f"{name}_at": _seconds(batch.times.get(name)) for name in _TIMES}
    failed = sum(counts.get(name, 0) for name in ("failed", "lost", "expired", "canceled"))
    status = "cancelling" if asked == "cancel" and not batch.ended else batch.status
    errors = None
    if refusal is not None:
        errors = {
            "object": "list",
            "data": [{"code": refusal.code, "message": refusal.text, "line": None, "param": None}],
        }
    return times | {
        "id": batch.id, "object": "batch", "endpoint": batch.endpoint, "errors": errors, "input_file_id": batch.file,
        "completion_window": "24h", "status": status, "output_file_id": batch.output_file or None,
        "error_file_id": batch.error_file or None, "created_at": batch.created_at // 1_000_000,
        "expires_at": batch.expires_at // 1_000_000,
        "request_counts": {"total": batch.lines, "completed": counts.get("done", 0), "failed": failed},
        "metadata": batch.metadata,
        "usage": {
            "input_tokens": usage.get("input_tokens", 0),
            "input_tokens_details": {"cached_tokens": usage.get("cached_tokens", 0)},
            "output_tokens": usage.get("output_tokens", 0), "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.get("input_tokens", 0) + usage.get("output_tokens", 0),
        },
        "offtake": _ours(batch),
    }  # fmt: skip


def anthropic_batch(batch: Batch, asked: str, base: str) -> dict[str, Any]:
    """The object `message_batch`; `base` is the address at which the client reaches us."""
    counts = {name: sum(batch.counts.get(each, 0) for each in ends) for name, ends in _ANTHROPIC_COUNTS}
    ended = batch.times.get(batch.status) if batch.ended else None
    status = "ended" if batch.ended else "canceling" if asked == "cancel" else "in_progress"
    return {
        "id": batch.id, "type": "message_batch", "processing_status": status,
        "request_counts": {"processing": 0 if batch.ended else batch.lines} | (counts if batch.ended else
                                                                              dict.fromkeys(counts, 0)),
        "created_at": _instant(batch.created_at), "expires_at": _instant(batch.expires_at), "ended_at": _instant(ended),
        "archived_at": None, "cancel_initiated_at": _instant(batch.times.get("cancelling")),
        "results_url": f"{base}/v1/messages/batches/{batch.id}/results" if batch.ended else None,
        "offtake": _ours(batch),
    }  # fmt: skip


def page(found: Sequence[Found], query: dict[str, str], said: Callable[[Found], dict[str, Any]]) -> dict[str, Any]:
    """One page of a list whose newest stands first: `limit`, and `after` (OpenAI) or `after_id`, `before_id`."""
    ids = [each.id for each in found]
    after, before = query.get("after") or query.get("after_id"), query.get("before_id")
    limit = whole(query.get("limit", ""))
    limit = LIMIT if limit is None else min(max(limit, 1), LIMIT_MAX)
    first = ids.index(after) + 1 if after in ids else 0
    last = len(found)
    if before in ids:
        last = ids.index(before)
        first = max(last - limit, 0)
    shown = [said(each) for each in found[first : min(first + limit, last)]]
    more = first > 0 if before in ids else first + limit < last
    return {
        "object": "list", "data": shown, "has_more": more, "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
    }  # fmt: skip


def whole(text: str) -> int | None:
    """A whole number as a client writes it in a query or a form, None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX else None


def _ours(batch: Batch) -> dict[str, str]:
    said = {"held": dollars(batch.held_pico).decode(), "cost": dollars(batch.cost_pico).decode()}
    return said | ({"refused": batch.refusal.text} if batch.refusal else {})


def _seconds(at: int | None) -> int | None:
    return None if at is None else at // 1_000_000


def _instant(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at / 1e6, UTC).isoformat().replace("+00:00", "Z")
