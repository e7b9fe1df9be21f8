"""A workbook computed by hand: an evaluator of the few formulas that ours use, independent of what wrote them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain

import openpyxl
from openpyxl.formula import Tokenizer
from openpyxl.utils import range_boundaries

Place = tuple[str, str]
"""(sheet, cell)."""


def _flat(values: Sequence[object]) -> list[Decimal]:
    found = chain.from_iterable(each if isinstance(each, list) else [each] for each in values)
    return [each for each in found if isinstance(each, Decimal)]


FUNCTIONS = {
    "SUM": lambda *values: sum(_flat(values), Decimal(0)),
    "MAX": lambda *values: max(_flat(values)),
    "IF": lambda test, yes, no: yes if test else no,
    "SUMIF": lambda keys, key, values: sum(
        (value for found, value in zip(keys, values, strict=True) if found == key), Decimal(0)
    ),
    "Decimal": Decimal,
}


class Book:
    """The cells of a workbook, with some inputs changed."""

    def __init__(self, content: bytes, changes: Mapping[Place, Decimal] | None = None) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(content))
        self.written = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        self.changes = dict(changes or {})

    def formulas(self) -> list[Place]:
        """Every cell that holds a formula."""
        cells = [(sheet.title, cell) for sheet in self.book for row in sheet.iter_rows() for cell in row]
        return [(sheet, cell.coordinate) for sheet, cell in cells if cell.data_type == "f"]

    def cached(self, place: Place) -> Decimal:
        """What stands beside the formula, for readers that compute nothing."""
        return Decimal(str(self.written[place[0]][place[1]].value))

    def number(self, sheet: str, cell: str) -> Decimal:
        """A cell that holds a number, its formula computed."""
        found = self._value((sheet, cell))
        assert isinstance(found, Decimal), (sheet, cell, found)
        return found

    def _value(self, place: Place) -> object:
        if place in self.changes:
            return self.changes[place]
        found = self.book[place[0]][place[1]].value
        if isinstance(found, str) and found.startswith("="):
            return self._computed(place[0], found)
        return Decimal(str(found)) if isinstance(found, int | float) else found

    def _computed(self, sheet: str, formula: str) -> Decimal:
        words = []
        for token in Tokenizer(formula).items:
            match token.type, token.subtype:
                case "OPERAND", "RANGE":
                    words.append(f"at({sheet!r}, {token.value!r})")
                case "OPERAND", "NUMBER":
                    words.append(f"Decimal({token.value!r})")
                case "OPERATOR-INFIX", _ if token.value == "=":
                    words.append("==")
                case _:
                    words.append(token.value)
        return Decimal(eval("".join(words), {"at": self._at, **FUNCTIONS}))

    def _at(self, sheet: str, name: str) -> object:
        if name in self.book.defined_names:
            name = self.book.defined_names[name].attr_text
        sheet, _, cells = name.rpartition("!") if "!" in name else (sheet, "", name)
        sheet, cells = sheet.strip("'"), cells.replace("$", "")
        if ":" not in cells:
            return self._value((sheet, cells))
        left, top, right, bottom = range_boundaries(cells)
        rows = self.book[sheet].iter_rows(min_row=top, max_row=bottom, min_col=left, max_col=right)
        return [self._value((sheet, cell.coordinate)) for row in rows for cell in row]
