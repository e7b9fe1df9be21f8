"""`offtake estimate`: the two lever tables of S1, and what it refuses."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faces.conftest import Offtake

OUTPUT_HEAVY = ("--model", "claude-opus-4.7", "--input", "500M", "--output", "1.5B")
INPUT_HEAVY = ("--model", "claude-opus-4.7", "--input", "1.5B", "--output", "100M")
LEVERS = ("--cache-read", "70%", "--batch", "100%")


def totals(offtake: Offtake, *arguments: object) -> dict[str, Decimal]:
    document = json.loads(offtake("estimate", *arguments, "--format", "json").out)
    return {each["name"]: Decimal(each["total"]) for each in document["configurations"]}


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        ((*OUTPUT_HEAVY, *LEVERS), ("40000", "38425", "20000", "19212.50")),
        ((*INPUT_HEAVY, *LEVERS), ("10000", "5275", "5000", "2637.50")),
    ],
)
def test_the_lever_tables(workload: tuple[str, ...], expected: tuple[str, ...], offtake: Offtake) -> None:
    assert dict(zip(("list", "cache", "batch", "batch+cache"), map(Decimal, expected), strict=True)) == totals(
        offtake, *workload
    )


@pytest.mark.parametrize(("ttl", "expected"), [("5m", "5837.50"), ("1h", "7525")])
def test_cache_writes_cost_their_premium(ttl: str, expected: str, offtake: Offtake) -> None:
    found = totals(offtake, *INPUT_HEAVY, "--cache-read", "70%", "--cache-write", "30%", "--ttl", ttl)

    assert {"list": Decimal(10_000), "cache": Decimal(expected)} == found


def test_a_contract_prices_the_same_workload(offtake: Offtake, contract: Path) -> None:
    found = totals(offtake, *OUTPUT_HEAVY, *LEVERS, "--contract", contract, "--at", "2026-03-01")

    assert (Decimal(40_000), Decimal(34_000)) == (found["list"], found["contract"])
    assert Decimal("19212.50") * Decimal("0.85") == found["batch+cache"]


def test_the_table_shows_what_is_saved(offtake: Offtake) -> None:
    done = offtake("estimate", *OUTPUT_HEAVY, *LEVERS)

    assert "batch+cache     $19,212.50   $20,787.50   52.0%" in done.out
    assert "cache           $38,425.00    $1,575.00    3.9%" in done.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--model", "claude-opus-4.7", "--input", "5x", "--output", "1"), 2),
        (("--model", "claude-opus-4.7", "--input", "0.5", "--output", "1"), 2),
        (("--model", "claude-opus-4.7", "--input", "1", "--output", "1", "--batch", "50"), 2),
        (("--model", "claude-opus-4.7", "--input", "1", "--output", "9000000T"), 2),
        ((*INPUT_HEAVY, "--cache-read", "70%", "--cache-write", "40%"), 2),
        (("--model", "no-such-model", "--input", "1M", "--output", "1M"), 2),
    ],
)
def test_what_cannot_be_estimated_is_refused(arguments: tuple[str, ...], code: int, offtake: Offtake) -> None:
    done = offtake("estimate", *arguments)

    assert (code, "") == (done.code, done.out)
