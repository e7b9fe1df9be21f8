"""The Python API, and that importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import offtake
from tests.faces.conftest import CONTRACT

RECORD = {"model": "claude-opus-4.7", "input_tokens": 1_000, "output_tokens": 200, "used_at": "2026-03-01T12:00:00Z"}
COMMITTED = CONTRACT.replace(
    "fees: {platform: 100 USD / month}",
    "commitments: [{id: spend, amount: 12_000 USD / year, pool: all_models, counts_at: contracted, true_up: year, "
    "overage: {at: list}}]",
)


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import offtake, sys; print([m for m in ('pydantic', 'duckdb', 'click', 'genai_prices') if m in sys.modules])"
    )

    assert "[]\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_every_public_name_is_there() -> None:
    assert set(offtake.__all__) <= set(dir(offtake))
    assert all(getattr(offtake, name) for name in offtake.__all__)
    with pytest.raises(AttributeError, match="no attribute 'prize'"):
        _ = offtake.prize


def test_a_record_is_priced_unrounded(contract: Path) -> None:
    assert Decimal("0.01") == offtake.price(RECORD)
    assert Decimal("0.0085") == offtake.price(RECORD, contract)
    assert Decimal("0.0085") == offtake.price(RECORD, offtake.load_contract(contract))
    at = datetime(2026, 3, 1, tzinfo=UTC)
    record = offtake.UsageRecord(id="r", used_at=at, model="claude-opus-4.7", quantities={"input_tokens": 1})
    assert Decimal("0.00000425") == offtake.price(record, contract)


def test_cumulative_terms_ask_for_a_position(tmp_path: Path) -> None:
    path = tmp_path / "committed.yaml"
    path.write_text(COMMITTED)
    with pytest.raises(offtake.OfftakeError, match="depends on the usage before it"):
        offtake.price(RECORD, path)
    start = offtake.position_after([], path)
    spent = offtake.position_after([{**RECORD, "output_tokens": 1_000_000_000}], path)

    assert Decimal("0.0085") == offtake.price(RECORD, path, position=start)
    assert Decimal("0.01") == offtake.price(RECORD, path, position=spent), "beyond the commitment at list"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"input_tokens": 1.5}, "U105"),
        ({"input_tokens": -1}, "U105"),
        ({"input_tokens": float("nan")}, "U105"),
        ({"input_tokens": 10**18}, "U105"),
        ({"model": ""}, "U103"),
        ({"model": "no-such-model"}, "K301"),
        ({"used_at": "2020-01-01T00:00:00Z"}, "R411"),
        ({"foo_tokens": 1}, "U111"),
        ({"input_tokens": object()}, "U107"),
    ],
)
def test_a_record_that_is_wrong_is_refused(change: dict[str, object], code: str, contract: Path) -> None:
    with pytest.raises(offtake.OfftakeError) as caught:
        offtake.price({**RECORD, **change}, contract)

    assert code == caught.value.code


def test_rating_takes_files_or_records(usage: Path, contract: Path) -> None:
    assert Decimal("214.65") == offtake.rate(usage, contract).total
    assert Decimal("214.65") == offtake.rate([str(usage)], offtake.load_contract(contract)).total
    twice = offtake.rate([{"id": "r-1", **RECORD}, {"id": "r-1", **RECORD}])
    assert (Decimal("0.01"), 1) == (twice.total, twice.control.duplicates)


def test_the_page_shows_what_happens() -> None:
    """The first block of docs/reference/python.md runs as it stands; its comments say what comes."""
    root = Path(__file__).resolve().parents[2]
    block = (root / "docs/reference/python.md").read_text().split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    for line in block.replace("contracts/", f"{root}/contracts/").splitlines():
        statement, _, said = line.partition("  # ")
        if not said:
            exec(statement, names)
        else:
            assert str(eval(statement, names)) == said.rpartition(" ")[2]
