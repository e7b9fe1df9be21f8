"""The results of a batch as its client reads them: OpenAI's two files or Anthropic's one, written at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from offtake.gateway.batch.documents import File, encode
from offtake.gateway.batch.plan import Answered, answers_name, input_name, plan_name
from offtake.gateway.batch.work import Work
from offtake.store.batches import Document

Raw = msgspec.Raw
_WORDS = {
    "canceled": ("batch_cancelled", "The batch was cancelled before this request ran."),
    "expired": ("batch_expired", "The batch's window ended before this request ran."),
    "lost": ("batch_interrupted", "Nobody knows how this request ended; the vendor may have served it."),
    "failed": ("batch_failed", "The vendor refused the batch."),
    "done": ("batch_request_failed", "The vendor gave no answer; it may have worked all the same."),
}


class Kept(msgspec.Struct, omit_defaults=True):
    """The answer of a deferred call in its client's dialect, or without a `status` how it ended, and who served it."""

    state: str
    contract: str
    vendor: str
    model: str
    status: int = 0
    request_id: str = ""
    message: str = ""
    body: msgspec.Raw = msgspec.Raw(b"null")


kept_of = msgspec.json.Decoder(Kept).decode


def write_results(work: Work, at: int) -> None:
    """Write them; what they were made of goes later (`clear`)."""
    batch, store = work.batch, work.store
    if batch.deferred:
        store.keep(results_name(batch.id), _rows(work, lambda answered: True, _deferred_row))
        return
    if batch.wire == "anthropic":
        store.keep(results_name(batch.id), _rows(work, lambda answered: True, _anthropic_row))
        return
    for kind, good in (("output", True), ("error", False)):
        id = f"file-{batch.id.removeprefix('batch_')}{kind[0]}"
        wanted = good

        def chosen(answered: Answered, wanted: bool = wanted) -> bool:
            return (answered.state == "done" and 200 <= answered.status < 300) is wanted

        size = store.keep(id, _rows(work, chosen, _openai_row))
        if not size:
            store.delete(id)
            continue
        ends_at = at + batch.kept_for
        file = File(id, "batch_output", f"{batch.id}_{kind}.jsonl", size, at, ends_at)
        store.add("file", Document(id, work.caller.key.id, "", encode(file)), at, open=False, ends_at=ends_at)
        if good:
            batch.output_file = id
        else:
            batch.error_file = id


def results_name(batch: str) -> str:
    """The contents that hold the results of an Anthropic batch, or the answer of a deferred call."""
    return f"{batch}.results"


def clear(work: Work) -> None:
    """Delete what the results were made of."""
    work.answers.close()
    id = work.batch.id
    work.store.delete(plan_name(id), answers_name(id), input_name(id))


def _rows(
    work: Work, chosen: Callable[[Answered], bool], row: Callable[[Work, str, Answered], dict[str, Any] | Kept]
) -> Iterator[bytes]:
    seen: set[int] = set()
    for answered in work.answers.each():
        if answered.state in ("sent", "unsent") or answered.number in seen or answered.number not in work.plan:
            continue
        seen.add(answered.number)
        if chosen(answered):
            yield msgspec.json.encode(row(work, work.line(work.plan[answered.number]).custom_id, answered)) + b"\n"


def _said(work: Work, answered: Answered) -> tuple[int, Raw]:
    """Status and body of an answer in the client's dialect."""
    exchange = work.spoken(work.plan[answered.number]).exchange
    if exchange is None:
        return answered.status, answered.body
    status, body = exchange.answer(answered.status, bytes(answered.body))
    return status, Raw(body)


def _openai_row(work: Work, custom_id: str, answered: Answered) -> dict[str, Any]:
    name = work.batch.request_id(answered.number)
    row: dict[str, Any] = {"id": f"batch_req_{name}", "custom_id": custom_id, "response": None, "error": None}
    if answered.state == "done" and answered.status:
        status, body = _said(work, answered)
        row["response"] = {"status_code": status, "request_id": answered.request_id or name, "body": body}
    else:
        code, message = _words(answered)
        row["error"] = {"code": code, "message": message}
    return row


def _anthropic_row(work: Work, custom_id: str, answered: Answered) -> dict[str, Any]:
    if answered.state in ("canceled", "expired"):
        return {"custom_id": custom_id, "result": {"type": answered.state}}
    if answered.state == "done" and answered.status:
        status, body = _said(work, answered)
        if 200 <= status < 300:
            return {"custom_id": custom_id, "result": {"type": "succeeded", "message": body}}
        return {"custom_id": custom_id, "result": {"type": "errored", "error": body}}
    code, message = _words(answered)
    error = {"type": "api_error", "message": message, "details": {"offtake": {"code": code}}}
    return {"custom_id": custom_id, "result": {"type": "errored", "error": {"type": "error", "error": error}}}


def _deferred_row(work: Work, _: str, answered: Answered) -> Kept:
    line = work.plan[answered.number]
    outlet = work.outlet(line)
    kept = Kept(answered.state, outlet.contract, outlet.name, line.model)
    if answered.state == "done" and answered.status:
        kept.status, kept.body = _said(work, answered)
        kept.request_id = answered.request_id
    else:
        kept.message = _words(answered)[1]
    return kept


def _words(answered: Answered) -> tuple[str, str]:
    code, message = _WORDS[answered.state]
    return code, answered.request_id if answered.state == "failed" and answered.request_id else message
