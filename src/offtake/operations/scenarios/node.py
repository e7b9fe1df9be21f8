"""A place in a scenario file: a value, where it stands, and a sentence for what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from offtake.values.arithmetic import evaluate
from offtake.values.errors import InputError, Place
from offtake.values.yaml_text import read_yaml, step


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the file with its path. Reading methods raise InputError with file:line:column."""

    value: object
    path: str
    places: Mapping[str, Place]

    @classmethod
    def read(cls, text: str, file: str) -> Node:
        """The root of a file's text."""
        value, places = read_yaml(text, file)
        return cls(value, "", places)

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return self.places.get(self.path, self.places[""])

    def fail(self, what: str, hint: str = "") -> InputError:
        """An error at this place; the caller raises it."""
        return InputError("U181", what, where=self.place, hint=hint)

    def item(self, key: str | int) -> Node | None:
        """What stands under a key or index; None where nothing does."""
        if isinstance(self.value, dict) and key in self.value:
            return Node(self.value[key], step(self.path, key), self.places)
        if isinstance(self.value, list) and isinstance(key, int) and key < len(self.value):
            return Node(self.value[key], step(self.path, key), self.places)
        return None

    def need(self, key: str) -> Node:
        """What stands under a key that must be there."""
        found = self.item(key)
        if found is None:
            raise self.fail(f"{key!r} is missing")
        return found

    def only(self, *keys: str) -> Node:
        """Itself, after refusing what is no mapping and keys that are not named."""
        for key, item in self.entries():
            if key not in keys:
                raise item.fail(f"unknown key {key!r}", hint=f"one of: {', '.join(keys)}")
        return self

    def entries(self) -> Iterator[tuple[str, Node]]:
        """The keys of a mapping with their values."""
        if not isinstance(self.value, dict):
            raise self.fail("a mapping of keys and values is expected here")
        for key in self.value:
            yield key, Node(self.value[key], step(self.path, key), self.places)

    def items(self) -> list[Node]:
        """The items of a list; anything else is a list of one."""
        if not isinstance(self.value, list):
            return [self]
        return [Node(item, step(self.path, index), self.places) for index, item in enumerate(self.value)]

    def text(self) -> str:
        """Text, or what YAML reads as a number or date, as it would be written."""
        if isinstance(self.value, bool) or not isinstance(self.value, (str, int, Decimal, date)) or self.value == "":
            raise self.fail(f"text is expected here, not {self.value!r}")
        return str(self.value)

    def count(self) -> int:
        """A whole number at or above zero, or arithmetic that gives one."""
        value = self.number()
        if value != value.to_integral_value() or value < 0:
            raise self.fail(f"a whole number at or above zero is expected here, not {value}")
        return int(value)

    def number(self, names: Mapping[str, Decimal] | None = None) -> Decimal:
        """A number, or arithmetic such as `64 × 4.25`."""
        if isinstance(self.value, Decimal):
            return self.value
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return Decimal(self.value)
        try:
            return evaluate(self.text(), names)
        except ValueError as error:
            raise self.fail(f"not a number: {error}", hint="numbers, + - × /, brackets, round(x, 2)") from error

    def instant(self) -> datetime:
        """An instant with its zone."""
        if isinstance(self.value, datetime) and self.value.tzinfo:
            return self.value
        raise self.fail(f"an instant such as 2026-03-01T12:00:00Z is expected here, not {self.value}")
