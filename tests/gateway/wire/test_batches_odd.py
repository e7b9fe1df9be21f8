"""A vendor that is away while a batch runs is waited for; what was cancelled or made before is not made again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway.wire.running import House, started
from tests.gateway.wire.test_batches_anthropic import request
from tests.gateway.wire.test_batches_openai import chat_line, ended, made, rows_of, states, upload


def test_a_vendor_that_is_away_is_waited_for(tmp_path: Path) -> None:
    house = House(tmp_path).open()
    try:
        port = house.sandbox.url.rpartition(":")[2]
        with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=house.key(), max_retries=0) as client:
            house.sandbox.stop()
            waits, dropped = made(client, [chat_line("a")]), made(client, [chat_line("b")])
            time.sleep(1)
            assert "in_progress" == client.batches.retrieve(waits.id).status
            client.batches.cancel(dropped.id)
            ended(lambda: client.batches.retrieve(dropped.id), "cancelled", "cancelling")
            house.sandbox = started(
                house.folder, "sandbox", ["sandbox", "--port", port, "--meter", str(house.meter)], r"(http://[0-9.:]+)/"
            )
            batch = ended(lambda: client.batches.retrieve(waits.id), "completed", seconds=90)
            assert {"a"} == set(rows_of(client, batch.output_file_id))
            ended(lambda: client.batches.retrieve(dropped.id), "cancelled", seconds=90)
        assert [f"{waits.id}_000001"] == [line["custom_id"] for line in house.metered()]
        assert 0 == sum(state.leased_pico + state.held_pico for state in states(house))
    finally:
        house.close()


def test_an_idempotency_key_makes_one_batch_of_several_tries(tmp_path: Path) -> None:
    house = House(tmp_path).open()
    once = {"Idempotency-Key": "job-7"}
    try:
        key = house.key()
        with (
            openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as gpt,
            anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as claude,
        ):
            file = upload(gpt, [chat_line("a")])
            window: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
            tries = [gpt.batches.create(input_file_id=file.id, extra_headers=once, **window) for _ in range(2)]
            others = [claude.messages.batches.create(requests=[request("b")], extra_headers=once) for _ in range(2)]
            assert (1, 1) == (len({each.id for each in tries}), len({each.id for each in others}))
            ended(lambda: gpt.batches.retrieve(tries[0].id), "completed")
            ended(lambda: claude.messages.batches.retrieve(others[0].id), "ended")
            again = gpt.batches.create(input_file_id=file.id, extra_headers=once, **window)
            assert ("completed", tries[0].id) == (again.status, again.id)
            with pytest.raises(openai.BadRequestError, match="G909"):
                gpt.batches.create(input_file_id=file.id, metadata={"more": "1"}, extra_headers=once, **window)
            with pytest.raises(anthropic.BadRequestError, match="G909"):
                claude.messages.batches.create(requests=[request("c")], extra_headers={"Idempotency-Key": "x" * 256})
            assert [tries[0].id] == [each.id for each in gpt.batches.list()]
        assert {f"{each.id}_000001" for each in (tries[0], others[0])} == {row["custom_id"] for row in house.metered()}
    finally:
        house.close()
