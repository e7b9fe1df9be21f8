"""`offtake sandbox` as a person runs it: ready, interrupted, on a taken port, with a wrong script."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from offtake.sandbox.script import Script, read_script
from offtake.sandbox.serve import listen, server_of, url_of
from offtake.sandbox.work import Sandbox
from offtake.values.errors import ContractError, OutsideError

SANDBOX = [sys.executable, "-m", "offtake.cli", "sandbox"]


def test_it_says_where_it_is_meters_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    meter = tmp_path / "meter.jsonl"
    command = [*SANDBOX, "--port", "0", "--meter", str(meter)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        urls = dict(process.stderr.readline().strip().split("=", 1) for _ in range(2))
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        request = urllib.request.Request(
            f"{urls['OPENAI_BASE_URL']}/chat/completions",
            json.dumps(body).encode(),
            {"authorization": "Bearer sk-secret", "x-request-id": "mine"},
        )
        with urllib.request.urlopen(request) as answer:
            usage = json.load(answer)["usage"]
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()

    assert 130 == process.returncode
    assert "Traceback" not in said
    assert urls["ANTHROPIC_BASE_URL"].endswith("/anthropic")
    (line,) = [json.loads(text) for text in meter.read_text().splitlines()]
    assert usage["completion_tokens"] == line["quantities"]["output_tokens"]
    assert "mine" == line["client_request_id"]
    assert "secret" not in meter.read_text() and "hi" not in line.values()


def test_a_stream_that_the_end_of_the_sandbox_breaks_is_metered(tmp_path: Path) -> None:
    meter, script = tmp_path / "meter.jsonl", tmp_path / "script.yaml"
    script.write_text("latency: {token_ms: 100}")
    command = [*SANDBOX, "--port", "0", "--meter", str(meter), "--faults", str(script)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = process.stderr.readline().strip().partition("=")[2]
        messages = [{"role": "user", "content": "[[sandbox output=400]]"}]
        body = json.dumps({"model": "gpt-4o", "stream": True, "messages": messages}).encode()
        request = urllib.request.Request(f"{url}/chat/completions", body, {"authorization": "Bearer k"})
        with urllib.request.urlopen(request) as answer:
            for _ in range(4):
                answer.readline()
            process.send_signal(signal.SIGINT)
            process.wait(20)

    (line,) = [json.loads(text) for text in meter.read_text().splitlines()]
    assert 4 <= line["quantities"]["output_tokens"] < 400


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.filterwarnings("ignore")
def test_what_the_meter_has_no_room_for_is_not_answered() -> None:
    sandbox = Sandbox(Path("/dev/full"), Script(), time.time)
    listener = listen("127.0.0.1", 0)
    server = server_of(sandbox)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()
    request = urllib.request.Request(f"{url_of(listener)}/v1/chat/completions", body, {"authorization": "Bearer k"})

    with pytest.raises(urllib.error.HTTPError) as met:
        urllib.request.urlopen(request)

    assert 500 == met.value.code
    assert "cannot write its meter" in met.value.read().decode()
    server.should_exit = True
    thread.join(10)
    listener.close()


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    first = listen("127.0.0.1", 0)
    port = first.getsockname()[1]

    with pytest.raises(OutsideError, match=f"cannot listen on 127.0.0.1:{port}") as met:
        listen("127.0.0.1", port)

    first.close()
    assert "O515" == met.value.code


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("faults: [{fault: rate_limits}]", "script.yaml:1:"),
        ("faults:\n  - {fault: cut, when: {modle: x}}", "script.yaml:2:"),
        ("latency: {spread: 0.4}", "script.yaml:1:"),
        ("limits: [{requests_per_minute: 0}]", "script.yaml:1:"),
        ("- fault: cut", "script.yaml"),
        ("", "leave --faults out"),
    ],
)
def test_a_wrong_script_is_refused_with_its_place(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text)

    with pytest.raises(ContractError) as met:
        read_script(path)

    assert where in str(met.value)
