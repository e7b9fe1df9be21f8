"""Traces, metrics and the access log, as a collector and an operator see them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otel` is not installed")

from tests.gateway.wire.collector import Collector
from tests.gateway.wire.running import House

TRACE = "0af7651916cd43dd8448eb211c80319c"
HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture
def collector() -> Iterator[Collector]:
    opened = Collector().open()
    yield opened
    opened.close()


def house(folder: Path, collector_url: str) -> House:
    more = f'\n[telemetry]\notlp = "{collector_url}"\nseconds = 1\n'
    return House(folder, gateway_settings='log = "all"', more=more).open()


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


def test_spans_and_metrics_in_the_conventions_names(tmp_path: Path, collector: Collector) -> None:
    opened = house(tmp_path, collector.url)
    try:
        key = opened.key()
        with openai.OpenAI(base_url=f"{opened.gateway.url}/v1", api_key=key, max_retries=0) as client:
            parent = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            answer = client.chat.completions.create(
                model="gpt-5.4", messages=HELLO, max_completion_tokens=20, extra_headers=parent
            )
            with pytest.raises(openai.NotFoundError):
                client.chat.completions.create(model="gpt-5.39", messages=HELLO)
        with (
            anthropic.Anthropic(base_url=opened.gateway.url, api_key=key, max_retries=0) as other,
            other.messages.stream(model="claude-opus-4-7", max_tokens=20, messages=HELLO) as stream,
        ):
            stream.get_final_message()
    finally:
        opened.close()
    spans = {span.name: span for span in collector.spans()}
    assert {"chat gpt-5.4", "chat claude-opus-4-7"} == set(spans)
    chat, streamed = attributes(spans["chat gpt-5.4"]), attributes(spans["chat claude-opus-4-7"])
    assert bytes.fromhex(TRACE) == spans["chat gpt-5.4"].trace_id
    assert ("chat", "openai", "gpt-5.4") == tuple(
        chat[name] for name in ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model")
    )
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == chat["gen_ai.usage.input_tokens"]
    assert 20 == chat["gen_ai.usage.output_tokens"] == streamed["gen_ai.usage.output_tokens"]
    assert streamed["gen_ai.request.stream"]
    assert streamed["gen_ai.response.time_to_first_chunk"] > 0
    metrics = collector.metrics()
    counted = metrics["gen_ai.client.inference.usage.output_tokens"].sum.data_points
    assert 40 == sum(point.as_int for point in counted)
    assert {"gen_ai.client.inference.duration", "offtake.cost"} <= set(metrics)
    lines = [json.loads(line) for line in opened.gateway.log.read_text().splitlines() if line.startswith("{")]
    requests = [line for line in lines if line["event"] == "request"]
    assert ["gpt-5.4", "claude-opus-4-7"] == [line["model"] for line in requests]
    assert "G302" == [line["code"] for line in lines if line["event"] == "refused"][-1]


def test_a_collector_that_is_gone_costs_no_request_anything(tmp_path: Path, collector: Collector) -> None:
    collector.close()
    opened = house(tmp_path, collector.url)
    try:
        key = opened.key()
        with openai.OpenAI(base_url=f"{opened.gateway.url}/v1", api_key=key, max_retries=0) as client:
            for _ in range(3):
                client.chat.completions.create(model="gpt-5.4", messages=HELLO, max_completion_tokens=20)
                time.sleep(0.7)
    finally:
        began = time.monotonic()
        opened.close()
    assert time.monotonic() - began < 20
    log = opened.gateway.log.read_text()
    assert "telemetry is not delivered" in log
    assert "Traceback" not in log
