"""Errors for people: what went wrong, where, why, and a hint. Codes are stable.

    OfftakeError
    ├── InputError      exit 2   a flag or a usage file of the caller's is wrong
    ├── ContractError   exit 3   a contract, a facts file or a catalogue file is wrong
    ├── CatalogError    exit 3   a model, meter, channel, region or date has no list price
    ├── UnpricedError   exit 1   a record that no term of the contract prices
    └── OutsideError    exit 4   the world outside failed: disk, network, a killed engine

Findings are values: a check collects all of them, so that a user sees every problem at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: lines and columns count from 1; None where the whole file is meant."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem. `path` is the term's path in the contract file, such as `prices.discounts[0]`."""

    code: str
    severity: Literal["error", "warning"]
    what: str
    where: Place | None = None
    path: str = ""
    why: str = ""
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.where}: " if self.where else ""
        lines = [f"{head}{self.severity}[{self.code}]: {self.what}"]
        lines += [f"  why: {self.why}"] if self.why else []
        lines += [f"  hint: {self.hint}"] if self.hint else []
        return "\n".join(lines)


class OfftakeError(Exception):
    """The root of every error that a user may see; `str()` is the whole message."""

    exit_code = 1

    def __init__(self, code: str, what: str, *, where: Place | None = None, why: str = "", hint: str = "") -> None:
        self.findings: tuple[Finding, ...] = (Finding(code, "error", what, where=where, why=why, hint=hint),)
        super().__init__(what)

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> OfftakeError:
        """One error out of several findings (at least one)."""
        error = cls(findings[0].code, findings[0].what)
        error.findings = tuple(findings)
        return error

    @property
    def code(self) -> str:
        """The stable code of the first finding."""
        return self.findings[0].code

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


class InputError(OfftakeError):
    """A flag, a usage file or an invoice file is wrong."""

    exit_code = 2


class ContractError(OfftakeError):
    """A contract, stance, facts or catalogue file is wrong."""

    exit_code = 3


class CatalogError(OfftakeError):
    """No list price: an unknown model, meter, channel or region, or a date before the first price."""

    exit_code = 3


class UnpricedError(OfftakeError):
    """A record that no term prices. Unpriced is not free."""

    exit_code = 1


class OutsideError(OfftakeError):
    """The world outside failed."""

    exit_code = 4
