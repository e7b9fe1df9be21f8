"""Compare a vendor's bill with what the contract gives for the usage: what differs, by how much, under which clause.

The bill is streamed: a million rows are folded into cells as they are read. The usage is opened and rated as
`rate_usage` does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path

from offtake.assurance.bill import Bill, day_zone
from offtake.assurance.difference import Reconciliation
from offtake.assurance.reconcile import fold, reconcile
from offtake.contract.contract import Contract
from offtake.operations.rate_usage import open_session
from offtake.operations.usage_input import FileProgress, Usage
from offtake.store.engine import engine
from offtake.store.parquet_rows import column_names, parquet_rows
from offtake.store.sources import found_files, head_of, is_parquet, text_source
from offtake.usage.charge import Charge
from offtake.usage.charges.reading import ChargeReading, read_charges, sniff_charges
from offtake.usage.reading import ReadOptions
from offtake.usage.rows import Rejected, TextSource
from offtake.values.errors import InputError

_SEEN_FIRST = 1_000
"""So many rows tell the zone of a bill's days."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and the rows of both sides that are not in it."""

    contract: Contract
    result: Reconciliation
    rejected: tuple[Rejected, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every row of both sides was read, believed and priced."""
        return self.result.complete and not self.rejected and not self.conflicts

    @property
    def clean(self) -> bool:
        """Whether the bill is right, as far as everything could be read."""
        return self.complete and not self.result.differences


def compare_bill(
    usage: Usage,
    invoices: Sequence[str | Path],
    contract: Path,
    *,
    catalogs: Sequence[Path] = (),
    facts: Sequence[Path] = (),
    since: datetime | date | None = None,
    until: datetime | date | None = None,
    at: datetime | date | None = None,
    stance: str | None = None,
    strict: bool = False,
    kind: str = "auto",
    options: ReadOptions | None = None,
    progress: FileProgress | None = None,
) -> Compared:
    """Compare invoice files with usage files under a contract.

    `kind` and `options` say how the invoices are read; clock times without a zone are in the contract's. `since` and
    `until` choose the billing periods; by default they are those that the bill is for. `strict`: InputError R413 where
    the usage leaves open what is due. InputError too for a file that cannot be read or recognised, for a bill of
    another currency, and for one with nothing in the contract's term.
    """
    opening = open_session(
        usage, contract, catalogs=catalogs, facts=facts, since=since, until=until, at=at, stance=stance,
        progress=progress,
    )  # fmt: skip
    with opening as session:
        opened = session.opened
        bill, rejected = read_bill(invoices, opened.contract, kind, options, progress)
        result = reconcile(
            bill, session.usage.source, opened.contract, opened.catalog, opened.facts, span=session.span
        )  # fmt: skip
        if strict and result.undecided:
            raise InputError(
                "R413", f"the usage leaves {result.undecided:f} open", hint="give finer usage, or leave --strict",
                why="its rows are coarser than a clause needs, or do not say their outcome",
            )  # fmt: skip
        result = replace(result, control=session.usage.counted(result.control))
        return Compared(opened.contract, result, (*session.usage.rejected, *rejected), session.usage.conflicts)


def read_bill(
    paths: Sequence[str | Path],
    contract: Contract,
    kind: str = "auto",
    options: ReadOptions | None = None,
    progress: FileProgress | None = None,
) -> tuple[Bill, list[Rejected]]:
    """The folded bill of all files, and the rows that could not be read."""
    files = found_files(paths)
    options = options or ReadOptions()
    if options.time_zone is None:
        options = replace(options, time_zone=contract.zone)  # what a bill does not say of its dates, the contract does
    readings = (_charges(path, kind, options, progress) for path in files)
    first = next(readings)
    seen = list(islice(first, _SEEN_FIRST))
    zone = day_zone((row for row in seen if isinstance(row, Charge)), contract.zone)
    bill = Bill(contract.signed.term.currency, zone, several=len(files) > 1)
    rejected = fold(bill, chain(seen, first))
    for reading in readings:
        rejected += fold(bill, reading)
    if not bill.rows and not rejected:
        raise InputError("U110", "the bill has no rows", hint="check that the export holds the period")
    return bill, rejected


def _charges(path: Path, kind: str, options: ReadOptions, progress: FileProgress | None) -> ChargeReading:
    """The rows of one file. A mapping names our own CSV, so that nothing has to be recognised."""
    if is_parquet(path):
        return _columnar(path, kind, options)
    if kind == "auto":
        kind = "csv" if options.mapping else sniff_charges(head_of(path), str(path))
    return read_charges(kind, text_source(path, partial(progress, path) if progress else None), options)


def _columnar(path: Path, kind: str, options: ReadOptions) -> Iterator[Charge | Rejected]:
    with engine() as run:
        if kind == "auto":
            kind = "csv" if options.mapping else sniff_charges(b"", str(path), column_names(run, path))
        yield from read_charges(kind, TextSource(str(path), rows=parquet_rows(run, path)), options)
