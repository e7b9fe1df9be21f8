"""Run the demo: write the month, the bill and the contract into a folder, ask every question of them, write the report.

The folder holds all that was used, so that each answer can be asked for again with an ordinary command.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from offtake.export.report import Derived, Lever, Page, report
from offtake.operations.commitment_status import Status, commitment_status
from offtake.operations.compare_bill import Compared, compare_bill
from offtake.operations.contracts import open_contract
from offtake.operations.demo.bill import COLUMNS, csv_rows, wrong_bill
from offtake.operations.demo.month import sample_month
from offtake.operations.demo.next_year import NextYear, next_year
from offtake.operations.demo.traces import RatedTrace, rate_traces
from offtake.operations.estimate import Workload, estimate
from offtake.operations.explain_line import Explanation, explain_lines
from offtake.operations.rate_usage import Rated
from offtake.operations.usage_input import open_usage
from offtake.rating.breakdown import unrounded
from offtake.rating.planning import By
from offtake.rating.rate import rate_records
from offtake.store.files import replacing
from offtake.store.shipped import shipped
from offtake.usage.record import UsageRecord
from offtake.values.money import ZERO, divide

CONTRACT = "contracts/mid-size/contract.yaml"
AT = date(2026, 2, 1)
EXPLAINED = ("claude-opus-4-5", "output_tokens")
USAGE_COLUMNS = (
    "id", "used_at", "grain", "count", "vendor", "model", "channel", "workload", "tag:team", "outcome",
    "context_tokens", "input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens",
)  # fmt: skip
METERS = USAGE_COLUMNS[11:]
LEVERS: Mapping[str, str] = {
    "list": "everything in realtime, nothing cached, at list price",
    "contract": "the same at the contract’s prices",
    "cache": "prompts read from the cache as far as they were",
    "batch": "what can wait runs in batch, as far as it did",
    "batch+cache": "both",
}


@dataclass(frozen=True, slots=True)
class Demo:
    """The answers, and where the files are. `traces` are published ones, where their folder was given; `ahead` is None
    where the extra `plan` is not installed.
    """

    folder: Path
    compared: Compared
    status: Status
    levers: tuple[Lever, ...]
    explained: Explanation
    traces: tuple[RatedTrace, ...]
    ahead: NextYear | None

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"


def run_demo(folder: Path, data: Path | None = None) -> Demo:
    """Write the files into a folder (made where there is none) and answer. `data` is the folder of published traces."""
    folder.mkdir(parents=True, exist_ok=True)
    contract, usage, bill = folder / "contract.yaml", folder / "usage.csv", folder / "bill.csv"
    shutil.copyfile(shipped(CONTRACT), contract)
    records = list(sample_month())
    _write_csv(usage, USAGE_COLUMNS, map(_usage_row, records))
    opened = open_contract(contract)
    exact = rate_records(records, unrounded(opened.contract), opened.catalog, by=By(day=True))
    _write_csv(bill, COLUMNS, csv_rows(wrong_bill(exact)))

    with open_usage([usage]) as read:
        compared = compare_bill(read, [bill], contract)
        status = commitment_status(read, contract, at=AT, by="tag:team")
        ahead = next_year(folder, read, contract, opened, AT)
    model, meter = EXPLAINED
    explained = explain_lines(Rated(status.contract, status.invoices), model=model, meter=meter)[0]
    levers = _levers(records, contract)
    demo = Demo(folder, compared, status, levers, explained, rate_traces(data, contract) if data else (), ahead)
    with replacing(demo.report) as file:
        file.write(report(page_of(demo)).encode())
    return demo


def _usage_row(record: UsageRecord) -> list[str]:
    return [
        record.id, record.used_at.isoformat().replace("+00:00", "Z"), record.grain, str(record.count), record.vendor,
        record.model, record.channel, record.workload, record.tags["team"], record.outcome or "",
        str(record.context_tokens), *(str(record.quantities.get(meter, "")) for meter in METERS),
    ]  # fmt: skip


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with replacing(path) as file:
        file.write(page.getvalue().encode())


def _levers(records: Iterable[UsageRecord], contract: Path) -> tuple[Lever, ...]:
    """The month's tokens by model in each configuration of `estimate`, summed over the models."""
    totals = dict.fromkeys(LEVERS, ZERO)
    for workload in _workloads(records):
        found = estimate(workload, contract, at=date(2026, 1, 15))
        known = {each.name: each.total for each in found.configurations}
        for name in totals:  # a model without cache or batch costs the same with the lever as without
            totals[name] += known.get(
                name, known["cache" if name == "batch+cache" and "cache" in known else "contract"]
            )
    return tuple(Lever(name, what, totals[name]) for name, what in LEVERS.items())


def _workloads(records: Iterable[UsageRecord]) -> list[Workload]:
    """What was asked of each model, with the shares that were cached and that ran in batch."""
    sums: dict[str, dict[str, int]] = {}
    for record in records:
        tokens = sums.setdefault(record.model, dict.fromkeys((*METERS, "batch", "all"), 0))
        for meter, quantity in record.quantities.items():
            tokens[meter] += quantity
            tokens["all"] += quantity
            tokens["batch"] += quantity if record.channel == "batch" else 0
    found = []
    for model, tokens in sorted(sums.items()):
        asked = tokens["all"] - tokens["output_tokens"]
        read, written = (divide(Decimal(tokens[name]), asked) for name in METERS[1:3])
        batch = divide(Decimal(tokens["batch"]), tokens["all"])
        found.append(Workload(model, asked, tokens["output_tokens"], read, written, "5m", batch))
    return found


def page_of(demo: Demo) -> Page:
    """What the report shows of it."""
    contract, explained, status = demo.compared.contract, demo.explained, demo.status
    terms = contract.signed
    again = "\n".join(
        (
            "offtake compare usage.csv --invoice bill.csv --contract contract.yaml",
            f"offtake status usage.csv --contract contract.yaml --at {AT} --by tag:team",
            f"offtake explain usage.csv --contract contract.yaml --line {explained.line.id}",
        )
    )
    return Page(
        terms.buyer, terms.vendor, contract.zone, status.at, demo.compared.result, status.commitments[0],
        status.stopped.draws[status.commitments[0].clause], status.dates, demo.levers,
        Derived(explained.line, [(step.clause, step.what, step.paper) for step in explained.steps]), again,
    )  # fmt: skip
