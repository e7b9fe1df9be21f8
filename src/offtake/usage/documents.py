"""Items inside JSON documents, each with its line: what vendors' APIs and tools answer.

A file may hold one document or several, one after the other (pages of an API, saved one a line or pretty-printed).
The standard decoder knows no places, so arrays and objects on the way to the items are walked value by value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from offtake.usage.rows import DECODER, Rejected, Row, TextSource
from offtake.values.errors import InputError, Place

Paths = tuple[tuple[str, ...], ...]
_SPACE = re.compile(r"[ \t\r\n]*")


def json_items(source: TextSource, paths: Paths) -> Iterator[Row | Rejected]:
    """The objects at the end of a path, such as ("data", "results"), through arrays and objects; "*" is every key.

    Of several paths the first whose next key is there is followed; where none is, an object is an item if one of the
    paths ends there, and a `Rejected` if not. What follows a syntax error is one `Rejected`. InputError for an empty
    file.
    """
    text = "".join(source.lines).removeprefix("\ufeff")
    walk = _Walk(source.file, text)
    start = _after_space(text, 0)
    if start == len(text):
        raise InputError("U110", "the file is empty", where=Place(source.file))
    while start < len(text):
        try:
            value, end = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", start)) + 1
            problem = f"not JSON from here on: {getattr(error, 'msg', error)}"
            yield Rejected(Place(source.file, line), problem, "U108", "")
            return
        yield from walk.items(value, start, paths, ())
        start = _after_space(text, end)


class _Walk:
    """One pass over a text that is known to be JSON; places only grow, so lines are counted once."""

    def __init__(self, file: str, text: str) -> None:
        self._file, self._text = file, text
        self._line, self._counted = 1, 0

    def items(
        self, value: Any, start: int, paths: Paths, parents: tuple[Mapping[str, Any], ...]
    ) -> Iterator[Row | Rejected]:
        if isinstance(value, list):
            for element, at in self._elements(start):
                yield from self.items(element, at, paths, parents)
            return
        where = self._place(start)
        if not isinstance(value, dict):
            yield Rejected(where, "not a JSON object", "U107", self._raw(start))
            return
        step = next((path[0] for path in paths if path and (path[0] == "*" or path[0] in value)), None)
        if step is not None:
            onward = tuple(path[1:] for path in paths if path and path[0] == step)
            for key, member, at in self._members(start):
                if step in ("*", key):
                    yield from self.items(member, at, onward, (*parents, value))
        elif () in paths:
            yield Row(where, value, self._raw(start), parents)
        else:
            expected = " or ".join(dict.fromkeys(repr(path[0]) for path in paths))
            yield Rejected(where, f"no {expected} in this object", "U109", self._raw(start))

    def _elements(self, start: int) -> Iterator[tuple[Any, int]]:
        at = _after_space(self._text, start + 1)
        while self._text[at] != "]":
            value, end = DECODER.raw_decode(self._text, at)
            yield value, at
            at = _after_space(self._text, end)
            if self._text[at] == ",":
                at = _after_space(self._text, at + 1)

    def _members(self, start: int) -> Iterator[tuple[str, Any, int]]:
        at = _after_space(self._text, start + 1)
        while self._text[at] != "}":
            key, end = DECODER.raw_decode(self._text, at)
            at = _after_space(self._text, _after_space(self._text, end) + 1)  # past the colon
            value, end = DECODER.raw_decode(self._text, at)
            yield key, value, at
            at = _after_space(self._text, end)
            if self._text[at] == ",":
                at = _after_space(self._text, at + 1)

    def _place(self, at: int) -> Place:
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        return Place(self._file, self._line)

    def _raw(self, start: int) -> str:
        return self._text[start : DECODER.raw_decode(self._text, start)[1]]


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
