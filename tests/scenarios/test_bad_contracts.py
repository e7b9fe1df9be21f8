"""Bad contracts, each with the exact words that a user gets. OFFTAKE_RENEW=1 writes the words anew; read them then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from offtake.contract.check import check
from offtake.contract.parse import parse_bytes
from offtake.store.catalogs import open_catalog
from offtake.values.errors import OfftakeError

FOLDER = Path(__file__).parent / "bad" / "contract"
CASES = sorted(FOLDER.glob("*.yaml"))


def said(file: Path) -> str:
    """What `parse`, and then `check`, say about a file."""
    try:
        contract = parse_bytes(file.read_bytes(), file.name)
    except OfftakeError as error:
        return f"{error}\n"
    return "".join(f"{finding}\n" for finding in check(contract, open_catalog()))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_bad_contract_is_answered_in_these_words(file: Path) -> None:
    words = file.with_suffix(".expected.txt")
    found = said(file)
    if os.environ.get("OFFTAKE_RENEW"):
        words.write_text(found)

    assert words.read_text() == found
    assert found, "nothing is wrong with it"
    assert f"{file.name}:" in found, "it does not say where"


def test_every_case_has_its_words_and_the_other_way_round() -> None:
    assert {file.stem for file in CASES} == {file.name.removesuffix(".expected.txt") for file in FOLDER.glob("*.txt")}
