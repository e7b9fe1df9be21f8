"""`offtake traffic`: requests as they end and in sums, while the gateway runs and after it has stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.gateway.wire.load import post
from tests.gateway.wire.running import House, environment

BODY = {"model": "gpt-5.4", "max_completion_tokens": 20, "messages": [{"role": "user", "content": "marked-content"}]}
CLAUDE = {"model": "claude-opus-4-7", "max_tokens": 20, "messages": [{"role": "user", "content": "marked-content"}]}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("traffic")).open()
    yield opened
    opened.close()


def shown(house: House, *arguments: str) -> str:
    return house.offtake("traffic", *arguments, "--config", str(house.config))


def test_tail_follows_while_the_gateway_runs_and_ends_at_ctrl_c(alone: House) -> None:
    key = alone.key("tailed")
    command = [
        sys.executable,
        "-m",
        "offtake.cli",
        "traffic",
        "tail",
        "--format",
        "json",
        "--config",
        str(alone.config),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True
    ) as popen:
        assert popen.stdout is not None
        assert popen.stderr is not None
        ids, lines = [], list[dict[str, Any]]()
        for body, path in ((BODY, "chat"), (CLAUDE, "messages"), (BODY, "chat")):
            ids.append(post(alone.gateway.url, key, body, path)[1]["offtake-request-id"])
            lines.append(json.loads(popen.stdout.readline()))
        popen.send_signal(signal.SIGINT)
        rest, said = popen.communicate(timeout=20)

    assert ids == [line["id"] for line in lines]
    assert [("tailed", "ok")] * 3 == [(line["key"], line["outcome"]) for line in lines]
    assert ["openai", "anthropic", "openai"] == [line["outlet"] for line in lines]
    assert all(Decimal(line["cost"]) > 0 and line["ms"] is not None and line["output_tokens"] for line in lines)
    assert (0, "", "") == (popen.returncode, rest, said)


def test_top_sums_what_was_metered_and_neither_shows_content_nor_needs_a_gateway(alone: House) -> None:
    key, other = alone.key("first"), alone.key("second")
    for each in (key, key, other):
        assert 200 == post(alone.gateway.url, each, BODY)[0]
    usage = len(alone.exported()["usage"])
    alone.gateway.stop()
    by_key = json.loads(shown(alone, "top", "--by", "key", "--format", "json"))["sums"]
    by_model = json.loads(shown(alone, "top", "--by", "model", "--minutes", "5", "--format", "json"))["sums"]
    printed = shown(alone, "tail", "--last", "3", "--no-follow")
    everything = printed + shown(alone, "top", "--by", "outcome") + json.dumps(by_key)
    alone.serve()

    counts = {each["name"]: each["requests"] for each in by_key}
    assert (2, 1) == (counts["first"], counts["second"])
    assert usage == sum(each["requests"] for each in by_model)
    assert sum(row["quantities"]["output_tokens"] for row in alone.exported()["usage"]) == sum(
        each["output_tokens"] for each in by_model
    )
    assert ["first", "first", "second"] == [line.split()[3] for line in printed.splitlines()]
    assert "marked-content" not in everything


def test_a_request_that_could_not_be_sent_is_shown_as_such(alone: House) -> None:
    key = alone.key("unsent")
    alone.sandbox.stop()
    assert 502 == post(alone.gateway.url, key, BODY)[0]
    time.sleep(0.6)
    line = json.loads(shown(alone, "tail", "--last", "1", "--no-follow", "--format", "json"))

    assert ("unsent", "gpt-5.4", "not_sent", Decimal(0)) == (
        line["key"],
        line["model"],
        line["outcome"],
        Decimal(line["cost"]),
    )
