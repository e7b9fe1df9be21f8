"""The ledger for other programs: usage records, holds, settlements and unresolved requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from offtake.operations.gateway_store import gateway_ledger
from offtake.store.engine import engine, text
from offtake.store.files import replacing_path
from offtake.store.ledger.history import events, instant, usage_of
from offtake.store.ledger.leases import unresolved
from offtake.store.ledger.ledger import Ledger
from offtake.store.write import write_usage
from offtake.usage.record import UsageRecord
from offtake.values.money import from_pico

BATCH_ROWS = 10_000
_MONEY, _TEXT, _TIME, _MAP = "DECIMAL(38,12)", "VARCHAR", "TIMESTAMPTZ", "MAP(VARCHAR, VARCHAR)"
_COLUMNS: dict[str, dict[str, str]] = {
    "holds": {
        "id": _TEXT, "at": _TIME, "key_id": _TEXT, "contract": _TEXT, "vendor": _TEXT, "model": _TEXT,
        "hold": _MONEY, "budgets": "VARCHAR[]",
    },
    "settlements": {
        "id": _TEXT, "at": _TIME, "kind": _TEXT, "key_id": _TEXT, "contract": _TEXT, "vendor": _TEXT, "model": _TEXT,
        "cost": _MONEY, "list": _MONEY, "outcome": _TEXT, "usage_known": "BOOLEAN", "budgets": "VARCHAR[]",
        "clauses": "VARCHAR[]", "verdict": _TEXT, "evidence": _MAP, "why": _TEXT,
    },
    "unresolved": {
        "id": _TEXT, "at": _TIME, "worker": _TEXT, "key_id": _TEXT, "contract": _TEXT, "vendor": _TEXT, "model": _TEXT,
        "hold": _MONEY, "budgets": "VARCHAR[]",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Books:
    """What an open ledger holds, one section after the other; each may be walked through more than once."""

    ledger: Ledger

    def usage(self) -> Iterator[UsageRecord]:
        """The records of all settled requests."""
        return usage_of(self.ledger)

    def holds(self) -> Iterator[dict[str, object]]:
        """The hold of each request that was dispatched: its upper bound, on every budget of `budgets`."""
        for event in events(self.ledger, "intent"):
            yield _hold(event, event["holds"])

    def settlements(self) -> Iterator[dict[str, object]]:
        """How each request ended: settled, released (never dispatched), or resolved later."""
        for event in events(self.ledger, "settle", "release", "resolve"):
            row: dict[str, object] = {name: event.get(name) for name in _COLUMNS["settlements"]}
            settled = event["kind"] == "settle"
            listed = event.get("list_pico")
            yield row | {
                "at": instant(event["at"]), "cost": from_pico(event.get("cost_pico", 0)),
                "list": None if listed is None else from_pico(listed), "budgets": event["budgets"],
                "outcome": event.get("outcome", "ok") if settled else None,
                "usage_known": event.get("usage_known", True) if settled else None,
                "clauses": event.get("clauses", []), "evidence": event.get("evidence", {}),
            }  # fmt: skip

    def unresolved(self) -> Iterator[dict[str, object]]:
        """Requests that a worker left without an end when it died; their holds stay."""
        for each in unresolved(self.ledger):
            at = {"id": each.request, "at": each.at}
            yield {**_hold({**each.intent, **at}, each.holds), "worker": each.worker}


@contextmanager
def open_books(config: Path | None, store: Path | None) -> Iterator[Books]:
    """The books of one state of the ledger, while the block runs; the gateway may write on meanwhile."""
    with gateway_ledger(config, store) as ledger, ledger.reading():
        yield Books(ledger)


def usage_row(record: UsageRecord) -> dict[str, object]:
    """A usage record as an object, as `offtake import --from jsonl` reads it."""
    row = {field.name: getattr(record, field.name) for field in fields(record) if field.name != "where"}
    return row | {"quantities": dict(record.quantities), "tags": dict(record.tags)}


def write_parquet(books: Books, folder: Path) -> dict[str, int]:
    """Write usage.parquet, holds.parquet, settlements.parquet and unresolved.parquet; the rows of each."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {"usage": write_usage(books.usage(), folder / "usage.parquet").rows}
    sections = {"holds": books.holds(), "settlements": books.settlements(), "unresolved": books.unresolved()}
    for name, section in sections.items():
        rows[name] = _write(name, section, folder / f"{name}.parquet")
    return rows


def _hold(intent: Mapping[str, Any], holds: Mapping[str, int]) -> dict[str, object]:
    return {
        "id": intent["id"], "at": instant(intent["at"]), "key_id": intent.get("key_id", ""),
        "contract": intent.get("contract", ""), "vendor": intent.get("vendor", ""), "model": intent.get("model", ""),
        "hold": from_pico(max(holds.values(), default=0)), "budgets": list(holds),
    }  # fmt: skip


def _write(name: str, section: Iterator[dict[str, object]], path: Path) -> int:
    columns = _COLUMNS[name]
    count = 0
    with engine() as run, replacing_path(path) as beside:
        fields = [f'"{column}" {kind}' for column, kind in columns.items()]  # `at` is a word of SQL's own
        run.run(f"CREATE TABLE rows ({', '.join(fields)})")
        batch: list[Sequence[object]] = []
        for row in section:
            batch.append([_cell(row[column]) for column in columns])
            count += 1
            if len(batch) >= BATCH_ROWS:
                run.append("rows", batch)
                batch.clear()
        run.append("rows", batch)
        run.run(f"COPY rows TO {text(beside)} (FORMAT parquet, COMPRESSION zstd)")
    return count


def _cell(value: object) -> object:
    return value if isinstance(value, Decimal | datetime | bool | list | dict) or value is None else str(value)
