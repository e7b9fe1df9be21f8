"""The language itself: every field is described, claimed by an engine, and every ask has a home in it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from offtake.contract.claims import CLAIMS, ENGINES, RECORD_ONLY, engines_of
from offtake.contract.reference import reference
from offtake.contract.schema.json_schema import json_schema, negotiation_schema
from offtake.contract.schema.terms import ContractFile
from offtake.contract.schema.walk import fields, parts
from offtake.values.yaml_text import read_yaml

ROOT = Path(__file__).parents[3]
FIELDS = fields(ContractFile)
ASKS = ROOT / "src/offtake/contract/asks.yaml"


def holds_terms(annotation: Any) -> bool:
    found = parts(annotation)
    return bool(found.terms) or any(holds_terms(each) for each in (found.element, found.value) if each is not None)


LEAVES = [field for field in FIELDS if not holds_terms(field.info.annotation)]


def test_a_field_is_claimed_by_an_engine_or_says_why_not() -> None:
    assert LEAVES
    assert [] == [
        field.path
        for field in LEAVES
        if bool(engines_of(field.term.__name__, field.key))
        == bool(RECORD_ONLY.get(f"{field.term.__name__}.{field.key}", ""))
    ]


def test_a_claim_has_its_field_and_a_known_engine() -> None:
    there = {(field.term.__name__, field.key) for field in FIELDS}
    claimed = {(term, key) for term, rows in CLAIMS.items() for keys in rows.values() for key in keys.split()}
    recorded = {tuple(name.split(".")) for name in RECORD_ONLY}

    assert set() == (claimed | recorded) - there
    assert set(ENGINES) >= {engine for rows in CLAIMS.values() for engines in rows for engine in engines.split()}


def test_a_field_is_described_in_a_sentence() -> None:
    sentence = re.compile(r".{4,}[.…:]", flags=re.DOTALL)

    assert [] == [field.path for field in FIELDS if not sentence.fullmatch(field.description)]


def asks() -> dict[str, str]:
    data, _ = read_yaml(ASKS.read_text(), ASKS.name)
    assert isinstance(data, dict)
    return data


def test_every_home_of_an_ask_is_in_the_language() -> None:
    known = {field.path for field in FIELDS} | {"tactic", "document"}

    assert set() == set(asks().values()) - known


def test_every_ask_of_the_list_has_a_home() -> None:
    data = os.environ.get("OFFTAKE_DATA")
    path = Path(data).parent / "taxonomy.yaml" if data else None
    if path is None or not path.is_file():
        pytest.skip("the list of asks is not shipped; it is looked for beside OFFTAKE_DATA")
    ids = re.findall(r"^- id: (\S+)$", path.read_text(), flags=re.MULTILINE)

    assert 188 == len(ids)
    assert set(ids) == set(asks())


@pytest.mark.parametrize(("name", "schema"), [("contract", json_schema), ("negotiation", negotiation_schema)])
def test_the_shipped_schema_is_current(name: str, schema: Any) -> None:
    shipped = (ROOT / "schema" / f"{name}.schema.json").read_text()

    assert json.dumps(schema(), indent=2, ensure_ascii=False) + "\n" == shipped, "run `make fix`"


def test_the_reference_page_is_current() -> None:
    assert reference() == (ROOT / "docs/reference/contract.md").read_text(), "run `make fix`"
