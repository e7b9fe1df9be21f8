"""The flags that commands share, so that each means the same thing everywhere.

Each is a decorator; `@pricing_options` is the usual set. Values arrive as the command's keyword arguments:

    usage: tuple[Path, ...]      the USAGE… files
    contract: Path | None        --contract FILE
    catalogs: tuple[Path, ...]   --catalog FILE, may be repeated; later files win
    months: Fraction | None      --months
    at: datetime | date | None   --at: a date is local midnight in the contract's zone
    facts: tuple[Path, ...]      --facts FILE, may be repeated
    strict: bool                 --strict
    stance: str | None           --stance
    output_format: str           --format
    out: Path | None             --out FILE; stdout when absent

`@store_options` is what the gateway's commands take:

    config: Path | None          --config FILE
    store: Path | None           --store FILE
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction
from functools import wraps
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from offtake.values.errors import InputError

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Decorator = Callable[[Decorated], Decorated]

WRITTEN = {"out": "--out", "rejects": "--rejects", "reports": "--report", "forecast": "--forecast"}
"""Arguments that name files to write."""
STANCES = ("offered", "ask", "fallback", "walk_away")

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EXISTING_PATH = click.Path(exists=True, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


class Instant(click.ParamType[datetime | date]):
    """A date (2026-03-01) or an instant (2026-03-01T12:00:00Z), read as ISO 8601."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | date:
        """A date stays a date: only the contract knows its zone."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value) if len(value) == len("2026-03-01") else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date or an instant; write 2026-03-01 or 2026-03-01T12:00:00Z", param, ctx)


INSTANT = Instant()


class Months(click.ParamType[Fraction]):
    """How many months usage stands for: `1`, `0.25`, or `1/720` for an hour."""

    name = "months"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """Above none, and at most a century."""
        try:
            found = Fraction(str(value).replace("_", ""))
        except (ValueError, ZeroDivisionError):
            found = Fraction(0)
        if not 0 < found <= 1200:
            self.fail(f"{value!r} is not a number of months; write 1, 0.25 or 1/30", param, ctx)
        return found


def usage_argument(required: bool = True) -> Decorator[Any]:
    """USAGE…: one or more usage files."""
    return click.argument("usage", nargs=-1, required=required, type=EXISTING_PATH)


def contract_option(required: bool = False) -> Decorator[Any]:
    """--contract FILE, as `contract`."""
    help_text = "The contract file." if required else "The contract file; list prices when absent."
    return click.option("--contract", required=required, type=EXISTING_FILE, metavar="FILE", help=help_text)


catalog_option = click.option(
    "--catalog",
    "catalogs",
    multiple=True,
    type=EXISTING_FILE,
    metavar="FILE",
    help="A catalogue file of own list prices and facts; may be repeated.",
)
at_option = click.option(
    "--at",
    type=INSTANT,
    metavar="WHEN",
    help="The date or instant that counts as now (default: the contract's own dates).",
)
months_option = click.option(
    "--months",
    type=Months(),
    metavar="N",
    help="How many months the usage stands for (default: whole calendar months, else by the time that it covers).",
)
facts_option = click.option(
    "--facts",
    multiple=True,
    type=EXISTING_FILE,
    metavar="FILE",
    help="Dated facts that are not usage (JSONL): seat counts, notices, top-ups, judgements.",
)
strict_option = click.option(
    "--strict", is_flag=True, help="Refuse what the data cannot decide, instead of showing a range; warnings fail."
)
stance_option = click.option(
    "--stance", type=click.Choice(STANCES), help="Read the terms as this stance of <name>.negotiation.yaml has them."
)


def spare_inputs(function: Decorated) -> Decorated:
    """Refuse, before anything is read, to write over a file that the command reads."""

    @wraps(function)
    def spared(**arguments: Any) -> Any:
        from offtake.store.sources import same_file

        read: list[Path] = []
        written: list[tuple[str, Path]] = []
        for name, value in arguments.items():
            paths = [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, Path)]
            if name in WRITTEN:
                written += [(WRITTEN[name], path) for path in paths]
            else:
                read += paths
        for flag, path in written:
            if same_file(path, read):
                hint = f"name another file with {flag}"
                raise InputError("U148", f"{path} is one of the files to read", hint=hint)
        for (flag, path), (other, other_path) in combinations(written, 2):
            if path.resolve() == other_path.resolve():
                raise InputError("U148", f"{flag} and {other} name one file", hint="name two files")
        return function(**arguments)

    return cast(Decorated, spared)


def out_option(function: Decorated) -> Decorated:
    """--out FILE, as `out`."""
    option = click.option("--out", type=NEW_FILE, metavar="FILE", help="Write to this file instead of stdout.")
    return option(spare_inputs(function))


def format_option(*formats: str) -> Decorator[Any]:
    """--format, as `output_format`; the first of `formats` (table, json, csv) is the default."""
    choices = formats or ("table", "json", "csv")
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="How to print.",
    )


def pricing_options(function: Decorated) -> Decorated:
    """--catalog, --at, --facts, --strict, --stance: what every command that prices takes."""
    for option in (stance_option, strict_option, facts_option, at_option, catalog_option):
        function = option(function)
    return function


def store_options(function: Decorated) -> Decorated:
    """--config and --store: where the gateway's books are."""
    config = click.option(
        "--config", type=EXISTING_FILE, metavar="FILE", help="The gateway's configuration (default: offtake.toml here)."
    )
    store = click.option(
        "--store",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The ledger itself, instead of a configuration.",
    )
    return config(store(function))
