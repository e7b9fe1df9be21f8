"""Both vendors' batches, OpenAI's files and both lists of models, by their own clients."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from tests.sandbox.conftest import Running

Start = Callable[..., Running]


def chat_line(name: str, model: str = "gpt-5.4") -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": "[[sandbox output=20]]"}]}
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}


def message_line(name: str, model: str = "claude-opus-4-7") -> dict[str, Any]:
    messages = [{"role": "user", "content": "[[sandbox output=20]]"}]
    return {"custom_id": name, "params": {"model": model, "max_tokens": 90, "messages": messages}}


def upload(client: Any, lines: list[dict[str, Any]]) -> Any:
    content = "\n".join(json.dumps(line) for line in lines).encode()
    return client.files.create(file=("in.jsonl", content), purpose="batch")


def ended(read: Callable[[], Any], *states: str) -> Any:
    for _ in range(200):
        found = read()
        if (getattr(found, "status", "") or found.processing_status) in states:
            return found
        time.sleep(0.02)
    raise AssertionError(f"still {found}")


def test_openai_runs_every_line_once_at_the_batch_price(sandbox: Start) -> None:
    running = sandbox()
    client = running.openai()
    file = upload(client, [chat_line("a"), chat_line("b"), chat_line("c", "gpt-none")])

    made = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    batch = ended(lambda: client.batches.retrieve(made.id), "completed")

    assert "validating" == made.status
    assert (3, 2, 1) == (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed)
    rows = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    errors = [json.loads(line) for line in client.files.content(batch.error_file_id).text.splitlines()]
    assert ["a", "b"] == [row["custom_id"] for row in rows]
    assert (["c"], 404) == ([row["custom_id"] for row in errors], errors[0]["response"]["status_code"])
    lines = running.lines()
    assert [("a", "batch"), ("b", "batch")] == [(line["custom_id"], line["channel"]) for line in lines]
    assert batch.usage.output_tokens == sum(line["quantities"]["output_tokens"] for line in lines)
    assert rows[0]["response"]["body"]["usage"]["completion_tokens"] == lines[0]["quantities"]["output_tokens"]


def test_a_file_with_a_wrong_line_fails_before_it_costs_anything(sandbox: Start) -> None:
    running = sandbox()
    client = running.openai()
    file = upload(client, [chat_line("a"), chat_line("a")])

    made = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    batch = ended(lambda: client.batches.retrieve(made.id), "failed")

    assert [("duplicate_custom_id", 2)] == [(error.code, error.line) for error in batch.errors.data]
    assert not running.meter.read_text()


def test_a_cancelled_batch_bills_what_was_done(sandbox: Start) -> None:
    running = sandbox("batches: {seconds: 30}")
    client = running.openai()
    file = upload(client, [chat_line("a")])

    made = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    client.batches.cancel(made.id)
    batch = ended(lambda: client.batches.retrieve(made.id), "cancelled")

    errors = [json.loads(line) for line in client.files.content(batch.error_file_id).text.splitlines()]
    assert ["batch_cancelled"] == [row["error"]["code"] for row in errors]
    assert not running.meter.read_text()


def test_files_come_back_byte_for_byte(sandbox: Start) -> None:
    client = sandbox().openai()
    content = bytes(range(256)) * 50 + b"\r\n--x\r\n"

    file = client.files.create(file=("odd name.bin", content), purpose="user_data")

    assert content == client.files.content(file.id).content
    assert [file.id] == [each.id for each in client.files.list()]
    assert (len(content), "odd name.bin") == (file.bytes, file.filename)
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_anthropic_runs_every_request_once_at_the_batch_price(sandbox: Start) -> None:
    running = sandbox()
    client = running.anthropic()

    made = client.messages.batches.create(requests=[message_line("a"), message_line("b", "claude-none")])
    batch = ended(lambda: client.messages.batches.retrieve(made.id), "ended")
    found = {row.custom_id: row.result for row in client.messages.batches.results(made.id)}

    assert "in_progress" == made.processing_status
    assert (1, 1, 0) == (batch.request_counts.succeeded, batch.request_counts.errored, batch.request_counts.processing)
    assert ("succeeded", "errored") == (found["a"].type, found["b"].type)
    assert ("batch", 20) == (found["a"].message.usage.service_tier, found["a"].message.usage.output_tokens)
    assert [("a", "batch", made.id)] == [
        (each["custom_id"], each["channel"], each["batch_id"]) for each in running.lines()
    ]
    assert "message_batch_deleted" == client.messages.batches.delete(made.id).type


def test_a_script_lets_the_last_requests_expire(sandbox: Start) -> None:
    client = sandbox("batches: {expire: 50%}").anthropic()

    made = client.messages.batches.create(requests=[message_line("a"), message_line("b")])
    ended(lambda: client.messages.batches.retrieve(made.id), "ended")

    assert ["succeeded", "expired"] == [row.result.type for row in client.messages.batches.results(made.id)]


def test_a_custom_id_stands_once(sandbox: Start) -> None:
    with pytest.raises(anthropic.BadRequestError, match="must be unique"):
        sandbox().anthropic().messages.batches.create(requests=[message_line("a"), message_line("a")])


def test_both_vendors_list_their_models(sandbox: Start) -> None:
    running = sandbox()

    openais = [model.id for model in running.openai().models.list()]
    anthropics = [model.id for model in running.anthropic().models.list(limit=10)]  # pages are followed

    assert "gpt-5.4" in openais and "claude-opus-4-7" not in openais
    assert "claude-opus-4-7" in anthropics and len(anthropics) == len(set(anthropics)) > 20
    assert "gpt-5.4" == running.openai().models.retrieve("gpt-5.4").id
    assert "active" == running.anthropic().models.retrieve("claude-opus-4-7").lifecycle
    with pytest.raises(anthropic.NotFoundError):
        running.anthropic().models.retrieve("claude-none")
