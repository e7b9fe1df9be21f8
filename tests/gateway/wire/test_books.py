"""The books after mixed traffic with every fault: ledger, rating and the vendors' own meter, to the last token.

What a vendor never said (a cut answer, usage left out) is flagged as an estimate and not compared; everything else
agrees exactly, request by request, and in dollars to the last of twelve places.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.wire.load import Load
from tests.gateway.wire.running import CONTRACT, House

FAULTS = """
seed: 11
faults:
  - {fault: rate_limit, when: {share: 2%}, retry_after: 0}
  - {fault: overloaded, when: {share: 2%}}
  - {fault: server_error, when: {share: 2%}, bill: input}
  - {fault: cut, when: {share: 2%, stream: true}, after: 3}
  - {fault: stream_error, when: {share: 1%, stream: true}, after: 2}
  - {fault: truncation, when: {share: 2%}}
  - {fault: refusal, when: {share: 2%}}
  - {fault: no_usage, when: {share: 2%}}
  - {fault: zero_usage, when: {share: 1%}}
  - {fault: wrong_region, when: {share: 1%, vendor: anthropic}, region: us}
  - {fault: bad_json, when: {share: 1%, stream: false}}
"""
BILLED = """failed_requests: {{http_5xx: billed, timeout: billed, vendor_truncation: billed, refusal: billed,
  client_cancel: billed, client_error: billed}}
"""
LONG = "All of this is one long prefix that is worth keeping in a cache. " * 120


def test_a_thousand_mixed_requests(tmp_path: Path) -> None:
    _agree(tmp_path, requests=1_000)


@pytest.mark.soak
def test_a_hundred_thousand_mixed_requests(tmp_path: Path) -> None:
    _agree(tmp_path, requests=100_000)


def _agree(folder: Path, requests: int) -> None:
    house = House(folder, "workers = 2", FAULTS, CONTRACT.partition("failed_requests")[0] + BILLED).open()
    try:
        load = Load(house.gateway.url, house.key("mixed", "--budget", "1000000USD/month"), make=mixed, leave=_leaves)
        answers = asyncio.run(load.run(requests, connections=16))
        exported = house.exported()
        rated = [_rated(house, name) for name in ("anthropic", "openai")]
        invoice = _invoice(house, {row["vendor_request_id"] for row in exported["usage"] if row["usage_known"]})
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    assert answers[200] > requests // 2
    usage = {row["id"]: row for row in exported["usage"]}
    known = {row["vendor_request_id"]: row for row in usage.values() if row["usage_known"]}
    unknown = [row for row in usage.values() if not row["usage_known"]]
    metered = {line["id"]: line for line in house.metered()}
    _same_tokens(known, metered, unknown)
    costs = {row["id"]: Decimal(row["cost"]) for row in exported["settlements"]}
    assert {**rated[0], **rated[1]} == {id: cost for id, cost in costs.items() if id in usage}
    ours = sum(cost for id, cost in costs.items() if usage[id]["usage_known"])
    assert invoice == ours, f"{ours - invoice} USD unexplained of {ours}"


def _same_tokens(known: dict[str, Any], metered: dict[str, Any], unknown: list[Any]) -> None:
    """Each known request as its vendor metered it, and no metered one that is not known or flagged."""
    used = {id: row for id, row in known.items() if row["quantities"]}
    assert set() == set(used) - set(metered), "the vendor has metered what we know"
    differing = {id: (row["quantities"], metered[id]["quantities"]) for id, row in used.items()
                 if row["quantities"] != {m: n for m, n in metered[id]["quantities"].items() if n}}  # fmt: skip
    assert {} == differing
    missing = set(metered) - set(used) - {row["vendor_request_id"] for row in unknown}
    nameless = sum(not row["vendor_request_id"] for row in unknown)
    assert len(missing) <= nameless, Counter(metered[id].get("fault") for id in missing)


def _rated(house: House, vendor: str) -> dict[str, Decimal]:
    lines = house.offtake(
        "rate", "--store", "offtake.db", "--contract", f"{vendor}.yaml", "--by", "record",
    )  # fmt: skip
    rows = [json.loads(line) for line in lines.splitlines()]
    return {row["id"]: Decimal(row["total"]) for row in rows if row["id"] is not None}


def _invoice(house: House, known: set[str]) -> Decimal:
    """What the vendors would ask for the requests whose usage they said, 15 % off list."""
    lines = [line for line in house.meter.read_text().splitlines() if json.loads(line)["id"] in known]
    (house.folder / "known.jsonl").write_text("\n".join(lines) + "\n")
    text = house.offtake("sandbox", "--invoice", "known.jsonl", "--discount", "*=15%")
    return sum((Decimal(row["amount"]) for row in csv.DictReader(io.StringIO(text))), Decimal(0))


def mixed(number: int) -> tuple[str, dict[str, Any]]:
    """Both dialects, each to either vendor, whole and streamed, with caches, tiers and reasoning."""
    said = [{"role": "user", "content": f"{number % 7}: {LONG if number % 3 else 'short'}"}]
    stream = {"stream": True} if number % 2 else {}
    kind = number // 2 % 8
    if kind == 0:
        return "chat", {"model": "gpt-5.4", "max_completion_tokens": 40, "messages": said, **stream}
    if kind == 1:
        system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
        return "messages", {"model": "claude-opus-4-7", "max_tokens": 40, "system": system, "messages": said, **stream}
    if kind == 2:
        return "responses", {"model": "gpt-5.4", "max_output_tokens": 40, "input": said[0]["content"], **stream}
    if kind == 3:
        marked = [{"role": "user", "content": [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]}]
        return "messages", {"model": "claude-sonnet-4-6", "max_tokens": 30, "messages": marked, **stream}
    if kind == 4:
        tier = {"service_tier": ("flex", "priority")[number % 2]}
        return "chat", {"model": "gpt-5.4", "max_completion_tokens": 30, "messages": said, **tier, **stream}
    if kind == 5:
        return "chat", {"model": "claude-haiku-4-5", "max_tokens": 30, "messages": said, **stream}
    if kind == 6:
        return "messages", {"model": "gpt-5.4", "max_tokens": 30, "messages": said, **stream}
    return "chat", {"model": "gpt-5.4-mini", "max_completion_tokens": 25, "reasoning_effort": "low", "messages": said}


def _leaves(number: int) -> bool:
    """Whether the client of this request leaves after the first bytes."""
    return number % 41 == 7
