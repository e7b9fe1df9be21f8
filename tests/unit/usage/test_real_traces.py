"""The published traces, read whole: nothing is rejected, and the totals are the published ones."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offtake.usage.reading import ReadOptions, TextSource, read, sniff
from offtake.usage.record import UsageRecord

DATA = Path(os.environ["OFFTAKE_DATA"]) if "OFFTAKE_DATA" in os.environ else None
OPTIONS = ReadOptions(model="gpt-5.4", vendor="openai", start=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.skipif(DATA is None, reason="OFFTAKE_DATA does not name the folder of the published traces")
@pytest.mark.parametrize(
    ("file", "kind", "requests", "input_tokens"),
    [
        ("azure_2023_conv.csv", "azure-trace", 19_366, 22_361_870),
        ("azure_2023_code.csv", "azure-trace", 8_819, 18_059_974),
        ("mooncake_conversation.jsonl", "mooncake", 12_031, 144_793_823),
        ("claude_code_sessions.jsonl.gz", "agent-sessions", 49_334, 6_037_445_403),
    ],
)
def test_a_published_trace_is_read_whole(file: str, kind: str, requests: int, input_tokens: int) -> None:
    assert DATA is not None
    content = (DATA / file).read_bytes()
    text = (gzip.decompress(content) if file.endswith(".gz") else content).decode()
    assert kind == sniff(text[:65_536], file)
    found = list(read(kind, TextSource(file, text.splitlines(keepends=True)), OPTIONS))

    records = [item for item in found if isinstance(item, UsageRecord)]
    assert (requests, requests, requests) == (len(found), len(records), len({record.id for record in records}))
    assert input_tokens == sum(record.quantities["input_tokens"] for record in records)
