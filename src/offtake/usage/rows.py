"""Rows of a text source, each with its place: CSV rows, JSON lines, and the items inside JSON documents.

A row that cannot be read comes out as a `Rejected` in its turn, and reading goes on with the next one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from offtake.values.errors import InputError, Place

T = TypeVar("T")
_CSV_PROBLEMS = {
    "new-line character": "a carriage return stands inside; lines end with a line feed",
    "unexpected end of data": "a quote is opened and never closed, so that all after it is one row",
}


@dataclass(frozen=True, slots=True)
class TextSource:
    """What a reader reads: a file's name, for messages, and its lines; or, for columnar files, its rows."""

    file: str
    lines: Iterable[str] = ()
    rows: Iterable[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read: where it stands, what is wrong, the stable code, and the row as it was."""

    where: Place
    error: str
    code: str
    raw: str

    @classmethod
    def of(cls, error: InputError, where: Place, raw: str) -> Rejected:
        """The rejection that an error of one row stands for."""
        found = error.findings[0]
        return cls(where, f"{found.what} ({found.hint})" if found.hint else found.what, error.code, raw)


@dataclass(frozen=True, slots=True)
class NotUsage:
    """A row of a usage file that is no usage by its format's own words, such as a tax in FOCUS: counted apart."""

    where: Place
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row or JSON object. `parents` are the objects around it, outermost first; `raw` is its text."""

    where: Place
    values: Mapping[str, Any]
    raw: str
    parents: tuple[Mapping[str, Any], ...] = ()


def convert(
    rows: Iterable[Row | Rejected], build: Callable[[Row], T], raw: Callable[[Row], str] = lambda row: row.raw
) -> Iterator[T | Rejected]:
    """What `build` makes of each row; its InputError becomes a Rejected."""
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        try:
            yield build(row)
        except InputError as error:
            yield Rejected.of(error, row.where, raw(row))


def csv_rows(source: TextSource) -> Iterator[Row | Rejected]:
    """The rows of a CSV file by its header's names, or the given rows of a columnar file (counted from 1).

    InputError for a file without a header, or with two columns of one name.
    """
    if source.rows is not None:
        for number, values in enumerate(source.rows, 1):
            yield Row(Place(source.file, number), values, json.dumps(dict(values), default=str, ensure_ascii=False))
        return
    seen: list[str] = []
    reader = csv.reader(_recorded(source.lines, seen), strict=True)
    header: list[str] | None = None
    while True:
        start = reader.line_num + 1
        seen.clear()
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            where, words = Place(source.file, start), str(error)
            known = (better for said, better in _CSV_PROBLEMS.items() if words.startswith(said))
            problem = f"not a CSV row: {next(known, words)}"
            if header is None:
                raise InputError("U107", problem, where=where) from None
            yield Rejected(where, problem, "U107", "".join(seen).rstrip("\r\n"))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells, Place(source.file, start))
            continue
        raw = "".join(seen).rstrip("\r\n")
        if len(cells) == len(header):
            yield Row(Place(source.file, start), dict(zip(header, cells, strict=True)), raw)
        else:
            problem = f"the row has {len(cells)} fields, the header has {len(header)}"
            yield Rejected(Place(source.file, start), problem, "U107", raw)
    if header is None:
        raise InputError("U110", "the file is empty", where=Place(source.file))


def json_lines(source: TextSource) -> Iterator[Row | Rejected]:
    """One JSON object a line. InputError for an empty file."""
    empty = True
    for number, line in enumerate(source.lines, 1):
        raw = line.strip().removeprefix("\ufeff")
        if not raw:
            continue
        empty = False
        where = Place(source.file, number)
        try:
            value = DECODER.decode(raw)
        except (ValueError, RecursionError) as error:
            yield Rejected(where, f"not JSON: {error}", "U108", raw)
            continue
        if isinstance(value, dict):
            yield Row(where, value, raw)
        else:
            yield Rejected(where, "not a JSON object", "U107", raw)
    if empty:
        raise InputError("U110", "the file is empty", where=Place(source.file))


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys must differ: of two counts under one name, neither can be trusted."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return found


# NaN and infinities become text, so that the field that reads them refuses its row and not the whole document.
DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=str, object_pairs_hook=unique_keys)


def _recorded(lines: Iterable[str], seen: list[str]) -> Iterator[str]:
    for line in lines:
        seen.append(line)
        yield line


def _header(cells: list[str], where: Place) -> list[str]:
    names = [cell.strip().removeprefix("\ufeff").strip() for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError("U107", f"two columns are named {twice!r}", where=where, hint="rename or remove one")
    return names
