"""The columns of the usage table, stated once: the lake's DDL, the Parquet files and the Arrow schema follow them.

One row is one `UsageRecord`. Each meter is a column of its own (0 where the row has none), in the order of `METERS`:
a new meter appends a column and no stored file is rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from offtake.usage.identity import body_hash
from offtake.usage.meters import METERS
from offtake.usage.record import UsageRecord

TAGS_TYPE = "MAP(VARCHAR, VARCHAR)"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its DuckDB type, and whether it may be NULL."""

    name: str
    type: str
    nullable: bool = False

    @property
    def ddl(self) -> str:
        """`id VARCHAR NOT NULL`."""
        return f"{self.name} {self.type}{'' if self.nullable else ' NOT NULL'}"


COLUMNS: tuple[Column, ...] = (
    Column("id", "VARCHAR"),
    Column("used_at", "TIMESTAMPTZ"),
    Column("grain", "VARCHAR"),
    Column("count", "BIGINT"),
    Column("vendor", "VARCHAR"),
    Column("account", "VARCHAR"),
    Column("model", "VARCHAR"),
    Column("channel", "VARCHAR"),
    Column("access", "VARCHAR"),
    Column("region", "VARCHAR"),
    Column("workload", "VARCHAR"),
    Column("customer", "VARCHAR"),
    Column("key_id", "VARCHAR"),
    Column("tags", TAGS_TYPE),
    *(Column(meter.name, "BIGINT") for meter in METERS),
    Column("context_tokens", "BIGINT", nullable=True),
    Column("outcome", "VARCHAR", nullable=True),
    Column("usage_known", "BOOLEAN"),
    Column("latency_ms", "BIGINT", nullable=True),
    Column("first_token_ms", "BIGINT", nullable=True),
    Column("tier_requested", "VARCHAR"),
    Column("tier_served", "VARCHAR"),
    Column("vendor_request_id", "VARCHAR"),
    Column("body_hash", "BIGINT"),
)
NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)

_METER_NAMES = tuple(meter.name for meter in METERS)
_FIRST_METER = NAMES.index(_METER_NAMES[0])
_AFTER_METERS = _FIRST_METER + len(_METER_NAMES)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_row(record: UsageRecord) -> tuple[Any, ...]:
    """The record's values in the order of `COLUMNS`; `tags` is a dict, `used_at` an aware UTC datetime."""
    quantity = record.quantities.get
    return (
        record.id, record.used_at, record.grain, record.count, record.vendor, record.account, record.model,
        record.channel, record.access, record.region, record.workload, record.customer, record.key_id,
        dict(record.tags), *(quantity(name, 0) for name in _METER_NAMES), record.context_tokens, record.outcome,
        record.usage_known, record.latency_ms, record.first_token_ms, record.tier_requested, record.tier_served,
        record.vendor_request_id, body_hash(record),
    )  # fmt: skip


def from_row(row: Sequence[Any]) -> UsageRecord:
    """The record of a row in the order of `COLUMNS`. The stored `body_hash` is dropped: it follows from the rest.

    `used_at` may also be an integer of microseconds since 1970: DuckDB needs the pytz package to make datetimes of a
    TIMESTAMPTZ, and none for `epoch_us(used_at)`.
    """
    (id_, used_at, grain, count, vendor, account, model, channel, access, region, workload, customer, key_id, tags) = (
        row[:_FIRST_METER]
    )
    (context_tokens, outcome, usage_known, latency_ms, first_token_ms, tier_requested, tier_served, request_id, _) = (
        row[_AFTER_METERS:]
    )
    quantities = zip(_METER_NAMES, row[_FIRST_METER:_AFTER_METERS], strict=True)
    return UsageRecord(
        id=id_, used_at=_utc(used_at), grain=grain, count=count, vendor=vendor, account=account, model=model,
        channel=channel, access=access, region=region, workload=workload, customer=customer, key_id=key_id,
        tags=_tags(tags), quantities={name: quantity for name, quantity in quantities if quantity},
        context_tokens=context_tokens, outcome=outcome, usage_known=usage_known, latency_ms=latency_ms,
        first_token_ms=first_token_ms, tier_requested=tier_requested, tier_served=tier_served,
        vendor_request_id=request_id,
    )  # fmt: skip


def arrow_schema(pyarrow: Any) -> Any:
    """The same columns as a pyarrow schema, for those who hand us tables or take ours.

    The caller brings the module (the `arrow` extra): the core imports no engine.
    """
    types = {
        "VARCHAR": pyarrow.string(),
        "BIGINT": pyarrow.int64(),
        "BOOLEAN": pyarrow.bool_(),
        "TIMESTAMPTZ": pyarrow.timestamp("us", tz="UTC"),
        TAGS_TYPE: pyarrow.map_(pyarrow.string(), pyarrow.string()),
    }
    return pyarrow.schema([pyarrow.field(c.name, types[c.type], nullable=c.nullable) for c in COLUMNS])


def _utc(instant: datetime | int) -> datetime:
    return _EPOCH + timedelta(microseconds=instant) if isinstance(instant, int) else instant.astimezone(UTC)


def _tags(value: Any) -> Mapping[str, str]:
    """A map column comes back as a dict (DuckDB) or as a list of pairs (pyarrow)."""
    return dict(value) if value else {}
