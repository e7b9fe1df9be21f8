"""Explain: how a line came about, clause by clause, each with its place in the file and its paragraph of the paper."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from offtake.contract.contract import Contract
from offtake.contract.paths import PathError, locate, text
from offtake.contract.patterns import match
from offtake.operations.rate_usage import Rated
from offtake.rating.lines import Line
from offtake.values.errors import InputError, Place


@dataclass(frozen=True, slots=True)
class Step:
    """One clause at work: its path, what it did, where it stands, and the paragraph that it states (or "")."""

    clause: str
    what: str
    place: Place
    paper: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line with its derivation: the unit price first, then what acted on the amount."""

    line: Line
    steps: tuple[Step, ...]


def explain_lines(
    rated: Rated,
    *,
    line_id: str | None = None,
    model: str | None = None,
    meter: str | None = None,
    at: datetime | date | None = None,
) -> tuple[Explanation, ...]:
    """The lines with this id, or of this model, meter and instant. InputError U197 where there is none."""
    contract = rated.contract
    moment = contract.instant(at) if at else None
    lines = [
        line
        for invoice in rated.invoices.invoices
        if moment is None or moment in invoice.period
        for line in (*invoice.lines, *(rated.corrections or ()))
    ]
    found = [
        line
        for line in lines
        if line_id in (None, line.id)
        and (model is None or match(model, line.model))
        and (meter is None or line.meter == meter)
    ]
    if not found:
        near = difflib.get_close_matches(line_id or "", [line.id for line in lines], n=3, cutoff=0.3)
        asked = line_id or " ".join(each for each in (model, meter, at and str(at)) if each)
        raise InputError("U197", f"no line {asked!r}", hint=_hint(near, lines))
    return tuple(Explanation(line, tuple(_steps(line, contract))) for line in found)


def _steps(line: Line, contract: Contract) -> Iterator[Step]:
    for clause, what in line.steps:
        yield _step(clause, what, line, contract)
    if line.clause not in {clause for clause, _ in line.steps} or line.kind != "usage":
        yield _step(line.clause, line.why, line, contract)


def _step(clause: str, what: str, line: Line, contract: Contract) -> Step:
    at = line.period.start
    return Step(clause, what, contract.place(clause, at), paper_of(contract, clause, at))


def paper_of(contract: Contract, path: str, at: datetime) -> str:
    """The paragraph that a term states, with the document's full name: `order_form §2.1 (Order Form 3)`."""
    version = contract.version_at(at)
    with suppress(PathError):  # what rating calls a clause may be no term of its own
        path = text(locate(path, version.data))
    source = contract.source(path, at)
    document = version.terms.documents.get(source.split(" ")[0], "")
    return f"{source} ({document})" if document else source


def _hint(near: list[str], lines: list[Line]) -> str:
    if near:
        return "near: " + ", ".join(near)
    return "lines of this run have ids such as " + lines[0].id if lines else "this usage gives no lines at all"
