"""Who bears what: both methods sum to the invoices, and say what they say by hand."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from offtake.assurance.allocation import Without, blended, largest_remainder, marginal
from offtake.catalog.catalog import Catalog
from offtake.contract.parse import parse_bytes
from offtake.rating.breakdown import unrounded
from offtake.rating.lines import Invoices
from offtake.rating.planning import By
from offtake.rating.rate import rate
from offtake.rating.source import Records
from offtake.usage.record import UsageRecord
from offtake.values.money import EXACT
from tests.unit.assurance.test_status import CATALOG, HEAD, day, used

TIERED = """\
prices:
  basis: list
  cache: catalog
  tiers:
    kind: graduated
    measure: {amount: contracted, at: frozen}
    window: contract_year
    steps: [{up_to: 600 USD, share: 0%}, {share: 4%}]
"""
BY = By(tags=("team",))


def tagged() -> list[UsageRecord]:
    """600 USD of each of two teams, and 2 USD of none."""
    return [
        *used(day(1, 2), [600], tags={"team": "a"}),
        *used(day(1, 3), [600], tags={"team": "b"}),
        *used(day(1, 4), [2]),
    ]


def both(text: str, catalog: Catalog = CATALOG) -> tuple[Invoices, Decimal, list[tuple[str, Decimal]], Decimal]:
    """The exact invoices, what is billed, and the marginal shares with their residual."""
    contract, source = parse_bytes((HEAD + text).encode(), "c.yaml"), Records(tagged())
    exact = rate(source, unrounded(contract), catalog, by=BY)
    billed = rate(source, contract, catalog).total
    with localcontext(EXACT):
        found = marginal(
            exact, "team", billed,
            lambda value: rate(Without(source, "team", value), unrounded(contract), catalog, by=BY),
        )  # fmt: skip
    return exact, billed, [(share.value, share.total) for share in found.shares], found.residual


def test_a_tier_is_blended_by_contracted_cost() -> None:
    exact, billed, _, _ = both(TIERED)
    with localcontext(EXACT):
        found = blended(exact, "team", billed, 2)

    # 1,202 − 4% of what lies beyond 600 = 1,202 − 24.08 = 1,177.92.
    assert Decimal("1177.92") == billed == found.invoiced
    assert billed == sum(share.total for share in found.shares)
    assert [("", Decimal("1.96")), ("a", Decimal("587.98")), ("b", Decimal("587.98"))] == [
        (share.value, share.total) for share in found.shares
    ]


def test_marginal_is_what_the_invoices_would_be_lower() -> None:
    _, billed, shares, residual = both(TIERED)

    # Without a team 602 are left: 600 + 2 × 96% = 601.92. 1,177.92 − 601.92 = 576.
    assert [("", Decimal("1.92")), ("a", Decimal(576)), ("b", Decimal(576))] == shares
    assert Decimal("24.00") == residual
    assert billed == sum(total for _, total in shares) + residual


def test_a_fee_that_nobody_alone_causes_is_residual() -> None:
    _, billed, shares, residual = both("prices: {basis: list, cache: catalog}\nfees: {platform: 100 USD / month}\n")

    assert (Decimal(1302), Decimal(100)) == (billed, residual)
    assert [Decimal(2), Decimal(600), Decimal(600)] == [total for _, total in shares]


def test_a_shortfall_is_marginal_to_nobody_where_each_only_fills_it() -> None:
    commitment = (
        "prices: {basis: list, cache: catalog}\n"
        "commitments: [{id: s, amount: 2_000 USD / month, pool: all_models, counts_at: contracted, true_up: month}]\n"
    )
    exact, billed, shares, residual = both(commitment)
    with localcontext(EXACT):
        found = blended(exact, "team", billed, 2)

    assert Decimal(2000) == billed == residual
    assert [Decimal(0)] * 3 == [total for _, total in shares]
    assert billed == sum(share.total for share in found.shares)


def test_without_usage_everything_is_residual() -> None:
    contract = parse_bytes((HEAD + "prices: {basis: list, cache: catalog}\n").encode(), "c.yaml")
    found = blended(rate(Records([]), contract, CATALOG), "team", Decimal(5), 2)

    assert ((), Decimal(5)) == (found.shares, found.residual)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30), st.integers(0, 10**12))
def test_the_largest_remainder_sums_and_is_a_cent_off_at_most(weights: list[int], cents: int) -> None:
    whole = Decimal(cents).scaleb(-2)
    everything = sum(weights) or 1
    with localcontext(EXACT) as context:
        context.traps[next(trap for trap in context.traps if trap.__name__ == "Inexact")] = False
        exact = {str(index): whole * weight / everything for index, weight in enumerate(weights)}
        if not sum(weights):
            exact["0"] = whole
    parts = largest_remainder(exact, whole, 2)

    assert whole == sum(parts.values())
    assert all(abs(parts[key] - exact[key]) < Decimal("0.01") for key in exact)
