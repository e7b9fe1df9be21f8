"""`offtake import`: foreign usage files become one usage file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from offtake.cli import render
from offtake.cli.options import INSTANT, NEW_FILE, format_option, spare_inputs
from offtake.cli.rate import reading

if TYPE_CHECKING:
    from offtake.operations.import_usage import Imported

Pairs = tuple[tuple[str, str], ...]


class Pair(click.ParamType[tuple[str, str]]):
    """NAME=VALUE."""

    name = "pair"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Cut at the first equals sign."""
        if isinstance(value, tuple):
            return value
        name, equals, rest = value.partition("=")
        if not (name and equals):
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, rest


class Zone(click.ParamType[ZoneInfo]):
    """A time zone by its IANA name."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        """The zone of this name."""
        if isinstance(value, ZoneInfo):
            return value
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"no time zone is called {value!r}; write Europe/Berlin or UTC", param, ctx)


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--out", type=NEW_FILE, required=True, metavar="FILE", help="The usage file to write (Parquet).")
@click.option("--from", "kind", default="auto", show_default=True, metavar="KIND", help="The kind of the files.")
@click.option("--model", default="", metavar="NAME", help="The model of rows that name none.")
@click.option("--vendor", default="", metavar="NAME", help="The vendor of rows that name none.")
@click.option("--account", default="", metavar="NAME", help="The account of rows that name none.")
@click.option("--workload", default="", metavar="NAME", help="The workload of rows that name none.")
@click.option("--customer", default="", metavar="NAME", help="The customer of rows that name none.")
@click.option("--start", type=INSTANT, metavar="WHEN", help="The origin of traces that only count seconds.")
@click.option("--time-zone", type=Zone(), metavar="ZONE", help="The zone of clock times that name none.")
@click.option("--outcome", metavar="WORD", help="The outcome of every row, such as ok.")
@click.option(
    "--cache-write",
    type=click.Choice(("5m", "1h")),
    default="5m",
    show_default=True,
    help="How long cache writes live, where a source gives one total.",
)
@click.option(
    "--map",
    "mapping",
    type=Pair(),
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Our field from their column; FIELD==VALUE is a constant.",
)
@click.option("--tag", "tags", type=Pair(), multiple=True, metavar="NAME=VALUE", help="A tag for every row.")
@click.option("--rejects", type=NEW_FILE, metavar="FILE", help="Where unreadable rows go (default: beside --out).")
@format_option("table", "json")
@spare_inputs
def command(
    files: tuple[str, ...],
    out: Path,
    kind: str,
    rejects: Path | None,
    start: datetime | date | None,
    mapping: Pairs,
    tags: Pairs,
    output_format: str,
    **options: Any,
) -> int:
    """Read foreign usage files into one usage file, without duplicates.

    FILE… are paths or quoted patterns, plain or gzipped. KIND is recognised by itself (auto), or one of: azure-trace,
    mooncake, agent-sessions, openai-usage, anthropic-usage, anthropic-console, litellm, openrouter, ccusage, focus,
    csv, jsonl, responses. Any other CSV or JSONL is read with --map. Rows that cannot be read, or that conflict, are
    kept in a rejects file, and the exit code is 1.
    """
    from offtake.operations.import_usage import import_usage
    from offtake.usage.reading import ReadOptions

    chosen = ReadOptions(start=_instant(start), mapping=dict(mapping), tags=dict(tags), **options)
    with reading() as progress:
        done = import_usage(files, out, kind=kind, options=chosen, rejects=rejects, progress=progress)
    if output_format == "json":
        render.write(render.json_text(_document(done)))
    else:
        _show(done)
    return 0 if done.complete else 1


def _instant(when: datetime | date | None) -> datetime | None:
    """The origin of a trace; a date, or an instant without a zone, is UTC."""
    if isinstance(when, datetime):
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    return datetime(when.year, when.month, when.day, tzinfo=UTC) if when else None


def _document(done: Imported) -> dict[str, object]:
    return {
        "complete": done.complete,
        "out": done.out,
        "rejects": done.rejects,
        "kinds": dict(done.kinds),
        "control": {
            "records": done.records + done.rejected,
            "written": done.written,
            "duplicates": done.duplicates.duplicates,
            "conflicts": done.duplicates.conflicts,
            "rejected": done.rejected,
            "not_usage": done.not_usage,
        },
    }


def _show(done: Imported) -> None:
    for file, kind in done.kinds.items():
        render.note(f"{file}: read as {kind}")
    left_out = done.duplicates
    render.note(
        f"wrote {done.written:,} {'row' if done.written == 1 else 'rows'} to {done.out}; "
        f"dropped {left_out.duplicates:,} duplicates; "
        f"kept aside {left_out.conflicts:,} conflicting and {done.rejected:,} unreadable rows"
        + (f" in {done.rejects}" if done.rejects else "")
        + (f"; besides, {done.not_usage:,} that are no usage, such as taxes" if done.not_usage else "")
    )
    render.note(f"next: offtake rate {done.out} --contract FILE")
