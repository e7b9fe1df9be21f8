"""The usage lake: usage files opened for rating. Duplicates are found once; groups and ordered rows leave them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from offtake.rating.groups import Grouped, GroupPlan
from offtake.store.duplicates import Duplicates, find_duplicates
from offtake.store.engine import Engine, Limits, engine
from offtake.store.group import group_usage
from offtake.store.ordered import read_ordered
from offtake.store.sources import found_files
from offtake.store.survey import Survey, survey_usage
from offtake.store.usage_files import PLACED, UsageFiles, open_usage_files
from offtake.usage.record import UsageRecord
from offtake.values.periods import Interval


@dataclass
class Lake:
    """Open usage files. Rows are counted as they stand in the files; `duplicates` says which of them are left out."""

    run: Engine
    files: UsageFiles
    check_unique: bool = False

    @property
    def records(self) -> int:
        """All rows of the files."""
        return self.files.rows

    @cached_property
    def duplicates(self) -> Duplicates:
        """The rows to leave out; looked for once, and not at all in one file that was written without any."""
        skipped = self.files.unique and not self.check_unique
        return Duplicates() if skipped else find_duplicates(self.run, PLACED, self.files.rows)

    def survey(self) -> Survey:
        """What planning needs to know before grouping."""
        return survey_usage(self.run, self.files)

    def group(self, plan: GroupPlan) -> Grouped:
        """As `rating.groups.group` on the rows that stay. OutsideError where the control totals do not agree."""
        return group_usage(self.run, self.files, plan, self.duplicates)

    def ordered(self, interval: Interval) -> Iterator[UsageRecord]:
        """The rows of an interval that stay, in (used_at, id) order, in bounded memory."""
        return read_ordered(self.run, interval, self.duplicates)


@contextmanager
def open_lake(
    paths: Iterable[str | Path], limits: Limits | None = None, *, check_unique: bool = False
) -> Iterator[Lake]:
    """Open usage files (paths or patterns). InputError for one that is missing, damaged or of other columns.

    `check_unique` looks for duplicates also in a file whose card says that it has none.
    """
    with engine(limits) as run:
        yield Lake(run, open_usage_files(run, found_files(paths)), check_unique)


def group_files(paths: Iterable[str | Path], plan: GroupPlan, limits: Limits | None = None) -> Grouped:
    """The groups of usage files, duplicates left out."""
    with open_lake(paths, limits) as lake:
        return lake.group(plan)
