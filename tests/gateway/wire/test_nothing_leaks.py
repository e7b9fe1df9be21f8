"""After a run with everything in it that goes wrong, nothing that was written anywhere holds content, keys or secrets.

Prompts, tools, system prompts, answers, the vendor's key and the gateway's keys are marked; then every file beside the
configuration, the metrics, the export and what a collector was sent are searched for the marks, as bytes.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otel` is not installed")

pytest.importorskip("cryptography", reason="the extra `transcripts` is not installed")

from tests.gateway.wire import running
from tests.gateway.wire.collector import Collector
from tests.gateway.wire.held import held
from tests.gateway.wire.running import VENDOR_KEY, House

MARK = "marked-sentence-4711"
CRASH = "crash-now-0815"
FAULTS = """
seed: 7
faults:
  - {fault: rate_limit, when: {vendor: openai, requests: [4]}}
  - {fault: server_error, when: {vendor: openai, requests: [5, 6, 7]}}
  - {fault: bad_json, when: {vendor: openai, requests: [8]}}
  - {fault: cut, when: {vendor: anthropic, stream: true, requests: [2]}, after: 2}
  - {fault: stream_error, when: {vendor: anthropic, stream: true, requests: [3]}, after: 1}
  - {fault: overloaded, when: {vendor: anthropic, requests: [9]}}
  - {fault: slow, when: {model: "claude-haiku-4-5*"}, delay_ms: 4000}
"""
SITE = f'''
"""A fault of ours, injected: reading this request raises with the whole of it in the message."""
import sys

if "serve" in sys.argv or "-m" in sys.argv:
    try:
        from offtake.gateway.dialects import openai_chat
    except ImportError:
        pass
    else:
        read = openai_chat.read

        def crashing(path, headers, body):
            if b"{CRASH}" in body:
                raise RuntimeError(body.decode())
            return read(path, headers, body)

        openai_chat.read = crashing
'''
MORE = """
[[cache]]
workload = "*"

[telemetry]
otlp = "{url}"
seconds = 1

[transcripts]
customers = ["acme"]
hours = 1
key = {{file = "master.key"}}
"""
MASTER = "5e" * 32
TOOL = {"description": MARK, "name": "weather"}
SCHEMA = {"type": "object", "properties": {MARK: {"type": "string"}}}


@pytest.fixture
def collector() -> Iterator[Collector]:
    opened = Collector().open()
    yield opened
    opened.close()


def posted(house: House, path: str, key: str, body: Any) -> tuple[int, bytes]:
    """The status and all that came of an answer; 0 where there was none."""
    address = urlsplit(house.gateway.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "x-session": MARK}
    try:
        connection.request("POST", path, data, headers | {"anthropic-version": "2023-06-01"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (http.client.HTTPException, ConnectionError):
        return 0, b""
    finally:
        connection.close()


def chat(model: str, text: str = MARK, **more: Any) -> dict[str, Any]:
    tools = [{"type": "function", "function": TOOL | {"parameters": SCHEMA}}]
    turns = [{"role": "system", "content": f"{MARK} "}, {"role": "user", "content": text}]
    return {"model": model, "messages": turns, "max_completion_tokens": 12, "tools": tools, **more}


def messages(model: str, **more: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": MARK}]
    tools = [TOOL | {"input_schema": SCHEMA}]
    return {"model": model, "messages": turns, "max_tokens": 12, "system": MARK, "tools": tools, **more}


def everything(house: House, key: str) -> list[tuple[int, bytes]]:
    """Both dialects, streams, translations, faults of vendors, faults of clients, a fault of ours."""
    models = ("gpt-5.4", "claude-opus-4-7")
    answers = [
        posted(house, "/v1/chat/completions", key, chat(model, stream=stream))
        for _ in range(3) for model in models for stream in (False, True)
    ]  # fmt: skip
    answers += [
        posted(house, "/v1/messages", key, messages(model, stream=stream))
        for _ in range(2) for model in models for stream in (False, True)
    ]  # fmt: skip
    answers.append(posted(house, "/v1/responses", key, {"model": "gpt-5.4", "input": MARK, "instructions": MARK}))
    answers.append(posted(house, "/v1/embeddings", key, {"model": "text-embedding-3-small", "input": MARK}))
    wrong = [
        ("/v1/chat/completions", chat(f"gpt-{MARK}")),
        ("/v1/chat/completions", chat("gpt-5.4", service_tier=MARK)),
        ("/v1/chat/completions", f'{{"model": "{MARK}", "messages": [{{'.encode()),
        ("/v1/chat/completions", {"model": {MARK: MARK}, "messages": MARK}),
        ("/v1/messages", messages("claude-opus-4-7", max_tokens=MARK)),
        (f"/v1/{MARK}?{MARK}={MARK}", {}),
    ]
    assert all(status >= 400 for status, _ in (posted(house, path, key, body) for path, body in wrong))
    assert 401 == posted(house, "/v1/messages", f"ok-{MARK}", messages("claude-opus-4-7"))[0]
    crashed, words = posted(house, "/v1/chat/completions", key, chat("gpt-5.4", f"{CRASH} {MARK}"))
    assert crashed >= 500
    assert MARK.encode() not in words
    return answers


def test_nothing_holds_what_passed(tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE)
    ours = running.environment()
    monkeypatch.setattr(
        running, "environment", lambda: ours | {"PYTHONPATH": f"{site}{os.pathsep}{ours['PYTHONPATH']}"}
    )
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "master.key").write_text(MASTER)
    house = House(folder, 'log = "all"', FAULTS, more=MORE.format(url=collector.url)).open()
    try:
        key = house.key("marked", "--budget", "50 USD / month", "--workload", "support", "--customer", "acme")
        answers = everything(house, key)
        late = threading.Thread(target=posted, args=(house, "/v1/messages", key, messages("claude-haiku-4-5")))
        late.start()
        time.sleep(1.5)  # an intent that has no end, and telemetry on its way
        house.gateway.kill()
        late.join()
        house.serve()
        assert 200 == posted(house, "/v1/messages", key, messages("claude-opus-4-7"))[0]
        exported = json.dumps(house.exported())
        page = http.client.HTTPConnection(urlsplit(house.gateway.url).netloc)
        page.request("GET", "/metrics")
        metrics = page.getresponse().read()
        page.close()
    finally:
        house.close()
    said = [json.loads(body)["choices"][0]["message"]["content"] for status, body in answers[:1] if status == 200]
    assert said and "RuntimeError" in "".join(log.read_text() for log in folder.glob("gateway-*.log"))
    secrets = [
        MARK,
        CRASH,
        VENDOR_KEY,
        key,
        MASTER,
        (folder / "offtake.db.secret").read_text().strip(),
        *filter(None, said),
    ]
    not_ours = {"meter.jsonl", "offtake.db.secret", "master.key"}  # the vendors' own, and the secrets themselves
    places = {str(file): held(file) for file in folder.rglob("*") if file.is_file() and file.name not in not_ours}
    places |= {
        "export": exported.encode(),
        "metrics": metrics,
        "collector": b"".join(body for _, body in collector.bodies),
    }
    assert len(places["collector"]) > 1_000
    assert sum(len(content) for name, content in places.items() if name.endswith(".sealed")) > 10_000
    assert b'"prefixes"' in places[str(folder / "offtake.db")]
    assert json.loads(exported)["unresolved"]
    assert {200, 500} <= {status for status, _ in answers}
    for secret in secrets:
        forms = (secret.encode(), json.dumps(secret)[1:-1].encode(), base64.b64encode(secret.encode())[:-4])
        assert [] == [name for name, content in places.items() if any(form in content for form in forms)], secret
