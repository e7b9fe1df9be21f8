"""Arithmetic as scenarios write it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.values.arithmetic import evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64 × 4.25 + 16 × 21.25", "612"),
        ("1_200_000", "1200000"),
        ("2 + 3 × 4 − 1", "13"),
        ("(2 + 3) * 4 / 8", "2.5"),
        ("-(1 - 3)", "2"),
        ("−2 × −3", "6"),
        ("15%", "0.15"),
        ("100 × 20%", "20"),
        ("round(100 / 3, 2)", "33.33"),
        ("round(0.125, 2)", "0.12"),
        ("max(0, 5 − 9) + min(1, 2, 3)", "1"),
        ("1 - billed / list", "0.2"),
    ],
)
def test_an_expression_has_its_exact_value(text: str, value: str) -> None:
    assert Decimal(value) == evaluate(text, {"billed": Decimal(8), "list": Decimal(10)})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends too early"),
        ("2 +", "ends too early"),
        ("2 2", "unexpected '2'"),
        ("(2", "')' is missing"),
        ("2 / 0", "division by zero"),
        ("$5", "cannot read '$5'"),
        ("__import__", "unexpected '__import__'"),
        ("round(2)", "round takes a value and its places"),
        ("2e5", "unexpected 'e5'"),
    ],
)
def test_what_is_no_expression_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(").replace(")", r"\)").replace("$", r"\$")):
        evaluate(text)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_products_come_before_sums(a: int, b: int, c: int) -> None:
    assert Decimal(a + b * c) == evaluate(f"({a}) + ({b}) × ({c})")
