"""Arithmetic as people write it in a scenario: `64 × 4.25 + 16 × 21.25`, evaluated exactly.

    sum     = product {("+" | "-" | "−") product}
    product = factor {("*" | "×" | "/" | "÷") factor}
    factor  = ["-" | "−"] (number ["%"] | name | function "(" sum {"," sum} ")" | "(" sum ")")

Names are given by the caller. Functions: `round(x, places)` (half-even), `max(…)`, `min(…)`.
Values hold 60 digits, so only a quotient can be inexact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from offtake.values.money import ROUNDING, divide, quantize
from offtake.values.units import number

_TOKEN = re.compile(r"\s*(\d[\d_]*(?:\.\d[\d_]*)?%?|[A-Za-z_]\w*|[-+−*×/÷(),])")
_MINUS = ("-", "−")
_FUNCTIONS = ("round", "max", "min")


def evaluate(text: str, names: Mapping[str, Decimal] | None = None) -> Decimal:
    """The value of an expression. ValueError with a sentence when it cannot be read or divides by zero."""
    return _Reader(text, names or {}).read()


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str, names: Mapping[str, Decimal]) -> None:
        self.text = text
        self.names = names
        self.tokens = _tokens(text)
        self.at = 0

    def read(self) -> Decimal:
        value = self._sum()
        if self.at < len(self.tokens):
            raise ValueError(f"unexpected {self.tokens[self.at]!r} in {self.text!r}")
        return value

    def _sum(self) -> Decimal:
        value = self._product()
        while sign := self._take("+", *_MINUS):
            other = self._product()
            value = ROUNDING.add(value, other) if sign == "+" else ROUNDING.subtract(value, other)
        return value

    def _product(self) -> Decimal:
        value = self._factor()
        while sign := self._take("*", "×", "/", "÷"):
            other = self._factor()
            if sign in "*×":
                value = ROUNDING.multiply(value, other)
            elif other:
                value = divide(value, other)
            else:
                raise ValueError(f"division by zero in {self.text!r}")
        return value

    def _factor(self) -> Decimal:
        if self._take(*_MINUS):
            return -self._factor()
        if self._take("("):
            value = self._sum()
            self._expect(")")
            return value
        if self.at == len(self.tokens):
            raise ValueError(f"{self.text!r} ends too early")
        token = self.tokens[self.at]
        self.at += 1
        if token[0].isdigit():
            return number(token[:-1]).scaleb(-2) if token.endswith("%") else number(token)
        if token in _FUNCTIONS and self._take("("):
            return self._call(token)
        if token in self.names:
            return self.names[token]
        raise ValueError(f"unexpected {token!r} in {self.text!r}")

    def _call(self, function: str) -> Decimal:
        arguments = [self._sum()]
        while self._take(","):
            arguments.append(self._sum())
        self._expect(")")
        if function != "round":
            return max(arguments) if function == "max" else min(arguments)
        if len(arguments) != 2:
            raise ValueError(f"round takes a value and its places in {self.text!r}")
        return quantize(arguments[0], int(arguments[1]))

    def _take(self, *tokens: str) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at] in tokens:
            self.at += 1
            return self.tokens[self.at - 1]
        return ""

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise ValueError(f"a {token!r} is missing in {self.text!r}")


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError(f"cannot read {text[at:].strip()!r} in {text!r}")
        found.append(match[1])
        at = match.end()
    return found
