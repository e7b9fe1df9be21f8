"""Refusals over a real socket, as the vendors' own SDKs take them: the class, the attempts, the words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from offtake.gateway.ask import Refusal
from offtake.gateway.dialects import BY_NAME, refusals

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

SPENT = Refusal("budget", "G301", "the key team-a has spent its 100 USD of November", "budgets[0] (acme.yaml:41)",
                "raise the budget or wait for December")  # fmt: skip


class Door(ThreadingHTTPServer):
    """Answers every request with the same refusal, and counts them."""

    daemon_threads = True
    refusal = SPENT
    stream = False
    attempts = 0


class Answer(BaseHTTPRequestHandler):
    """One request, refused in the dialect of its path; or begun as a stream and broken off."""

    server: Door

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.attempts += 1
        dialect = BY_NAME["anthropic_messages" if "messages" in self.path else
                          "openai_responses" if "responses" in self.path else "openai_chat"]  # fmt: skip
        if self.server.stream:
            status, headers = 200, [(b"content-type", b"text/event-stream")]
            body = dialect.stream_error(self.server.refusal)
        else:
            status, headers, body = dialect.refuse(self.server.refusal, "req_1")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name.decode(), value.decode())
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests speak."""


@pytest.fixture
def door() -> Iterator[Door]:
    with Door(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def call(sdk: Any, door: Door, *, retries: int = 2, stream: bool = False, responses: bool = False) -> Any:
    """What the SDK raises."""
    address = f"http://127.0.0.1:{door.server_port}"
    with pytest.raises(sdk.APIError) as raised:
        if sdk is openai:
            with openai.OpenAI(api_key="k", base_url=f"{address}/v1", max_retries=retries) as client:
                if responses:
                    list(client.responses.create(model="m", input="hi", stream=True))
                answer = client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "hi"}], stream=stream
                )
                list(answer)
        else:
            with anthropic.Anthropic(api_key="k", base_url=address, max_retries=retries) as client:
                answer = client.messages.create(
                    model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}], stream=stream
                )
                list(answer)
    return raised.value


# kind, then the class of each SDK.
FINAL = [
    ("budget", "RateLimitError", "PaymentRequiredError"),
    ("policy", "PermissionDeniedError", "PermissionDeniedError"),
    ("region", "PermissionDeniedError", "PermissionDeniedError"),
    ("model", "NotFoundError", "NotFoundError"),
    ("key", "AuthenticationError", "AuthenticationError"),
    ("bad_request", "BadRequestError", "BadRequestError"),
    ("too_large", "APIStatusError", "RequestTooLargeError"),
]


@pytest.mark.parametrize(("kind", "of_openai", "of_anthropic"), FINAL, ids=[kind for kind, _, _ in FINAL])
def test_a_final_refusal_is_tried_once_and_says_why(door: Door, kind: str, of_openai: str, of_anthropic: str) -> None:
    door.refusal = replace(SPENT, kind=kind)

    for sdk, name in ((openai, of_openai), (anthropic, of_anthropic)):
        door.attempts = 0
        error = call(sdk, door)

        assert 1 == door.attempts
        assert isinstance(error, getattr(sdk, name))
        for words in (SPENT.message, SPENT.code, SPENT.clause, SPENT.hint):
            assert words in str(error)
        assert "req_1" == error.request_id


def test_a_spent_budget_has_the_codes_that_clients_know(door: Door) -> None:
    openai_error, anthropic_error = call(openai, door), call(anthropic, door)

    assert ("insufficient_quota", 429) == (openai_error.code, openai_error.status_code)
    assert ("contract_spend_limit_reached", 402) == (anthropic_error.error_code, anthropic_error.status_code)
    assert "billing_error" == anthropic_error.type
    ours = {"code": SPENT.code, "clause": SPENT.clause, "hint": SPENT.hint}
    assert ours == openai_error.body["offtake"] == anthropic_error.body["error"]["details"]["offtake"]


@pytest.mark.parametrize("sdk", [openai, anthropic])
def test_a_short_wait_is_waited_for(door: Door, sdk: Any) -> None:
    door.refusal = replace(SPENT, kind="rate", retry_after_seconds=0.4)
    before = time.monotonic()
    error = call(sdk, door, retries=1)

    assert isinstance(error, sdk.RateLimitError)
    assert 2 == door.attempts
    assert 0.4 <= time.monotonic() - before < 5


@pytest.mark.parametrize("sdk", [openai, anthropic])
@pytest.mark.parametrize("seconds", [None, 61, 3_600])
def test_nobody_sleeps_through_a_long_wait(door: Door, sdk: Any, seconds: float | None) -> None:
    door.refusal = replace(SPENT, kind="rate", retry_after_seconds=seconds)
    error = call(sdk, door)

    assert isinstance(error, sdk.RateLimitError)
    assert 1 == door.attempts


@pytest.mark.parametrize("sdk", [openai, anthropic])
@pytest.mark.parametrize("kind", ["overloaded", "upstream"])
def test_what_may_pass_is_tried_again(door: Door, sdk: Any, kind: str) -> None:
    door.refusal = replace(SPENT, kind=kind)
    error = call(sdk, door, retries=1)

    assert isinstance(error, sdk.InternalServerError)
    assert 2 == door.attempts


@pytest.mark.parametrize(("sdk", "responses"), [(openai, False), (openai, True), (anthropic, False)])
def test_an_error_in_a_stream_is_raised_with_its_words(door: Door, sdk: Any, responses: bool) -> None:
    door.refusal, door.stream = replace(SPENT, kind="upstream"), True
    error = call(sdk, door, stream=True, responses=responses)

    assert 1 == door.attempts
    assert SPENT.message in str(error)


@pytest.mark.parametrize("kind", refusals.KINDS)
@pytest.mark.parametrize("seconds", [None, 0, 0.001, 59.2, 60, 60.5, 1e9, -5])
def test_no_wait_is_longer_than_a_minute(kind: str, seconds: float | None) -> None:
    for say in (refusals.openai, refusals.anthropic):
        _, headers, _ = say(replace(SPENT, kind=kind, retry_after_seconds=seconds))
        said = dict(headers)

        assert b"retry-after" not in said or 0 <= int(said[b"retry-after"]) <= 60
        assert b"retry-after" not in said or (seconds is not None and int(said[b"retry-after"]) >= seconds)
        assert not (b"retry-after" in said and b"x-should-retry" in said)
