"""Scripted faults, rate limits and latency, as the vendors' clients meet them, and what the meter says of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from tests.sandbox.conftest import Running

Start = Callable[..., Running]
MESSAGE = {
    "model": "claude-opus-4-7",
    "max_tokens": 900,
    "messages": [{"role": "user", "content": "[[sandbox output=400]]"}],
}
CHAT = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "[[sandbox output=400 reasoning=0]]"}]}


def chat(running: Running, **more: Any) -> Any:
    return running.openai().chat.completions.create(**CHAT, **more)


def message(running: Running, **more: Any) -> Any:
    return running.anthropic().messages.create(**MESSAGE, **more)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("rate_limit", 429, "rate_limit_exceeded"),
        ("quota", 429, "insufficient_quota"),
        ("overloaded", 503, None),
        ("server_error", 500, None),
    ],
)
def test_openai_s_errors(sandbox: Start, fault: str, status: int, code: str | None) -> None:
    running = sandbox(f"faults: [{{fault: {fault}}}]")

    with pytest.raises(openai.APIStatusError) as met:
        chat(running)

    assert (status, code) == (met.value.status_code, met.value.code)
    assert not running.meter.read_text()


@pytest.mark.parametrize(
    ("fault", "status", "kind", "code"),
    [
        ("rate_limit", 429, "rate_limit_error", None),
        ("quota", 402, "billing_error", None),
        ("spend_limit", 429, "rate_limit_error", "contract_spend_limit_reached"),
        ("ramp_limit", 429, "rate_limit_error", "ramp_limit_exceeded"),
        ("overloaded", 529, "overloaded_error", None),
        ("server_error", 500, "api_error", None),
    ],
)
def test_anthropic_s_errors(sandbox: Start, fault: str, status: int, kind: str, code: str | None) -> None:
    running = sandbox(f"faults: [{{fault: {fault}}}]")

    with pytest.raises(anthropic.APIStatusError) as met:
        message(running)

    assert isinstance(met.value.body, dict)
    error = met.value.body["error"]
    assert (status, kind, code) == (met.value.status_code, error["type"], error.get("details", {}).get("error_code"))
    assert met.value.body["request_id"] == met.value.request_id


def test_a_client_retries_after_the_time_it_is_told(sandbox: Start) -> None:
    running = sandbox("faults: [{fault: rate_limit, when: {requests: [1]}, retry_after: 1}]")
    started = time.monotonic()

    running.openai(max_retries=1).chat.completions.create(**CHAT)

    assert 1 <= time.monotonic() - started < 3
    assert 1 == len(running.lines())


def test_a_failure_after_the_work_bills_its_input(sandbox: Start) -> None:
    running = sandbox("faults: [{fault: server_error, status: 502, bill: input}]")

    with pytest.raises(openai.InternalServerError):
        chat(running)

    assert ({"input_tokens": 15}, 502, "http_5xx") == tuple(
        running.line()[name] for name in ("quantities", "status", "outcome")
    )


@pytest.mark.parametrize("fault", ["cut", "stream_error"])
def test_a_stream_that_breaks_bills_what_was_out(sandbox: Start, fault: str) -> None:
    running = sandbox(f"faults: [{{fault: {fault}, after: 11}}]")
    texts: list[str] = []

    with pytest.raises(openai.APIError):
        texts.extend(chunk.choices[0].delta.content or "" for chunk in chat(running, stream=True))

    assert 160 == len("".join(texts))  # the role, then ten chunks of four tokens
    assert {"input_tokens": 15, "output_tokens": 40} == running.line()["quantities"]


def test_a_message_stream_that_breaks_bills_what_was_out(sandbox: Start) -> None:
    running = sandbox("faults: [{fault: cut, after: 13}, {fault: stream_error, after: 13}]")

    with (
        pytest.raises((anthropic.APIConnectionError, httpx2.RemoteProtocolError)),
        running.anthropic().messages.stream(**MESSAGE) as stream,
    ):
        for _ in stream:
            pass

    assert 40 == running.line()["quantities"]["output_tokens"]


def test_an_overload_in_the_middle_is_told_in_the_stream(sandbox: Start) -> None:
    running = sandbox("faults: [{fault: stream_error, after: 13}]")

    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        list(message(running, stream=True))

    assert ("http_5xx", 40) == (running.line()["outcome"], running.line()["quantities"]["output_tokens"])


def test_a_client_that_leaves_pays_what_was_out(sandbox: Start) -> None:
    running = sandbox("latency: {token_ms: 5}")

    stream = chat(running, stream=True)
    for number, _ in enumerate(stream):
        if number == 5:
            break
    stream.close()
    for _ in range(100):
        if running.meter.read_text():
            break
        time.sleep(0.02)

    line = running.line()
    assert "client_cancel" == line["outcome"]
    assert 16 <= line["quantities"]["output_tokens"] < 100


def test_usage_may_be_missing_or_zero(sandbox: Start) -> None:
    running = sandbox("faults: [{fault: no_usage, when: {requests: [1]}}, {fault: zero_usage, when: {requests: [2]}}]")

    missing, zero = chat(running), chat(running)

    assert missing.usage is None
    assert (0, 0) == (zero.usage.prompt_tokens, zero.usage.completion_tokens)
    assert [{"input_tokens": 15, "output_tokens": 400}] == [line["quantities"] for line in running.lines()]


def test_a_region_and_a_tier_may_be_others_than_asked(sandbox: Start) -> None:
    running = sandbox(
        "faults: [{fault: wrong_region, when: {vendor: anthropic}}, {fault: lower_tier, when: {vendor: openai}}]"
    )

    elsewhere = message(running, inference_geo="us")
    lower = chat(running, service_tier="priority")

    assert ("global", "default") == (elsewhere.usage.inference_geo, lower.service_tier)
    first, second = running.lines()
    assert ("global", "realtime", "priority") == (first["region"], second["channel"], second["tier_requested"])


def test_a_truncation_gives_no_reason_and_a_refusal_says_so(sandbox: Start) -> None:
    running = sandbox("faults: [{fault: truncation, when: {every: 2}}, {fault: refusal}]")

    refused, truncated = message(running), message(running)
    filtered, cut = chat(running), chat(running)

    assert ("refusal", None, 200) == (refused.stop_reason, truncated.stop_reason, truncated.usage.output_tokens)
    assert ("content_filter", None) == (filtered.choices[0].finish_reason, cut.choices[0].finish_reason)
    assert ["refusal", "vendor_truncation"] * 2 == [line["outcome"] for line in running.lines()]


def test_a_timeout_hangs_and_costs_nothing(sandbox: Start) -> None:
    running = sandbox("faults: [{fault: timeout}]")

    with pytest.raises(openai.APITimeoutError):
        running.openai(timeout=0.3).chat.completions.create(**CHAT)

    assert not running.meter.read_text()


def test_a_request_may_wish_for_a_fault(sandbox: Start) -> None:
    running = sandbox()

    with pytest.raises(openai.InternalServerError):
        chat(running, extra_headers={"x-sandbox": "fault=server_error status=503"})
    with pytest.raises(openai.BadRequestError, match="does not know 'colour=red'"):
        chat(running, extra_headers={"x-sandbox": "colour=red"})


def test_the_same_seed_draws_the_same_requests(sandbox: Start) -> None:
    def drawn(running: Running) -> list[int]:
        return [_status(lambda: chat(running, max_completion_tokens=1)) for _ in range(20)]

    script = "seed: 3\nfaults: [{fault: server_error, when: {share: 50%}}]"
    first, second = drawn(sandbox(script)), drawn(sandbox(script))

    assert first == second
    assert 4 <= first.count(500) <= 16


def _status(call: Callable[[], Any]) -> int:
    try:
        call()
    except openai.APIStatusError as error:
        return error.status_code
    return 200


def test_limits_refuse_say_so_in_headers_and_refill(sandbox: Start) -> None:
    running = sandbox(
        "limits: [{model: 'claude-*', requests_per_minute: 2}, {model: 'gpt-*', input_tokens_per_minute: 40}]"
    )
    raw = running.anthropic().messages.with_raw_response

    first = raw.create(**MESSAGE)
    raw.create(**MESSAGE)
    with pytest.raises(anthropic.RateLimitError) as met:
        raw.create(**MESSAGE)
    running.clock = 31
    raw.create(**MESSAGE)
    _, _ = chat(running), chat(running)
    with pytest.raises(openai.RateLimitError) as tokens:
        chat(running)

    assert "1" == first.headers["anthropic-ratelimit-requests-remaining"]
    assert 28 <= int(met.value.response.headers["retry-after"]) <= 30
    assert "40" == tokens.value.response.headers["x-ratelimit-limit-tokens"]
    assert "tokens" == tokens.value.type


def test_latency_is_drawn_around_what_the_script_says(sandbox: Start) -> None:
    running = sandbox("latency: {first_token_ms: 200, spread: 50%}")
    started = time.monotonic()

    chat(running)

    assert 0.1 <= time.monotonic() - started < 1
