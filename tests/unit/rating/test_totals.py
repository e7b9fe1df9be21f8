"""Many futures at once cost what `rate_records` says of each: exactly, in every billing period."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.contract.parse import parse_data
from offtake.operations.contracts import Opened, open_contract
from offtake.rating.committed import windows_of
from offtake.rating.compiled import CompiledTerms
from offtake.rating.rate import rate_records
from offtake.rating.totals import Bundle, Futures
from offtake.usage.record import UsageRecord
from offtake.values.money import EXACT

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
MID_SIZE = open_contract(CONTRACTS / "mid-size" / "contract.yaml")
TOKENS = {"amount": "tokens", "at": "current"}
CHANGES: tuple[tuple[str, dict[str, object]], ...] = (
    ("as it is", {}),
    ("tokens", {"tiers": {"amount": "tokens"}}),
    ("a pool", {"pool": {"models": ["claude-opus-*"]}}),
    ("prepaid", {"prepaid": {"share": "100%", "discount": "5%", "as": "cash"}}),
    ("at list", {"counts_at": "list", "overage": {"at": "list"}}),
)


def changed(change: dict[str, object]) -> Opened:
    data = dict(MID_SIZE.contract.versions[0].data)
    change = dict(change)
    tiers = change.pop("tiers", None)
    if tiers:
        steps = [{"up_to": 40_000_000_000, "share": "0%"}, {"share": "7%"}]
        data["prices"] = {
            **data["prices"],  # type: ignore[dict-item]
            "tiers": {
                "kind": "graduated",
                "measure": {"amount": "tokens", "at": "current"},
                "window": "quarter",
                "steps": steps,
            },
        }
    data["commitments"] = [{**data["commitments"][0], **change}]  # type: ignore[index]
    return replace(MID_SIZE, contract=parse_data(data, "changed.yaml", {}, "changed"))


def record(number: int, model: str, quantities: dict[str, int], **fields: str) -> UsageRecord:
    return UsageRecord(
        id=f"r{number}", used_at=MID_SIZE.contract.span.start, vendor="anthropic", model=model, quantities=quantities,
        context_tokens=0, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


BASE = (
    record(0, "claude-opus-4-7", {"input_tokens": 5_000, "output_tokens": 1_000, "cache_read_tokens": 3_000}),
    record(1, "claude-haiku-4-5", {"input_tokens": 9_000, "output_tokens": 1_000}, channel="batch"),
    record(2, "claude-haiku-4-5", {"input_tokens": 900}, outcome="http_5xx"),
    record(3, "claude-haiku-4-5", {"input_tokens": 900, "output_tokens": 500}, outcome="refusal"),
)


@pytest.mark.parametrize(("change"), [change for _, change in CHANGES], ids=[name for name, _ in CHANGES])
@settings(max_examples=min(50, settings().max_examples))  # each rates a year of records one by one
@given(counts=st.lists(st.integers(0, 3_000_000), min_size=12, max_size=12))
def test_a_future_costs_what_rating_its_records_costs(change: dict[str, object], counts: list[int]) -> None:
    opened = changed(change)
    terms = CompiledTerms(opened.contract, opened.catalog)
    months = list(windows_of(opened.contract, "month"))
    with localcontext(EXACT):
        bundles = [[Bundle(terms, month.start.replace(day=15), BASE)] for month in months]
    futures = Futures(terms, {each.model for each in BASE})

    found = futures.billed(bundles, [[count] for count in counts])

    records = [
        replace(each, id=f"{month:02}/{each.id}")
        for month, count in enumerate(counts)
        if count
        for each in bundles[month][0].multiplied(count)
    ]
    rated = rate_records(records, opened.contract, opened.catalog, span=opened.contract.span)
    expected = [invoice.total + invoice.residual for invoice in rated.invoices]
    assert expected == found


def test_usage_that_the_clauses_see_alike_goes_through_them_as_one_piece() -> None:
    plain = Futures(CompiledTerms(MID_SIZE.contract, MID_SIZE.catalog), {"claude-opus-4-7", "claude-haiku-4-5"})
    pooled = changed({"pool": {"models": ["claude-opus-*"]}})

    assert plain.alike
    assert not Futures(CompiledTerms(pooled.contract, pooled.catalog), {"claude-opus-4-7"}).alike


def test_a_bundle_costs_what_its_records_cost() -> None:
    with localcontext(EXACT):
        bundle = Bundle(CompiledTerms(MID_SIZE.contract, MID_SIZE.catalog), MID_SIZE.contract.span.start, BASE)

    # opus 85%: 5,000 × 4.25 + 1,000 × 21.25 + 3,000 × 0.425; haiku 80%: batch half; a refusal is billed, then credited
    expected = 21_250 + 21_250 + 1_275 + 9_000 * Decimal("0.4") + 1_000 * 2 + 900 * Decimal("0.8") + 500 * 4
    assert expected * 10**6 == bundle.contracted
    assert Decimal("0.5") * 500 * 4 * 10**6 == bundle.credited
    assert bundle.is_undropped
