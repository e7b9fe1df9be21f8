"""The lake on files as they come: damaged, altered, of older columns, of many row groups."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from offtake.rating.groups import GroupPlan, Slice, group
from offtake.store import duplicates
from offtake.store.duplicates import read_conflicts
from offtake.store.engine import Engine, Limits, engine, text
from offtake.store.lake import group_files, open_lake
from offtake.store.survey import ModelUse
from offtake.store.usage_files import CARD_KEY, PLACED
from offtake.store.write import write_usage
from offtake.usage.duplicates import distinct
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError, OutsideError, Place
from offtake.values.periods import Interval

START = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = Interval(START, START + timedelta(days=31))
PLAN = GroupPlan(MONTH, (Slice(MONTH.start, MONTH.end, 0),))


def record(number: int, **changes: object) -> UsageRecord:
    usual = UsageRecord(
        id=f"req-{number:06}",
        used_at=START + timedelta(minutes=number // 3),
        model=f"model-{number % 3}",
        quantities={"input_tokens": number + 1},
        vendor="anthropic",
        workload=f"w-{number % 2}",
        tags={"team": "a"},
        context_tokens=number + 1,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught, open_lake([path]):
        pass
    return caught.value


def test_an_empty_a_damaged_and_a_foreign_parquet(tmp_path: Path) -> None:
    path = tmp_path / "usage.parquet"
    path.write_bytes(b"")
    assert "0 bytes" in str(refused(path))
    path.write_bytes(b"PAR1 and then nothing of the kind")
    assert refused(path).code == "U144"
    with engine() as run:
        run.run(f"COPY (SELECT 1 AS id) TO {text(path)} (FORMAT parquet)")
    assert "column id is INTEGER" in str(refused(path))
    write_usage([record(n) for n in range(3_000)], path)
    path.write_bytes(path.read_bytes()[:-100])
    assert refused(path).code == "U144"


def test_no_rows_are_no_groups(tmp_path: Path) -> None:
    path = tmp_path / "usage.parquet"
    write_usage([], path)
    assert group([], PLAN) == group_files([path], PLAN)
    with open_lake([path]) as lake:
        assert (0, None, ()) == (lake.records, lake.survey().span, lake.survey().models)


def test_the_survey_comes_from_the_card_and_equals_a_scan(tmp_path: Path) -> None:
    path, bare = tmp_path / "usage.parquet", tmp_path / "bare.parquet"
    write_usage([record(n) for n in range(10)], path)
    with engine() as run:
        run.run(f"COPY (SELECT * FROM read_parquet({text(path)})) TO {text(bare)} (FORMAT parquet)")
    with open_lake([path]) as carded, open_lake([bare]) as scanned:
        assert carded.files.cards is not None
        assert scanned.files.cards is None
        assert carded.survey() == scanned.survey()
        survey = carded.survey()
        assert Interval(START, START + timedelta(minutes=3, microseconds=1)) == survey.span
        assert ModelUse("anthropic", "model-0", "realtime", "api", "global") == survey.models[0]
        assert (("w-0", "w-1"), ("team",), ("request",), ("input_tokens",)) == (
            survey.workloads, survey.tags, survey.grains, survey.meters,
        )  # fmt: skip


def test_a_card_that_lies_rejects_the_run(tmp_path: Path) -> None:
    path, forged = tmp_path / "usage.parquet", tmp_path / "forged.parquet"
    write_usage([record(n) for n in range(10)], path)
    with open_lake([path]) as lake:
        assert lake.files.cards is not None
        card = replace(lake.files.cards[0], quantities={"input_tokens": 54})
        lake.run.run(
            f"COPY (SELECT * FROM usage) TO {text(forged)} "
            f"(FORMAT parquet, KV_METADATA {{{CARD_KEY}: {text(card.dumps())}}})"
        )
    with pytest.raises(OutsideError, match="the files hold 54 input_tokens, the groups 55"):
        group_files([forged], PLAN)


def test_a_file_from_before_a_meter_was_known(tmp_path: Path) -> None:
    path, older = tmp_path / "usage.parquet", tmp_path / "older.parquet"
    rows = [record(n, quantities={"input_tokens": 5, "requests": 2}) for n in range(10)]
    write_usage(rows, path)
    old = [record(n) for n in range(10, 20)]
    write_usage(old, older)
    with engine() as run:
        run.run(f"CREATE TABLE old AS SELECT * EXCLUDE (requests) FROM read_parquet({text(older)})")
        run.run(f"COPY old TO {text(older)} (FORMAT parquet)")
    assert group(old, PLAN) == group_files([older], PLAN)
    assert group(rows + old, PLAN) == group_files([path, older], PLAN)


@pytest.mark.parametrize("cuts", [1, 5, 40])
@pytest.mark.parametrize("threads", [1, 2])
def test_cuts_inside_of_row_groups(tmp_path: Path, cuts: int, threads: int) -> None:
    """By place where cuts are few, by buckets where they are many; equal instants across row groups included."""
    path, small = tmp_path / "usage.parquet", tmp_path / "small.parquet"
    rows = [record(n) for n in range(9_000)]
    write_usage(rows, path)
    with open_lake([path]) as lake:
        assert lake.files.cards is not None
        card = text(lake.files.cards[0].dumps())
        lake.run.run(
            f"COPY (SELECT * FROM usage) TO {text(small)} "
            f"(FORMAT parquet, ROW_GROUP_SIZE 2048, KV_METADATA {{{CARD_KEY}: {card}}})"
        )
    step = timedelta(minutes=2_900) / cuts
    starts = [START, *(START + step * (n + 1) for n in range(cuts)), MONTH.end]
    slices = tuple(Slice(start, end, n % 2) for n, (start, end) in enumerate(pairwise(starts)))
    plan = GroupPlan(MONTH, slices, {"model-1": (200, 4_000)})
    with open_lake([small], Limits(threads=threads)) as lake:
        assert len(lake.files.chunks) > 3
        assert group(rows, plan) == lake.group(plan)


def test_repeated_ids_are_found_across_partitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "PARTITION_ROWS", 700)
    rows = [record(n) for n in range(3_000)]
    again = [record(n) for n in range(0, 3_000, 100)]
    other = [record(n, quantities={"input_tokens": 10**9}) for n in range(50, 3_000, 1_000)]
    for threads in (1, 2):
        written = write_usage(rows + again + other, tmp_path / "usage.parquet", Limits(threads=threads))
        assert (3_033, 2_997) == (written.records, written.rows)
        assert (30, 6) == (written.duplicates.duplicates, written.duplicates.conflicts)
        assert ["req-000050", "req-001050", "req-002050"] == [each.id for each in written.duplicates.reported]


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of some hundred rows."""
    monkeypatch.setattr(duplicates, "PARTITION_ROWS", 700)
    monkeypatch.setattr(duplicates, "DECIDED_ROWS", 500)


@pytest.mark.usefixtures("parted")
@pytest.mark.parametrize("threads", [1, 2])
def test_an_export_given_three_times_with_some_rows_changed(tmp_path: Path, threads: int) -> None:
    """As the plain reference decides; in one file two differ from all others, in another a meter is missing."""
    once = [record(n) for n in range(2_000)]
    changed = [replace(row, quantities={"input_tokens": 7}) if n % 10 == 3 else row for n, row in enumerate(once)]
    paths = [tmp_path / f"{name}.parquet" for name in "abc"]
    rows = []
    for path, given in zip(paths, (once, changed, once[:1_500]), strict=True):
        write_usage(given, path)
        rows += [replace(row, where=Place(str(path), line)) for line, row in enumerate(given, 1)]
    with engine() as run:
        run.run(f"COPY (SELECT * EXCLUDE requests FROM read_parquet({text(paths[2])})) TO {text(paths[2])}")
    expected = distinct(rows)
    with open_lake(paths, Limits(threads=threads)) as lake:
        found = lake.duplicates
        assert (expected.duplicates, expected.conflicting) == (found.duplicates, found.conflicts)
        assert sorted(expected.conflicts, key=lambda one: one.id)[:100] == list(found.reported)
        assert group(expected.facts, PLAN) == lake.group(PLAN)
        assert sorted(expected.facts, key=lambda row: (row.used_at, row.id)) == list(lake.ordered(MONTH))
        differing = {one.id for one in expected.conflicts}
        by_place = sorted((row for row in rows if row.id in differing), key=lambda row: (row.id, str(row.where)))
        assert by_place == list(read_conflicts(lake.run, PLACED, found))


@pytest.mark.usefixtures("parted")
def test_different_ids_of_one_hash_all_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = duplicates._find_repeated_hashes

    def all_meet(run: Engine, table: str, rows: int) -> None:
        find(run, table, rows)
        run.run(f"INSERT INTO repeated_hash SELECT DISTINCT hash(id) FROM {table}")

    monkeypatch.setattr(duplicates, "_find_repeated_hashes", all_meet)
    rows = [record(n) for n in range(2_000)]
    assert write_usage(rows, tmp_path / "one.parquet").rows == 2_000
    written = write_usage([*rows, record(3)], tmp_path / "two.parquet")
    assert (2_000, 1) == (written.rows, written.duplicates.duplicates)


@pytest.mark.soak
@pytest.mark.parametrize("differs", [False, True])
def test_five_million_rows_given_twice_fit_in_memory(tmp_path: Path, differs: bool) -> None:
    rows, seed = 5_000_000, tmp_path / "seed.parquet"
    paths = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    write_usage([record(0)], seed)
    for path, body in zip(paths, ("body_hash", "xor(body_hash, 1)" if differs else "body_hash"), strict=True):
        with open_lake([seed]) as lake:
            assert lake.files.cards is not None
            card = replace(lake.files.cards[0], rows=rows, quantities={"input_tokens": rows})
            many = f"SELECT usage.* REPLACE (id || '-' || n AS id, {body} AS body_hash) FROM usage, range({rows}) t(n)"
            carded = f"(FORMAT parquet, KV_METADATA {{{CARD_KEY}: {text(card.dumps())}}})"
            lake.run.run(f"COPY ({many}) TO {text(path)} {carded}")
    with open_lake(paths, Limits(threads=2)) as lake:
        found = lake.duplicates
        assert ((0, 2 * rows) if differs else (rows, 0)) == (found.duplicates, found.conflicts)
        assert lake.group(PLAN).records == 2 * rows - found.dropped
        assert (next(lake.ordered(MONTH), None) is None) == differs
        assert (next(read_conflicts(lake.run, PLACED, found), None) is None) != differs


def test_ordered_rows_of_an_interval(tmp_path: Path) -> None:
    path = tmp_path / "usage.parquet"
    rows = [record(n) for n in range(100)]
    write_usage(reversed(rows), path)
    with open_lake([path]) as lake:
        found = list(lake.ordered(Interval(START + timedelta(minutes=2), START + timedelta(minutes=4))))
    assert rows[6:12] == found
