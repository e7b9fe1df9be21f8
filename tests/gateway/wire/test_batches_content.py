"""What is kept of a batch's content, where, and for how long; and the largest files."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import openai
import pytest

from offtake.store.batches import batches_folder, open_batches
from tests.gateway.wire.held import held
from tests.gateway.wire.running import House
from tests.gateway.wire.test_batches_openai import chat_line, ended, made, upload

MARK = "marked-sentence-4711"


def holders(house: House, text: str) -> set[str]:
    """The files of the gateway that hold a text."""
    files = [path for path in house.folder.rglob("*") if path.is_file() and path != house.meter]
    return {str(path.relative_to(house.folder)) for path in files if text.encode() in held(path)}


def test_content_stands_in_private_files_until_it_is_deleted_or_expires(tmp_path: Path) -> None:
    house = House(tmp_path).open()
    try:
        with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=house.key(), max_retries=0) as client:
            line = chat_line(f"{MARK}-id", messages=[{"role": "user", "content": MARK}])
            batch = made(client, [line], metadata={"job": MARK})
            batch = ended(lambda: client.batches.retrieve(batch.id), "completed")
            house.exported()
            folder = batches_folder(house.folder / "offtake.db")
            assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
            assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
            found = holders(house, MARK)
            assert found and all(name.startswith("offtake.db.batches/") for name in found), found
            client.files.delete(batch.input_file_id)
            _expire(folder, batch.id, batch.output_file_id)
            with pytest.raises(openai.NotFoundError):
                client.files.content(batch.output_file_id)
            assert client.batches.retrieve(batch.id).metadata is None
        house.gateway.stop()
        left = {path.name for path in folder.iterdir()}
        assert {"batches.db", "batches.lock"} >= {name for name in left if not name.startswith("batches.db-")}
    finally:
        house.close()


def test_a_deferred_call_leaves_nothing_once_its_answer_is_deleted(tmp_path: Path) -> None:
    house = House(tmp_path, more='\n[[non_urgent]]\nworkload = "*"\n').open()
    try:
        with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=house.key(), max_retries=0) as client:
            asked: Any = {"Prefer": "respond-async", "Idempotency-Key": MARK}
            taken = client.chat.completions.with_raw_response.create(
                model="gpt-5.4", messages=[{"role": "user", "content": MARK}], max_completion_tokens=20,
                extra_headers=asked,
            )  # fmt: skip
            id = taken.http_response.json()["id"]
            until = time.monotonic() + 60
            while "choices" not in client.get(f"/deferred/{id}", cast_to=object):  # type: ignore[operator]
                assert time.monotonic() < until
                time.sleep(0.1)
            assert set() == holders(house, MARK), "its prompt is gone; only its answer waits"
            client.delete(f"/deferred/{id}", cast_to=object)
        house.exported()
        assert not list(batches_folder(house.folder / "offtake.db").glob(f"{id}*"))
        assert set() == holders(house, MARK)
    finally:
        house.close()


def _expire(folder: Path, *ids: str) -> None:
    store = open_batches(folder)
    for id in ids:
        document = store.read("batch", id) or store.read("file", id)
        assert document is not None
        store.write(id, document.body, open=False, ends_at=1)
    until = time.monotonic() + 20
    while store.ended("batch", 2) or store.ended("file", 2):
        assert time.monotonic() < until
        time.sleep(0.2)
    store.close()


def test_a_file_may_be_larger_than_any_other_body(house: House, key: str) -> None:
    words = "word " * 40_000
    lines = [chat_line(f"n{number}", messages=[{"role": "user", "content": words}]) for number in range(200)]
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
        file: Any = upload(client, lines)
        assert 40_000_000 < file.bytes == len("\n".join(map(json.dumps, lines)))
        client.files.delete(file.id)
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model="gpt-5.4", messages=[{"role": "user", "content": words * 200}])
        assert 413 == caught.value.status_code
