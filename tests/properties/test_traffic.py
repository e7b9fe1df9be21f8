"""Traffic observed by the lake's engine equals that of plain Python, on any rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offtake.operations.usage_input import LakeSource
from offtake.planner.profile.traffic import observe
from offtake.store.lake import open_lake
from offtake.store.write import write_usage
from offtake.usage.duplicates import distinct
from offtake.usage.record import UsageRecord
from tests.properties.test_grouping import records

EDGES = (0, 1_000, 200_000)
SIZES = st.sampled_from([1, 999, 1_000, 1_001, 2_000, 2_002, 131_071, 131_073, 200_001, 400_003, 10**15])
LATENCIES = st.sampled_from([None, "async", "Batch", "interactive", ""])


def at_the_edges(record: UsageRecord, number: int, latency: str | None, quantities: dict[str, int]) -> UsageRecord:
    """Where the two could differ: sizes at thresholds and at powers of two, rows of several requests, tags."""
    tags = record.tags if latency is None else {**record.tags, "latency": latency}
    return replace(record, id=f"req-{number}", tags=tags, quantities=quantities)


quantities = st.dictionaries(st.sampled_from(["input_tokens", "cache_read_tokens", "output_tokens"]), SIZES)
rows = st.lists(st.builds(at_the_edges, records, st.integers(0, 400), LATENCIES, quantities), min_size=20, max_size=60)
thresholds = st.sets(st.sampled_from(EDGES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traffic")


@given(rows, thresholds)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_lake_observes_as_python_does(folder: Path, found: list[UsageRecord], edges: set[int]) -> None:
    path = folder / "usage.parquet"
    write_usage(found, path)
    with open_lake([path]) as lake:
        by_engine = observe(LakeSource(lake), edges)

    assert observe(distinct(found).facts, edges) == by_engine
