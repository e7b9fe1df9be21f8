"""The lake's groups, duplicates and order equal those of plain Python, on any rows and any plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from offtake.rating.groups import PRICE_DIMENSIONS, GroupPlan, Slice, group
from offtake.store.engine import Limits, engine
from offtake.store.instants import classing
from offtake.store.lake import group_files, open_lake
from offtake.store.usage_files import Chunk
from offtake.store.write import write_usage
from offtake.usage.duplicates import distinct
from offtake.usage.record import GRAINS, OUTCOMES, UsageRecord
from offtake.values.periods import Interval

START = datetime(2026, 3, 1, tzinfo=UTC)
MODELS = ("claude-opus-4-7", "claude-haiku-4-5", "gpt-5.4", "it's")
METERS = ("input_tokens", "cache_read_tokens", "output_tokens", "web_searches")
COUNTS = st.one_of(st.integers(0, 400_000), st.just(10**15))
MINUTES = st.integers(0, 4 * 24 * 60)
INSTANTS = st.builds(
    lambda minutes, microseconds: START + timedelta(minutes=minutes, microseconds=microseconds),
    MINUTES,
    st.sampled_from([0, 0, 0, 1, 999_999]),
)
TEXTS = st.sampled_from(["", "a", "b", "naïve 'quoted'"])

records = st.builds(
    UsageRecord,
    id=st.sampled_from([f"req-{n}" for n in range(12)]),
    used_at=INSTANTS,
    model=st.sampled_from(MODELS),
    quantities=st.dictionaries(st.sampled_from(METERS), COUNTS.filter(bool), max_size=4),
    vendor=st.sampled_from(["anthropic", "openai"]),
    grain=st.sampled_from(GRAINS),
    count=st.integers(0, 3),
    channel=st.sampled_from(["realtime", "batch"]),
    workload=TEXTS,
    tags=st.dictionaries(st.sampled_from(["team", "cost 'centre'"]), TEXTS, max_size=2),
    context_tokens=st.one_of(st.none(), st.integers(0, 400_000), st.sampled_from([200_000, 200_001])),
    outcome=st.one_of(st.none(), st.sampled_from(OUTCOMES)),
    tier_served=TEXTS,
)


@st.composite
def plans(draw: st.DrawFn) -> GroupPlan:
    """Plans with any cuts, also more than one inside a quarter of an hour, that may leave rows outside."""
    cuts = sorted(draw(st.sets(INSTANTS, min_size=2, max_size=9)))
    slices = tuple(Slice(start, end, draw(st.integers(0, 2))) for start, end in pairwise(cuts))
    thresholds = st.sets(st.sampled_from([1_000, 128_000, 200_000, 272_000]), min_size=1).map(sorted).map(tuple)
    return GroupPlan(
        span=Interval(cuts[0], cuts[-1]),
        slices=slices,
        bands=draw(st.dictionaries(st.sampled_from(MODELS), thresholds)),
        dimensions=draw(st.sampled_from([PRICE_DIMENSIONS, ("outcome", "workload"), ("model",), ()])),
        tags=draw(st.sampled_from([(), ("team",), ("cost 'centre'", "absent")])),
    )


def unique(rows: Sequence[UsageRecord]) -> list[UsageRecord]:
    """What stays: one of equal rows, none of an id's differing ones."""
    return distinct(rows).facts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lake")


def tried(check: Callable[..., None]) -> Callable[..., None]:
    """A property on 40 examples (fewer with OFFTAKE_FAST), and on 1,000 in `make soak`: each writes files."""
    usual, soak = min(40, settings().max_examples), pytest.param(1_000, marks=pytest.mark.soak)

    @pytest.mark.parametrize("examples", [usual, soak])
    def test(examples: int, folder: Path) -> None:
        limited = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
        limited(check)(folder=folder)

    test.__doc__ = check.__doc__
    return test


@tried
@given(rows=st.lists(records, max_size=30), plan=plans())
def test_groups_of_a_written_file_are_those_of_plain_python(
    folder: Path, rows: list[UsageRecord], plan: GroupPlan
) -> None:
    path = folder / "usage.parquet"
    written = write_usage(rows, path, Limits(threads=1))
    stays = unique(rows)
    assert len(stays) == written.rows
    assert group(stays, plan) == group_files([path], plan, Limits(threads=1))


@tried
@given(one=st.lists(records, max_size=20), two=st.lists(records, max_size=20), plan=plans())
def test_two_files_that_share_rows_count_each_once(
    folder: Path, one: list[UsageRecord], two: list[UsageRecord], plan: GroupPlan
) -> None:
    paths = [folder / "one.parquet", folder / "two.parquet"]
    one, two = unique(one), unique(two)
    for path, rows in zip(paths, (one, two), strict=True):
        write_usage(rows, path, Limits(threads=1))
    stays = unique(one + two)
    with open_lake(paths, Limits(threads=2)) as lake:
        assert group(stays, plan) == lake.group(plan)
        everything = Interval(START, START + timedelta(days=9))
        assert sorted(stays, key=lambda row: (row.used_at, row.id)) == list(lake.ordered(everything))
        both = {row.id for row in one} & {row.id for row in two}
        by_id = {row.id: row for row in one}
        equal = sum(by_id[row.id] == row for row in two if row.id in both)
        assert (equal, 2 * (len(both) - equal)) == (lake.duplicates.duplicates, lake.duplicates.conflicts)


AT_A_CUT = GroupPlan(
    Interval(START, START + timedelta(minutes=1)), (Slice(START, START + timedelta(minutes=1), 0),), {}, (), ()
)


@tried
@given(
    plan=plans(),
    spans=st.lists(st.tuples(INSTANTS, INSTANTS).map(sorted), min_size=1, max_size=6),
    instants=st.lists(INSTANTS, max_size=20),
)
@example(plan=AT_A_CUT, spans=[[START, START + timedelta(minutes=1)]], instants=[START])
def test_every_instant_is_in_its_class(
    folder: Path, plan: GroupPlan, spans: list[list[datetime]], instants: list[datetime]
) -> None:
    chunks = [Chunk(1, _us(first), _us(last)) for first, last in spans]
    inside = [at for at in instants if any(first <= at <= last for first, last in spans)]
    with engine(Limits(threads=1)) as run:
        run.run("CREATE TABLE t (used_at TIMESTAMPTZ)")
        if inside:
            run.connection.executemany("INSERT INTO t VALUES (?)", [(at,) for at in inside])
        by = classing(run, plan, chunks, placed=False)
        found = run.rows(f"SELECT epoch_us(used_at), {by.key} FROM t {by.join}")
    expected = [(_us(at), _class(plan, at)) for at in inside]
    assert sorted(expected) == sorted(found)


def _class(plan: GroupPlan, at: datetime) -> int:
    return next((each.key for each in plan.slices if each.start <= at < each.end), -1)


def _us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
