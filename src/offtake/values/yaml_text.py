"""YAML as our files use it: strict, exact, and every value with its place.

The reader is YAML 1.2 (`no`, `on` and `22:30` are text) without anchors, aliases, tags and further documents: a
commercial term stands where it applies. Plain scalars become int, Decimal (never float), bool, None, date or
datetime; all others, and every mapping key, stay text. Numbers may group digits by underscores (`1_200_000`).

Problems are ContractErrors with file:line:column:
    C201 syntax   C202 duplicate key   C203 empty file   C204 number out of range   C205 no such date
    C206 YAML that we do not read
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from offtake.values.errors import ContractError, Place

Value = object  # None | bool | int | Decimal | date | datetime | str | list[Value] | dict[str, Value]

MAX_DEPTH = 60
MAX_DIGITS = 40

_INTEGER = re.compile(r"[-+]?[0-9][0-9_]*")
_DECIMAL = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt]|[ \t]+)[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"[ \t]*(?:[Zz]|[-+][0-9]{2}:[0-9]{2})?"
)
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def read_yaml(
    text: str, file: str, empty_hint: str = "write what it is to say, or name another file"
) -> tuple[object, dict[str, Place]]:
    """The data of a YAML text, and the place of each term by its path (`prices[0].input_mtok`; the root is "").

    An entry of a mapping stands where its key stands. A timestamp without a zone stays naive: its reader decides.
    Raises ContractError for everything that is not YAML as described above; `empty_hint` is what to do with no data.
    """
    try:
        return _Reader(file, YAML(typ="safe", pure=True).parse(text)).read(empty_hint)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ContractError(
            "C201",
            f"this is not YAML: {error.problem or error.context}",
            where=_place(file, mark) if mark else Place(file),
            why=str(error.context or ""),
            hint="look for a missing colon or quote, a tab, or an indent that does not line up, here or just above",
        ) from error
    except YAMLError as error:
        raise ContractError(
            "C201",
            f"this is not YAML: {str(error).splitlines()[0]}",
            where=Place(file),
            hint="save the file as UTF-8 text",
        ) from error


def step(path: str, key: str | int) -> str:
    """The path one step further in: a list index or a mapping key."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


class _Reader:
    """One pass over the parser's events; `places` fills as terms are read."""

    def __init__(self, file: str, events: Iterator[Event]) -> None:
        self.file = file
        self.events = events
        self.places: dict[str, Place] = {}

    def read(self, empty_hint: str) -> tuple[object, dict[str, Place]]:
        data: object = None
        documents = 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refuse(event, "a second document", "one file holds one document; remove the `---`")
                first = next(self.events)
                self.places[""] = self._place(first)
                data = self._value(first, "", 0)
            elif isinstance(event, StreamEndEvent):
                break
        if data is None:
            raise ContractError("C203", "the file is empty", where=Place(self.file, 1, 1), hint=empty_hint)
        return data, self.places

    def _value(self, event: Event, path: str, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"more than {MAX_DEPTH} levels of nesting", "no term of ours is that deep")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise self._refuse(event, "an anchor or alias", "write the term out in each place where it applies")
        if isinstance(event, ScalarEvent):
            plain = event.style is None and self._untagged(event)
            return self._scalar(event) if plain else event.value
        self._untagged(event)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path, depth)
        assert isinstance(event, MappingStartEvent), event
        return self._mapping(path, depth)

    def _sequence(self, path: str, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            inner = step(path, len(items))
            self.places[inner] = self._place(event)
            items.append(self._value(event, inner, depth + 1))
        return items

    def _mapping(self, path: str, depth: int) -> dict[str, object]:
        entries: dict[str, object] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or not event.value or event.anchor or event.value == "<<":
                raise self._refuse(event, "a key that is not a word", "a key is plain text before a colon")
            key, inner = event.value, step(path, event.value)
            if key in entries:
                raise ContractError(
                    "C202",
                    f"the key {key!r} stands twice",
                    where=self._place(event),
                    why=f"the first is at {self.places[inner]}; only one of the two could hold",
                    hint="remove one, or join the two",
                )
            self.places[inner] = self._place(event)
            entries[key] = self._value(next(self.events), inner, depth + 1)
        return entries

    def _scalar(self, event: ScalarEvent) -> object:
        text = event.value
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_FINITE.fullmatch(text):
            raise self._number(event, "is not a number that can be priced")
        if _DECIMAL.fullmatch(text):
            return self._as_number(event)
        try:
            if _DATE.fullmatch(text):
                return date.fromisoformat(text)
            if _TIMESTAMP.fullmatch(text):
                return datetime.fromisoformat(re.sub(r"[ \t]+(?=[Zz+-])", "", text).upper())
        except ValueError as error:
            raise ContractError(
                "C205",
                f"{text} is no date of the calendar",
                where=self._place(event),
                why=str(error),
                hint="year-month-day, such as 2026-02-28",
            ) from error
        return text

    def _as_number(self, event: ScalarEvent) -> int | Decimal:
        digits = event.value.replace("_", "")
        if len(digits) > MAX_DIGITS:
            raise self._number(event, f"has more than {MAX_DIGITS} digits")
        if _INTEGER.fullmatch(event.value):
            return int(digits)
        value = Decimal(digits)
        if value and abs(value.adjusted()) > MAX_DIGITS:
            raise self._number(event, "is out of range")
        return value

    def _untagged(self, event: Event) -> bool:
        if tag := getattr(event, "tag", None):
            raise self._refuse(event, f"the tag {tag}", "remove the tag; quote the value if it must stay text")
        return True

    def _number(self, event: ScalarEvent, why: str) -> ContractError:
        return ContractError(
            "C204", f"{event.value[:50]} {why}", where=self._place(event), hint="write a plain decimal number"
        )

    def _refuse(self, event: Event, what: str, hint: str) -> ContractError:
        return ContractError("C206", f"{what} is not read here", where=self._place(event), hint=hint)

    def _place(self, event: Event) -> Place:
        return _place(self.file, event.start_mark)


def _place(file: str, mark: StringMark) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)
