"""How vendors are called: addresses, bodies and errors of each wire, and AWS' event stream in any pieces."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("botocore", reason="the extra `bedrock` is not installed")
pytest.importorskip("google.auth", reason="the extra `vertex` is not installed")

from offtake.gateway.dialects import sse
from offtake.gateway.vendors import cloud
from offtake.gateway.vendors.bedrock import BedrockWire
from offtake.gateway.vendors.endpoint import OpenAIWire
from offtake.gateway.vendors.event_stream import EventStream, kind_of
from offtake.gateway.vendors.vertex import VertexWire
from offtake.operations.serve_config import load_config
from offtake.values.errors import ContractError, OutsideError
from tests.gateway.wire.clouds import chunk, exception, frame


def _bedrock() -> BedrockWire:
    return BedrockWire("https://bedrock-runtime.us-east-1.amazonaws.com", "us-east-1")


EVENTS = [
    b'{"type":"message_start","message":{"usage":{"input_tokens":5}}}',
    '{"type":"content_block_delta","delta":{"text":"größer \\n"}}'.encode(),
    b'{"type":"message_stop","amazon-bedrock-invocationMetrics":{"outputTokenCount":1}}',
]
EXPECTED = b"".join(sse.event(json.loads(event)["type"], event) for event in EVENTS)
FRAMES = b"".join(map(chunk, EVENTS))
CONFIG = """
[vendors.a]
wire = "{wire}"
base_url = "{url}"
[[contracts]]
file = "a.yaml"
"""


@given(st.lists(st.integers(0, len(FRAMES)), max_size=12))
def test_a_stream_is_the_same_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    stream = EventStream()
    places = [0, *sorted(cuts), len(FRAMES)]
    pieces = [FRAMES[start:stop] for start, stop in pairwise(places)]
    assert EXPECTED == b"".join(map(stream.feed, pieces))
    stream.end()
    assert stream.broken == ""


@given(st.integers(0, len(FRAMES) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_passed_on(place: int, change: int) -> None:
    changed = bytearray(FRAMES)
    changed[place] ^= change
    stream = EventStream()
    passed = stream.feed(bytes(changed))
    stream.end()
    assert EXPECTED.startswith(passed) and passed != EXPECTED
    assert stream.broken


@given(st.binary(max_size=300))
def test_any_bytes_are_a_stream_or_a_broken_one(data: bytes) -> None:
    stream = EventStream()
    stream.feed(data)
    stream.end()
    assert stream.broken or not data


@given(st.integers(1, len(FRAMES) - 1))
def test_a_stream_that_ends_within_a_frame_is_broken(length: int) -> None:
    stream = EventStream()
    passed = stream.feed(FRAMES[:length])
    stream.end()
    assert bool(stream.broken) == (length not in _ends())
    assert EXPECTED.startswith(passed)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", "rate_limit_error"),
        ("modelStreamErrorException", "api_error"),
        ("modelTimeoutException", "timeout_error"),
        ("serviceUnavailableException", "overloaded_error"),
        ("validationException", "invalid_request_error"),
        ("somethingNewException", "api_error"),
    ],
)
def test_an_exception_is_an_error_event(name: str, kind: str) -> None:
    stream = EventStream()
    event = stream.feed(chunk(EVENTS[0]) + exception(name)).removeprefix(sse.event("message_start", EVENTS[0]))
    assert event.startswith(b"event: error\n")
    assert kind == json.loads(sse.data_of(event))["error"]["type"]


def test_frames_that_say_nothing_are_passed_over() -> None:
    stream = EventStream()
    assert b"" == stream.feed(frame({":message-type": "event", ":event-type": "initial-response"}, b"{}"))
    assert b"" == stream.feed(frame({":message-type": "event", ":event-type": "chunk"}, b'{"p":"no bytes"}'))
    assert stream.broken


def test_names_of_exceptions_are_known_in_every_spelling() -> None:
    names = ("ThrottlingException:http://internal/", "com.amazon.coral.service#ThrottlingException", "throttling")
    assert ["rate_limit"] * 3 == [kind_of(name) for name in names]
    assert kind_of("") is None


def test_a_body_keeps_every_value_as_it_was_written() -> None:
    body = b'{ "model": "m", "stream":true,"messages" : [ {"a" :1.0} ], "unknown":{"b": 1e5},"anthropic_version":"x"}'
    changed = cloud.body_of(body, ("model", "stream"), "bedrock-2023-05-31", ["one", "two"])
    expected = (
        b'{"messages":[ {"a" :1.0} ],"unknown":{"b": 1e5},"anthropic_version":"bedrock-2023-05-31",'
        b'"anthropic_beta":["one","two"]}'
    )
    assert expected == changed


def test_only_the_betas_that_a_cloud_knows_pass() -> None:
    headers = {b"anthropic-beta": b"one, two,three"}
    assert (["one", "two", "three"], ()) == cloud.betas_of(headers, None)
    assert (["three"], ("anthropic-beta",)) == cloud.betas_of(headers, ["three", "four"])
    assert ([], ()) == cloud.betas_of({}, [])


def test_no_header_that_has_a_price_reaches_a_cloud() -> None:
    wire = BedrockWire("https://bedrock-runtime.us-east-1.amazonaws.com", "us-east-1", key="k")
    headers = {b"x-amzn-bedrock-service-tier": b"priority", b"anthropic-version": b"1", b"user-agent": b"u"}
    call = wire.call("anthropic_messages", "anthropic.claude-opus-4-7-v1:0", True, b"{}", headers, "beta=true")
    assert {b"content-type", b"accept", b"user-agent", b"authorization"} == call.headers.keys()
    assert "/model/anthropic.claude-opus-4-7-v1%3A0/invoke-with-response-stream" == call.target


def test_azure_has_two_kinds_of_addresses() -> None:
    v1 = OpenAIWire("k", ["chat"], azure=True).call("openai_chat", "gpt", False, b"{}", {}, "")
    assert ("/chat/completions", {b"api-key": b"k"}) == (v1.target, v1.headers)
    dated = OpenAIWire("k", ["chat"], azure=True, api_version="2024-10-21")
    chat = dated.call("openai_chat", "my gpt", False, b"{}", {}, "api-version=other")
    assert "/deployments/my%20gpt/chat/completions?api-version=2024-10-21" == chat.target
    assert "/responses?api-version=2024-10-21" == dated.call("openai_responses", "g", False, b"{}", {}, "").target


def test_missing_credentials_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(OutsideError, match=r"G707.*no AWS credentials"):
        BedrockWire("https://bedrock-runtime.us-east-1.amazonaws.com", "us-east-1", profile="nobody")
    with pytest.raises(OutsideError, match=r"G707.*no Google credentials"):
        VertexWire()


@pytest.mark.parametrize(
    ("wire", "url", "misses"),
    [
        ("bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com", ""),
        ("bedrock", "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", ""),
        ("bedrock", "https://bedrock.example.com", "region"),
        ("vertex", "https://aiplatform.googleapis.com/v1/projects/p/locations/global", ""),
        ("vertex", "https://us-east5-aiplatform.googleapis.com/v1", "project"),
    ],
)
def test_a_clouds_address_says_where_it_is(tmp_path: Path, wire: str, url: str, misses: str) -> None:
    file = tmp_path / "offtake.toml"
    file.write_text(CONFIG.format(wire=wire, url=url))
    if misses:
        with pytest.raises(ContractError, match=f"G702.*{misses}"):
            load_config(file)
    else:
        load_config(file)


@pytest.mark.parametrize(("package", "make"), [("botocore.session", _bedrock), ("google.auth", VertexWire)])
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, package: str, make: Callable[[], object]) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(OutsideError, match=r"G706.*needs(.|\n)*pip install"):
        make()


def test_no_cloud_is_imported_unless_it_is_configured() -> None:
    code = (
        "import offtake.gateway.vendors.wires, sys; print([n for n in ('botocore','google.auth') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "[]" == done.stdout.strip()


def _ends() -> list[int]:
    """Where the frames of `FRAMES` end."""
    ends, place = [], 0
    while place < len(FRAMES):
        place += int.from_bytes(FRAMES[place : place + 4])
        ends.append(place)
    return ends
