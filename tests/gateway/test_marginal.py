"""The marginal cost of a request is what rating's invoices grow by: the oracle is the whole term, rated twice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.contract.contract import Contract
from offtake.contract.parse import parse
from offtake.gateway.admit.hold import shape_of
from offtake.gateway.outlet import Outlet
from offtake.gateway.route.marginal import marginal
from offtake.gateway.route.odds import THOUSAND
from offtake.gateway.route.standing import Quantities, standing_of
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord
from tests.gateway.deals import AT, HEAD, OPUS, ask, catalog, key, outlet, read, written

EARLY = datetime(2026, 9, 1, tzinfo=UTC)


def record(id: str, at: datetime, use: Quantities) -> UsageRecord:
    quantities = {"input_tokens": use.input, "cache_read_tokens": use.cache_read, "output_tokens": use.output}
    return UsageRecord(
        id=id, used_at=at, vendor="anthropic", model=OPUS, quantities={name: n for name, n in quantities.items() if n}
    )


@cache
def contract_of(text: str) -> Contract:
    return parse(text, "acme.yaml")


@cache
def outlet_of(text: str) -> Outlet:
    return outlet(text=text)


def term_total(text: str, records: list[UsageRecord]) -> Decimal:
    """All invoices of the term, unrounded."""
    found = rate_records(records, contract_of(text), catalog(), span=contract_of(text).span)
    return sum((invoice.total + invoice.residual for invoice in found.invoices), Decimal(0))


@st.composite
def deals(draw: st.DrawFn) -> dict[str, Any]:
    prices = read(HEAD)["prices"]
    share = draw(st.sampled_from([0, 10, 25]))
    if share:
        prices["discounts"] = [{"models": "*", "share": f"{share}%"}]
    commitment: dict[str, Any] = {
        "id": "spend", "amount": f"{draw(st.sampled_from([1, 4, 20, 40]))} USD / year", "pool": "all_models",
        "counts_at": draw(st.sampled_from(["list", "contracted"])), "true_up": "year",
    }  # fmt: skip
    if draw(st.booleans()):
        commitment["shortfall"] = {"share": draw(st.sampled_from(["50%", "80%"]))}
    if draw(st.booleans()):
        commitment["overage"] = {"at": draw(st.sampled_from(["list", "contracted"])), "surcharge": "10%"}
    found: dict[str, Any] = read(HEAD)
    return found | {"prices": prices, "commitments": [commitment]}


uses = st.builds(Quantities, st.integers(0, 400_000), st.integers(0, 400_000), st.integers(1, 40_000))


@settings(max_examples=min(200, settings().max_examples))  # each rates a term twice
@given(deals(), uses, uses)
def test_the_marginal_cost_is_what_the_whole_term_grows_by(
    deal: dict[str, Any], before: Quantities, use: Quantities
) -> None:
    text = written(deal)
    earlier, now = record("before", EARLY, before), record("now", AT, use)
    grown = term_total(text, [earlier, now]) - term_total(text, [earlier])
    where = outlet_of(text)
    ceiling = where.bounds.ceiling(shape_of(ask(tier="standard"), where, OPUS, key()), AT)
    counts_at_list = deal["commitments"][0]["counts_at"] == "list"
    drawn = ceiling.at_list(*before) if counts_at_list else ceiling.expected(*before)
    standing = standing_of(where.terms, AT, {"spend": drawn}, {})
    for each in standing.drawdowns:
        assert THOUSAND == each.anyway_permille  # nothing is known of the rest of the year …
        each.anyway_permille = 0  # … but here nothing comes after it

    found = marginal(ceiling, standing, use, OPUS, "api", "", 0)

    assert abs(grown.scaleb(12) - found.pico) <= 10, (found, grown)
