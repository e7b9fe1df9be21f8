"""Batches at a vendor that has none: ordinary requests, a few at a time, at the ordinary price."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.gateway.wire.running import CONTRACT, House, started
from tests.gateway.wire.test_batches_openai import chat_line, ended, made, rows_of, states

SAID = r"(http://[0-9.:]+)/openai/v1"


class Plain(House):
    """A house whose vendors have no batches on OpenAI's wire."""

    def serve(self) -> None:
        text = self.config.read_text()
        if "endpoints" not in text:
            wire = 'wire = "openai"'
            self.config.write_text(text.replace(wire, wire + '\nendpoints = ["chat", "responses", "embeddings"]'))
        super().serve()


def client_of(house: House, key: str) -> Any:
    return openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0)


def test_lines_run_as_requests_and_wait_while_the_vendor_is_busy(tmp_path: Path) -> None:
    house = Plain(tmp_path, faults="faults: [{fault: rate_limit, when: {requests: [2, 5, 6]}, retry_after: 1}]").open()
    try:
        key = house.key("plain", "--budget", "10USD/month")
        with client_of(house, key) as client:
            lines = [chat_line(f"n{number}", 5) for number in range(12)]
            batch = made(client, [*lines, chat_line("bad", messages=[{"role": "user", "content": [{"type": "no"}]}])])
            batch = ended(lambda: client.batches.retrieve(batch.id), "completed")
            rows = rows_of(client, batch.output_file_id)
            assert {line["custom_id"] for line in lines} == set(rows)
            assert 400 == rows_of(client, batch.error_file_id)["bad"]["response"]["status_code"]
        booked = [row for row in house.exported()["usage"] if row["quantities"]]
        assert {"realtime"} == {row["channel"] for row in booked}, "what the vendor bills"
        metered = {line["vendor_request_id"]: line["quantities"] for line in house.metered() if line["quantities"]}
        assert metered == {row["vendor_request_id"]: row["quantities"] for row in booked}
        assert 0 == sum(state.leased_pico + state.held_pico for state in states(house))
    finally:
        house.close()


@pytest.mark.parametrize("kill", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_a_gateway_that_stops_between_lines_bills_each_once(tmp_path: Path, kill: bool) -> None:
    house = Plain(tmp_path, faults="latency: {first_token_ms: 60, token_ms: 1}").open()
    names = {f"n{number}" for number in range(120)}
    try:
        key = house.key("killed", "--budget", "5USD/month")
        with client_of(house, key) as client:
            batch = made(client, [chat_line(name, 3) for name in sorted(names)])
        time.sleep(0.7)
        house.gateway.kill() if kill else house.gateway.stop()
        before = len(house.metered())
        house.serve()
        with client_of(house, key) as client:
            batch = ended(lambda: client.batches.retrieve(batch.id), "completed")
            good = set(rows_of(client, batch.output_file_id))
            lost = rows_of(client, batch.error_file_id) if batch.error_file_id else {}
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    assert 0 < before < 120
    assert names == good | set(lost) and {"batch_interrupted"} >= {row["error"]["code"] for row in lost.values()}
    assert len(lost) <= (4 if kill else 0)
    booked = Counter(row["vendor_request_id"] for row in exported["usage"])
    metered = Counter(line["vendor_request_id"] for line in house.metered())
    assert {1} == set(booked.values()) == set(metered.values())
    assert len(good) == len(booked) and set(booked) <= set(metered)
    assert len(metered) - len(booked) <= len(exported["unresolved"]) == len(lost)


def test_lines_keep_within_the_contracts_rates_of_which_they_have_a_tenth(tmp_path: Path) -> None:
    house = Plain(
        tmp_path, contract=CONTRACT + "capacity: {{limits: {{requests_per_second: 30, input_tpm: 20000}}}}\n"
    ).open()
    try:
        with client_of(house, house.key()) as client:
            large = chat_line("large", messages=[{"role": "user", "content": "a" * 9_000}])
            batch = made(client, [*(chat_line(f"n{number}", 1) for number in range(8)), large])
            batch = ended(lambda: client.batches.retrieve(batch.id), "completed")
            assert 8 == len(rows_of(client, batch.output_file_id))
            error = rows_of(client, batch.error_file_id)["large"]["error"]
            assert ("batch_failed", True) == (error["code"], "G414" in error["message"])
    finally:
        house.close()
    sent = sorted(datetime.fromisoformat(line["used_at"]) for line in house.metered())
    assert all((later - sooner).total_seconds() > 0.9 for sooner, later in zip(sent, sent[3:], strict=False))


def test_a_vendor_that_moves_is_found_where_the_configuration_says_it_is_now(tmp_path: Path) -> None:
    house = Plain(tmp_path, faults="limits: [{vendor: openai, requests_per_minute: 2}]").open()
    other = started(tmp_path, "other", ["sandbox", "--port", "0", "--meter", str(tmp_path / "other.jsonl")], SAID)
    try:
        with client_of(house, house.key()) as client:
            batch = made(client, [chat_line(f"n{number}", 1) for number in range(6)])
            time.sleep(1)
            assert 2 == len(house.metered()), "the vendor is busy"
            house.config.write_text(house.config.read_text().replace(house.sandbox.url, other.url))
            batch = ended(lambda: client.batches.retrieve(batch.id), "completed", seconds=90)
            assert 6 == batch.request_counts.completed
        assert 4 == len((tmp_path / "other.jsonl").read_text().splitlines())
    finally:
        other.stop()
        house.close()
