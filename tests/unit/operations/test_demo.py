"""The demo: the same bytes for ever, and a bill whose mistakes are found to the cent."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.operations.contracts import open_contract
from offtake.operations.demo.bill import MISTAKES, right_bill, wrong_bill
from offtake.operations.demo.month import WORKLOADS, sample_month
from offtake.operations.demo.run import Demo, run_demo
from offtake.rating.breakdown import unrounded
from offtake.rating.planning import By
from offtake.rating.rate import rate_records
from offtake.store.shipped import shipped
from offtake.values.money import total

USAGE_SHA256 = "728bd7bf4dc722de7339af515ccd9b58f67dee0bbec0a7542e216bead3c7660f"


def test_the_month_has_the_same_bytes_on_every_machine(demo: Demo) -> None:
    assert USAGE_SHA256 == hashlib.sha256((demo.folder / "usage.csv").read_bytes()).hexdigest()


def test_another_seed_is_another_month() -> None:
    first = date(2026, 1, 1)

    assert list(sample_month(1, first, first)) == list(sample_month(1, first, first))
    assert list(sample_month(1, first, first)) != list(sample_month(2, first, first))


def test_the_month_has_the_measured_shape() -> None:
    sums = {workload.name: [0, 0] for workload in WORKLOADS}
    ids = set()
    for record in sample_month():
        ids.add(record.id)
        for meter, quantity in record.quantities.items():
            sums[record.workload][meter == "output_tokens"] += quantity
    shape = {name: round(read / written, 1) for name, (read, written) in sums.items()}

    assert 278 == pytest.approx(shape["coding-agent"], rel=0.02)
    assert 5.47 == pytest.approx(shape["support-chat"], rel=0.02)
    assert 35.1 == pytest.approx(shape["product-search"], rel=0.02)
    assert len(ids) == sum(1 for _ in sample_month())


def test_the_comparison_finds_the_planted_dollars(demo: Demo) -> None:
    contract = open_contract(shipped("contracts/mid-size/contract.yaml"))
    exact = rate_records(sample_month(), unrounded(contract.contract), contract.catalog, by=By(day=True))
    planted = total(row.amount for row in wrong_bill(exact)) - total(row.amount for row in right_bill(exact))
    found = demo.compared.result

    assert planted == pytest.approx(found.overbilled, abs=Decimal("0.25"))  # cents of rounded rows
    assert Decimal(0) == found.underbilled
    assert len(MISTAKES) == len(found.claims)
    assert {
        ("list price", "prices.discounts[0]"),
        ("channel", "prices.batch"),
        ("cache kind", "prices.cache.read"),
        ("failed request", "failed_requests.http_5xx"),
        ("duplicate", "prices.discounts[0]"),
    } == {(claim.first.cause, claim.first.clause) for claim in found.claims}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_each_mistake_costs_the_buyer(demo: Demo, mistake: object) -> None:
    contract = open_contract(demo.folder / "contract.yaml")
    exact = rate_records(sample_month(), unrounded(contract.contract), contract.catalog, by=By(day=True))
    lines = tuple(line for invoice in exact.invoices for line in invoice.lines)
    right = right_bill(exact)
    wrong = list(mistake.make(right, lines))  # type: ignore[attr-defined]

    assert total(row.amount for row in right) + 100 < total(row.amount for row in wrong)


def test_status_levers_and_a_derived_line_belong_to_it(demo: Demo) -> None:
    each = demo.status.commitments[0]
    allocation = demo.status.allocation

    assert (Decimal(300_000), "spend") == (each.committed, each.id)
    assert allocation is not None
    assert demo.status.invoices.total == total(share.total for share in allocation.shares) + allocation.residual
    assert ["list", "contract", "cache", "batch", "batch+cache"] == [lever.name for lever in demo.levers]
    assert demo.levers[1].total == demo.levers[0].total * Decimal("0.8")
    assert ["prices.basis", "prices.discounts[0]"] == [step.clause for step in demo.explained.steps[:2]]


def test_the_next_year_asks_for_a_smaller_promise(demo: Demo) -> None:
    ahead = demo.ahead

    assert ahead is not None
    assert [("start", Decimal(600_000))] == [(each.offer, each.committed) for each in ahead.plan.sign]
    assert "commitments[spend]" == ahead.clauses[0].clause.path
    smaller, cheaper = (each.value.mean for each in ahead.changes)
    assert smaller > cheaper > 0


def test_every_file_is_there_and_made_again_is_the_same(demo: Demo, tmp_path: Path) -> None:
    again = run_demo(tmp_path)

    for name in ("contract.yaml", "usage.csv", "bill.csv"):
        assert (demo.folder / name).read_bytes() == (again.folder / name).read_bytes()
    assert demo.report.read_text().replace(str(demo.folder), "") == again.report.read_text().replace(
        str(again.folder), ""
    )
