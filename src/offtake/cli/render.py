"""What people and scripts see: tables, JSON, CSV and progress. The only module that knows rich.

Data goes to stdout (or to `--out`), words and progress to stderr. Colour and progress vanish when piped; NO_COLOR is
honoured. In JSON and CSV every amount is a string with all of its digits; on screen amounts are rounded to cents for
the eye only. Rounding that anyone is billed by happens in `rating/invoice.py`.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offtake.values.money import quantize
from offtake.values.shown import money as money
from offtake.values.shown import share as share
from offtake.values.units import Duration, MoneyRate

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA_VERSION = 1
"""The version of the JSON outputs; a name in them never changes its meaning within one version."""

PIPED_WIDTH = 400  # wide enough that a piped table is never folded
_COLUMN_GAP, _FOLDED_WIDTH = 3, 6  # columns of text fold, down to this width


def count(quantity: int | Decimal) -> str:
    """A quantity with thousands marks."""
    return f"{quantity:,f}" if isinstance(quantity, Decimal) else f"{quantity:,}"


def rounded(quantity: Decimal, places: int) -> str:
    """A quantity for the eye, at so many decimal places, with thousands marks."""
    return f"{quantize(quantity, places):,f}"


def plain(value: object) -> Any:
    """A value as JSON has it: Decimals as strings with all digits, instants as ISO 8601 in UTC, tuples as lists.

    Raises TypeError on a float, which has no exact digits, on an instant without a zone, and on what JSON cannot say.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return f"{value:f}"
        case datetime() if value.tzinfo is not None:
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date() if not isinstance(value, datetime):
            return value.isoformat()
        case Path() | Duration() | MoneyRate():
            return str(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")


def json_text(document: Mapping[str, object]) -> str:
    """A JSON document with `schema_version` first."""
    return json.dumps(plain({"schema_version": SCHEMA_VERSION, **document}), indent=2, ensure_ascii=False) + "\n"


def jsonl_text(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """One JSON object a line, as a stream."""
    for row in rows:
        yield json.dumps(plain(row), ensure_ascii=False) + "\n"


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A header and rows, as a stream; None is an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in chain([columns], rows):
        writer.writerow(["" if value is None else plain(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def write(text: str | Iterable[str], out: Path | None = None) -> None:
    """Write data to `out`, whole or not at all, or to stdout."""
    from offtake.store.files import replacing

    parts = [text] if isinstance(text, str) else text
    if out is None:
        for part in parts:
            sys.stdout.write(part)
        return
    with replacing(out) as file:
        for part in parts:
            file.write(part.encode())


def write_tables(draw: Callable[[], None], out: Path | None = None) -> None:
    """Print the tables that `draw` prints, or write them to `out`, whole or not at all."""
    if out is None:
        draw()
        return
    with redirect_stdout(io.StringIO()) as page:
        draw()
    write(page.getvalue(), out)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
    title: str = "",
    total: Sequence[str] | None = None,
) -> None:
    """Print a table on stdout. `right` names the columns that hold numbers; `total` is a last row apart."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_footer=total is not None,
        pad_edge=False,
    )
    cells = [tuple(row) for row in rows]
    width_min = 0
    for index, column in enumerate(columns):
        is_number = column in right
        widest = max(len(row[index]) for row in (columns, *cells, *([total] if total else [])))
        narrowest = widest if is_number else min(widest, _FOLDED_WIDTH)
        width_min += narrowest + _COLUMN_GAP
        grid.add_column(
            Text(column),
            footer=Text(total[index]) if total else "",
            justify="right" if is_number else "left",
            no_wrap=is_number,
            min_width=narrowest,
            overflow="fold",
        )
    for row in cells:
        grid.add_row(*(Text(cell) for cell in row))
    console = _console()
    console.width = max(console.width, width_min)  # a number is never cut: a narrower terminal breaks the lines
    with console.capture() as drawn:
        console.print(grid)
    sys.stdout.write("\n".join(line.rstrip() for line in drawn.get().split("\n")))


def pairs(rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print (name, value) rows on stdout, one a line, values under each other."""
    width = max((len(name) for name, _ in rows), default=0)
    if title:
        text(title, style="bold")
    for name, value in rows:
        sys.stdout.write(f"  {name:{width}}  {value}\n")


def folded(words: str, width: int) -> list[str]:
    """Words as lines of at most so many characters."""
    return textwrap.wrap(words, width, break_long_words=False, break_on_hyphens=False)


def text(words: str = "", *, style: str = "") -> None:
    """Print words that belong to the data, such as the headline of a report, on stdout."""
    from rich.text import Text

    _console().print(Text(words, style=style), soft_wrap=True)


def note(words: str) -> None:
    """Say something to the person at the terminal, on stderr."""
    sys.stderr.write(f"{words}\n")


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; silent when piped.

    The block calls what it is given with each step:

    with progress("reading", total=rows) as advance:
        advance(1_000)
    """
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show on stderr what is being done while the block runs, in words; silent when piped."""
    if not sys.stderr.isatty():
        yield lambda words: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("") as shown:
        yield lambda words: shown.update(Text(words))


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
