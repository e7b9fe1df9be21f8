"""Errors say where, what, why and what to do; each class has its exit code."""

from __future__ import annotations

import pytest

from offtake.values.errors import (
    CatalogError,
    ContractError,
    Finding,
    InputError,
    OfftakeError,
    OutsideError,
    Place,
    UnpricedError,
)


@pytest.mark.parametrize(
    ("place", "text"),
    [(Place("c.yaml"), "c.yaml"), (Place("c.yaml", 7), "c.yaml:7"), (Place("c.yaml", 7, 5), "c.yaml:7:5")],
)
def test_a_place_reads_as_editors_expect(place: Place, text: str) -> None:
    assert text == str(place)


def test_a_message_has_all_of_its_parts_in_order() -> None:
    error = ContractError(
        "C207",
        "two discounts match claude-opus-4-7",
        where=Place("c.yaml", 9, 5),
        why="both are exact",
        hint="remove one",
    )

    assert (
        "c.yaml:9:5: error[C207]: two discounts match claude-opus-4-7\n  why: both are exact\n  hint: remove one"
    ) == str(error)


def test_a_message_leaves_out_what_it_does_not_know() -> None:
    assert "error[U102]: unknown grain 'week'" == str(InputError("U102", "unknown grain 'week'"))


def test_several_findings_make_one_error_that_shows_all() -> None:
    findings = [Finding("C201", "error", "first"), Finding("C202", "warning", "second", path="fees")]
    error = ContractError.of(findings)

    assert isinstance(error, ContractError)
    assert "C201" == error.code
    assert tuple(findings) == error.findings
    assert "error[C201]: first\nwarning[C202]: second" == str(error)


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [(InputError, 2), (ContractError, 3), (CatalogError, 3), (UnpricedError, 1), (OutsideError, 4)],
)
def test_each_class_has_its_exit_code(kind: type[OfftakeError], exit_code: int) -> None:
    assert exit_code == kind("X000", "what").exit_code
