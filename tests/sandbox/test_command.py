"""`offtake sandbox` as a person runs it: ready, interrupted, on a taken port, with a wrong script."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from offtake.sandbox.script import read_script
from offtake.sandbox.serve import listen
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
        ("", "script.yaml"),
    ],
)
def test_a_wrong_script_is_refused_with_its_place(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text)

    with pytest.raises(ContractError) as met:
        read_script(path)

    assert where in str(met.value)
