"""Reading JSON objects of others: each value by name and type; what nobody read is dropped by name, never in silence.

A body that is not what its dialect says raises `BadRequest` with the path of the field: the client's 400.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec

_INDEX = re.compile(r"\[\d+\]")


class BadRequest(Exception):  # noqa: N818 - the wire's own word
    """What cannot be read, or cannot be said in the vendor's dialect without changing its meaning."""

    def __init__(self, message: str, param: str = "") -> None:
        self.message, self.param = message, param
        super().__init__(message)


class Dropped:
    """Names of what a translation left out, in the client's words, each once; list positions become `[]`."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def note(self, path: str) -> None:
        """Keep the name of something that is left out."""
        self._names[_INDEX.sub("[]", path)] = None

    def names(self) -> list[str]:
        """All names, in the order in which they were met."""
        return list(self._names)


class Fields:
    """An object of a foreign body. Reading takes a value out; `drop_rest` names what is left."""

    __slots__ = ("_dropped", "_values", "path")

    def __init__(self, value: Any, path: str, dropped: Dropped) -> None:
        if not isinstance(value, dict):
            raise BadRequest(f"{path or 'the body'} must be an object", path)
        self._values: dict[str, Any] = dict(value)
        self.path = path
        self._dropped = dropped

    def where(self, name: str) -> str:
        """The path of one of its fields."""
        return f"{self.path}.{name}" if self.path else name

    def take(self, name: str) -> Any:
        """A value as it is; None where absent or null."""
        return self._values.pop(name, None)

    def text(self, name: str) -> str:
        """A string, "" where absent or null."""
        return self.needed_text(name) if self._values.get(name) is not None else self._absent(name, "")

    def needed_text(self, name: str) -> str:
        """A string that must be there."""
        value = self.take(name)
        if not isinstance(value, str):
            raise BadRequest(f"{self.where(name)} must be a string", self.where(name))
        return value

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """One of a few words, "" where absent or null."""
        value = self.text(name)
        if value and value not in allowed:
            raise BadRequest(f"{self.where(name)} must be one of {', '.join(sorted(allowed))}", self.where(name))
        return value

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise BadRequest(f"{self.where(name)} must be true or false", self.where(name))
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, zero or more."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise BadRequest(f"{self.where(name)} must be a whole number, zero or more", self.where(name))
        return value

    def number(self, name: str) -> float | None:
        """Any number."""
        value = self.take(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise BadRequest(f"{self.where(name)} must be a number", self.where(name))
        return value

    def inner(self, name: str) -> Fields | None:
        """An object inside."""
        value = self.take(name)
        return None if value is None else Fields(value, self.where(name), self._dropped)

    def needed_inner(self, name: str) -> Fields:
        """An object inside that must be there."""
        return Fields(self.take(name), self.where(name), self._dropped)

    def items(self, name: str) -> list[Fields]:
        """A list of objects, [] where absent or null."""
        value = self.take(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadRequest(f"{self.where(name)} must be a list", self.where(name))
        return [Fields(item, f"{self.where(name)}[{index}]", self._dropped) for index, item in enumerate(value)]

    def texts(self, name: str) -> list[str]:
        """A list of strings, [] where absent or null."""
        value = self.take(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadRequest(f"{self.where(name)} must be a list of strings", self.where(name))
        return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        """An object that is passed on as it is, such as a schema."""
        value = self.take(name)
        if value is not None and not isinstance(value, dict):
            raise BadRequest(f"{self.where(name)} must be an object", self.where(name))
        return value

    def holds(self, name: str) -> bool:
        """Whether a value other than null is there."""
        return self._values.get(name) is not None

    def is_text(self, name: str) -> bool:
        """Whether a string is there, and not a list of parts."""
        return isinstance(self._values.get(name), str)

    def refuse(self, name: str, why: str) -> BadRequest:
        """The refusal of one of its fields."""
        return BadRequest(f"{self.where(name)}: {why}", self.where(name))

    def drop(self, name: str, *plain: Any) -> None:
        """Leave a field out; named unless it says nothing, or no more than a `plain` value does."""
        if self.take(name) not in (None, False, "", [], {}, *plain):
            self._dropped.note(self.where(name))

    def drop_rest(self) -> None:
        """Leave out all that was not read."""
        for name in list(self._values):
            if self._values[name] is not None:
                self._dropped.note(self.where(name))
        self._values.clear()

    def _absent(self, name: str, value: str) -> str:
        self._values.pop(name, None)
        return value


def decoded(body: bytes) -> Any:
    """The JSON value of a body."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise BadRequest("the body is nested too deeply") from error


def encoded(value: Any) -> bytes:
    """A value as compact JSON."""
    try:
        return msgspec.json.encode(value)
    except RecursionError as error:
        raise BadRequest("the body is nested too deeply") from error


def object_of(text: str, where: str) -> dict[str, Any]:
    """The object that a JSON text holds, such as a tool's arguments; an empty text is an empty object."""
    if not text.strip():
        return {}
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest(f"{where} must be the JSON text of an object: {error}", where) from error
    if not isinstance(value, dict):
        raise BadRequest(f"{where} must be the JSON text of an object", where)
    return value
