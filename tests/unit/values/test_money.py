"""Money and unit prices are exact, and say so when they cannot be."""

from __future__ import annotations

import decimal
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from offtake.values.money import Money, divide, from_pico, quantize, to_pico


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def test_money_adds_like_with_like() -> None:
    assert usd("0.30") == usd("0.1") + usd("0.2")
    assert usd("-0.1") == usd("0.1") - usd("0.2")
    with pytest.raises(ValueError, match="USD and EUR do not add"):
        usd("1") + Money(Decimal(1), "EUR")


def test_money_multiplies_by_whole_numbers_and_decimals_only() -> None:
    assert usd("0.30") == usd("0.1") * 3
    assert usd("0.025") == usd("0.1") * Decimal("0.25")
    wrong: Any
    for wrong in (0.1, True, usd("1"), "3"):
        with pytest.raises(TypeError, match="multiplies by an int or a Decimal"):
            usd("1") * wrong


@pytest.mark.parametrize("amount", [1, 1.0, "1", None])
def test_money_needs_a_decimal(amount: Any) -> None:
    with pytest.raises(TypeError, match="Money needs a Decimal"):
        Money(amount, "USD")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_money_is_finite(amount: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        Money(Decimal(amount), "USD")


def test_money_keeps_every_digit_or_raises() -> None:
    long = "1234567890123456789012345678901234567890.123456789"

    assert usd(f"-{long}") == -usd(long)
    assert usd(long) == usd(long) + usd("0")
    with pytest.raises(decimal.Inexact):
        usd("1" + "0" * 40) + usd("0." + "0" * 40 + "1")


def test_minus_nothing_is_nothing() -> None:
    assert "0 USD" == str(-usd("0"))


def test_money_reads_with_thousands_marks() -> None:
    assert "1,351,232.88 USD" == str(usd("1351232.88"))


@pytest.mark.parametrize(
    ("dollars_per_million", "pico"),
    [
        ("5", 5_000_000),
        ("0.003625", 3_625),
        ("0.0000005", 0),  # half of a picodollar goes to the even neighbour: 0
        ("0.0000015", 2),  # and 1.5 to 2
        ("0.0000025", 2),
        ("0.00000250000000000000000000001", 3),  # a hair above the half goes up
    ],
)
def test_a_unit_price_lands_on_the_grid_half_even(dollars_per_million: str, pico: int) -> None:
    assert pico == to_pico(Decimal(dollars_per_million).scaleb(-6))


def test_the_grid_is_read_back_exactly() -> None:
    assert Decimal("0.000005") == from_pico(5_000_000)
    assert "0.000000000001" == f"{from_pico(1):f}"


def test_divide_rounds_at_sixty_digits_and_refuses_zero() -> None:
    assert "0." + "3" * 60 == str(divide(Decimal(1), 3))
    with pytest.raises(decimal.DivisionByZero):
        divide(Decimal(1), 0)
    with pytest.raises(decimal.InvalidOperation):
        divide(Decimal(0), 0)


@pytest.mark.parametrize(
    ("amount", "places", "shown"),
    [("0.125", 2, "0.12"), ("0.135", 2, "0.14"), ("2.5", 0, "2"), ("-0.001", 2, "0.00"), ("19212.5", 2, "19212.50")],
)
def test_quantize_is_half_even_and_never_minus_zero(amount: str, places: int, shown: str) -> None:
    assert shown == str(quantize(Decimal(amount), places))


def test_quantize_takes_the_contracts_mode() -> None:
    assert Decimal("0.13") == quantize(Decimal("0.125"), 2, ROUND_HALF_UP)
