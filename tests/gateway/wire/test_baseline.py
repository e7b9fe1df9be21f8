"""`offtake baseline`: measured on the ledger, throttles apart from failures, and no longer whole once it is changed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.gateway.wire.load import post
from tests.gateway.wire.running import House

BODY = {"model": "gpt-5.4", "max_completion_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}
FAULTS = """faults:
  - {fault: rate_limit, when: {requests: [4]}}
  - {fault: server_error, when: {requests: [9]}}
"""


def test_a_baseline_is_measured_signed_and_checked(tmp_path: Path) -> None:
    house = House(tmp_path, faults=FAULTS).open()
    try:
        key = house.key()
        config = ("--config", str(house.config))
        with pytest.raises(AssertionError, match="L726"):
            house.offtake("baseline", "record", "--by", "Ana", *config)
        answered = 0
        until = time.monotonic() + 60
        while answered < 24 and time.monotonic() < until:  # after a fault the outlet is left alone for a while
            if post(house.gateway.url, key, BODY)[0] == 200:
                answered += 1
            else:
                time.sleep(0.25)
        used = house.exported()["usage"]
        house.offtake("baseline", "record", "--by", "Ana Ruiz", *config)
        path = tmp_path / "openai.baseline.json"
        found = json.loads(house.offtake("baseline", "check", str(path), "--format", "json", *config))
        shown = house.offtake("baseline", "check", str(path), *config)
        path.write_text(path.read_text().replace('"failed": 1', '"failed": 0'))
        with pytest.raises(AssertionError, match="was changed"):
            house.offtake("baseline", "check", str(path), *config)
    finally:
        house.close()

    (row,) = found["models"]
    assert ("acme-openai", "Ana Ruiz", "gpt-5.4") == (found["baseline"], found["by"], row["model"])
    assert (len(used), 1, 1) == (row["requests"], row["throttled"], row["failed"])
    latencies = sorted(each["latency_ms"] for each in used if each["outcome"] == "ok")
    ranks = [-(-len(latencies) * share // 100) - 1 for share in (50, 95, 99)]
    assert [latencies[rank] for rank in ranks] == list(row["latency_ms"].values())
    assert "Ana Ruiz" in shown
    assert not (tmp_path / "anthropic.baseline.json").exists(), "a contract without traffic has none"
