"""Instants as microseconds since 1970, exactly: DuckDB's own unit, and integers all the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def of_instant(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def to_instant(microseconds: int) -> datetime:
    """The UTC instant."""
    return _EPOCH + microseconds * _MICROSECOND


def timestamp(microseconds: int) -> str:
    """The instant as a SQL literal."""
    return f"TIMESTAMPTZ '{to_instant(microseconds).isoformat()}'"
