"""Raw answers of vendors, one a line: OpenAI chat and responses, Anthropic messages, Gemini generateContent.

A line is an answer's body; a log record around it (`body` or `response`, with `used_at` or `timestamp`, `status`,
`latency_ms`, `workload`, …); a line of an OpenAI batch output file; or of Anthropic batch results. Source: openai 3.54
and anthropic 2.12 (their types), Gemini API reference, November 2026. Only counts, ids, tiers and stop reasons are
read: no content enters a record, and a rejected line is kept without it. Anthropic's and Gemini's bodies carry no
time: it comes from the log record, or from --start. `max_tokens` reached is `ok`; no stop reason at all is
`vendor_truncation`; an answer without usage has `usage_known` false.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offtake.usage.fields import count, instant, json_object, json_objects, text
from offtake.usage.identity import Identities, canonical
from offtake.usage.outcomes import channel_of, of_status, of_stop_reason
from offtake.usage.readers.anthropic_usage import region_of, tier_of
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Rejected, Row, TextSource, convert, json_lines
from offtake.usage.usage_objects import context_of, quantities_of

_TIMES = ("used_at", "timestamp", "created", "created_at", "createTime")
_KEPT = ("id", "model", "usage", "usageMetadata", "custom_id", "service_tier", "stop_reason", "status", *_TIMES)
_DETAILS = ("workload", "account", "customer", "key_id", "region")


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain request."""
    identities = Identities("responses", options.account)
    rows = (_without_line(row) if isinstance(row, Rejected) else row for row in json_lines(source))
    return convert(rows, lambda row: _record(row, options, identities), raw=lambda row: canonical(_facts(row.values)))


def _record(row: Row, options: ReadOptions, identities: Identities) -> UsageRecord:
    line = row.values
    body, status, is_batch = _unwrapped(line)
    said = body.get("usage") if body.get("usage") is not None else body.get("usageMetadata")
    usage = json_object("usage", said)
    quantities = quantities_of(usage, options.cache_write) if usage else {}
    quantities |= _tool_calls(body)
    tier = tier_of(text(body.get("service_tier") or usage.get("service_tier")), text(usage.get("speed")))
    log = line if body is not line else {}
    body_id = text(body.get("id") or body.get("responseId"))
    response = line["response"] if isinstance(line.get("response"), Mapping) else {}
    identity = text(log.get("id")) or body_id
    time = next((holder[name] for holder in (log, body) for name in _TIMES if holder.get(name)), options.start)
    fields: dict[str, Any] = {name: text(log.get(name)) for name in _DETAILS if log.get(name)}
    return options.record(
        where=row.where,
        id=identity or identities.of_row(_facts(line)),
        used_at=instant("time", time, options.time_zone),
        model=text(body.get("model") or body.get("modelVersion") or log.get("model")),
        channel="batch" if is_batch else channel_of("" if usage.get("speed") == "fast" else tier),
        tier_served=tier,
        quantities=quantities,
        context_tokens=context_of(quantities),
        outcome=of_status(status) if status is not None and status >= 300 else _outcome(body),
        usage_known=bool(usage),
        latency_ms=count("latency_ms", log["latency_ms"]) if log.get("latency_ms") else None,
        vendor_request_id=text(log.get("request_id") or response.get("request_id")) or body_id,
        vendor=text(log.get("vendor")),
        **({"region": region_of(text(usage.get("inference_geo")))} | fields),
    )


def _unwrapped(line: Mapping[str, Any]) -> tuple[Mapping[str, Any], int | None, bool]:
    """The answer's body, its HTTP status where known, and whether it came from a batch."""
    status = line.get("status_code")
    result = line.get("result")
    if isinstance(result, Mapping) and "custom_id" in line:  # Anthropic batch results
        body = result.get("message")
        return (body if isinstance(body, Mapping) else {"error": result.get("error") or result.get("type")}), None, True
    inner = next((line[name] for name in ("response", "body") if isinstance(line.get(name), Mapping)), None)
    if inner is None:
        return line, None if status is None else count("status_code", status), False
    if isinstance(inner.get("body"), Mapping):  # OpenAI batch output: response.body, response.status_code
        status, inner = inner.get("status_code", status), inner["body"]
    return inner, None if status is None else count("status_code", status), "custom_id" in line


def _outcome(body: Mapping[str, Any]) -> str:
    if body.get("error") and not body.get("usage"):
        kind = json_object("error", body["error"]).get("type") if isinstance(body["error"], Mapping) else body["error"]
        if kind in ("api_error", "overloaded_error", "server_error", "timeout_error"):
            return "timeout" if kind == "timeout_error" else "http_5xx"
        return "not_dispatched" if kind in ("canceled", "expired") else "client_error"
    if "stop_reason" in body:
        return of_stop_reason(text(body["stop_reason"]))
    if "choices" in body:
        choices = json_objects("choices", body["choices"])
        outcomes = [of_stop_reason(text(choice.get("finish_reason"))) for choice in choices]
        return next((outcome for outcome in outcomes if outcome != "ok"), "ok" if outcomes else "vendor_truncation")
    if "candidates" in body or "usageMetadata" in body:
        if json_object("promptFeedback", body.get("promptFeedback")).get("blockReason"):
            return "refusal"
        candidates = json_objects("candidates", body.get("candidates"))
        outcomes = [of_stop_reason(text(candidate.get("finishReason"))) for candidate in candidates]
        return next((outcome for outcome in outcomes if outcome != "ok"), "ok" if outcomes else "vendor_truncation")
    if "status" in body and isinstance(body["status"], str):
        incomplete = json_object("incomplete_details", body.get("incomplete_details")).get("reason")
        return of_stop_reason(text(incomplete) if body["status"] == "incomplete" else body["status"])
    return "ok"  # an embedding: there is nothing to break off


def _tool_calls(body: Mapping[str, Any]) -> dict[str, int]:
    """Searches that the Responses API runs and bills by the call; opening a page that was found is not one."""
    output = body.get("output")
    calls = [item for item in output if isinstance(item, Mapping)] if isinstance(output, list) else []
    searches = [
        call
        for call in calls
        if call.get("type") == "web_search_call"
        and json_object("action", call.get("action")).get("type", "search") == "search"
    ]
    files = [call for call in calls if call.get("type") == "file_search_call"]
    found = {"web_searches": len(searches), "storage_searches": len(files)}
    return {meter: quantity for meter, quantity in found.items() if quantity}


def _facts(line: Mapping[str, Any]) -> dict[str, Any]:
    """What of a line may be kept: no message, no answer, no error text."""
    found = {name: line[name] for name in _KEPT if name in line and not isinstance(line[name], list)}
    for name in ("response", "body", "result", "message"):
        if isinstance(line.get(name), Mapping):
            found[name] = _facts(line[name])
    return found


def _without_line(rejected: Rejected) -> Rejected:
    """A line that is not JSON cannot be told apart from its content, so only its place is kept."""
    return Rejected(rejected.where, rejected.error, rejected.code, "") if rejected.raw else rejected
