"""The example contracts as they stand: they parse, check clean, and can be written back."""

from __future__ import annotations

from pathlib import Path

import pytest

from offtake.contract.check import check
from offtake.contract.parse import parse, parse_bytes
from offtake.contract.render import render
from offtake.contract.schema.terms import Terms
from offtake.contract.schema.walk import fields, leaves
from offtake.store.catalogs import open_catalog

FOLDER = Path(__file__).parents[3] / "contracts"
EXAMPLES = sorted(FOLDER.glob("*/contract.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_an_example_checks_clean(file: Path) -> None:
    catalog = open_catalog([FOLDER / "example-catalog.yaml"])

    assert () == check(parse_bytes(file.read_bytes(), file.name), catalog)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_an_example_can_be_written_back(file: Path) -> None:
    contract = parse_bytes(file.read_bytes(), file.name)

    assert contract.versions == parse(render(contract), "again.yaml").versions


def test_the_reference_uses_every_section_of_the_language() -> None:
    file = FOLDER / "eight-figure-reference" / "contract.yaml"
    used = {path.partition(".")[0].partition("[")[0] for path, _ in leaves(parse_bytes(file.read_bytes(), "x").signed)}

    assert {field.path for field in fields(Terms) if "." not in field.path and "[" not in field.path} <= used
