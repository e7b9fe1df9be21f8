"""The picodollar grid and rounding: half-even, never further off than half a step."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from offtake.values.money import Money, divide, from_pico, quantize, to_pico

AMOUNTS = st.decimals(-(10**15), 10**15, places=9)
PRICES = st.decimals(0, 10**4, places=18)


def half_even(exact: Fraction) -> int:
    """Python's own rounding of fractions is half-even: an implementation that shares no line with ours."""
    return round(exact)


@given(PRICES)
def test_a_price_lands_on_the_nearest_step_of_the_grid_ties_to_even(price: Decimal) -> None:
    assert half_even(Fraction(price) * 10**12) == to_pico(price)


@given(st.integers(0, 10**13), st.sampled_from(["0.5", "0.4999999", "0.5000001"]))
def test_ties_go_to_the_even_step(pico: int, beyond: str) -> None:
    price = (Decimal(pico) + Decimal(beyond)).scaleb(-12)

    assert half_even(Fraction(pico) + Fraction(beyond)) == to_pico(price)


@given(st.integers(-(10**18), 10**18))
def test_the_grid_reads_back_as_it_was_written(pico: int) -> None:
    assert pico == to_pico(from_pico(pico))


@given(AMOUNTS, st.integers(0, 9))
def test_quantize_is_half_even_at_any_place(amount: Decimal, places: int) -> None:
    shown = quantize(amount, places)

    assert Fraction(half_even(Fraction(amount) * 10**places), 10**places) == Fraction(shown)
    assert -places == shown.as_tuple().exponent
    assert shown == quantize(shown, places)
    assert not (shown.is_zero() and shown.is_signed())


@given(st.lists(AMOUNTS, max_size=20))
def test_sums_are_exact_in_any_order(amounts: list[Decimal]) -> None:
    forward = backward = Money(Decimal(0), "USD")
    for amount in amounts:
        forward += Money(amount, "USD")
    for amount in reversed(amounts):
        backward += Money(amount, "USD")

    assert forward == backward
    assert sum(map(Fraction, amounts), Fraction(0)) == Fraction(forward.amount)


@given(AMOUNTS, st.integers(1, 10**15))
def test_a_quotient_is_within_half_of_the_sixtieth_digit(numerator: Decimal, denominator: int) -> None:
    quotient = divide(numerator, denominator)
    exact = Fraction(numerator) / denominator

    assert abs(Fraction(quotient) - exact) <= abs(exact) * Fraction(1, 10**59)
