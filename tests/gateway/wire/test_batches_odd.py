"""A vendor that is away while a batch runs is waited for; a batch that was cancelled meanwhile is never made."""

from __future__ import annotations

import time
from pathlib import Path

import openai

from tests.gateway.wire.running import House, started
from tests.gateway.wire.test_batches_openai import chat_line, ended, made, rows_of, states


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
